"""Synthetic registers, ordinary and odd, that the book must be able to describe.

Every value is drawn from a seeded generator and stands for no patient.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

MG_PER_KG = ("gc_dose_baseline_mg_per_kg", "gc_dose_week8_mg_per_kg")


def _register(
    treated=(35, 7), control=(28, 8), seed=1, diagnoses=("AOSD", "SLE", "dermatomyositis")
):
    """Draw a register; an arm is its number of patients and of deaths."""
    draw = np.random.default_rng(seed)
    arms = [("treatment", *treated), *([("control", *control)] if control else [])]
    arm = np.repeat([name for name, _, _ in arms], [n for _, n, _ in arms])
    died = np.concatenate([np.arange(n) < deaths for _, n, deaths in arms]).astype(int)
    n = len(arm)
    time = np.where(died, draw.integers(3, 150, n), draw.integers(60, 720, n))
    baseline = np.round(np.exp(draw.normal(0.5, 0.4, n)), 2)
    week8 = np.round(baseline * np.exp(draw.normal(-1, 0.4, n)), 2)
    return pd.DataFrame(
        {
            "patient_id": [f"P{i:05d}" for i in draw.permutation(n)],
            "arm": arm,
            "sex": draw.choice(["female", "male"], n),
            "diagnosis": draw.choice(diagnoses, n),
            "response_week8": draw.choice(["complete", "partial", "none"], n),
            "followup_time": time.astype(object),
            "died": died,
            MG_PER_KG[0]: baseline,
            MG_PER_KG[1]: np.where((died == 1) & (time < 56), np.nan, week8),
            "cmv_infection": draw.integers(0, 2, n),
        }
    )


def _day_zero():
    table = _register((12, 0), (11, 0))
    return table.assign(followup_time=0)


def _ties():
    table = _register()
    return table.assign(followup_time=np.where(table["died"] == 1, 56, 365))


def _fractional():
    table = _register()
    return table.assign(followup_time=table["followup_time"].astype(float) + 0.25)


def _some_missing():
    table = _register(seed=3)
    for step, column in enumerate(("sex", "response_week8", *MG_PER_KG, "cmv_infection"), 3):
        table[column] = table[column].astype(object)
        table.loc[::step, column] = None
    return table


def _controls_only():
    table = _register(seed=4)
    for column in ("sex", "diagnosis", "response_week8", *MG_PER_KG, "cmv_infection"):
        table[column] = table[column].astype(object)
        table.loc[table["arm"] == "treatment", column] = None
    return table


def _emapalumab():
    arms = {"treatment": "emapalumab", "control": "no emapalumab"}
    table = _register((14, 2), (16, 6), seed=5, diagnoses=("HLH", "lymphoma"))
    return table.replace({"arm": arms})


REGISTERS = {
    "ordinary": _register,
    "one_arm": lambda: _register((23, 4), None),
    "one_patient": lambda: _register((1, 0), None),
    "one_dead_patient": lambda: _register((1, 1), None),
    "one_against_one": lambda: _register((1, 0), (1, 1)),
    "no_deaths": lambda: _register((20, 0), (21, 0)),
    "no_deaths_treated": lambda: _register((20, 0), (21, 6)),
    "all_dead": lambda: _register((15, 15), (18, 18)),
    "day_zero": _day_zero,
    "arms_12": lambda: _register((12, 2), (12, 5)),
    "arms_100": lambda: _register((100, 10), (100, 25)),
    "arms_200": lambda: _register((200, 30), (200, 60)),
    "arms_500": lambda: _register((500, 60), (500, 90)),
    "arms_300": lambda: _register((300, 30), (300, 50)),
    "five_against_300": lambda: _register((5, 1), (300, 90)),
    "arms_2000": lambda: _register((2000, 300), (2000, 350)),
    "ties": _ties,
    "fractional_days": _fractional,
    "some_missing": _some_missing,
    "no_doses": lambda: _register().drop(columns=list(MG_PER_KG)),
    "no_week8_doses": lambda: _register().assign(**{MG_PER_KG[1]: None}),
    "no_responses": lambda: _register().assign(response_week8=None),
    "no_survivor_in_control": lambda: _register((12, 3), (9, 9)),
    "no_survivor_treated": lambda: _register((9, 9), (12, 3)),
    "no_cmv_column": lambda: _register().drop(columns="cmv_infection"),
    "cmv_empty": lambda: _register().assign(cmv_infection=None),
    "controls_only_data": _controls_only,
    "many_diagnoses": lambda: _register(diagnoses=[f"disease {i}" for i in range(12)]),
    "emapalumab": _emapalumab,
    "harm": lambda: _register((25, 14), (26, 3)),
    "no_times": lambda: _register().drop(columns="followup_time"),
    "own_claims": lambda: _register(seed=6),
}

NAMES = tuple(REGISTERS)

SETTINGS = {
    "emapalumab": """title = "Emapalumab in Zürich"
