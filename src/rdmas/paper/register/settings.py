"""What a reader says about a register: ``cohort.toml``, or the sheet ``settings`` of a workbook.

Left of each sign of equality stands the register's own name, right of it ours::

    title = "Our cohort"
    treatment = "drug A"    # as the table names the arms
    control = "standard"    # "" for a cohort of one arm

    [columns]
    Tod = "died"

    [values.died]
    ja = 1
    nein = 0
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from rdmas.paper import schema
from rdmas.paper.problems import CohortError, Problem, shown
from rdmas.paper.register import values

#: Every column that a register may have.
COLUMNS = {**schema.fields("patients"), **schema.fields("register")}

#: Days in each unit of time that follow-up may be given in.
TIME_UNITS = {"days": 1.0, "weeks": 7.0, "months": 365.25 / 12, "years": 365.25}

#: Bytes that settings may have.
LIMIT = 1_000_000

_PART = r"""(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')"""

#: A name of very many parts, for which the reader of TOML needs the square of their number.
_LONG_NAME = re.compile(rf"(?:^|[\[{{,])[ \t]*+{_PART}(?:[ \t]*+\.[ \t]*+{_PART}){{50}}", re.M)

#: Settings that have one of a few values.
_CHOICES = {"time_unit": tuple(TIME_UNITS), "date_order": ("", *values.DATE_ORDERS)}

Fault = tuple[str, str]  # setting and rule


@dataclass(frozen=True)
class Settings:
    """What a reader says about a register; every setting has a default.

    Attributes
    ----------
    title, drug, disease : str
        What pages call the cohort, the drug under study and the disease.
    treatment, control : str
        The arms by the names that the table gives them; no control for a cohort of one arm.
    time_unit : str
        Unit in which the table gives follow-up; a `Register` has days in any case.
    date_order : str
        Order in which the table writes dates such as 03/04/2021, if it has such.
    encoding, sheet : str
        Encoding of the table and sheet of the workbook, where they cannot be found out.
    columns : mapping of str to str
        Our name for each of the table's columns that is mapped; empty for one not to be used.
    values : mapping of str to mapping
        For a column of ours, the meaning of each of the table's values that is mapped; empty
        text for a missing one.
    diagnoses : tuple of str
        Diagnoses that are named even if one patient alone has them.
    source : str
        The file that says so; empty if there is none.
    """

    title: str = ""
    drug: str = ""
    disease: str = ""
    treatment: str = "treatment"
    control: str = "control"
    time_unit: str = "days"
    date_order: str = ""
    encoding: str = ""
    sheet: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    diagnoses: tuple[str, ...] = ()
    source: str = ""

    @property
    def arms(self) -> tuple[str, ...]:
        """Return the arms, treatment first."""
        return tuple(filter(None, (self.treatment, self.control)))


#: Names of all settings.
NAMES = tuple(it.name for it in fields(Settings) if it.name != "source")


def parse_toml(file: str, content: bytes) -> dict[str, Any]:
    """Read the text of ``cohort.toml``.

    Parameters
    ----------
    file : str
        What the file is called in sentences.
    content : bytes
        UTF-8 or, with a byte order mark, UTF-16.

    Returns
    -------
    dict
        What the file states, not checked.

    Raises
    ------
    CohortError
        If it is not TOML.

    Examples
    --------
    >>> parse_toml("cohort.toml", b'title = "Our cohort"')
    {'title': 'Our cohort'}
    """
    wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        text = content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        row = content[: error.start].count(b"\n") + 1
        rule = "is not UTF-8 text; save it with the encoding UTF-8"
        raise CohortError(Problem(file, rule, None if wide else row)) from None
    too_deep = CohortError(Problem(file, "is nested too deep; settings have two levels"))
    if _LONG_NAME.search(text):
        raise too_deep
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise too_deep from None
    except ValueError as error:
        raise CohortError(_not_toml(file, text, str(error))) from None


def _not_toml(file: str, text: str, reason: str) -> Problem:
    """Say where settings are not TOML, and what would be."""
    place = re.search(r"\(at line (\d+), column \d+\)", reason)
    row = int(place[1]) if place else text.count("\n") + 1
    line = (text.splitlines() or [""])[min(row, text.count("\n") + 1) - 1 :][:1]
    if any(quote in "".join(line) for quote in "“”„«»"):
        return Problem(file, 'has typographic quotation marks; write "straight" ones', row)
    what = shown(re.sub(r" \(at .*\)$", "", reason))
    return Problem(file, f'is not TOML ({what}); write lines such as control = "standard"', row)


def merged(stated: Mapping[str, Mapping[str, Any]]) -> tuple[str, dict[str, Any]]:
    """Put together what several sources state, by name of the source.

    What only repeats a default or is empty gives way to what another source states.

    Returns
    -------
    source : str
        The name of the one that states most.
    settings : dict

    Raises
    ------
    CohortError
        If two sources contradict each other.

    Examples
    --------
    >>> merged({"cohort.toml": {"title": ""}, "a.xlsx": {"title": "Ours"}})
    ('a.xlsx', {'title': 'Ours'})
    """
    defaults = {it.name: getattr(Settings(), it.name) for it in fields(Settings)}
    taken: dict[str, tuple[str, Any]] = {}
    for source, said in stated.items():
        for name, value in said.items():
            default = defaults.get(name)
            nothing = value in ([], {}) and type(value) is _form(default)
            idle = value is None or value == default or nothing
            if name in taken and not idle and taken[name][1] != value:
                rule = f"states another {shown(name)} than {taken[name][0]}; change one of them"
                raise CohortError(Problem(source, rule))
            if name not in defaults or not idle:
                taken[name] = (source, value)
    sources = Counter(source for source, _ in taken.values())
    main = sources.most_common(1)[0][0] if sources else next(iter(stated), "")
    return main, {name: value for name, (_, value) in taken.items()}


def _form(default: Any) -> type:
    """Return the type in which a setting with such a default is stated."""
    return list if isinstance(default, tuple) else type(default)


def settings_from(file: str, stated: Mapping[str, Any], sheet: str | None = None) -> Settings:
    """Check what a reader states.

    Parameters
    ----------
    file : str
        Name of the file, for sentences.
    stated : mapping
        From `parse_toml`, or the sheet ``settings`` of a workbook.
    sheet : str, optional
        Name of that sheet.

    Returns
    -------
    Settings

    Raises
    ------
    CohortError
        With a sentence for each setting that is not known or cannot be.

    Examples
    --------
    >>> settings_from("cohort.toml", {"columns": {"Tod": "died"}}).columns
    {'Tod': 'died'}
    >>> settings_from("cohort.toml", {"contrl": "standard"})
    Traceback (most recent call last):
        ...
    rdmas.paper.problems.CohortError: cohort.toml: there is no setting 'contrl'; did you mean ...
    """
    stated = _folded(stated)
    faults = list(_faults(stated))
    if faults:
        raise CohortError(*(Problem(file, rule, sheet=sheet) for rule in dict.fromkeys(faults)))
    known = {name: value for name, value in stated.items() if value is not None}
    texts = {name: values.text(known[name]) for name in NAMES[:9] if name in known}
    mapped = {
        column: {values.word(own): ours for own, ours in meanings.items()}
        for column, meanings in known.get("values", {}).items()
    }
    return Settings(
        **texts,
        columns={str(own).strip(): ours for own, ours in known.get("columns", {}).items()},
        values=mapped,
        diagnoses=tuple(values.text(it) for it in known.get("diagnoses", ())),
        source=file,
    )


def _folded(stated: Mapping[str, Any]) -> dict[str, Any]:
    """Take our names in any case, and what a cell of a sheet can only say as text."""
    taken = {_ours(name, NAMES): value for name, value in stated.items()}
    if isinstance(taken.get("columns"), dict):
        taken["columns"] = {own: _ours(it, COLUMNS) for own, it in taken["columns"].items()}
    if isinstance(taken.get("values"), dict):
        taken["values"] = {_ours(name, COLUMNS): it for name, it in taken["values"].items()}
    if taken.get("control") in ('""', "''"):
        taken["control"] = ""
    if isinstance(taken.get("diagnoses"), str):
        taken["diagnoses"] = [it for it in re.split(r"\s*[;,]\s*", taken["diagnoses"]) if it]
    return taken


def _ours(name: Any, known: Collection[str]) -> Any:
    """Return our spelling of a name of ours, any other as it is."""
    small = values.word(name) if isinstance(name, str) else name
    return small if isinstance(small, str) and small in known else name


def _faults(stated: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with settings."""
    for name, value in stated.items():
        if name not in NAMES:
            near = values.meant(values.word(name), NAMES)
            hint = f"did you mean {near}?" if near else f"there are {', '.join(NAMES)}"
            if name in COLUMNS or (isinstance(value, str) and value in COLUMNS):
                hint = "columns are mapped under [columns]"
            yield f"there is no setting '{shown(name)}'; {hint}".rstrip("?")
        elif name == "columns":
            yield from _column_faults(value)
        elif name == "values":
            yield from _value_faults(value)
        elif name == "diagnoses":
            texts = isinstance(value, list) and all(isinstance(it, str) for it in value)
            if not texts:
                yield 'diagnoses must be a list of texts, such as ["AOSD", "SLE"]'
            for diagnosis in value if texts else ():
                try:
                    values.name(diagnosis)
                except ValueError as error:
                    yield f"diagnoses: '{shown(diagnosis)}' {error}"
        else:
            yield from _text_faults(name, value)
    arms = [values.word(stated.get(name, name)) for name in ("treatment", "control")]
    if not arms[0]:
        yield "treatment is empty; name the arm under study as the table does"
    elif arms[0] == arms[1]:
        yield 'treatment and control are the same arm; name two, or write control = "" for one'
    elif "both" in arms:
        yield "an arm cannot be called both, which means a comparison in claims.csv; rename it"


def _text_faults(name: str, value: Any) -> Iterator[str]:
    """Yield what is wrong with a setting that is a text."""
    whole = isinstance(value, float) and value.is_integer()  # a number in a sheet
    if isinstance(value, bool) or not (whole or isinstance(value, str | int | None)):
        yield f"{name} must be text in quotation marks"
        return
    text = values.text(value)
    if any(unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Zl", "Zp") for letter in text):
        yield f"{name} has a line break, a control or an invisible character in it; remove it"
    elif len(text) > 200:
        yield f"{name} is longer than 200 letters; shorten it"
    elif name in _CHOICES and text not in _CHOICES[name]:
        allowed = " or ".join(filter(None, _CHOICES[name]))
        yield f"'{shown(text)}' is no {name}; use {allowed}"


def _column_faults(stated: Any) -> Iterator[str]:
    """Yield what is wrong with the mapping of columns."""
    if not isinstance(stated, dict):
        yield 'columns must be a table: [columns] and below it lines such as Tod = "died"'
        return
    taken: dict[str, str] = {}
    for own, ours in stated.items():
        pair = f"[columns] '{shown(own)}'"
        if not isinstance(ours, str):
            yield f'{pair} must be text, such as {_key(own)} = "died"'
        elif ours == "":  # the column is not to be used
            continue
        elif ours not in COLUMNS:
            near = values.meant(values.word(ours), COLUMNS)
            if own in COLUMNS:
                yield (
                    f"{pair} is the wrong way round: the register's own name stands left, ours "
                    f'right; write {_key(ours)} = "{own}"'
                )
            elif near:
                yield f"{pair}: there is no column '{shown(ours)}'; did you mean {near}"
            else:
                yield f"{pair}: there is no column '{shown(ours)}'; use one of {', '.join(COLUMNS)}"
        elif ours in taken:
            yield f"[columns] maps '{shown(taken[ours])}' and '{shown(own)}' to {ours}; leave one"
        else:
            taken[ours] = own


def _value_faults(stated: Any) -> Iterator[str]:
    """Yield what is wrong with the mapping of values."""
    if not isinstance(stated, dict):
        yield "values must hold a table for each column, such as [values.died]"
        return
    for column, meanings in stated.items():
        if column not in COLUMNS:
            near = values.meant(values.word(column), COLUMNS)
            hint = f"did you mean {near}" if near else f"use one of {', '.join(COLUMNS)}"
            yield f"[values.{shown(column)}]: there is no column of that name; {hint}"
        elif not isinstance(meanings, dict):
            yield f"values.{column} must be a table: [values.{column}] and below it ja = 1"
        else:
            yield from _meaning_faults(column, meanings)


def _meaning_faults(column: str, meanings: dict[str, Any]) -> Iterator[str]:
    """Yield what is wrong with the meanings of a column's values."""
    seen: dict[str, str] = {}
    for own, ours in meanings.items():
        place = f"[values.{column}] '{shown(own)}'"
        if values.word(own) in seen:
            yield f"{place} is the same as '{shown(seen[values.word(own)])}'; leave one"
        seen[values.word(own)] = own
        if not values.word(own):
            yield f"{place}: an empty cell is a missing value and stays one; remove the line"
            continue
        if isinstance(ours, dict | list) or ours is None:
            yield f"{place} must be one value, such as {_key(own)} = 1"
            continue
        try:
            meaning(column, ours)
        except ValueError as error:
            rule = f"{place}: '{shown(ours)}' {error}"
            try:
                meaning(column, own)
            except ValueError:
                yield rule
            else:
                yield (
                    f"{place} is the wrong way round: the register's own value stands left, ours "
                    f"right; write {_key(ours)} = {_literal(own)}"
                )


def meaning(column: str, ours: Any) -> Any:
    """Return what a value on the right of ``[values]`` means; None for a missing one.

    Raises
    ------
    ValueError
        If the column cannot have it.

    Examples
    --------
    >>> meaning("died", "1"), meaning("sex", "female"), meaning("weight_kg", "")
    (1, 'female', None)
    """
    if values.text(ours) == "":
        return None
    constraints = COLUMNS[column].get("constraints", {})
    if "enum" in constraints:
        for allowed in constraints["enum"]:
            if values.word(ours) == str(allowed) or (isinstance(ours, bool) and ours == allowed):
                return allowed
        *others, last = map(str, constraints["enum"])
        raise ValueError(f"is not known; use {', '.join(others)} or {last}")
    if COLUMNS[column]["type"] == "number":
        return values.number(ours)
    if COLUMNS[column]["type"] == "date":
        return values.date(ours)
    return values.name(ours)


def _key(name: object) -> str:
    """Write a key of TOML."""
    text = values.text(name)
    return text if re.fullmatch(r"[A-Za-z0-9_-]+", text) else f'"{shown(text)}"'


def _literal(name: object) -> str:
    """Write a value of TOML."""
    text = values.text(name)
    return text if text.isdecimal() else f'"{shown(text)}"'
