"""A mentee measured against the policy: have, need, missing, by when, and why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from program.record.calendar import Calendar, Shortage
from program.record.case import Case, case_of
from program.record.counting import Item, by_meetings_alone, met_on, of_types
from program.record.ledger import Enrolment, Meeting, Record
from program.record.measuring import absences, asked_in, in_order
from program.record.periods import ProgramYear, on, shifted
from program.record.policy import AtLeast, Policy, Track, known
from program.record.requirement import Requirement

State = Literal["complete", "history not imported", "paused", "behind", "at risk", "blocked", "on track"]


@dataclass(frozen=True, slots=True)
class YearStanding:
    """One program year of a standing."""

    number: int
    label: str
    starts: date
    ends: date
    ended: bool
    current: bool
    requirements: tuple[Requirement, ...]

    @property
    def met(self) -> bool:
        """Whether every requirement of the year is met."""
        return all(requirement.outcome == "met" for requirement in self.requirements)


@dataclass(frozen=True, slots=True)
class Standing:
    """``unset``: what the policy leaves open. ``finish``: when it was or will be complete; None: not to be said."""

    state: State
    years: tuple[YearStanding, ...]
    whole: tuple[Requirement, ...]  # over the whole program
    unset: tuple[str, ...] = ()
    finish: date | None = None
    must_finish: date | None = None
    on_leave_until: date | None = None  # date.max: until further notice
    too_few: tuple[Shortage, ...] = ()
    today: date = date.min
    policy: Policy | None = None  # what it was measured against

    @property
    def requirements(self) -> tuple[Requirement, ...]:
        """Every requirement, of each year and of the program as a whole."""
        return (*(requirement for year in self.years for requirement in year.requirements), *self.whole)

    @property
    def to_make_up(self) -> list[Item]:
        """The missed meetings that can still be made up, the newest first."""
        asked = (part for requirement in self.requirements for part in (requirement, *requirement.parts))
        by_line = {
            item.id: item for requirement in asked for item in requirement.others if item.make_up_until is not None
        }
        return sorted(by_line.values(), key=lambda item: (item.day, item.id), reverse=True)


def standing(
    policy: Policy, enrolment: Enrolment, record: Record, meetings: Calendar | Iterable[Meeting], today: date
) -> Standing:
    """Where a mentee stands on ``today``, a day in the policy's zone.

    ``meetings``: those of the mentee's cohort that are not cancelled, ended and to come. A calendar that is given
    for all of its mentees saves work.
    """
    calendar = meetings if isinstance(meetings, Calendar) else Calendar(meetings)
    case = case_of(policy, enrolment, record, calendar, today)
    years = tuple(_year(case, year) for year in case.years)
    whole = tuple(in_order(case, None, [rule for rule in policy.rules if rule.per == "program"]))
    unset = _unset(policy, enrolment, case.track)
    must_finish = _must_finish(policy, case.starts)
    everything = [*(requirement for year in years for requirement in year.requirements), *whole]
    state = _state(case, enrolment, everything, unset, must_finish)
    return Standing(
        state=state,
        years=years,
        whole=whole,
        unset=unset,
        finish=_finish(case, state, everything),
        must_finish=must_finish,
        on_leave_until=next((ends for starts, ends in case.away.spans if starts <= today <= ends), None),
        too_few=_too_few(years, calendar.shortages(policy, today)),
        today=today,
        policy=policy,
    )


def _unset(policy: Policy, enrolment: Enrolment, track: Track | None) -> tuple[str, ...]:
    """What is unset and concerns this mentee: another track's numbers do not."""
    own = f"track.{track.id}." if track else "track. "
    texts = [value.says for value in policy.unset if not value.path.startswith("track.") or value.path.startswith(own)]
    if enrolment.track.strip() and track is None:
        texts.append(f"what the track “{enrolment.track.strip()}” requires: the policy doesn't have this track")
    return tuple(texts)