drug = "emapalumab"
disease = "primary HLH"
treatment = "emapalumab"
control = "no emapalumab"
""",
}

_OWN_CLAIMS = """\
id,group,statement,arm,reported,numerator,denominator,unit,measure,variable,category,convention,basis,chapter
treated_n,cohort,Patients given the drug,treatment,35,35,,patients,n,,,,data,data
control_n,cohort,Patients not given it,control,28,28,,patients,n,,,,data,data
treated_deaths,survival,Deaths of treated,treatment,20%,7,35,%,percent,died,1,,data,survival
control_deaths,survival,Deaths of controls,control,8/28,8,28,patients,fraction,died,1,,data,survival
"""


def table(name):
    """Return the table of a register, canonical columns and arms."""
    return REGISTERS[name]()


def _kept_in(columns, arms, words):
    """Return a table the way a hospital keeps it: own names, dates, mg a day and weights."""
    own = _some_missing()
    draw = np.random.default_rng(9)
    weight = draw.integers(48, 96, len(own))
    start = pd.Timestamp("2019-01-07") + pd.to_timedelta(draw.integers(0, 1400, len(own)), "D")
    end = start + pd.to_timedelta(own["followup_time"].astype(int), "D")
    died = own["died"] == 1
    kept = pd.DataFrame(
        {
            "id": own["patient_id"],
            "arm": own["arm"].map(arms),
            "sex": own["sex"].map(words),
            "diagnosis": own["diagnosis"],
            "start": start.strftime("%Y-%m-%d"),
            "death": end.dt.strftime("%Y-%m-%d").where(died, ""),
            "last": end.dt.strftime("%Y-%m-%d").where(~died, ""),
            "response": own["response_week8"].map(
                {"complete": "CR", "partial": "PR", "none": "NR"}
            ),
            "before": (own[MG_PER_KG[0]].astype(float) * weight).round(),
            "after": (own[MG_PER_KG[1]].astype(float) * weight).round(),
            "weight": weight,
            "cmv": own["cmv_infection"].map(words),
        }
    )
    return kept.rename(columns=columns)


GERMAN = {
    "id": "Pat.-Nr.",
    "arm": "Gruppe",
    "sex": "Geschlecht",
    "diagnosis": "Grunderkrankung",
    "start": "Therapiebeginn",
    "death": "Todesdatum",
    "last": "Letzter Kontakt",
    "response": "Ansprechen Woche 8",
    "before": "Prednisolon mg/Tag Beginn",
    "after": "Prednisolon mg/Tag Woche 8",
    "weight": "Gewicht kg",
    "cmv": "CMV",
}

CHINESE = {
    "id": "患者编号",
    "arm": "组别",
    "sex": "性别",
    "diagnosis": "诊断",
    "start": "开始日期",
    "death": "死亡日期",
    "last": "末次随访日期",
    "response": "第8周疗效",
    "before": "基线激素剂量 mg/d",
    "after": "第8周激素剂量 mg/d",
    "weight": "体重 kg",
    "cmv": "CMV感染",
}


def german():
    """Return a register as a German hospital keeps it."""
    arms = {"treatment": "Anakinra", "control": "ohne Anakinra"}
    return _kept_in(GERMAN, arms, {"female": "w", "male": "m", 1: "ja", 0: "nein"})


def chinese():
    """Return the same register as a Chinese hospital keeps it."""
    arms = {"treatment": "治疗组", "control": "对照组"}
    return _kept_in(CHINESE, arms, {"female": "女", "male": "男", 1: "是", 0: "否"})


def write(name, folder):
    """Write a register into a new folder and return the folder."""
    folder = Path(folder) / name
    folder.mkdir(parents=True)
    table(name).to_csv(folder / "patients.csv", index=False)
    if name in SETTINGS:
        (folder / "cohort.toml").write_text(SETTINGS[name], encoding="utf-8")
    if name == "own_claims":
        (folder / "claims.csv").write_text(_OWN_CLAIMS, encoding="utf-8")
    return folder
