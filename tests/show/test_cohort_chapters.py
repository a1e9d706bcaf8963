"""Every chapter about a reader's cohort, on every odd cohort: it builds, and what it says is true.

Groups of inputs 38, 39, 43, 44 and 46: one arm, nobody or everybody dead, missing columns, other
diagnoses, another drug, sentences wired to a paper, a registry of one's own.
"""

import ast
import html
import re
from dataclasses import replace

import cohorts
import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pandas as pd
import pytest
from conftest import REPOSITORY
from IPython.display import HTML, Markdown

from rdmas.paper.cohort import load_cohort
from rdmas.show import figures
from rdmas.show.cohort import _counts as counts
from rdmas.show.cohort import cmv, colophon, context, data, dose, index, remission, scoreboard
from rdmas.stats import two_by_two

CHAPTERS = (
    *("index", "data", "remission", "survival", "p_value", "dose", "cmv"),
    *("sturdiness", "context", "scoreboard", "conventions", "colophon"),
)
NOTEBOOKS = {
    name: nbformat.read(REPOSITORY / "book" / "cohort" / f"{name}.ipynb", as_version=4)
    for name in CHAPTERS
}

#: What no page of a register may say of it: words of a paper's abstract, values that are none.
NEVER = re.compile(
    r"(?i:\babstracts?\b|as printed|reconstruct|historical|\bnan\b|\binf\b|\{|\bhttp)|\bNone\b|<NA>"
    r"|(?i:ruxolitinib|\bRD-MAS\b|\bLi 2025\b)"
)
#: Where the paper and other cohorts may be named.
PUBLISHED = re.compile(r"\bpublished\b", re.IGNORECASE)


@pytest.fixture(scope="module")
def registers(tmp_path_factory):
    """Folders of the odd cohorts, each written once."""
    folder, written = tmp_path_factory.mktemp("registers"), {}

    def folder_of(name):
        if name not in written:
            written[name] = cohorts.write(name, folder)
        return written[name]

    return folder_of


def run(chapter, folder, **parameters):
    """Run the code of a chapter here and return what it shows, markdown cells included."""
    parameters = {"data_dir": str(folder), **parameters}
    names, shown = {}, []
    for cell in NOTEBOOKS[chapter].cells:
        if cell.cell_type == "markdown":
            shown.append(Markdown(cell.source))
            continue
        tree = ast.parse(cell.source)
        last = tree.body[-1]
        value = isinstance(last, ast.Expr) and tree.body.pop()
        exec(compile(tree, chapter, "exec"), names)
        if "parameters" in cell.metadata["tags"]:
            names |= parameters
        if value:
            result = eval(compile(ast.Expression(value.value), chapter, "eval"), names)
            shown += [] if result is None else [result]
    return shown


def texts(shown):
    """Yield paragraphs, list items and rows of tables; a row with the heading of its table."""
    for item in shown:
        assert isinstance(item, (HTML, Markdown)), item
        assert item.data, "a notebook shows the class of what is empty"
        if isinstance(item, Markdown):
            yield from (part for part in re.split(r"\n\n|\n(?=- )", item.data) if part)
        else:
            label = re.search(r'aria-label="(.*?)"', item.data)[1]
            head, *rows = re.findall(r"<tr.*?>(.*?)</tr>", item.data, re.DOTALL)
            for row in rows:
                cells = re.sub(r"<[^>]+>|\s+", " ", f"{label}: {head} {row}")
                yield html.unescape(cells)


def faults(shown):
    """Return what is said that cannot be true."""
    return [
        text
        for text in texts(shown)
        if (NEVER.search(text) and not PUBLISHED.search(text))
        or re.search(r"\bnan\b|\bNone\b|<NA>", text)
        or text.replace("**The answer.**", "").count("**") > 2
    ]


@pytest.fixture
def no_pictures(monkeypatch):
    """Let figures be asked for and not drawn."""
    for name in figures.__all__:
        if name.startswith("plot_"):
            monkeypatch.setattr(figures, name, lambda *arguments, **options: None)


@pytest.mark.parametrize("name", cohorts.NAMES)
@pytest.mark.usefixtures("no_pictures")
def test_every_sentence_can_be_true_of_every_cohort(name, registers):
    for chapter in CHAPTERS:
        shown = run(chapter, registers(name))
        assert not faults(shown), chapter
        if name != "own_claims":
            assert "not reproduced" not in "".join(texts(shown))
        assert "**The answer.** " in "".join(texts(shown))


