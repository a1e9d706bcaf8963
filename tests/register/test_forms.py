"""Issue point 4 and groups 9 and 10: the same register as centres in other countries keep it."""

import datetime as dt

import cohorts
import openpyxl
import pandas as pd
import pytest
from register_tables import refused, with_cells

from rdmas.paper.register.read import read_register

DOSES = ("gc_dose_baseline_mg_per_kg", "gc_dose_week8_mg_per_kg")

LABELS = ("patient_id", "sex", "diagnosis", "response_week8")

GERMAN = {
    "patient_id": "Patienten-Nr.",
    "arm": "Gruppe",
    "sex": "Geschlecht",
    "diagnosis": "Grunderkrankung",
    "response_week8": "Remission Woche 8",
    "index_date": "Therapiebeginn",
    "death_date": "Todesdatum",
    "last_contact_date": "Letzter Kontakt",
    "died": "Verstorben",
    "weight_kg": "Körpergewicht (kg)",
    "gc_dose_baseline_mg_per_day": "Prednisolon Beginn (mg/Tag)",
    "gc_dose_week8_mg_per_day": "Prednisolon Woche 8 (mg/Tag)",
    "cmv_infection": "CMV-Infektion",
}
CHINESE = {
    "patient_id": "患者编号",
    "arm": "组别",
    "sex": "性别",
    "diagnosis": "诊断",
    "response_week8": "第8周疗效",
    "index_date": "开始治疗日期",
    "death_date": "死亡日期",
    "last_contact_date": "末次随访日期",
    "died": "是否死亡",
    "weight_kg": "体重（kg）",
    "gc_dose_baseline_mg_per_day": "基线激素剂量（mg/日）",
    "gc_dose_week8_mg_per_day": "8周激素剂量（mg/日）",
    "cmv_infection": "CMV感染",
}
WORDS = {
    "German": {
        "arm": {"treatment": "Verum", "control": "Standard"},
        "sex": {"female": "w", "male": "m"},
        "response_week8": {"complete": "CR", "partial": "PR", "none": "NR"},
        "died": {1: "ja", 0: "nein"},
        "cmv_infection": {1: "ja", 0: "nein"},
    },
    "Chinese": {
        "arm": {"treatment": "治疗组", "control": "对照组"},
        "sex": {"female": "女", "male": "男"},
        "response_week8": {"complete": "完全缓解", "partial": "部分缓解", "none": "未缓解"},
        "died": {1: "是", 0: "否"},
        "cmv_infection": {1: "阳性", 0: "阴性"},
    },
}


def register(language, names, date, comma, unknown):
    """Return the ordinary cohort with some values missing as a centre would keep it."""
    table = cohorts.table("some_missing")
    days = pd.to_timedelta(table["followup_time"].astype(float), unit="D")
    start = pd.Series(pd.Timestamp("2019-01-10"), index=table.index) + pd.to_timedelta(
        table.index * 3, unit="D"
    )
    weight = 50 + table.index * 0.5
    kept = pd.DataFrame(
        {
            "patient_id": table["patient_id"],
            **{
                column: table[column].map(lambda it, words=words: words.get(it, unknown))
                for column, words in WORDS[language].items()
            },
            "diagnosis": table["diagnosis"],
            "index_date": [date(day) for day in start],
            "death_date": [
                date(day) if died else ""
                for day, died in zip(start + days, table["died"], strict=True)
            ],
            "last_contact_date": [
                "" if died else date(day)
                for day, died in zip(start + days, table["died"], strict=True)
            ],
            "weight_kg": [comma(it) for it in weight],
            **{
                column.replace("per_kg", "per_day"): [
                    unknown if pd.isna(dose) else comma(round(dose * kilos, 4))
                    for dose, kilos in zip(table[column].astype(float), weight, strict=True)
                ]
                for column in DOSES
            },
        }
    )
    return table, kept.rename(columns=names)


def iso(day):
    return day.strftime("%Y-%m-%d")


def with_dots(day):
    return f"{day.day}.{day.month}.{day.year}"


def with_characters(day):
    return f"{day.year}年{day.month}月{day.day}日"


def with_slashes(day):
    return day.strftime("%d/%m/%Y")


def decimal_comma(number):
    return f"{number:g}".replace(".", ",")


def decimal_point(number):
    return f"{number:g}"


FORMS = {
    "German, semicolons": ("German", GERMAN, with_dots, decimal_comma, "k.A.", ";", "utf-8-sig"),
    "German, old Excel": ("German", GERMAN, with_dots, decimal_comma, "", ";", "cp1252"),
    "German, slashes": ("German", GERMAN, with_slashes, decimal_comma, "", "\t", "utf-16"),
    "Chinese, commas": ("Chinese", CHINESE, with_characters, decimal_point, "不详", ",", "gb18030"),
    "Chinese, ISO": ("Chinese", CHINESE, iso, decimal_point, "", ",", "utf-8"),
}


def same(patients, table, arms):
    """Compare what was read with what was kept."""
    assert patients["arm"].tolist() == table["arm"].map(arms).tolist()
    for column in (*LABELS, "died", "cmv_infection"):
        read, kept = (
            [None if pd.isna(it) else it for it in frame[column]] for frame in (patients, table)
        )
        assert read == kept, column
    for column in ("followup_time", *DOSES):
        expected = table[column].astype(float)
        assert patients[column].tolist() == pytest.approx(
            expected.tolist(), rel=1e-3, abs=1e-3, nan_ok=True
        )


@pytest.mark.parametrize("form", FORMS)
def test_a_register_of_another_country_is_read_as_it_is(tmp_path, form):
    language, names, date, comma, unknown, separator, encoding = FORMS[form]
    table, kept = register(language, names, date, comma, unknown)
    text = kept.to_csv(index=False, sep=separator, lineterminator="\r\n")
    (tmp_path / "Register.csv").write_bytes(text.encode(encoding))
    settings = "" if language == "Chinese" else 'treatment = "Verum"\ncontrol = "Standard"\n'
    if date is with_slashes:
        settings += 'date_order = "dmy"\n'
    if settings:
        (tmp_path / "cohort.toml").write_text(settings, encoding="utf-8")
    patients = read_register(tmp_path).patients
    arms = {"treatment": "treatment", "control": "control"}
    same(patients, table, arms if language == "Chinese" else WORDS["German"]["arm"])


def test_a_workbook_with_real_dates_numbers_and_a_sheet_of_settings_is_read(tmp_path):
    table, kept = register("German", GERMAN, lambda day: day, lambda it: it, None)
    book = openpyxl.Workbook()
    book.active.append(list(kept))
    for row in kept.itertuples(index=False):
        book.active.append(
            [it.to_pydatetime() if isinstance(it, dt.datetime) else it or None for it in row]
        )
    sheet = book.create_sheet("settings")
    for row in (("key", "value", "section"), ("treatment", "Verum"), ("control", "Standard")):
        sheet.append(row)
    book.save(tmp_path / "Register.xlsx")
    same(read_register(tmp_path).patients, table, WORDS["German"]["arm"])


@pytest.mark.parametrize("mark", [",", "."])
def test_21_days_that_all_have_a_mark_between_thousands_are_refused(tmp_path, mark):
    times = [f"1{mark}{200 + place}" for place in range(8)]
    sentences = refused(tmp_path, with_cells("followup_time", *times))
    assert all("can mean thousands or decimals" in sentence for sentence in sentences)
    assert sentences[0].startswith(f"patients.csv, row 2, column followup_time: '1{mark}200': ")
