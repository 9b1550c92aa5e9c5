"""What credits and waivers give, and whether what is left can still be met."""

from __future__ import annotations

from datetime import date

from program.record.case import Case
from program.record.ledger import Waiver
from program.record.periods import ProgramYear
from program.record.requirement import Outcome, Requirement


def credit_for(case: Case, rule: str, year: ProgramYear | None) -> int:
    """How much of a rule the mentee's credits give in a program year; None: in the program as a whole."""
    number = year.number if year else None
    return sum(max(0, credit.amount) for credit in case.credits if credit.rule == rule and credit.year == number)


def fill(requirements: list[Requirement], number: int) -> list[Requirement]:
    """These requirements with so much credit, which goes to what is missing, the earliest period first."""
    filled = []
    for requirement in requirements:
        lacks = number if requirement.need is None else requirement.missing or 0
        used = min(number, lacks)
        number -= used
        filled.append(requirement._replace(credited=used) if used else requirement)
    return filled


def waive(case: Case, rule: str, year: ProgramYear | None, requirements: list[Requirement]) -> list[Requirement]:
    """These requirements of a rule in a program year (None: of the whole program), with the mentee's waivers."""
    number = year.number if year else None
    for waiver in case.waivers:
        if waiver.rule == rule and waiver.year in (None, number):
            requirements = _waived(requirements, waiver)
    return requirements


def _waived(requirements: list[Requirement], waiver: Waiver) -> list[Requirement]:
    left = waiver.amount
    waived = []
    for requirement in requirements:
        lacks = requirement.missing or 0
        used = 0 if requirement.period.ends < waiver.since else lacks if left is None else min(max(0, left), lacks)
        left = None if left is None else left - used
        waived.append(requirement._replace(waived=requirement.waived + used))
    return waived


def outcome_of(case: Case, requirement: Requirement) -> Outcome:
    """Whether a requirement is met, and if not, whether it still can be."""
    if requirement.need is None:
        return "blocked"
    missing = requirement.missing or 0
    if missing == 0:
        return "met"
    if requirement.period.starts > case.today:
        return "open"
    if requirement.maybe >= missing:
        return "blocked"
    return _by_time(case, requirement) if requirement.chances is None else _by_meetings(case, requirement)


def _by_meetings(case: Case, requirement: Requirement) -> Outcome:
    """Only what a mentee let pass puts them behind, never that the cohort meets too seldom."""
    missing = requirement.missing or 0
    reachable = missing - requirement.short
    if requirement.could + requirement.maybe < reachable:
        return "behind"
    if requirement.coming + requirement.maybe < reachable or requirement.period.ends < case.today:
        return "at risk"
    missed = any(item.verdict == "missed" for item in requirement.others)
    return "at risk" if missed and requirement.coming + requirement.maybe <= missing else "open"


def _by_time(case: Case, requirement: Requirement) -> Outcome:
    """Where other activities help, time is what runs out: the last quarter of it is a risk."""
    if requirement.period.ends < case.today:
        return "at risk" if requirement.could + requirement.maybe >= (requirement.missing or 0) else "behind"
    left = (requirement.period.ends - case.today).days + 1
    return "at risk" if 4 * left <= requirement.period.days else "open"


def outcome_of_choice(requirement: Requirement, outcomes: list[Outcome]) -> Outcome:
    """The outcome of a choice between rules, from the outcomes of these rules."""
    if requirement.need is None:
        return "blocked"
    if requirement.missing == 0:
        return "met"
    credited = requirement.credited + requirement.waived
    reach = 0
    for outcome in ("met", "open", "blocked", "at risk"):
        reach += outcomes.count(outcome)
        if reach + credited >= requirement.need:
            return outcome if outcome != "met" else "open"
    return "behind"


def choice_met_on(parts: list[list[Requirement]], need: int | None) -> date | None:
    """The day on which enough rules of a choice were met; None: they are not. ``parts``: each rule's requirements."""
    days = sorted(max(requirement.met_on or date.max for requirement in own) for own in parts)
    if need is None or need < 1 or len(days) < need or days[need - 1] == date.max:
        return None
    return days[need - 1]
