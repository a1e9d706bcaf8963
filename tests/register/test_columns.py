"""Groups 14, 15 and 50 of odd inputs: which column is which."""

import pytest
from register_tables import plain, read, refusal, refused, rows, warned

from rdmas.paper.register.columns import recognise
from rdmas.paper.register.findings import Findings
from rdmas.paper.register.settings import COLUMNS, Settings


def recognised(*header, settings=None):
    findings = Findings("t.csv")
    found = recognise(header, settings or Settings(), findings)
    return {header[place]: ours for ours, place in found.items()}, findings


NAMES = {
    "patient_id": "ID Patient-ID Subject_ID Pseudonym Patientennummer Fall-Nr 患者编号 病例号",
    "arm": "Group Treatment_Group Gruppe Behandlungsgruppe Studienarm 组别 分组",
    "sex": "SEX Gender Geschlecht 性别",
    "diagnosis": "Underlying_disease Diagnose Grunderkrankung 诊断 基础疾病",
    "response_week8": "Response Remission_Woche_8 Ansprechen 疗效 8周疗效 第8周疗效",
    "followup_time": "Time Follow-up Followup_days Follow_up_time_(days) Nachbeobachtung "
    "Nachbeobachtungszeit_(Tage) Überlebenszeit Ueberlebenszeit 随访时间 随访时间（天） 随访天数",
    "died": "Death Deceased event Tod verstorben Gestorben 死亡 是否死亡",
    "cmv_infection": "CMV CMV-Infektion cmv_reactivation CMV感染 巨细胞病毒感染",
    "index_date": "Start_date Treatment_start Therapiebeginn Index-Datum 开始治疗日期 用药日期",
    "death_date": "Date_of_death Todesdatum Sterbedatum 死亡日期",
    "last_contact_date": "Last_follow-up Date_of_last_contact Letzter_Kontakt "
    "Datum_der_letzten_Nachbeobachtung 末次随访日期 最后随访日期",
    "weight_kg": "Weight Body_weight_(kg) Gewicht Körpergewicht_[kg] 体重 体重（kg） 体重（公斤）",
    "gc_dose_baseline_mg_per_kg": "GC_dose_baseline_(mg/kg) Prednisone_baseline_mg/kg/d "
    "Prednisolon_Beginn_(mg/kg) 基线激素剂量（mg/kg） 基线泼尼松剂量_mg/kg",
    "gc_dose_week8_mg_per_kg": "GC_dose_week_8_(mg/kg) Prednisolon_Woche_8_(mg/kg) "
    "GC-Dosis_Woche8_mg/kg 8周激素剂量（mg/kg） 第8周激素剂量(mg/kg)",
    "gc_dose_baseline_mg_per_day": "Prednisone_baseline_(mg/day) Steroid_dose_day_0_mg/d "
    "Prednisolon_Beginn_(mg/Tag) GC-Dosis_Baseline_mg/d 基线激素剂量（mg/d） 基线激素剂量（mg/日）",
    "gc_dose_week8_mg_per_day": "Prednisone_week_8_(mg/day) Prednisolon_nach_8_Wochen_(mg/Tag) "
    "8周激素剂量（mg/天） 第8周泼尼松（mg/d）",
}


@pytest.mark.parametrize(
    ("name", "ours"), [(name, ours) for ours, names in NAMES.items() for name in names.split()]
)
def test_a_column_is_known_by_what_registers_call_it(name, ours):
    assert recognised(name.replace("_", " "))[0] == {name.replace("_", " "): ours}
    assert recognised(name)[0] == {name: ours}


def test_every_column_is_known_by_our_name_in_any_order_and_case():
    header = [name.upper() for name in reversed(COLUMNS)]
    found, findings = recognised(*header)
    assert {name.upper(): name for name in COLUMNS} == found
    assert findings.listed(1) == []


