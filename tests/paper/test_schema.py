"""The package's own rules, and that the companion's data package states the same."""

import json

import pandas as pd
import pytest
from conftest import REPOSITORY

from rdmas.paper import schema

DESCRIPTOR = json.loads((REPOSITORY / "data" / "datapackage.json").read_text(encoding="utf-8"))
TABLES = {table["name"]: table["schema"] for table in DESCRIPTOR["resources"]}

#: Lists of names, which belong to each package and are no rule.
NAMES = {("claims", "arm"), ("patients", "arm"), ("patients", "diagnosis")}


@pytest.mark.parametrize("table", TABLES)
def test_the_companions_descriptor_states_the_rules_of_the_package(table):
    stated, rules = TABLES[table], schema.table(table)
    assert stated["primaryKey"] == rules["primaryKey"]
    assert [field["name"] for field in stated["fields"]] == list(schema.fields(table))
    for field, rule in zip(stated["fields"], rules["fields"], strict=True):
        constraints = dict(field.get("constraints", {}))
        if (table, field["name"]) in NAMES:
            assert constraints.pop("enum")
        assert constraints == rule.get("constraints", {}), field["name"]
        for word in ("type", "requiredForAllOrNone"):
            assert field.get(word) == rule.get(word)
        if field["name"] != "followup_time":  # places in an order there, days in a register
            assert field.get("unit") == rule.get("unit")


def test_what_is_read_from_the_schema_can_be_changed_without_harm():
    schema.fields("patients")["died"]["constraints"].clear()
    assert schema.fields("patients")["died"]["constraints"] == {"required": True, "enum": [0, 1]}


def test_a_frame_of_no_rows_has_all_columns_and_their_types():
    patients = schema.frame("patients", [])
    assert list(patients) == list(schema.fields("patients"))
    assert patients["died"].dtype == "Int64" and patients["followup_time"].dtype == float
    assert pd.api.types.is_object_dtype(patients["arm"])