@pytest.mark.parametrize(
    "chapter",
    ["index", "data", "remission", "survival", "p_value", "dose", "cmv", "sturdiness", "context",
     "scoreboard"],
)  # fmt: skip
@pytest.mark.parametrize(
    "name",
    ["ordinary", "one_patient", "one_against_one", "all_dead", "some_missing", "controls_only_data",
     "no_doses", "no_week8_doses", "arms_2000", "emapalumab"],
)  # fmt: skip
def test_figures_can_be_drawn(name, chapter, registers):
    for aggregate_only in (False, True)[: 1 + (chapter == "dose")]:
        run(chapter, registers(name), aggregate_only=aggregate_only)
        for number in plt.get_fignums():
            plt.figure(number).canvas.draw()
        plt.close("all")


@pytest.mark.parametrize("name", ["ordinary", "one_arm", "emapalumab", "five_against_300"])
@pytest.mark.usefixtures("no_pictures")
def test_a_masked_run_says_so_and_shows_no_small_count(name, registers):
    """Counts of one column by arm from 1 to 4 stand nowhere, and the pages say what is missing."""
    folder = registers(name)
    cohort = load_cohort(folder, mask_below=5)
    hidden = [column for column in data.COLUMNS if not cohort.shows(column)]
    for chapter in CHAPTERS:
        shown = run(chapter, folder, mask_below=5)
        assert not faults(shown), chapter
        for text in texts(shown):
            if "published" not in text.lower() and "not recorded for" not in text:
                assert not re.search(r"\b[1-4] of [\d,]+\b", text), text
    said = data.answer(cohort)
    assert ("left out" in said) == bool(hidden)
    for column in hidden:
        assert data.COLUMNS[column].lower() in said.lower()
    assert (
        data.completeness(cohort)["name"]
        .isin([name for column, name in data.COLUMNS.items() if column not in hidden])
        .all()
    )


def test_masking_leaves_out_whatever_the_column_feeds(registers):
    cohort = load_cohort(registers("one_arm"), mask_below=5)
    assert not cohort.shows("died")
    for said in (index.answer(cohort, 0.95), context.answer(cohort, 0.95)):
        assert "4 of 23" not in said and "left out" in said
    assert "This cohort" not in set(context.forest(cohort, 0.95)["section"])
    assert len(index.bars(cohort, 0.95)) == 2  # the published arms
    shown = scoreboard.table(cohort, 0.95).data
    assert "Survival" not in shown


# What is said equals a direct computation -------------------------------------------------------


@pytest.mark.parametrize("name", ["ordinary", "some_missing", "harm", "arms_500"])
def test_numbers_are_those_of_the_table(name, registers):
    cohort, table = load_cohort(registers(name)), cohorts.table(name)
    for column, categories, said in (
        ("response_week8", ["complete", "partial"], remission.answer(cohort, 0.95)),
        ("cmv_infection", [1], cmv.answer(cohort, 0.95)),
    ):
        for arm in ("treatment", "control"):
            values = table.loc[table["arm"] == arm, column].dropna()
            events, n = int(values.isin(categories).sum()), len(values)
            assert re.search(rf"\b{events} of {n}\b", said.replace("*", ""))
    known = {
        row["arm"] + row["moment"]: row for row in dose.medians(cohort, 0.95).to_dict("records")
    }
    for arm in ("treatment", "control"):
        for column, moment in dose.MOMENTS.items():
            values = pd.to_numeric(table.loc[table["arm"] == arm, column]).dropna()
            row = known[arm + moment]
            assert (row["n"], row["median"]) == (len(values), pytest.approx(values.median()))
            assert {row["low"], row["high"]} <= set(values)


def test_a_difference_has_the_sign_of_the_table_and_newcombes_limits(registers):
    cohort = load_cohort(registers("harm"))
    said = index.answer(cohort, 0.95)
    assert "Mortality was 44.5 percentage points higher in arm “treatment”" in said
    rows = two_by_two.effects(14, 25, 3, 26).set_index("method")
    low, high = 100 * rows.loc["Newcombe", ["low", "high"]]
    assert f"{low:.1f} to {high:.1f} higher" in said and "excludes zero" in said


