"""What credits and waivers give, and whether what is left can still be met."""

from __future__ import annotations

from datetime import date

from program.record.case import Case
from program.record.ledger import Waiver
from program.record.periods import ProgramYear
from program.record.requirement import Outcome, Requirement


def credit_for(case: Case, rule: str, year: ProgramYear | None) -> int:
    number = year.number if year else None
    return sum(max(0, one.amount) for one in case.credits if one.rule == rule and one.year == number)


def fill(found: list[Requirement], given: int) -> list[Requirement]:
    """Credit goes to what is missing, the earliest period first."""
    filled = []
    for one in found:
        lacks = given if one.need is None else one.missing or 0
        used = min(given, lacks)
        given -= used
        filled.append(one._replace(credited=used) if used else one)
    return filled


def waive(case: Case, rule: str, year: ProgramYear | None, found: list[Requirement]) -> list[Requirement]:
    number = year.number if year else None
    for waiver in case.waivers:
        if waiver.rule == rule and waiver.year in (None, number):
            found = _waived(found, waiver)
    return found


def _waived(found: list[Requirement], waiver: Waiver) -> list[Requirement]:
    left = waiver.amount
    waived = []
    for one in found:
        lacks = one.missing or 0
        used = 0 if one.period.ends < waiver.since else lacks if left is None else min(max(0, left), lacks)
        left = None if left is None else left - used
        waived.append(one._replace(waived=one.waived + used))
    return waived


def outcome_of(case: Case, one: Requirement) -> Outcome:
    if one.need is None:
        return "blocked"
    missing = one.missing or 0
    if missing == 0:
        return "met"
    if one.period.starts > case.today:
        return "open"
    if one.maybe >= missing:
        return "blocked"
    return _by_time(case, one) if one.chances is None else _by_meetings(case, one)


def _by_meetings(case: Case, one: Requirement) -> Outcome:
    """Only what a mentee let pass puts them behind, never that the cohort meets too seldom."""
    missing = one.missing or 0
    reachable = missing - one.short
    if one.could + one.maybe < reachable:
        return "behind"
    if one.coming + one.maybe < reachable or one.period.ends < case.today:
        return "at risk"
    missed = any(item.verdict == "missed" for item in one.others)
    return "at risk" if missed and one.coming + one.maybe <= missing else "open"


def _by_time(case: Case, one: Requirement) -> Outcome:
    """Where other activities help, time is what runs out: the last quarter of it is a risk."""
    if one.period.ends < case.today:
        return "at risk" if one.could + one.maybe >= (one.missing or 0) else "behind"
    left = (one.period.ends - case.today).days + 1
    return "at risk" if 4 * left <= one.period.days else "open"


def outcome_of_choice(one: Requirement, outcomes: list[Outcome]) -> Outcome:
    if one.need is None:
        return "blocked"
    if one.missing == 0:
        return "met"
    given = one.credited + one.waived
    reach = 0
    for outcome in ("met", "open", "blocked", "at risk"):
        reach += outcomes.count(outcome)
        if reach + given >= one.need:
            return outcome if outcome != "met" else "open"
    return "behind"


def choice_met_on(parts: list[list[Requirement]], need: int | None) -> date | None:
    days = sorted(max(one.met_on or date.max for one in own) for own in parts)
    if need is None or need < 1 or len(days) < need or days[need - 1] == date.max:
        return None
    return days[need - 1]
