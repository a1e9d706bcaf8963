"""Groups 23, 24 and 49 of odd inputs: dates, and follow-up counted from them."""

import datetime as dt

import pytest
from register_tables import read, refused, rows, warned

TODAY = dt.date.today()


def dated(**cells):
    """Return valid rows with dates in place of follow-up, the first row's replaced."""
    table = [
        {name: cell for name, cell in row.items() if name != "followup_time"}
        | {
            "index_date": "2020-01-01",
            "death_date": "2020-01-21" if row["died"] == "1" else "",
            "last_contact_date": "" if row["died"] == "1" else "2020-06-01",
        }
        for row in rows()
    ]
    table[0] |= cells
    return table


# Dates: groups 23 and 24


@pytest.mark.parametrize(
    "cell",
    [
        *("2020-03-04", "4.3.2020", "04.03.2020", "2020/3/4", "2020.03.04", "20200304"),
        *("2020年3月4日", "4 Mar 2020", "04-Mar-2020", "4. März 2020", "2020-03-04T00:00:00"),
        *("2020-03-04 00:00", "4. Mrz. 2020"),
    ],
)
def test_plain_dates_are_read(tmp_path, cell):
    register = read(tmp_path, dated(last_contact_date=cell))
    assert register.patients["followup_time"][0] == 63


@pytest.mark.parametrize(
    ("cell", "rule"),
    [
        ("2021-02-30", "is no day of the calendar"),
        ("31.04.2021", "is no day of the calendar"),
        ("2021-13-01", "is no day of the calendar"),
        ("0000-00-00", "is no day of the calendar"),
        ("03.04.21", "has a year of two digits"),
        ("44197", "is a spreadsheet's number for a day"),
        ("1899-12-30", "is before 1950"),
        ("２０２０-０３-０４", "is written in full-width"),
        ("spring 2020", "is not a date"),
        ("2020", "is a spreadsheet's number for a day"),
        (f"{TODAY.year + 1}-01-01", "is a day in the future"),
        ("2019-12-31", "is before index_date"),
    ],
)
def test_dates_that_cannot_be_are_refused(tmp_path, cell, rule):
    (sentence,) = refused(tmp_path, dated(last_contact_date=cell))
    assert sentence.startswith(f"patients.csv, row 2, column last_contact_date: '{cell}': {rule}")


def test_a_date_with_slashes_needs_its_order(tmp_path):
    table = dated(last_contact_date="03/04/2020")
    (sentence,) = refused(tmp_path, table)
    assert sentence == (
        "patients.csv, row 2, column last_contact_date: '03/04/2020': can be read with the day "
        'first or with the month first; write it as 2021-04-03, or set date_order = "dmy" or '
        '"mdy" in cohort.toml.'
    )
    for order, days in (("dmy", 93), ("mdy", 63)):
        register = read(tmp_path, table, f'date_order = "{order}"')
        assert register.patients["followup_time"][0] == days
    (sentence,) = refused(tmp_path, dated(last_contact_date="12/31/2020"), 'date_order = "dmy"')
    assert 'is no day of the calendar with date_order = "dmy"; mend the setting' in sentence


def test_ambiguous_dates_in_a_whole_column_are_one_fault(tmp_path):
    table = [row | {"index_date": f"0{place + 1}/01/2020"} for place, row in enumerate(dated())]
    sentences = refused(tmp_path, table)
    assert len(sentences) == 1
    assert "(7 more rows of the column alike)" in sentences[0]
    for place, row in enumerate(table, start=3):
        row["last_contact_date"] = row["last_contact_date"] and f"0{place}/06/2020"
    sentences = refused(tmp_path, table)
    assert len(sentences) == 1  # group 49: the cause is one setting
    assert "(13 more rows and columns alike)" in sentences[0]


def test_a_wrong_order_of_dates_is_one_fault(tmp_path):  # group 49
    table = [row | {"index_date": f"01/{place + 10}/2020"} for place, row in enumerate(dated())]
    (sentence,) = refused(tmp_path, table, 'date_order = "dmy"')
    assert "row 5, column index_date: '01/13/2020': is no day of the calendar with" in sentence


def test_last_contact_of_the_dead_is_taken_where_there_are_no_dates_of_death(tmp_path):
    table = [
        {name: cell for name, cell in row.items() if name != "death_date"}
        | {"last_contact_date": row["death_date"] or row["last_contact_date"]}
        for row in dated()
    ]
    register = read(tmp_path, table)
    assert register.patients["followup_time"].tolist()[3] == 20
    assert "is taken as the day of death of those who died" in str(register.warnings[0])


def test_follow_up_is_counted_from_dates(tmp_path):
    register = read(tmp_path, dated())
    expected = [20.0 if row["died"] == "1" else 152.0 for row in rows()]
    assert register.patients["followup_time"].tolist() == expected


def test_deaths_may_come_from_their_dates(tmp_path):
    table = [{name: cell for name, cell in row.items() if name != "died"} for row in dated()]
    register = read(tmp_path, table)
    assert register.patients["died"].tolist() == [int(row["died"]) for row in rows()]
    assert "Patients with a date of death died, the others did not." in register.notes


@pytest.mark.parametrize(
    ("cells", "place", "rule"),
    [
        (
            {"died": "1", "death_date": "2019-12-31", "gc_dose_week8_mg_per_kg": ""},
            "death_date",
            "is before index_date",
        ),
        ({"death_date": "2020-02-01"}, "death_date", "of a patient who did not die"),
        ({"died": "1", "last_contact_date": ""}, "death_date", "follow-up is missing"),
        ({"last_contact_date": ""}, "last_contact_date", "follow-up is missing"),
        ({"index_date": ""}, "index_date", "follow-up is missing"),
        (
            {"died": "1", "death_date": "2020-05-01", "last_contact_date": "2020-05-02"},
            "last_contact_date",
            "is after the date of death",
        ),
    ],
)
def test_dates_that_contradict_each_other_are_refused(tmp_path, cells, place, rule):
    (sentence,) = refused(tmp_path, dated(**cells))
    assert sentence.startswith(f"patients.csv, row 2, column {place}: ")
    assert rule in sentence


@pytest.mark.parametrize("word", ["lebt", "alive", "nein", "存活"])
def test_a_word_for_alive_is_no_date_of_death(tmp_path, word):
    register = read(tmp_path, dated(death_date=word))
    assert register.patients["followup_time"][0] == 152


def test_times_that_may_be_months_are_warned_of(tmp_path):
    table = [row | {"followup_time": "12", "gc_dose_week8_mg_per_kg": ""} for row in rows(10)]
    (sentence,) = warned(tmp_path, table)
    assert "no follow-up is longer than 12 days; check the unit (time_unit)" in sentence


def test_days_and_dates_must_agree(tmp_path):
    table = [row | {"followup_time": "20" if row["died"] == "1" else "152"} for row in dated()]
    assert read(tmp_path / "a", table).warnings == ()
    table[0]["followup_time"] = "15"
    (sentence,) = refused(tmp_path / "b", table)
    assert "'15': differs from the 152 days between the dates beside it" in sentence
