"""Which column of a table is which: by the settings, by name, or by what registers call it."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence

from rdmas.paper.problems import shown
from rdmas.paper.register.findings import Findings, some
from rdmas.paper.register.settings import COLUMNS, Settings
from rdmas.paper.register.values import VOCABULARY, meant, word

#: Columns without which nothing can be said of a patient.
NEEDED = ("patient_id", "arm", "died")

#: What the name of a column of follow-up times may end in.
_TIME_UNITS = {
    "days": "days|day|d|tage|tagen|in tagen|in days|天|天数|日",
    "weeks": "weeks|week|wk|wks|wochen|in wochen|in weeks|周|周数",
    "months": "months|month|mo|mos|monate|monaten|in monaten|in months|月|个月|月数",
    "years": "years|year|yr|yrs|jahre|jahren|in jahren|in years|年|年数",
}

_DOSE_UNITS = {
    "mg_per_kg": r"\bmg (per |pro )?kg( (per |pro )?(d|day|tag|bw|kg|kgkg|天|日))*\b|\bmgkg\b",
    "mg_per_day": r"\bmg (per |pro |am )?(d|day|daily|tag|tgl|日|天)\b|\bmgd\b|毫克 ?(每)?[日天]",
}


def plain(name: str) -> str:
    """Return what a column's name is compared by: small letters and digits, single blanks.

    Examples
    --------
    >>> plain("GC_Dose (mg/kg)"), plain("Körpergewicht"), plain("8周疗效")
    ('gc dose mg kg', 'koerpergewicht', '8周疗效')
    """
    small = unicodedata.normalize("NFKC", name).casefold()
    for letter, pair in {"ä": "ae", "ö": "oe", "ü": "ue"}.items():
        small = small.replace(letter, pair)
    return " ".join(re.findall(r"[^\W_]+", small))


_EXACT = {plain(name): name for name in COLUMNS}
_SYNONYMS = {plain(it): name for name, words in VOCABULARY["columns"].items() for it in words}
_TIMES = {it for it, ours in _SYNONYMS.items() if ours == "followup_time"}
_ALIVE_OR_DEAD = {plain(it) for it in VOCABULARY["alive_or_dead"]}
_WEAK = {plain(it) for it in VOCABULARY["weak"]} | _ALIVE_OR_DEAD
_SURVIVORS = {plain(it) for it in VOCABULARY["survivors"]}
_PERSONAL = {plain(it) for it in VOCABULARY["personal"]}
_DOSE = sorted(
    ((plain(it), kind) for kind, words in VOCABULARY["dose"].items() for it in words),
    key=lambda pair: -len(pair[0]),
)
_OTHER_DRUGS = [word for word, kind in _DOSE if kind == "other"]


def recognise(
    header: Sequence[str | None], settings: Settings, findings: Findings
) -> dict[str, int]:
    """Find the columns of a register in the header of a table.

    Parameters
    ----------
    header : sequence of str
        The names that the table gives its columns.
    settings : Settings
        What the reader says of them.
    findings : Findings
        Gets an error for a column that is needed and missing, for one that is there twice, and
        for one that is likely misspelt; a warning for columns that are not used. It also learns
        what the table calls each column.

    Returns
    -------
    dict of str to int
        The place of each column that was found, by our name.
    """
    names = [str(name or "") for name in header]
    mapped = _mapped(names, settings, findings)
    candidates: dict[str, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    ignored: set[int] = set()
    for place, name in enumerate(names):
        if mapped.get(place) == "":  # not to be used
            ignored.add(place)
        elif place in mapped:
            candidates[mapped[place]][0].append(place)
        elif plain(name) in _EXACT:
            candidates[_EXACT[plain(name)]][1].append(place)
        elif ours := _synonym(name):
            candidates[ours][3 if plain(name) in _WEAK else 2].append(place)
    found, used = {}, ignored
    for ours in COLUMNS:
        for _, places in sorted(candidates[ours].items())[:1]:
            found[ours] = places[0]
            used.update(places)
            _name(findings, ours, names[places[0]])
            if len(places) > 1:
                _refuse_twice(findings, ours, [names[place] for place in places])
    _check_time_unit(names, found, settings, findings)
    suspects = _unused(names, found, used, findings)
    _lacking(names, found, settings, suspects, findings)
    return found


def says_alive_or_dead(name: str) -> bool:
    """Tell whether a column's name leaves open which number means death."""
    return plain(name) in _ALIVE_OR_DEAD


def _name(findings: Findings, ours: str, name: str) -> None:
    """Let sentences call a column what the table calls it."""
    kept = shown(name.strip())
    findings.columns[ours] = kept if kept == ours else f"{kept} ({ours})"


def _mapped(names: Sequence[str], settings: Settings, findings: Findings) -> dict[int, str]:
    """Find the columns that the settings name."""
    mapped: dict[int, str] = {}
    for own, ours in settings.columns.items():
        places = [place for place, name in enumerate(names) if name.strip() == own]
        places = places or [at for at, name in enumerate(names) if word(name) == word(own)]
        mapped.update(dict.fromkeys(places, ours))
        if not places:
            near = meant(own, [name.strip() for name in names if name])
            hint = f"did you mean '{shown(near)}'" if near else f"it has {some(names, 12)}"
            rule = f"[columns] '{shown(own)}' = \"{ours}\": the table has no such column; {hint}"
            findings.elsewhere(settings.source, rule)
    return mapped


