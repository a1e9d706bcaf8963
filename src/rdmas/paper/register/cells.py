"""A table's cells, read column by column: each value, or why it is none."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from rdmas.paper.problems import shown
from rdmas.paper.register import values
from rdmas.paper.register.columns import says_alive_or_dead
from rdmas.paper.register.findings import Findings, counted, some
from rdmas.paper.register.settings import COLUMNS, TIME_UNITS, Settings, meaning

#: The id of the template's example row.
EXAMPLE = "EXAMPLE-replace-this-row"

#: The column of times, and the unit in which they are whole numbers for most.
_IN_DAYS = ("followup_time", "days")

#: Texts of a reader that are shown, and that a spreadsheet might take for a formula.
_TEXTS = ("patient_id", "arm", "diagnosis")

_NAMES = (
    r"[^\W\d_]{2,}[,.]? [^\W\d_]{2,}( [^\W\d_]{2,})?",
    r"[^\W\d_]{2,},? [^\W\d_]\.|[^\W\d_]\. ?[^\W\d_]{2,}",
    r"[A-ZÄÖÜ][a-zäöüß]{3,}|[\u4e00-\u9fff]{2,4}",
    r"[^\s@]+@[^\s@]+\.[^\W\d_]{2,}",
)
_DATES = (
    r"(?<!\d)\d{6}(19|20)\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])\d{3}[\dXx]$",
    r"(?<!\d)\d{1,2}([./-])\d{1,2}\1(19|20)?\d{2}(?!\d)",
    r"(?<!\d)(19|20)\d{2}[./-]?(0[1-9]|1[0-2])[./-]?(0[1-9]|[12]\d|3[01])(?!\d)",
)


@dataclass
class Records:
    """The rows of a table.

    Attributes
    ----------
    rows : list of int
        Each row as the spreadsheet numbers it.
    raw : dict of str to list
        The cells of each column that was found, by our name.
    values : dict of str to list
        What they say; None where a value is missing.
    failed : set of (str, int)
        Column and place of each cell that says nothing that can be.
    words : Counter
        How often a word such as NA stood for a missing value, by column.
    """

    rows: list[int]
    raw: dict[str, list[Any]]
    values: dict[str, list[Any]] = field(default_factory=dict)
    failed: set[tuple[str, int]] = field(default_factory=set)
    words: Counter = field(default_factory=Counter)

    def has(self, column: str) -> bool:
        """Tell whether a column was found."""
        return column in self.raw

    def at(self, column: str, place: int) -> Any:
        """Return a value, None where it is missing, failed, or the table has no such column."""
        return self.values[column][place] if column in self.values else None

    def bad(self, place: int, *columns: str) -> bool:
        """Tell whether one of some cells of a patient failed."""
        return any((column, place) in self.failed for column in columns)


def read_cells(records: Records, settings: Settings, findings: Findings) -> None:
    """Read every column; what cannot be is told to `findings`."""
    _set_aside(records, settings, findings)
    exchanged = _exchanged(records, findings)
    for column in COLUMNS:
        if not records.has(column):
            continue
        if column in exchanged:
            records.values[column] = [None] * len(records.rows)
            records.failed |= {(column, place) for place in range(len(records.rows))}
        elif column == "arm":
            _read_column(records, column, values.text, settings, findings)
            _match_arms(records, settings, findings)
        else:
            _read_column(records, column, _parser(column, settings), settings, findings)
            if COLUMNS[column]["type"] == "number":
                _check_marks(records, column, settings, findings)
                _check_range(records, column, settings, findings)
    _check_ids(records, findings)
    _check_formulas(records, findings)


def _set_aside(records: Records, settings: Settings, findings: Findings) -> None:
    """Refuse a row of units or totals above or below the patients, and don't read it."""
    edges = sorted({0, 1, *range(max(len(records.rows) - 3, 0), len(records.rows))})
    odd = [
        place for place in edges if place < len(records.rows) and _is_odd(records, place, settings)
    ]
    if not 0 < len(odd) < len(records.rows) / 2:
        return
    for place in odd:
        rule = "is no patient: no number and no code can be read; remove units, totals and notes"
        findings.add(rule, records.rows[place])
    for column, cells in records.raw.items():
        records.raw[column] = [cell for at, cell in enumerate(cells) if at not in odd]
    records.rows[:] = [row for at, row in enumerate(records.rows) if at not in odd]


