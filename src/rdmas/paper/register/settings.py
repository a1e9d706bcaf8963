"""What a reader says about a register."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """What a reader says about a register; each has a default."""

    title: str = ""
    drug: str = ""
    disease: str = ""
    treatment: str = "treatment"
    control: str = "control"
    time_unit: str = "days"
    date_order: str = ""
    encoding: str = ""
    sheet: str = ""
    columns: dict[str, str] = field(default_factory=dict)
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    diagnoses: tuple[str, ...] = ()


def read_settings(file: Path) -> Settings:
    """Read ``cohort.toml``."""
    return Settings(**tomllib.loads(file.read_text(encoding="utf-8")))
