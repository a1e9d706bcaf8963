/* The one script of every page. Without it everything is still there: code stays in folded
   blocks, tables scroll, links work. */
"use strict";

(() => {
  const root = document.documentElement;

  // file:// pages may have no storage; the switch then lasts as long as the page.
  const store = {
    get: () => { try { return localStorage.getItem("code"); } catch { return null; } },
    set: (value) => { try { localStorage.setItem("code", value); } catch { /* nothing to keep */ } },
  };

  function showCode(on) {
    root.dataset.code = on ? "shown" : "hidden";
    for (const block of document.querySelectorAll(".cell > details")) block.open = on;
    for (const button of document.querySelectorAll(".show-code")) {
      button.hidden = false;
      button.setAttribute("aria-pressed", String(on));
    }
  }

  // Set before the page is painted, so that nothing jumps.
  root.dataset.code = store.get() === "shown" ? "shown" : "hidden";

  document.addEventListener("DOMContentLoaded", () => {
    showCode(root.dataset.code === "shown");
    for (const button of document.querySelectorAll(".show-code")) {
      button.addEventListener("click", () => {
        const on = root.dataset.code !== "shown";
        showCode(on);
        store.set(root.dataset.code);
      });
    }
    // A table wider than its box says so by a shadow at the edge that hides something.
    const edges = (box) => {
      box.classList.toggle("more-left", box.scrollLeft > 1);
      box.classList.toggle("more-right", box.scrollLeft + box.clientWidth < box.scrollWidth - 1);
    };
    for (const box of document.querySelectorAll(".rdmas-scroll")) {
      box.addEventListener("scroll", () => edges(box), { passive: true });
      new ResizeObserver(() => edges(box)).observe(box);
    }
  });
})();
