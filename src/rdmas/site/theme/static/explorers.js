/* Explorers: values were computed when the book was built; here they are only selected. The
   library that draws is fetched when an explorer comes near, from beside this file. */
"use strict";

(() => {
  const beside = document.currentScript.src.replace(/[^/]*$/, "");
  let library;
  const loaded = () => library ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = `${beside}vega.js`;
    script.onload = resolve;
    script.onerror = () => reject(new Error("the drawing library did not load"));
    document.head.append(script);
  });

  function begin(figure) {
    const { say, words, positions, charts } = JSON.parse(figure.querySelector("script").textContent);
    const controls = [...figure.querySelectorAll("[data-control]")];
    const said = figure.querySelector(".says");
    const now = {};
    let views = [];

    const word = (_, name) => name in words
      ? words[name].each[words[name].by.reduce((rest, control) => rest[now[control]], words[name].of)]
      : positions[name][now[name]];

    function draw() {
      for (const [view, names] of views) {
        for (const name of names) view.signal(name, now[name]);
        view.runAsync();
      }
    }

    function show() {
      for (const control of controls) {
        const { control: name } = control.dataset;
        now[name] = Number(control.value);
        if (control.type === "range") {
          control.setAttribute("aria-valuetext", positions[name][now[name]]);
          control.nextElementSibling.textContent = positions[name][now[name]];
        }
      }
      const sentence = say.replace(/\{(\w+)\}/g, word);
      if (said.textContent !== sentence) said.textContent = sentence;
      draw();
    }

    // A mark that stands for positions of controls sets them; keyboards have the controls.
    function choose(datum) {
      const meant = controls.filter((control) => Number.isInteger(datum[control.dataset.control]));
      for (const control of meant) control.value = datum[control.dataset.control];
      if (meant.length) show();
    }

    async function come() {
      await loaded();
      const boxes = [...figure.querySelectorAll(".chart")];
      views = await Promise.all(charts.map(async (spec, place) => {
        const options = { mode: "vega-lite", renderer: "svg", actions: false, tooltip: false, defaultStyle: false };
        const shows = boxes[place].getAttribute("aria-label");
        const { view } = await window.vegaEmbed(boxes[place], spec, options);
        // The library names the box after itself, and every mark within; the box has its words.
        boxes[place].querySelector("svg").setAttribute("aria-hidden", "true");
        boxes[place].setAttribute("aria-label", shows);
        boxes[place].setAttribute("role", "img");
        boxes[place].removeAttribute("aria-roledescription");
        view.addEventListener("click", (_, mark) => choose(mark?.datum ?? {}));
        return [view, spec.params.map((param) => param.name)];
      }));
      draw();
      await Promise.all(views.map(([view]) => view.runAsync()));
      figure.dataset.drawn = "live";
    }

    for (const control of controls) control.addEventListener("input", show);
    figure.querySelector(".controls").hidden = false;
    show();
    const near = new IntersectionObserver(([entry]) => {
      if (!entry.isIntersecting) return;
      near.disconnect();
      // Should drawing fail, the words still follow and the picture of the start stays.
      come().catch((error) => console.error(error));
    }, { rootMargin: "400px" });
    near.observe(figure);
  }

  document.querySelectorAll("figure.explorer").forEach(begin);
})();
