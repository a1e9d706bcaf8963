"""What ties several cells of a patient together, and what is computed from them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from rdmas.paper.register import values
from rdmas.paper.register.cells import Records
from rdmas.paper.register.findings import Findings, counted
from rdmas.paper.register.settings import COLUMNS, Settings

DAYS_IN_WEEK_8 = 56

#: A follow-up of more days is possible, and may be a date that lost its format.
_LONG = 50 * 365.25

#: If nobody is followed for so many days, they may be months.
_SHORT = 15

#: A daily dose of more mg/kg is a pulse at most; as a median it is mg a day.
_HIGH = 10

_DOSES = ("gc_dose_baseline", "gc_dose_week8")
_DATES = ("index_date", "death_date", "last_contact_date")


def derive(records: Records, settings: Settings, findings: Findings) -> list[str]:
    """Compute deaths, follow-up and doses in our units, and check what cannot be together.

    Parameters
    ----------
    records : Records
        Read by `read_cells`; gets the columns ``died``, ``followup_time`` and the doses.
    settings : Settings
    findings : Findings
        Gets what is wrong.

    Returns
    -------
    list of str
        How values were computed; says no value of a patient.
    """
    notes = [*_deaths(records, findings), *_times(records, settings, findings)]
    for dose in _DOSES:
        notes += _mg_per_kg(records, dose, findings)
    _check_week8(records, findings)
    _check_doses(records, findings)
    notes += _name_diagnoses(records, settings)
    return notes


def _places(records: Records) -> Iterator[tuple[int, int]]:
    """Yield place and number of each row."""
    yield from enumerate(records.rows)


def _fail(records: Records, findings: Findings, column: str, place: int, rule: str) -> None:
    """Tell a fault of one cell."""
    cell = records.raw[column][place] if records.has(column) else None
    value = cell if values.text(cell) else None
    findings.add(rule, records.rows[place], column, value)
    records.failed.add((column, place))


def _deaths(records: Records, findings: Findings) -> Iterator[str]:
    """Take deaths from their dates, and refuse contradictions."""
    if not records.has("death_date"):
        return
    stated = records.has("died")
    known = records.values.setdefault("died", [None] * len(records.rows))
    for place, _ in _places(records):
        if records.bad(place, "died", "death_date"):
            continue
        day = records.at("death_date", place)
        if known[place] is None:
            empty = stated and day is None
            if empty:
                _fail(records, findings, "died", place, "a value is required for every patient")
            known[place] = None if empty else int(day is not None)
        elif known[place] == 0 and day is not None:
            rule = "is a date of death of a patient who did not die; mend one of the two"
            _fail(records, findings, "death_date", place, rule)
    if not stated:
        yield "Patients with a date of death died, the others did not."


def _times(records: Records, settings: Settings, findings: Findings) -> Iterator[str]:
    """Count follow-up from dates, and see that all have one or nobody."""
    ends = [column for column in _DATES[1:] if records.has(column)]
    dated = records.has("index_date") and bool(ends)
    if records.has("followup_time") and settings.time_unit != "days":
        yield f"Follow-up in {settings.time_unit} was turned into days of 365.25 a year."
    times = records.values.setdefault("followup_time", [None] * len(records.rows))
    if dated:
        _count_days(records, times, findings)
        yield f"Follow-up was counted in days from index_date to {' or '.join(ends)}."
        if ends == ["last_contact_date"] and 1 in records.values["died"]:
            rule = "is taken as the day of death of those who died, as there is no death_date"
            findings.header(rule, "last_contact_date", "warning")
            yield "Follow-up of the dead ends at last_contact_date: there are no dates of death."
    if records.has("index_date") and not ends and not records.has("followup_time"):
        rule = "gives no follow-up without death_date and last_contact_date; add them"
        findings.header(rule, "index_date", "warning")
    _check_all_have_times(records, times, findings)
    _check_short(records, times, findings)
    long = [at for at, days in enumerate(times) if days is not None and days > _LONG]
    if long and not records.bad(long[0], "followup_time"):
        rule = "is a follow-up of more than 50 years; check that it is no date"
        column = "followup_time" if records.has("followup_time") else "index_date"
        cell = records.raw[column][long[0]]
        findings.add(rule, records.rows[long[0]], column, cell, "warning")


def _check_short(records: Records, times: list, findings: Findings) -> None:
    """Warn of follow-up that may be in another unit than days."""
    known = [days for days in times if days is not None]
    if records.has("followup_time") and len(known) >= 10 and 0 < max(known) < _SHORT:
        rule = f"no follow-up is longer than {max(known):g} days; check the unit (time_unit)"
        findings.header(rule, "followup_time", "warning")


def _count_days(records: Records, times: list, findings: Findings) -> None:
    """Count the days from the index date to death or last contact."""
    for place, _ in _places(records):
        start, death, last = (records.at(column, place) for column in _DATES)
        if records.bad(place, "died", "followup_time", *_DATES):
            continue
        if not _in_order(records, place, findings) or start is None:
            continue
        dead = records.at("died", place) == 1 and records.has("death_date")
        end = death if dead else last
        if end is None:
            continue
        days = float((end - start).days)
        if times[place] is None:
            times[place] = days
        elif abs(times[place] - days) > 1:
            rule = f"differs from the {days:g} days between the dates beside it; mend one of them"
            _fail(records, findings, "followup_time", place, rule)


def _in_order(records: Records, place: int, findings: Findings) -> bool:
    """Refuse dates of a patient that are not in the order of events."""
    start, death, last = (records.at(column, place) for column in _DATES)
    if start and death and death < start:
        rule = "is before index_date, the start of follow-up; mend one of the two dates"
        _fail(records, findings, "death_date", place, rule)
        return False
    if start and last and last < start:
        rule = "is before index_date, the start of follow-up; mend one of the two dates"
        _fail(records, findings, "last_contact_date", place, rule)
        return False
    if death and last and last > death:
        rule = "is after the date of death; mend one of the two dates"
        _fail(records, findings, "last_contact_date", place, rule)
        return False
    return True


def _check_all_have_times(records: Records, times: list, findings: Findings) -> None:
    """Refuse follow-up that some patients have and others have not."""
    columns = [column for column in ("followup_time", *_DATES) if records.has(column)]
    unread = {place for place, _ in _places(records) if records.bad(place, "died", *columns)}
    if not columns or not any(days is not None for days in times):
        return
    lacking = [at for at, days in enumerate(times) if days is None and at not in unread]
    for place in lacking:
        rule = "follow-up is missing; it is needed for every patient, or for none"
        column = "followup_time"
        if not records.has(column):
            died = records.at("died", place) == 1
            column = "death_date" if died else "last_contact_date"
            if records.at("index_date", place) is None:
                column = "index_date"
            rule = f"{rule} (no {column})"
        if not records.has(column):
            rule = f"there is no column {column}, without which follow-up has no end"
            findings.header(rule)
            return
        _fail(records, findings, column, place, rule)


def _mg_per_kg(records: Records, dose: str, findings: Findings) -> Iterator[str]:
    """Divide a dose in mg a day by the body weight."""
    ours, daily = f"{dose}_mg_per_kg", f"{dose}_mg_per_day"
    if not records.has(daily):
        return
    if not records.has("weight_kg"):
        if any(value is not None for value in records.values[daily]):
            findings.header("mg a day need the body weight; add a column weight_kg", daily)
        return
    doses = records.values.setdefault(ours, [None] * len(records.rows))
    unweighed, differ = [], []
    for place, _ in _places(records):
        amount, weight = records.at(daily, place), records.at("weight_kg", place)
        if amount is None or records.bad(place, daily, ours, "weight_kg"):
            continue
        if weight is None:
            unweighed.append(place)
        elif doses[place] is None:
            doses[place] = amount / weight
            if doses[place] > COLUMNS[ours]["constraints"]["maximum"]:
                rule = f"is more than 40 mg/kg at the weight of {weight:g} kg beside it"
                _fail(records, findings, daily, place, f"{rule}; check both")
        elif abs(doses[place] - amount / weight) > 0.1 * max(doses[place], 0.1):
            differ.append(place)
    for places, kind, rule in (
        (unweighed, ("dose is", "doses are"), "not used: there is no body weight beside it"),
        (differ, ("dose differs", "doses differ"), f"more than a tenth from {ours}, which is used"),
    ):
        if places:
            rule = f"{counted(len(places), *kind)} {rule}"
            findings.add(rule, records.rows[places[0]], daily, level="warning")
    yield f"{ours} is mg a day divided by weight_kg."


def _check_week8(records: Records, findings: Findings) -> None:
    """Refuse doses at week 8 of those who were dead, warn of those who were not seen then."""
    given = ("gc_dose_week8_mg_per_kg", "gc_dose_week8_mg_per_day")
    unseen = []
    for place, _ in _places(records):
        days = records.at("followup_time", place)
        columns = [it for it in given if records.has(it) and records.at(it, place) is not None]
        if not columns or days is None or days >= DAYS_IN_WEEK_8:
            continue
        if records.bad(place, *given, "died", "followup_time", *_DATES):
            continue
        if records.at("died", place) == 1:
            rule = f"must be empty: the patient died on day {days:g}, before week 8"
            _fail(records, findings, columns[0], place, rule)
        else:
            unseen.append((place, columns[0]))
    if unseen:
        place, column = unseen[0]
        rule = counted(len(unseen), "patient has", "patients have")
        rule += " a dose at week 8 and a follow-up that ends before"
        findings.add(rule, records.rows[place], column, level="warning")


def _check_doses(records: Records, findings: Findings) -> None:
    """Warn of doses that are possible and look exchanged or in another unit."""
    columns = [f"{dose}_mg_per_kg" for dose in _DOSES]
    for column in columns:
        known = sorted(value for value in records.values.get(column, ()) if value is not None)
        if records.has(column) and len(known) >= 3 and known[len(known) // 2] > _HIGH:
            rule = "most doses are above 10 mg/kg; check that they are not mg a day"
            findings.header(rule, column, "warning")
        daily = column.replace("per_kg", "per_day")
        amounts = sorted(value for value in records.values.get(daily, ()) if value)
        if "baseline" in daily and len(amounts) >= 3 and amounts[-1] <= 5:
            rule = "no dose is above 5 mg a day; check that they are not mg/kg"
            findings.header(rule, daily, "warning")
    if all(column in records.values for column in columns):
        pairs = list(zip(*(records.values[column] for column in columns), strict=True))
        both = [(before, after) for before, after in pairs if None not in (before, after)]
        risen = sum(after > before for before, after in both)
        if len(both) >= 3 and risen > len(both) / 2:
            rule = (
                f"{risen} of {len(both)} doses are higher at week 8 than at baseline; check that "
                f"the two columns are not exchanged"
            )
            column = columns[1] if records.has(columns[1]) else "gc_dose_week8_mg_per_day"
            findings.header(rule, column, "warning")
    weights = sorted(value for value in records.values.get("weight_kg", ()) if value is not None)
    if len(weights) >= 3 and weights[len(weights) // 2] > 130:
        rule = "most weights are above 130 kg; check that they are not pounds or heights"
        findings.header(rule, "weight_kg", "warning")


def _name_diagnoses(records: Records, settings: Settings) -> Iterator[str]:
    """Spell each diagnosis in one way, and count those of a single patient as other."""
    if not records.has("diagnosis"):
        return
    written = records.values["diagnosis"]
    words = Counter(values.word(name) for name in written if name is not None)
    spelling: dict[str, str] = {}
    for name, _ in Counter(name for name in written if name is not None).most_common():
        spelling.setdefault(values.word(name), name)
    spelling |= {values.word(name): name for name in settings.diagnoses}
    listed = {values.word(name) for name in settings.diagnoses}
    rare = [word for word, count in words.items() if count < 2 and word not in listed]
    spelling |= dict.fromkeys([*rare, "other", "others", "andere", "sonstige", "其他"], "other")
    records.values["diagnosis"] = [
        None if name is None else spelling[values.word(name)] for name in written
    ]
    if rare:
        yield f"Diagnoses that one patient alone has count as other ({len(rare)})."
