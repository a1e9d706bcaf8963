"""What the page on other data shows: the columns of a data folder, and a check that fails."""

from __future__ import annotations

import pandas as pd
from IPython.display import HTML

from rdmas.paper.cohort import Cohort
from rdmas.show import prose, tables


def columns_table(cohort: Cohort) -> HTML:
    """Show the columns of the patient table, as its descriptor declares them."""
    columns = pd.DataFrame(
        {
            "column": name,
            "unit": field.get("unit", ""),
            "allowed": ", ".join(map(str, field["constraints"].get("enum", []))),
            "provenance": field["provenance"],
            "description": field["description"],
        }
        for name, field in cohort.fields().items()
    )
    return tables.show(columns, "Columns of patients.csv")


def say(board: pd.DataFrame, differs: pd.Series, disagrees: pd.Series) -> dict[str, str]:
    """Word how many verdicts there are, and how many differ with another table or registry."""
    return {
        "claims": prose.count(len(board)),
        "changed": prose.count(int(differs.sum())),
        "changed_stated": prose.count(int(disagrees.sum())),
    }