def _is_odd(records: Records, place: int, settings: Settings) -> bool:
    """Tell whether a row has several numbers or codes, and none of them can be read."""
    failed = 0
    for column, cells in records.raw.items():
        own = settings.values.get(column, {})
        coded = column not in _TEXTS and not values.is_missing(cells[place])
        if coded and values.word(cells[place]) in own:
            return False
        if coded:
            try:
                _parser(column, settings)(cells[place])
            except ValueError:
                failed += 1
            else:
                return False
    return failed >= 2


def _parser(column: str, settings: Settings) -> Callable[[Any], Any]:
    """Return what reads a cell of a column."""
    if "enum" in COLUMNS[column].get("constraints", {}):
        return lambda cell: values.coded(column, cell)
    if column == "patient_id":
        return _identity
    kinds: dict[str, Callable[[Any], Any]] = {
        "number": values.number,
        "date": lambda cell: values.date(cell, settings.date_order),
        "string": values.name,
    }
    return kinds[COLUMNS[column]["type"]]


def _identity(cell: Any) -> str:
    """Return an id; a line break at its end, which no cell shows, is one too."""
    if isinstance(cell, str) and cell.strip(" \t") != cell.strip():
        odd = set(cell) & set("\r\n\v\f\x1c\x1d\x1e\x85\u2028\u2029")
        if odd:
            raise ValueError("has a line break in it; remove it")
    return values.name(cell)


def _read_column(
    records: Records,
    column: str,
    parse: Callable[[Any], Any],
    settings: Settings,
    findings: Findings,
) -> None:
    """Read the cells of a column."""
    own = settings.values.get(column, {})
    if column == "arm":  # an arm may have a name such as "-" or "unknown"
        own = {values.word(arm): arm for arm in settings.arms} | dict(own)
    required = COLUMNS[column].get("constraints", {}).get("required", False)
    if column == "died":
        required = not records.has("death_date")  # a date of death says as much
    open_codes = column == "died" and says_alive_or_dead(
        findings.columns.get(column, "").removesuffix(" (died)")
    )
    read = []
    for place, cell in enumerate(records.raw[column]):
        row, value = records.rows[place], None
        try:
            if own and values.word(cell) in own:
                value = meaning(column, own[values.word(cell)])
                missing = value is None
            else:
                missing = values.is_missing(cell) or values.says_none(column, cell)
                if missing and values.text(cell):
                    records.words[column] += 1
                if not missing and open_codes and values.word(cell) in ("0", "1"):
                    raise values.SharedError(
                        "does not say whether that is alive or dead; name the column died, with 1 "
                        "for dead, or say it under [values.died] in cohort.toml"
                    )
                value = None if missing else parse(cell)
            if missing and required:
                raise ValueError("a value is required for every patient")
        except ValueError as error:
            records.failed.add((column, place))
            shared, rule = isinstance(error, values.SharedError), str(error)
            if column == "followup_time" and rule.startswith("is a date"):
                rule += "; give days, or dates in index_date, death_date and last_contact_date"
            # A cell that is empty shows nothing.
            written = cell if values.text(cell) else None
            findings.add(rule, row, column, written, shared=shared)
        read.append(value)
    records.values[column] = read