def _must_finish(policy: Policy, starts: date) -> date | None:
    years = known(policy.leave.maximum_years) if policy.leave else None
    return None if years is None else shifted(on(starts.year + years, (starts.month, starts.day)), -1)


# Requirements ------------------------------------------------------------------------------------


def _year(case: Case, year: ProgramYear) -> YearStanding:
    period = year.period
    rules = [rule for rule in case.policy.rules if rule.per != "program" and asked_in(rule, year)]
    requirements = list(in_order(case, year, rules))
    limit = absences(case, year)
    if limit is not None:
        requirements.append(limit)
    return YearStanding(
        number=year.number,
        label=period.label,
        starts=period.starts,
        ends=period.ends,
        ended=period.ends < case.today,
        current=period.holds(case.today),
        requirements=tuple(requirements),
    )


# The whole ---------------------------------------------------------------------------------------


def _state(
    case: Case, enrolment: Enrolment, requirements: list[Requirement], unset: Sequence[str], must_finish: date | None
) -> State:
    outcomes = {requirement.outcome for requirement in requirements}
    if outcomes == {"met"} and not unset and _may_complete(case):
        return "complete"
    if enrolment.history_missing:
        return "history not imported"
    if case.away.holds(case.today):
        return "paused"
    if "behind" in outcomes or (must_finish is not None and case.today > must_finish):
        return "behind"
    if "at risk" in outcomes:
        return "at risk"
    return "blocked" if "blocked" in outcomes or unset else "on track"


def _may_complete(case: Case) -> bool:
    return case.policy.completion.earliest == "when met" or case.today > case.whole.ends


def _finish(case: Case, state: State, requirements: list[Requirement]) -> date | None:
    """When everything was met, or will be if nothing more is missed; None where that cannot be said."""
    if state in ("behind", "blocked", "history not imported") or not requirements:
        return None
    if any(
        requirement.outcome in ("behind", "blocked") or (requirement.missing and requirement.due < case.today)
        for requirement in requirements
    ):
        return None  # somebody must decide first
    if state == "paused" and case.away.spans and case.away.spans[-1][1] == date.max:
        return None
    days = [_met_by(case, requirement) for requirement in requirements if not requirement.limit]
    last = max(days, default=case.whole.ends)
    return last if case.policy.completion.earliest == "when met" else max(last, shifted(case.whole.ends, 1))


def _met_by(case: Case, requirement: Requirement) -> date:
    """The day on which a requirement was met, or on which it will be with the meetings to come."""
    missing = requirement.missing or 0
    if missing == 0:
        days = [item.day for item in requirement.counted]
        return requirement.met_on or max(days, default=max(case.starts, min(case.today, requirement.period.starts)))
    rule = case.policy.rule(requirement.rule)
    if not isinstance(rule, AtLeast) or not by_meetings_alone(rule) or requirement.period.ends < case.today:
        return max(requirement.period.ends, case.today)
    coming = [item for item in of_types(case.items, rule.activities) if item.verdict == "open"]
    inside = [item for item in coming if requirement.period.holds(item.day)]
    enough = met_on(
        case.policy,
        rule,
        sorted([*requirement.counted, *inside], key=lambda item: item.day),
        requirement.have + missing,
    )
    return max(enough, case.today) if enough else requirement.period.ends


def _too_few(years: Sequence[YearStanding], shortages: Sequence[Shortage]) -> tuple[Shortage, ...]:
    """The shortages that this mentee is short by: with their own number, and nothing that they have met already."""
    asked = {asked.rule: asked for year in years if year.current for asked in year.requirements}
    own = []
    for shortage in shortages:
        requirement = asked.get(shortage.rule)
        if requirement is None or requirement.need is None or requirement.outcome == "met":
            continue
        need = requirement.need - requirement.waived - requirement.credited
        if shortage.possible < need:
            own.append(replace(shortage, need=need))
    return tuple(own)