def test_the_worst_and_the_best_that_missing_values_allow(registers):
    """Every completion of the table lies within, and both ends are reached."""
    cohort, table = load_cohort(registers("some_missing")), cohorts.table("some_missing")
    found = counts.bounds(counts.by_arm(cohort, "cmv_infection", ["1"])).set_index("arm")
    for arm in ("treatment", "control"):
        values = table.loc[table["arm"] == arm, "cmv_infection"]
        assert found.loc[arm, "least"] == values.eq(1).mean()
        assert found.loc[arm, "most"] == (values.eq(1) | values.isna()).mean()


def test_the_range_of_counts_leaves_no_more_than_its_share_in_either_tail(registers):
    cohort = load_cohort(registers("ordinary"))
    pooled = context.pooled(cohort, 0.95)
    low, high = context._range_of_counts(pooled, 35)
    probability = context.pooling.predictive_probability
    assert probability(pooled, 35, at_most=low) > 0.025
    assert low == 0 or probability(pooled, 35, at_most=low - 1) <= 0.025
    assert probability(pooled, 35, at_least=high) > 0.025
    assert high == 35 or probability(pooled, 35, at_least=high + 1) <= 0.025


def test_of_cohorts_that_may_share_patients_one_is_pooled(registers):
    published = context.published_cohorts(load_cohort(registers("ordinary")))
    groups = [group for text in published["overlap_group"] for group in text.split(";") if group]
    assert len(groups) == len(set(groups)) > 0


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_published_cohorts_too_few_to_pool(rows, registers):
    """Group 36: no usable row is no reason to stop."""
    cohort = load_cohort(registers("ordinary"))
    main = context.published_cohorts(cohort)
    few = replace(cohort, evidence=main.iloc[:rows])
    for said in (context.answer(few, 0.95), context.fall(few, 0.95)):
        assert "pooled" in said and "interval 3%" not in said
    context.table(few, 0.95)
    context.forest(few, 0.95)
    nobody = replace(cohort, evidence=main.assign(events=0))
    assert "cannot be pooled" in context.answer(nobody, 0.95)


# What may not be known ----------------------------------------------------------------------------


def test_rare_diagnoses_are_counted_together(registers):
    """A diagnosis of a single patient is no heading of a table."""
    cohort = load_cohort(registers("ordinary"))
    odd = cohort.patients.copy()
    odd.loc[odd.index[0], "diagnosis"] = "fibrodysplasia of the only patient in town"
    rare = replace(cohort, patients=odd)
    assert len(data.named_diagnoses(rare)) == 3
    shown = data.diagnosis_table(rare).data
    assert "fibrodysplasia" not in shown and "<td>other</td>" in shown


@pytest.mark.usefixtures("no_pictures")
def test_no_page_names_a_patient(registers):
    shown = "".join(
        item.data
        for chapter in CHAPTERS
        for item in run(chapter, registers("ordinary"), aggregate_only=True)
    )
    assert not re.search(r"P0\d{4}", shown)
    assert str(registers("ordinary")) not in shown


def test_doses_are_drawn_by_size_and_not_by_patient(registers):
    values = dose.values(load_cohort(registers("ordinary")))
    for _, mine in values.groupby("name"):
        assert (np.diff(mine["value"]) >= 0).all()


def test_a_summary_of_few_values_is_none(registers):
    cohort = load_cohort(registers("one_patient"))
    assert dose.boxes(cohort, 0.95).empty
    assert "too few" in dose.table(cohort, 0.95).data


def test_small_counts_are_warned_of(registers):
    assert "may identify" in colophon.small_counts(load_cohort(registers("one_arm")))
    masked = load_cohort(registers("one_arm"), mask_below=5)
    assert "death" not in colophon.small_counts(masked)
    assert "--mask-below" not in colophon.small_counts(load_cohort(registers("arms_500")))


def test_inputs_are_named_by_hash_alone(registers):
    cohort = replace(load_cohort(registers("ordinary")), inputs={"Meyer, Anna.xlsx": "0" * 64})
    shown = colophon.inputs_table(cohort).data
    assert "Meyer" not in shown and "0" * 64 in shown