def _check_marks(records: Records, column: str, settings: Settings, findings: Findings) -> None:
    """Refuse decimal marks of two kinds, and those that could stand between thousands."""
    texts = {
        place: cell.strip()
        for place, cell in enumerate(records.raw[column])
        if isinstance(cell, str) and records.at(column, place) is not None
    }
    comma = [place for place, cell in texts.items() if "," in cell]
    point = [place for place, cell in texts.items() if "." in cell]
    if comma and point:
        rarer, other = sorted((comma, point), key=len)
        rule = (
            f"decimal commas and decimal points are mixed in the column (compare row "
            f"{records.rows[other[0]]}); use one of them"
        )
        findings.add(rule, records.rows[rarer[0]], column, texts[rarer[0]])
        records.failed |= {(column, place) for place in rarer}
        return
    marked = comma or point
    thousands = [it for it in marked if re.fullmatch(r"[+-]?[1-9]\d{0,2}[.,]\d{3}", texts[it])]
    # Nobody counts days in thousandths: there it may be every cell.
    most = len(texts) if (column, settings.time_unit) == _IN_DAYS else len(texts) / 2
    if thousands and len(thousands) == len(marked) <= most:
        mark = "comma" if comma else "point"
        for place in thousands:
            rule = f"the {mark} can mean thousands or decimals; write 1234, or 1.2 with one decimal"
            findings.add(rule, records.rows[place], column, texts[place])
            records.failed.add((column, place))


def _check_range(records: Records, column: str, settings: Settings, findings: Findings) -> None:
    """Refuse numbers that cannot be; turn follow-up into days."""
    limits = COLUMNS[column]["constraints"]
    factor = TIME_UNITS[settings.time_unit] if column == "followup_time" else 1.0
    for place, value in enumerate(records.values[column]):
        if value is None or records.bad(place, column):
            continue
        records.values[column][place] = value = value * factor + 0.0  # no minus zero
        if limits["minimum"] <= value <= limits["maximum"]:
            continue
        records.failed.add((column, place))
        rule = _out_of_range(column, value, limits, records)
        findings.add(rule, records.rows[place], column, records.raw[column][place])


def _out_of_range(column: str, value: float, limits: dict, records: Records) -> str:
    """Say why a number cannot be, and what would be right."""
    low, high, unit = limits["minimum"], limits["maximum"], COLUMNS[column]["unit"]
    if column == "weight_kg":
        near = [it for it in (value * 10, value / 10, value / 1000) if 20 <= it <= 200]
        hint = f"; {near[0]:g} may be meant" if near else ""
        return f"a body weight lies between {low} and {high} kg{hint}"
    if value < low:
        return f"is less than {low}; the least possible is {low} {unit}"
    if column == "followup_time":
        return (
            f"is longer than a life and looks like a spreadsheet's number for a day; write days, "
            f"at most {high}, or give dates in index_date, death_date and last_contact_date"
        )
    if column.endswith("mg_per_kg"):
        rule = f"is more than {high} mg/kg and looks like mg a day; name the column "
        rule += column.replace("per_kg", "per_day")
        return rule + (" and add weight_kg" if not records.has("weight_kg") else "")
    return f"is more than {high}; the most possible is {high} {unit} (check the unit)"


def _exchanged(records: Records, findings: Findings) -> tuple[str, ...]:
    """Refuse times and deaths under each other's names; return the columns that are."""
    pair = ("followup_time", "died")
    if not all(records.has(column) for column in pair):
        return ()
    times, deaths = (
        [cell for cell in records.raw[column] if not values.is_missing(cell)] for column in pair
    )
    codes = [values.text(cell) in ("0", "1") for cell in deaths]
    numbers = [re.fullmatch(r"\d+([.,]\d+)?", values.text(cell)) is not None for cell in deaths]
    if (
        times
        and all(re.fullmatch(r"[01]([.,]0+)?", values.text(cell)) for cell in times)
        and all(numbers)
        and sum(codes) < len(codes) / 2
    ):
        rule = "holds only 0 and 1, and died holds times; the two columns seem to be exchanged"
        findings.header(rule, "followup_time")
        return pair
    return ()


