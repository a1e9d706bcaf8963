"""The loader, and what a cohort says of itself."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from rdmas.paper.cohort import load_cohort


def test_a_cohort_without_claims_is_held_against_the_companions(data_copy):
    path = data_copy / "datapackage.json"
    package = json.loads(path.read_text(encoding="utf-8"))
    package["resources"] = [r for r in package["resources"] if r["name"] == "patients"]
    path.write_text(json.dumps(package), encoding="utf-8")
    for name in ("claims.csv", "assumptions.csv", "evidence.csv", "evidence_percentages.csv"):
        (data_copy / name).unlink()
    cohort = load_cohort(data_copy)
    assert cohort.claims.equals(load_cohort().claims)
    assert cohort.evidence.equals(load_cohort().evidence)
    assert cohort.assumptions.empty


def test_a_missing_week_8_dose_counts_in_neither_numerator_nor_denominator():
    cohort = load_cohort()
    measured = cohort.in_arm("ruxolitinib")["gc_dose_week8_mg_per_kg"].notna().sum()
    assert measured == 19
    assert cohort.count("ruxolitinib", "gc_dose_week8_mg_per_kg", "0.5") == (1, 19)


def test_unknown_arms_and_single_arms_are_refused():
    with pytest.raises(KeyError, match="the cohort has no arm 'placebo'"):
        load_cohort().in_arm("placebo")


def test_one_arm_has_nobody_to_compare_with():
    descriptor = load_cohort().descriptor | {"companion": {"treatmentArm": "a", "controlArm": None}}
    with pytest.raises(ValueError, match="nobody to compare with"):
        replace(load_cohort(), descriptor=descriptor).deaths()


COUNT_OPENED = """
import sys
from collections import Counter
from pathlib import Path

from rdmas.paper.cohort import load_cohort

folder, opened = Path(sys.argv[1]), Counter()


def note(event, arguments):
    if event == "open" and isinstance(arguments[0], str):
        path = Path(arguments[0])
        if path.parent == folder:
            opened[path.name] += 1


sys.addaudithook(note)
load_cohort(folder)
print(sorted(opened.items()))
"""


def test_each_file_is_read_once(data_copy):
    result = subprocess.run(
        [sys.executable, "-c", COUNT_OPENED, data_copy], capture_output=True, text=True, check=True
    )
    files = sorted(path.name for path in data_copy.iterdir() if path.suffix in (".csv", ".json"))
    assert result.stdout == f"{[(name, 1) for name in files]}\n"