def test_figures_of_a_register_in_chinese(tmp_path):
    """Names that no font can draw are replaced in figures, and stand in the text as they are."""
    folder = tmp_path / "chinese"
    folder.mkdir()
    cohorts.chinese().to_csv(folder / "patients.csv", index=False)
    (folder / "cohort.toml").write_text('treatment = "治疗组"\ncontrol = "对照组"\n', "utf-8")
    for chapter in ("index", "data", "remission", "dose", "context", "scoreboard"):
        shown = "".join(texts(run(chapter, folder)))
        assert chapter == "dose" or "治疗组" in shown
        for number in plt.get_fignums():
            plt.figure(number).canvas.draw()
        plt.close("all")


def test_names_of_arms_are_shown_as_they_are(registers):
    """Group 29: markup in a name is no markup on a page."""
    cohort = load_cohort(registers("ordinary"))
    patients = cohort.patients.assign(arm=cohort.patients["arm"].replace("treatment", "<b>$x$</b>"))
    companion = cohort.descriptor["companion"] | {"treatmentArm": "<b>$x$</b>"}
    odd = replace(
        cohort, patients=patients, descriptor={**cohort.descriptor, "companion": companion}
    )
    for shown in (
        remission.answer(odd, 0.95),
        index.answer(odd, 0.95),
        data.sex_table(odd).data,
        remission.table(odd, 0.95).data,
        scoreboard.table(odd, 0.95).data,
    ):
        assert "<b>" not in shown
    figures.plot_intervals(remission.bars(odd, 0.95), "Share").figure.canvas.draw()
    figures.plot_intervals(scoreboard.bars(odd, 0.95), "Share").figure.canvas.draw()
    plt.close("all")


def test_notes_on_columns_that_are_not_shown_are_left_out(registers):
    said = {
        below: html.unescape(data.notes(load_cohort(registers("some_missing"), mask_below=below)))
        for below in (0, 5, 20)
    }
    assert "response_week8 16" in said[0] and "sex 21" in said[0]
    assert "response_week8" not in said[5] and "sex 21" in said[5]
    assert "sex" not in said[20] and "Encoding" in said[20]


# A registry of one's own --------------------------------------------------------------------------


def test_without_own_claims_nothing_is_a_verdict(registers):
    cohort = load_cohort(registers("ordinary"))
    shown = "".join(texts(run("scoreboard", registers("ordinary"))))
    assert "no verdict" in scoreboard.answer(cohort, 0.95)
    assert "not reproduced" not in shown and "reproduced" not in shown


def test_own_claims_get_verdicts_on_the_records(registers):
    """Group 46: a registry of a few rows is enough; its numbers are checked against the data."""
    cohort = load_cohort(registers("own_claims"))
    board = scoreboard.own_board(cohort)
    assert list(board["verdict"]) == ["reproduced"] * 4
    assert set(board["basis"]) == {"data"}
    assert "4 reproduced" in scoreboard.answer(cohort, 0.95)
    assert "20%" in scoreboard.own_table(cohort).data
    hidden = load_cohort(registers("own_claims"), mask_below=9)  # eight controls died
    assert len(scoreboard.own_board(hidden)) == 2
    assert "20%" not in scoreboard.own_table(hidden).data


def test_no_minus_zero():
    assert scoreboard._signed(-0.001, 1) == "0.0"
    assert scoreboard._signed(0.001, 1) == "0.0"
    assert scoreboard._signed(-1.2, 1) == "−1.2"
    assert scoreboard._signed(1.2, 1) == "+1.2"


# The notebooks ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CHAPTERS)
def test_cells_are_short_and_their_figures_have_captions(name):
    cells = [cell for cell in NOTEBOOKS[name].cells if cell.cell_type == "code"]
    assert NOTEBOOKS[name].cells[0].source.startswith("# ")
    assert [line.split(" = ")[0] for line in cells[0].source.splitlines()] == [
        *("data_dir", "level", "aggregate_only", "mask_below")
    ]
    for cell in cells:
        assert ("figures.plot_" in cell.source) == ("mystnb" in cell.metadata)
        assert not cell.outputs
    for cell in NOTEBOOKS[name].cells:
        if cell.cell_type == "markdown":
            assert not re.search(r"\{[a-z]+\}`|^\(.*\)=", cell.source, re.MULTILINE)
            assert not NEVER.search(cell.source)