@pytest.mark.parametrize(
    "name",
    [
        "age",
        "Alter",
        "ferritin",
        "年龄",
        "height",
        "cause_of_death",
        "date_of_birth",
        "dose",
        "gc_dose",
        "mg",
        "response_week4",
        "survived",
        "weight_week8",
        "creatinine",
        "ICU",
        "died_in_hospital_date",
    ],
)
def test_other_columns_are_no_column_of_ours(name):
    assert recognised(name)[0] == {}


def test_the_order_of_columns_does_not_matter(tmp_path):
    usual = read(tmp_path / "a", rows()).patients
    turned = read(tmp_path / "b", [dict(reversed(row.items())) for row in rows()]).patients
    assert usual.equals(turned)


def without(column):
    return [{name: cell for name, cell in row.items() if name != column} for row in rows()]


def renamed(**names):
    return [{names.get(name, name): cell for name, cell in row.items()} for row in rows()]


@pytest.mark.parametrize("column", ["patient_id", "arm", "died"])
def test_a_needed_column_that_is_missing_is_refused_in_one_sentence(tmp_path, column):
    (sentence,) = refused(tmp_path, without(column))
    assert sentence.startswith(f"patients.csv, row 1: there is no column {column}; name one so")


def test_what_is_not_needed_may_be_missing(tmp_path):
    register = read(tmp_path, plain(rows()))
    assert register.patients.drop(columns=["patient_id", "arm", "died"]).isna().all(axis=None)
    assert list(register.patients) == list(rows()[0])


@pytest.mark.parametrize(
    ("ours", "written"),
    [
        ("sex", "sexx"),
        ("died", "dide"),
        ("died", "diedd"),
        ("arm", "armm"),
        ("followup_time", "folowup_time"),
        ("diagnosis", "diagnossis"),
        ("cmv_infection", "cmv_infecton"),
        ("gc_dose_week8_mg_per_kg", "gc_dose_week8_mg_per_kq"),
    ],
)
def test_a_misspelt_column_is_refused_with_the_one_that_is_meant(tmp_path, ours, written):
    (sentence,) = refused(tmp_path, renamed(**{ours: written}))
    assert sentence == (
        f"patients.csv, row 1, column {written}: there is no column {ours}; did you mean this "
        f"one? Rename it, or map it under [columns] in cohort.toml."
    )


def test_an_unknown_column_is_named_once_and_is_not_used(tmp_path):
    table = [row | {"Alter": "50", "Ferritin": "9000"} for row in rows()]
    assert warned(tmp_path, table) == [
        "patients.csv, row 1: the columns 'Alter' and 'Ferritin' are not used."
    ]


def test_columns_that_may_hold_personal_data_are_warned_of(tmp_path):  # group 18
    table = [row | {"Geburtsdatum": "1.1.1960", "姓名": "王"} for row in rows()]
    (sentence,) = warned(tmp_path, table)
    assert "('Geburtsdatum' and '姓名'); remove them" in sentence


def test_a_dose_without_a_unit_is_not_used_and_the_reason_is_said(tmp_path):
    table = [row | {"Prednisolon Beginn": "50"} for row in plain(rows())]
    (sentence,) = warned(tmp_path, table)
    assert "does not say whether the dose is mg/kg or mg a day" in sentence


@pytest.mark.parametrize(
    "name",
    [
        "Methylprednisolone baseline (mg/day)",
        "基线甲泼尼龙剂量（mg/d）",
        "Ruxolitinib baseline (mg/day)",
        "基线环孢素剂量（mg/d）",
        "Dose baseline (mg/kg)",
        "GC dose (mg/kg)",
    ],
)
def test_the_dose_of_another_drug_or_day_is_not_taken(tmp_path, name):
    (sentence,) = warned(tmp_path, [row | {name: "1"} for row in plain(rows())])
    assert "not used" in sentence
    assert ("mg of prednisone or its equivalent" in sentence) == (
        "甲泼尼龙" in name or "Methyl" in name
    )


