"""Small registers to spoil."""

import csv
import io

from rdmas.paper.problems import CohortError
from rdmas.paper.register.read import read_register

COLUMNS = (
    "patient_id",
    "arm",
    "sex",
    "diagnosis",
    "response_week8",
    "followup_time",
    "died",
    "gc_dose_baseline_mg_per_kg",
    "gc_dose_week8_mg_per_kg",
    "cmv_infection",
)


def rows(count=8):
    """Return valid rows, the first half treated; every fourth patient died on day 20."""
    return [
        {
            "patient_id": f"P{place:03d}",
            "arm": "treatment" if place < count / 2 else "control",
            "sex": "female" if place % 2 else "male",
            "diagnosis": "SLE" if place % 3 else "AOSD",
            "response_week8": ("complete", "partial", "none")[place % 3],
            "followup_time": "20" if place % 4 == 3 else str(100 + place),
            "died": "1" if place % 4 == 3 else "0",
            "gc_dose_baseline_mg_per_kg": f"{2 + place / 10:.1f}",
            "gc_dose_week8_mg_per_kg": "" if place % 4 == 3 else "0.5",
            "cmv_infection": str(place % 2),
        }
        for place in range(count)
    ]


def with_cells(column, *cells, count=8):
    """Return valid rows in which a column begins with other cells."""
    changed = rows(max(count, len(cells)))
    for row, cell in zip(changed, cells, strict=False):
        row[column] = cell
    return changed


def write(folder, table, settings="", name="patients.csv", separator=","):
    """Write a register and return its file."""
    text = io.StringIO()
    header = list(dict.fromkeys(column for row in table for column in row))
    writer = csv.DictWriter(text, header, delimiter=separator, lineterminator="\n")
    writer.writeheader()
    writer.writerows(table)
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text.getvalue(), encoding="utf-8")
    if settings:
        (folder / "cohort.toml").write_text(settings, encoding="utf-8")
    return folder / name


def read(folder, table, settings=""):
    """Write a register and read it."""
    write(folder, table, settings)
    return read_register(folder)


def refused(folder, table, settings=""):
    """Return the sentences that a register is refused with, its warnings left aside."""
    write(folder, table, settings)
    return refusal(folder)


def refusal(path, encoding=None):
    """Return the sentences that a path is refused with, warnings left aside."""
    try:
        read_register(path, encoding)
    except CohortError as error:
        return [str(it) for it in error.problems if it.level == "error"]
    raise AssertionError("the register was taken")


def warned(folder, table, settings=""):
    """Return the warnings of a register that is taken."""
    return [str(it) for it in read(folder, table, settings).warnings]


def plain(table):
    """Return rows without the columns that somebody may leave out."""
    return [{name: row[name] for name in ("patient_id", "arm", "died")} for row in table]
