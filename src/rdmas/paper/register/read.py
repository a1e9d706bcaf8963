"""From a table to patients."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from rdmas.paper.package import Problem
from rdmas.paper.register.settings import Settings, read_settings

COLUMNS = {
    "patient_id": "object",
    "arm": "object",
    "sex": "object",
    "diagnosis": "object",
    "response_week8": "object",
    "followup_time": "float64",
    "died": "Int64",
    "gc_dose_baseline_mg_per_kg": "float64",
    "gc_dose_week8_mg_per_kg": "float64",
    "cmv_infection": "Int64",
}


@dataclass(frozen=True)
class Register:
    """A register that can be used."""

    patients: pd.DataFrame
    settings: Settings
    notes: tuple[str, ...]
    warnings: tuple[Problem, ...]
    files: dict[str, str]


def read_register(path: str | Path, encoding: str | None = None) -> Register:
    """Read a register from a folder or a file."""
    path = Path(path)
    file = path / "patients.csv" if path.is_dir() else path
    toml = file.parent / "cohort.toml"
    settings = read_settings(toml) if toml.is_file() else Settings()
    frame = pd.read_csv(file, keep_default_na=False, na_values=[""], encoding=encoding)
    frame = frame.reindex(columns=list(COLUMNS)).astype(COLUMNS)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return Register(frame, settings, (), (), {file.name: digest})
