"""A cohort's meetings, and what all of its mentees share of them: worked out once, not for each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from program.record.counting import Item, amount, by_meetings_alone, unattended
from program.record.ledger import Meeting
from program.record.periods import Period, calendar_year, year_of
from program.record.policy import AtLeast, Policy


@dataclass(frozen=True, slots=True)
class Shortage:
    """The cohort's meetings of a period are too few for anybody to do what a rule asks."""

    rule: str
    name: str
    period: Period
    need: int
    possible: int

    @property
    def lacking(self) -> int:
        """How much more must be scheduled."""
        return self.need - self.possible


class Calendar:
    """The meetings of one or several cohorts that are not cancelled, past and to come."""

    def __init__(self, meetings: Iterable[Meeting]) -> None:
        self._meetings = tuple(meetings)
        self._unattended: dict[Policy, list[Item]] = {}
        self._shortages: dict[tuple[Policy, date], tuple[Shortage, ...]] = {}

    def unattended(self, policy: Policy) -> list[Item]:
        """Each meeting for a mentee without any record."""
        if policy not in self._unattended:
            self._unattended[policy] = [unattended(policy, meeting) for meeting in self._meetings]
        return self._unattended[policy]

    def shortages(self, policy: Policy, today: date) -> tuple[Shortage, ...]:
        """Rules that nobody can meet in this program year, because too few meetings are held and scheduled."""
        if (policy, today) not in self._shortages:
            self._shortages[policy, today] = tuple(_shortages(policy, self.unattended(policy), today))
        return self._shortages[policy, today]


def _shortages(policy: Policy, meetings: list[Item], today: date) -> Iterable[Shortage]:
    year = calendar_year(policy.program, year_of(today, policy.program.boundary))
    inside = [item for item in meetings if year.holds(item.day) and item.verdict != "no"]
    for rule in policy.rules:
        if not isinstance(rule, AtLeast) or rule.per != "year" or not by_meetings_alone(rule):
            continue
        possible = amount(policy, rule, inside)
        if isinstance(rule.at_least, int) and possible < rule.at_least and rule.id not in policy.chosen_from:
            yield Shortage(rule.id, rule.name, year, rule.at_least, possible)
