"""A register to fill in: a workbook, and the same as a table of text with settings beside it."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from rdmas.paper.paths import is_there
from rdmas.paper.problems import CohortError, Problem
from rdmas.paper.register.cells import EXAMPLE
from rdmas.paper.register.locate import SETTINGS
from rdmas.paper.register.settings import COLUMNS, Settings
from rdmas.paper.register.values import VOCABULARY

#: Rows of the workbook that have drop-down lists.
_ROWS = 2_000

_EXAMPLE = {
    "patient_id": EXAMPLE,
    "arm": Settings().treatment,
    "sex": "female",
    "diagnosis": "vasculitis",
    "response_week8": "complete",
    "followup_time": 120,
    "died": 0,
    "gc_dose_baseline_mg_per_kg": 2,
    "gc_dose_week8_mg_per_kg": 0.5,
    "cmv_infection": 0,
}

#: Settings in the order of the file: section, key, example, whether it is stated, what it says.
_STATED = [
    ("title", "", "what the pages call the cohort"),
    ("drug", "", "the drug under study"),
    ("disease", "", "the disease of all patients"),
    ("treatment", Settings().treatment, "the arm under study, as the column arm names it"),
    ("control", Settings().control, 'the arm it is compared with; "" if there is none'),
]
_OPTIONAL = [
    ("time_unit", "days", "unit of followup_time: days, weeks, months or years"),
    ("date_order", "dmy", "how dates such as 03/04/2021 are written: dmy or mdy"),
    ("encoding", "gb18030", "encoding of the CSV file, if it is not found out"),
    ("sheet", "data", "sheet of the workbook, if it is not called data"),
]


def write_template(folder: str | Path, force: bool = False) -> list[Path]:
    """Write ``patients.xlsx``, ``patients.csv`` and ``cohort.toml`` into a folder.

    Parameters
    ----------
    folder : str or pathlib.Path
        Made if it is not there.
    force : bool, optional
        Replace files that are there; otherwise nothing is written.

    Returns
    -------
    list of pathlib.Path
        The files written. Each table has one example row, which `read_register` refuses until
        it is replaced.

    Raises
    ------
    CohortError
        If a file is there already, or cannot be written.
    """
    folder = Path(folder)
    contents = {
        "patients.xlsx": _workbook(),
        "patients.csv": _csv().encode(),
        SETTINGS: _toml().encode(),
    }
    present = [name for name in contents if is_there(folder / name)]
    if present and not force:
        rule = "is there already and was left as it is; use --force to replace it"
        raise CohortError(*(Problem(name, rule) for name in present))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            (folder / name).write_bytes(content)
    except OSError as error:
        rule = f"cannot be written ({error.strerror or error})"
        raise CohortError(Problem(Path(error.filename or folder).name, rule)) from None
    return [folder / name for name in contents]


def dictionary() -> list[dict[str, str]]:
    """Return what each column means, from the schema.

    Returns
    -------
    list of dict
        For each column its name, title, meaning, values, unit, whether it is needed, and some
        of the names by which it is recognised.

    Examples
    --------
    >>> [row["Column"] for row in dictionary() if row["Needed"] == "for every patient"]
    ['patient_id', 'arm', 'died']
    """
    return [
        {
            "Column": name,
            "Title": field["title"],
            "Meaning": field["description"],
            "Values": _allowed(name, field),
            "Unit": field.get("unit", ""),
            "Needed": _needed(field),
            "Also recognised as": ", ".join(VOCABULARY["columns"].get(name, [])),
        }
        for name, field in COLUMNS.items()
    ]


def _allowed(name: str, field: dict[str, Any]) -> str:
    """Say which values a column may have."""
    limits = field.get("constraints", {})
    if name == "arm":
        return f"{Settings().treatment} or {Settings().control}, or as the settings name them"
    if "enum" in limits:
        words = VOCABULARY["values"][name]
        return "; ".join(
            f"{value} (also {', '.join(it for it in words[str(value)] if it != str(value))})"
            for value in limits["enum"]
        )
    if "minimum" in limits:
        return f"number from {limits['minimum']} to {limits['maximum']}"
    return {"date": "date, as 2021-04-03 or a date of the spreadsheet"}.get(field["type"], "text")


def _needed(field: dict[str, Any]) -> str:
    """Say whether a column needs values."""
    if field.get("constraints", {}).get("required"):
        return "for every patient"
    if field.get("requiredForAllOrNone"):
        return "for every patient or for none"
    return "no; leave unknown values empty"


def _csv() -> str:
    """Return the table as text."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(COLUMNS), lineterminator="\n")
    writer.writeheader()
    writer.writerow(_EXAMPLE)
    return text.getvalue()