def _synonym(name: str) -> str | None:
    """Return the column that registers call so."""
    small = plain(name)
    if small in _SYNONYMS:
        return _SYNONYMS[small]
    if small in _ALIVE_OR_DEAD:
        return "died"
    if _time_unit(name):
        return "followup_time"
    when, unit = _dose(small)
    return f"gc_dose_{when}_{unit}" if when and unit else None


def _time_unit(name: str) -> str | None:
    """Return the unit that the name of a column of follow-up times ends in."""
    small = plain(name)
    for unit, words in _TIME_UNITS.items():
        for ending in words.split("|"):
            if small.endswith(ending) and small.removesuffix(ending).strip() in _TIMES:
                return unit
    return None


def _dose(small: str) -> tuple[str | None, str | None]:
    """Return when a dose was taken and its unit, as far as the name of the column tells."""
    unit = next((it for it, form in _DOSE_UNITS.items() if re.search(form, small)), None)
    rest = re.sub(_DOSE_UNITS[unit], " ", small) if unit else small
    rest = re.sub(r"\b(week|wk|w|woche|wo|day|tag|d) (\d)\b", r"\1\2", rest)
    rest = re.sub(r"\b8 (weeks|wk|w|wochen)\b", r"8\1", rest)
    says = set()
    for known, kind in _DOSE:
        # Chinese has no blanks between words.
        form = rf"\b{known}\b" if known.isascii() and rest.isascii() else known
        rest, found = re.subn(form, " ", rest)
        says |= {kind} if found else set()
    whens = says & {"baseline", "week8"}
    if rest.strip() or "drug" not in says or "other" in says or len(whens) != 1:
        return None, unit
    return whens.pop(), unit


def _refuse_twice(findings: Findings, ours: str, names: list[str]) -> None:
    """Refuse a column that is there more than once."""
    rule = "the column stands there more than once; leave one"
    if len(set(names)) > 1:
        rule = f"the columns {some(names)} stand for {ours}; leave one, and rename or map others"
    findings.header(rule, ours)


def _check_time_unit(
    names: Sequence[str], found: dict[str, int], settings: Settings, findings: Findings
) -> None:
    """Refuse a column of follow-up times whose name gives another unit than the settings."""
    unit = _time_unit(names[found["followup_time"]]) if "followup_time" in found else None
    if unit and unit != settings.time_unit:
        rule = (
            f"the name says {unit}, and {settings.time_unit} are expected; "
            f'set time_unit = "{unit}" in cohort.toml, or rename the column'
        )
        findings.header(rule, "followup_time")


def _unused(
    names: Sequence[str], found: dict[str, int], used: set[int], findings: Findings
) -> dict[str, str]:
    """Speak of columns that are not used; return what is likely misspelt, by our name."""
    missing = {it: ours for it, ours in (_SYNONYMS | _EXACT).items() if ours not in found}
    near = [it for it in missing if len(it) > 4 or it in _EXACT]
    left = [name for place, name in enumerate(names) if name and place not in used]
    suspects, idle, personal = {}, [], []
    for name in left:
        close = meant(plain(name), near) if len(left) <= 200 else None
        when, unit = _dose(plain(name))
        if plain(name) in _PERSONAL:
            personal.append(name)
        elif close and missing[close] not in suspects:
            suspects[missing[close]] = name
            rule = (
                f"there is no column {missing[close]}; did you mean this one? Rename it, or map "
                f"it under [columns] in cohort.toml"
            )
            findings.header(rule, shown(name))
        elif any(it in plain(name) for it in _OTHER_DRUGS):
            rule = (
                "the column is not used: doses are mg of prednisone or its equivalent; convert "
                "them and name the column as gc_dose_baseline_mg_per_kg"
            )
            findings.header(rule, shown(name), "warning")
        elif when and not unit:
            rule = (
                f"the column is not used: its name does not say whether the dose is mg/kg or mg "
                f"a day; name it gc_dose_{when}_mg_per_kg or gc_dose_{when}_mg_per_day"
            )
            findings.header(rule, shown(name), "warning")
        else:
            idle.append(name)
    if personal:
        rule = f"there are personal data by the name of it ({some(personal)}); remove them"
        findings.header(rule, level="warning")
    if idle:
        verb = "column {} is" if len(idle) == 1 else "columns {} are"
        findings.header(f"the {verb.format(some(idle, 9))} not used", level="warning")
    return suspects


def _lacking(
    names: Sequence[str],
    found: dict[str, int],
    settings: Settings,
    suspects: dict[str, str],
    findings: Findings,
) -> None:
    """Refuse a table without a column that is needed."""
    given = {*found, *suspects, *settings.columns.values()}
    for ours in NEEDED:
        if ours in given:
            continue
        rule = f"there is no column {ours}; name one so, or map it under [columns] in cohort.toml"
        if ours == "arm":
            if not settings.control:
                continue
            rule += '; for a cohort of one arm set control = "" in cohort.toml'
        if ours == "died":
            if "death_date" in given:
                continue
            rule += ", or give dates of death in a column death_date"
            for name in (name for name in names if plain(name) in _SURVIVORS):
                rule = (
                    f"there is no column died, and '{shown(name)}' counts the other way round; map "
                    f"it under [columns] and its values under [values.died] in cohort.toml"
                )
        findings.header(rule)
    if len(names) > 1 and not found:
        findings.header("no column was recognised; the first row must name the columns")