def _match_arms(records: Records, settings: Settings, findings: Findings) -> None:
    """Give the arms the names of the settings, and refuse others."""
    known = {values.word(arm): arm for arm in settings.arms}
    for role, words in values.VOCABULARY["arms"].items():
        if getattr(settings, role) == role:
            known = dict.fromkeys(map(values.word, words), role) | known
    cells = records.values["arm"]
    written = [None if cell is None else values.word(cell) for cell in cells]
    records.values["arm"] = [known.get(word) if word else None for word in written]
    others = Counter(word for word in written if word and word not in known)
    if not others:
        return
    records.failed |= {("arm", at) for at, word in enumerate(written) if word in others}
    first = {word: cells[written.index(word)] for word in others}
    stray = {word: values.meant(word, known) for word in others}
    if None in stray.values():
        present = [arm for arm in settings.arms if arm in records.values["arm"]]
        _refuse_arms([*present, *first.values()], present, settings, findings)
        return
    for word, near in stray.items():
        more = f" ({others[word]} rows)" if others[word] > 1 else ""
        rule = f"is no arm; did you mean '{shown(known[near or ''])}'{more}"
        findings.add(rule, records.rows[written.index(word)], "arm", first[word])


def _refuse_arms(
    names: Sequence[str], present: Sequence[str], settings: Settings, findings: Findings
) -> None:
    """Say why the arms of a table cannot be told; `present` are those of the settings."""
    if len(names) > 2:
        rule = (
            f"there are {len(names)} arms, {some(names)}; name two in cohort.toml with treatment "
            f"and control, and leave out the rows of others or map them under [values.arm]"
        )
        findings.add(rule, column="arm")
    elif settings.arms == ("treatment", "control"):
        treatment, control = sorted([*names, ""][:2], key=lambda name: name == settings.control)
        rule = (
            f"the arms are {some(names)}; say in cohort.toml which is which: "
            f'treatment = "{shown(treatment)}" and control = "{shown(control)}"'
            + (", or the other way round" if control else "")
        )
        findings.add(rule, column="arm")
    else:
        absent = [arm for arm in settings.arms if arm not in present]
        rule = f"the arms are {some(settings.arms)} here, and {some(names)} in {findings.file}"
        rule += f"; no row has {some(absent)}" if absent else ""
        findings.elsewhere(settings.source, rule)


def _check_ids(records: Records, findings: Findings) -> None:
    """Refuse ids that are the same to a reader's eye; warn of those that may name a person."""
    first: dict[str, int] = {}
    personal = []
    for place, name in enumerate(records.values.get("patient_id", ())):
        if name is None or records.bad(place, "patient_id"):
            continue
        row, key = records.rows[place], values.word(name)
        if key == values.word(EXAMPLE):
            findings.add("is the example row of the template; replace it", row, "patient_id", name)
        elif key in first:
            same = name == records.values["patient_id"][first[key]]
            how = "the same as" if same else "but for case, blanks or odd letters the same as"
            rule = f"is {how} the id in row {records.rows[first[key]]}"
            rule += "; ids must be unique, a row for each patient"
            findings.add(rule, row, "patient_id", name)
        first.setdefault(key, place)
        if _looks_personal(name):
            personal.append(place)
    if personal:
        one, many = "id looks like a name or a date", "ids look like names or dates"
        rule = f"{counted(len(personal), one, many)} of birth; use codes that only you can resolve"
        at = personal[0]
        name = records.values["patient_id"][at]
        findings.add(rule, records.rows[at], "patient_id", name, "warning")


def _looks_personal(name: str) -> bool:
    """Tell whether an id looks like a name or a date of birth.

    Examples
    --------
    >>> [_looks_personal(it) for it in ("Eva Muster", "Muster, Eva", "王小明", "EM19610704")]
    [True, True, True, True]
    >>> [_looks_personal(it) for it in ("P-007", "17", "treated 12", "Zürich-3", "患者12")]
    [False, False, False, False, False]
    """
    if any(re.fullmatch(form, name) for form in _NAMES):
        return True
    return any(re.search(form, name) for form in _DATES)


def _check_formulas(records: Records, findings: Findings) -> None:
    """Warn of texts that a spreadsheet would take for a formula."""
    for column in _TEXTS:
        for place, cell in enumerate(records.raw.get(column, ())):
            formula = isinstance(cell, str) and cell.strip()[:1] in ("=", "+", "-", "@")
            if formula and records.at(column, place) is not None:
                rule = "begins like a formula of a spreadsheet; begin it with a letter or digit"
                findings.add(rule, records.rows[place], column, cell, "warning")