def _toml() -> str:
    """Return the settings as text."""
    lines = ["# Settings of the register. A line that begins with # says nothing.", ""]
    lines += [f'{key} = "{value}"  # {what}' for key, value, what in _STATED]
    lines += ["", "# Only if it is needed:"]
    lines += [f'# {key} = "{value}"  # {what}' for key, value, what in _OPTIONAL]
    lines += [
        '# diagnoses = ["vasculitis", "sarcoidosis"]  # named even if one patient alone has them',
        "",
        "# Left the register's own name of a column, right ours (see the dictionary).",
        "# [columns]",
        '# Tod = "died"',
        "",
        "# Left the register's own value, right ours.",
        "# [values.died]",
        "# ja = 1",
        "# nein = 0",
    ]
    return "\n".join(lines) + "\n"


def _workbook() -> bytes:
    """Return the workbook."""
    book = Workbook()
    data = book.active
    assert isinstance(data, Worksheet)
    data.title = "data"
    _write(data, [list(COLUMNS), [_EXAMPLE.get(name) for name in COLUMNS]], width=16)
    for cell in data[2]:
        cell.fill = PatternFill("solid", fgColor="FFF2CC")
        cell.font = Font(italic=True)
    for place, (name, field) in enumerate(COLUMNS.items(), start=1):
        letter = get_column_letter(place)
        form = {"string": "@", "date": "yyyy-mm-dd"}.get(field["type"], "General")
        data.column_dimensions[letter].number_format = form  # no guessed dates, no changed codes
        choices = [*Settings().arms] if name == "arm" else field.get("constraints", {}).get("enum")
        if choices:
            listed = DataValidation(
                "list", formula1=f'"{",".join(map(str, choices))}"', allow_blank=True
            )
            listed.errorStyle = "warning"  # the settings may give values other names
            listed.error = (
                "This value is not in the list; the sheet settings must say what it means."
            )
            data.add_data_validation(listed)
            listed.add(f"{letter}2:{letter}{_ROWS}")
    _write(book.create_sheet("settings"), _settings_rows(), width=24)
    explained = dictionary()
    _write(
        book.create_sheet("dictionary"),
        [list(explained[0]), *(list(row.values()) for row in explained)],
        width=36,
    )
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def _settings_rows() -> list[tuple[str, ...]]:
    """Return the rows of the sheet of settings."""
    return [
        ("key", "value", "section", "what it says"),
        *((key, value, "", what) for key, value, what in _STATED),
        *((key, "", "", f"{what} (such as {value})") for key, value, what in _OPTIONAL),
        ("diagnoses", "", "", "named even if one patient alone has them (such as vasculitis)"),
        ("", "", "columns", "left the register's own name of a column, then ours (as Tod, died)"),
        ("", "", "values.died", "left the register's own value, then ours (as ja, 1)"),
    ]


def _write(sheet: Worksheet, rows: list, width: int) -> None:
    """Write rows below a header that stays in sight."""
    for row in rows:
        sheet.append(row)
    sheet.freeze_panes = "A2"
    for place, cell in enumerate(sheet[1], start=1):
        cell.font = Font(bold=True)
        sheet.column_dimensions[get_column_letter(place)].width = width
    for line in sheet.iter_rows(min_row=2):
        for cell in line:
            cell.alignment = Alignment(wrap_text=sheet.title == "dictionary", vertical="top")