def test_a_column_that_is_mapped_to_nothing_is_not_used(tmp_path):
    table = [row | {"Ausgang": "CR", "Todesdatum": ""} for row in plain(rows())]
    for row in table:
        row["death_date"] = "2020-01-01" if row.pop("died") == "1" else ""
    register = read(tmp_path, table, '[columns]\nAusgang = ""\nTodesdatum = ""\n')
    assert register.patients["died"].sum() == 2 and register.warnings == ()


def test_a_column_that_is_there_twice_is_refused(tmp_path):
    lines = ["patient_id,arm,died,died"] + [f"{i},treatment,0,1" for i in range(3)]
    (tmp_path / "patients.csv").write_text("\n".join(lines), encoding="utf-8")
    (sentence,) = refusal(tmp_path)
    assert sentence == (
        "patients.csv, row 1, column died: the column stands there more than once; leave one."
    )


def test_two_columns_with_names_for_one_are_refused(tmp_path):
    table = [{"Tod": row["died"], "Verstorben": "0"} | row for row in rows()]
    for row in table:
        del row["died"]
    (sentence,) = refused(tmp_path, table)
    assert "the columns 'Tod' and 'Verstorben' stand for died; leave one" in sentence


def test_our_name_goes_before_what_registers_call_a_column(tmp_path):
    table = [row | {"status": "whatever"} for row in rows()]
    assert warned(tmp_path, table) == ["patients.csv, row 1: the column 'status' is not used."]


def test_a_name_that_says_more_goes_before_one_that_says_less(tmp_path):
    table = [
        {"Gruppe" if name == "arm" else name: cell for name, cell in row.items()}
        | {"Therapie": "x"}
        for row in rows()
    ]
    assert warned(tmp_path, table) == ["patients.csv, row 1: the column 'Therapie' is not used."]


@pytest.mark.parametrize("name", ["survived", "überlebt", "存活"])
def test_survivors_are_not_taken_for_deaths(tmp_path, name):
    (sentence,) = refused(tmp_path, renamed(died=name))
    assert f"there is no column died, and '{name}' counts the other way round; map" in sentence


def test_the_settings_go_before_our_names(tmp_path):
    table = [row | {"exitus_2021": "1", "died": "0"} for row in rows()]
    register = read(tmp_path, table, '[columns]\nexitus_2021 = "died"\n')
    assert register.patients["died"].eq(1).all()


def test_exchanged_times_and_deaths_are_refused_in_one_sentence(tmp_path):  # group 15
    table = renamed(followup_time="died", died="followup_time")
    assert refused(tmp_path, table) == [
        "patients.csv, row 1, column followup_time: holds only 0 and 1, and died holds times; the "
        "two columns seem to be exchanged."
    ]


def test_exchanged_doses_are_warned_of(tmp_path):  # group 15
    table = renamed(
        gc_dose_baseline_mg_per_kg="gc_dose_week8_mg_per_kg",
        gc_dose_week8_mg_per_kg="gc_dose_baseline_mg_per_kg",
    )
    for row in table:
        if row["died"] == "1":
            row["gc_dose_week8_mg_per_kg"] = ""
    (sentence,) = warned(tmp_path, table)
    assert "6 of 6 doses are higher at week 8 than at baseline" in sentence


@pytest.mark.parametrize("name", ["status", "Vitalstatus", "outcome", "结局"])
def test_a_status_in_words_is_read_and_in_numbers_refused(tmp_path, name):
    table = renamed(died=name)
    words = [row | {name: "alive" if row[name] == "0" else "dead"} for row in table]
    assert read(tmp_path / "words", words).patients["died"].sum() == 2
    (sentence,) = refused(tmp_path / "numbers", table)
    assert "does not say whether that is alive or dead" in sentence
    assert "(7 more rows of the column alike)" in sentence


def test_a_unit_in_the_name_of_the_times_is_believed_only_with_the_settings(tmp_path):
    table = renamed(followup_time="Follow-up (months)")
    (sentence,) = refused(tmp_path, table)
    assert 'set time_unit = "months"' in sentence
    times = read(tmp_path, table, 'time_unit = "months"').patients["followup_time"]
    assert times[0] == pytest.approx(100 * 365.25 / 12)
