"""A mentee measured against the policy: have, need, missing, by when, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, NamedTuple
from uuid import UUID

from program.record.calendar import Calendar, Shortage
from program.record.counting import Frame, Item, amount, by_meetings_alone, items, met_on, of_types, standing_lines
from program.record.ledger import Credit, Enrolment, Meeting, Record, Waiver
from program.record.periods import Away, Period, ProgramYear, on, parts, program_years, shifted, year_of
from program.record.policy import ABSENCES, MOST_YEARS, AtLeast, Choose, Items, Policy, Rule, Track, known
from program.record.unset import UNSET, Unset

State = Literal["complete", "history not imported", "paused", "behind", "at risk", "blocked", "on track"]
Outcome = Literal["met", "open", "at risk", "behind", "blocked"]


class Requirement(NamedTuple):
    """One rule in one period. ``need`` None: unset by the policy, so that it can never be met.

    ``limit``: a number not to go over, such as absences. ``coming``: what meetings to come and what waits for
    a mentor can add; ``could``: with make-ups that are still open; ``maybe``: what an unset value decides;
    ``chances``: what there would have been, had nothing been missed (None: other activities help too).
    """

    rule: str
    name: str
    unit: str  # a Unit, "items", "rules" or "absences"
    period: Period
    need: int | None
    have: int
    outcome: Outcome
    counted: tuple[Item, ...] = ()
    others: tuple[Item, ...] = ()  # what did not count, each with its reason
    credited: int = 0
    waived: int = 0
    coming: int = 0
    could: int = 0
    maybe: int = 0
    chances: int | None = None
    lacking: tuple[str, ...] = ()  # the named items that are missing
    parts: tuple[Requirement, ...] = ()  # of a choice
    limit: bool = False
    met_on: date | None = None

    @property
    def missing(self) -> int | None:
        if self.need is None:
            return None
        return 0 if self.limit else max(0, self.need - self.have - self.credited - self.waived)

    @property
    def short(self) -> int:
        """By how many the cohort's meetings are too few: nobody is behind for that."""
        return 0 if self.chances is None else max(0, (self.missing or 0) - self.chances)

    @property
    def due(self) -> date:
        return self.period.ends


@dataclass(frozen=True, slots=True)
class YearStanding:
    number: int
    label: str
    starts: date
    ends: date
    past: bool
    current: bool
    requirements: tuple[Requirement, ...]

    @property
    def met(self) -> bool:
        return all(one.outcome == "met" for one in self.requirements)


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
        return (*(one for year in self.years for one in year.requirements), *self.whole)

    @property
    def to_make_up(self) -> list[Item]:
        """The missed meetings that can still be made up, the newest first."""
        asked = (part for one in self.requirements for part in (one, *one.parts))
        found = {item.id: item for one in asked for item in one.others if item.make_up_until is not None}
        return sorted(found.values(), key=lambda item: (item.day, item.id), reverse=True)


@dataclass(frozen=True, slots=True)
class _Case:
    """Everything about one mentee that the rules below look at."""

    policy: Policy
    track: Track | None
    starts: date
    today: date
    away: Away
    paused: Away  # the leaves that let something off: an open one until today
    years: tuple[ProgramYear, ...]
    whole: Period
    items: Sequence[Item]  # what happened, and the meetings that have no entries
    credits: Sequence[Credit]
    waivers: Sequence[Waiver]


def standing(
    policy: Policy, enrolment: Enrolment, record: Record, meetings: Calendar | Iterable[Meeting], today: date
) -> Standing:
    """Where a mentee stands on ``today``, a day in the policy's zone.

    ``meetings``: those of the mentee's cohort that are not cancelled, past and to come. A calendar that is given
    for all of its mentees saves work.
    """
    calendar = meetings if isinstance(meetings, Calendar) else Calendar(meetings)
    case = _case(policy, enrolment, record, calendar, today)
    years = tuple(_year(case, year) for year in case.years)
    whole = tuple(_in_order(case, None, [rule for rule in policy.rules if rule.per == "program"]))
    unset = _unset(policy, enrolment, case.track)
    must_finish = _must_finish(policy, case.starts)
    everything = [*(one for year in years for one in year.requirements), *whole]
    state = _state(case, enrolment, everything, unset, must_finish)
    return Standing(
        state=state,
        years=years,
        whole=whole,
        unset=unset,
        finish=_finish(case, state, everything),
        must_finish=must_finish,
        on_leave_until=next((ends for starts, ends in case.away.spans if starts <= today <= ends), None),
        too_few=_too_few(case, calendar),
        today=today,
        policy=policy,
    )


# The case ----------------------------------------------------------------------------------------


def _case(policy: Policy, enrolment: Enrolment, record: Record, calendar: Calendar, today: date) -> _Case:
    track = policy.track(enrolment.track)
    leaves = standing_lines(record.leaves)
    starts = _start(policy, enrolment.starts, [(one.starts, one.ends) for one in leaves], today)
    until_known = [(one.starts, one.ends or max(today, one.starts)) for one in leaves]
    pauses = known(policy.leave.pauses_year_from_days) if policy.leave else None
    count = _count_of_years(policy, track, starts, today)
    away = Away.of([(one.starts, one.ends or date.max) for one in leaves])
    paused = Away() if pauses is None else Away.of(until_known)
    years = program_years(policy.program, starts, count, paused, pauses)
    whole = Period("the whole program", years[0].period.starts, years[-1].period.ends)
    frame = _frame(policy, enrolment, record, starts, today)
    found = items(policy, record, frame)
    settled = {one.id for one in found}
    here = max([frame.since, *(one.on for one in standing_lines(record.transfers) if one.on <= today)])
    found += [one for one in _open(policy, calendar, here, away) if one.id not in settled]
    credits = [*standing_lines(record.credits), *_track_credits(track)]
    return _Case(
        policy, track, starts, today, away, paused, years, whole, found, credits, standing_lines(record.waivers)
    )


def _start(policy: Policy, starts: date, leaves: list[tuple[date, date | None]], today: date) -> date:
    """The program start; a leave long enough to end all credit makes the day after it the start."""
    expires = known(policy.leave.credit_expires_after_days) if policy.leave else None
    if expires is None:
        return starts
    for begins, ends in Away.of([(one, other or max(today, one)) for one, other in leaves]).spans:
        if ends >= starts and ends < today and (ends - begins).days + 1 > expires:
            starts = max(starts, shifted(ends, 1))
    return starts


def _frame(policy: Policy, enrolment: Enrolment, record: Record, starts: date, today: date) -> Frame:
    since, before = starts, "before the program start"
    if starts > enrolment.starts:
        before = "before a long leave that ended earlier credit"
    if policy.transfer is not None and policy.transfer.credit_stays is False:
        moves = [one.on for one in standing_lines(record.transfers) if one.on <= today]
        if moves and max(moves) > since:
            since, before = max(moves), "before the transfer"
    return Frame(today, since, before)


def _count_of_years(policy: Policy, track: Track | None, starts: date, today: date) -> int:
    """The number of program years; where it is unset, those that have begun."""
    count = track.years if track and track.years is not None else policy.program.years
    if isinstance(count, int):
        return count
    begun = year_of(today, policy.program.boundary) - year_of(starts, policy.program.boundary) + 1
    return min(MOST_YEARS, max(1, begun))


def _open(policy: Policy, calendar: Calendar, since: date, away: Away) -> list[Item]:
    """Meetings without entries: they can still count, if the mentee is there.

    ``since``: what a new cohort did before the transfer was never the mentee's to attend.
    """
    return [one for one in calendar.unattended(policy) if one.day >= since and not away.holds(one.day)]


def _track_credits(track: Track | None) -> list[Credit]:
    if track is None:
        return []
    given = [(one, one.amount) for one in track.credit]
    return [Credit(UUID(int=0), one.rule, one.year, amount) for one, amount in given if isinstance(amount, int)]


def _unset(policy: Policy, enrolment: Enrolment, track: Track | None) -> tuple[str, ...]:
    """What is unset and concerns this mentee: another track's numbers do not."""
    own = f"track.{track.id}." if track else "track. "
    found = [one.says for one in policy.unset if not one.path.startswith("track.") or one.path.startswith(own)]
    if enrolment.track.strip() and track is None:
        found.append(f"what the track “{enrolment.track.strip()}” requires: the policy doesn't have this track")
    return tuple(found)


def _must_finish(policy: Policy, starts: date) -> date | None:
    years = known(policy.leave.maximum_years) if policy.leave else None
    return None if years is None else shifted(on(starts.year + years, (starts.month, starts.day)), -1)


# Requirements ------------------------------------------------------------------------------------


def _year(case: _Case, year: ProgramYear) -> YearStanding:
    period = year.period
    rules = [one for one in case.policy.rules if one.per != "program" and _asked_in(one, year)]
    found = list(_in_order(case, year, rules))
    absences = _absences(case, year)
    if absences is not None:
        found.append(absences)
    return YearStanding(
        number=year.number,
        label=period.label,
        starts=period.starts,
        ends=period.ends,
        past=period.ends < case.today,
        current=period.holds(case.today),
        requirements=tuple(found),
    )


def _asked_in(rule: Rule, year: ProgramYear) -> bool:
    return not rule.years or year.number in rule.years


def _in_order(case: _Case, year: ProgramYear | None, rules: Sequence[Rule]) -> Iterator[Requirement]:
    """The requirements of these rules; a rule that is a part of a choice only inside of it."""
    inside = case.policy.chosen_from
    for rule in rules:
        if isinstance(rule, Choose):
            yield from _choice(case, rule, year)
        elif rule.id not in inside:
            yield from _of_rule(case, rule, year)


def _of_rule(case: _Case, rule: AtLeast | Items, year: ProgramYear | None) -> list[Requirement]:
    if isinstance(rule, Items):
        return [_items(case, rule, year)]
    return _at_least(case, rule, year)


def _at_least(case: _Case, rule: AtLeast, year: ProgramYear | None) -> list[Requirement]:
    """The rule in each of its periods. What was done in a paused part, and credits, fill what is missing."""
    mine = list(of_types(case.items, rule.activities))
    asked, off = _periods(case, rule, year)
    need = None if isinstance(rule.first_weeks, Unset) else _need(case, rule, year)
    found = [_measure(case, rule, one, [item for item in mine if one.holds(item.day)], need) for one in asked]
    spare = sum(min(need or 0, amount(case.policy, rule, _counting(mine, one))) for one in off)
    found = _fill(found, spare + _credit(case, rule.id, year))
    return [one._replace(outcome=_outcome(case, one)) for one in _waive(case, rule.id, year, found)]


def _periods(case: _Case, rule: AtLeast, year: ProgramYear | None) -> tuple[list[Period], list[Period]]:
    """The periods in which the rule asks for something, and those it lets off."""
    if year is None:
        return [case.whole], []
    if isinstance(rule.first_weeks, Unset):  # unknown weeks: one requirement that says so
        return ([year.period] if year.number == 1 else []), []
    if rule.per == "year":
        return [year.period], []
    return parts(case.policy.program, rule, year, case.starts, case.paused)


def _counting(found: Iterable[Item], period: Period) -> list[Item]:
    return [one for one in found if one.verdict == "counts" and period.holds(one.day)]


def _need(case: _Case, rule: AtLeast, year: ProgramYear | None) -> int | None:
    """The rule's number for this mentee: scaled by the track, always rounded up."""
    if isinstance(rule.at_least, Unset):
        return None
    if case.track is None:
        return rule.at_least
    if isinstance(case.track.scale_percent, Unset):
        return None
    need = _up(rule.at_least * case.track.scale_percent, 100)
    if year is not None and year.number == 1 and rule.per == "year" and case.track.joining_mid_year == "scaled":
        there = (year.period.ends - case.starts).days + 1
        need = _up(need * max(0, min(there, year.period.days)), year.period.days)
    return need


def _up(number: int, by: int) -> int:
    return -(-number // by)


def _measure(case: _Case, rule: AtLeast, period: Period, mine: list[Item], need: int | None) -> Requirement:
    """What there is, before credits and waivers."""
    counted = [one for one in mine if one.verdict == "counts"]
    have = amount(case.policy, rule, counted)

    def adds(more: list[Item]) -> int:
        """What these would add to what counts."""
        return amount(case.policy, rule, [*counted, *map(_in_full, more)]) - have if more else 0

    others = [one for one in mine if one.verdict != "counts"]
    coming = [one for one in others if one.verdict in ("open", "pending")]
    undecided = [one for one in others if one.verdict == "undecided"]
    missed = [one for one in others if one.verdict == "missed"]
    makeable = [one for one in missed if one.make_up_until is not None]
    return Requirement(
        rule=rule.id,
        name=rule.name,
        unit=rule.unit,
        period=period,
        need=need,
        have=have,
        outcome="open",
        counted=tuple(counted),
        others=tuple([one for one in others if one.verdict != "open"]),
        coming=adds(coming),
        could=adds(coming + makeable),
        maybe=adds(undecided),
        chances=adds(coming + undecided + missed) if by_meetings_alone(rule) else None,
        met_on=None if need is None or have < need else met_on(case.policy, rule, counted, need),
    )


def _in_full(one: Item) -> Item:
    """A missed meeting with the minutes it would have given: its own entry holds none."""
    return one._replace(minutes=one.full) if one.full > one.minutes else one


# Credits and waivers -----------------------------------------------------------------------------


def _credit(case: _Case, rule: str, year: ProgramYear | None) -> int:
    number = year.number if year else None
    return sum(max(0, one.amount) for one in case.credits if one.rule == rule and one.year == number)


def _fill(found: list[Requirement], given: int) -> list[Requirement]:
    """Credit goes to what is missing, the earliest period first."""
    filled = []
    for one in found:
        lacks = given if one.need is None else one.missing or 0
        used = min(given, lacks)
        given -= used
        filled.append(one._replace(credited=used) if used else one)
    return filled


def _waive(case: _Case, rule: str, year: ProgramYear | None, found: list[Requirement]) -> list[Requirement]:
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


# Judging -----------------------------------------------------------------------------------------


def _outcome(case: _Case, one: Requirement) -> Outcome:
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


def _by_meetings(case: _Case, one: Requirement) -> Outcome:
    """Only what a mentee let pass puts them behind, never that the cohort meets too seldom."""
    missing = one.missing or 0
    reachable = missing - one.short
    if one.could + one.maybe < reachable:
        return "behind"
    if one.coming + one.maybe < reachable or one.period.ends < case.today:
        return "at risk"
    missed = any(item.verdict == "missed" for item in one.others)
    return "at risk" if missed and one.coming + one.maybe <= missing else "open"


def _by_time(case: _Case, one: Requirement) -> Outcome:
    """Where other activities help, time is what runs out: the last quarter of it is a risk."""
    if one.period.ends < case.today:
        return "at risk" if one.could + one.maybe >= (one.missing or 0) else "behind"
    left = (one.period.ends - case.today).days + 1
    return "at risk" if 4 * left <= one.period.days else "open"


def _items(case: _Case, rule: Items, year: ProgramYear | None) -> Requirement:
    """Named things, each once."""
    period = year.period if year else case.whole
    mine = [one for one in case.items if one.code in rule.items and period.holds(one.day)]
    done = {one.code for one in reversed(mine) if one.verdict == "counts"}
    first = {one.code: one for one in reversed(mine) if one.verdict == "counts"}
    lacking = tuple(words for code, words in rule.items.items() if code not in done)
    pending = {one.code for one in mine if one.verdict == "pending"} - done
    maybe = {one.code for one in mine if one.verdict == "undecided"} - done - pending
    found = Requirement(
        rule=rule.id,
        name=rule.name,
        unit="items",
        period=period,
        need=len(rule.items),
        have=len(done),
        outcome="open",
        counted=tuple(sorted(first.values(), key=lambda one: (one.day, one.id))),
        others=tuple(one for one in mine if one.verdict != "counts"),
        could=len(pending),
        maybe=len(maybe),
        lacking=lacking,
        met_on=max((one.day for one in first.values()), default=None) if not lacking else None,
    )
    (found,) = _waive(case, rule.id, year, _fill([found], _credit(case, rule.id, year)))
    return found._replace(outcome=_outcome(case, found))


def _choice(case: _Case, rule: Choose, year: ProgramYear | None) -> Iterator[Requirement]:
    """So many of these rules: each is met when all of its periods here are. Nothing where nothing is asked."""
    found: list[tuple[str, list[Requirement]]] = []
    for id_ in rule.rules:
        part = case.policy.rule(id_)
        if part is None or isinstance(part, Choose):
            continue
        each = _everywhere(case, part) if year is None and part.per != "program" else None
        own = each if each is not None else _of_rule(case, part, year) if year is None or _asked_in(part, year) else []
        if own:
            found.append((part.name, own))
    if not found:
        return
    outcomes = [_worst(one.outcome for one in own) for _, own in found]
    need = len(found) if rule.at_least == "all" else known(rule.at_least)
    if isinstance(need, int):
        need = min(need, len(found))
    made = Requirement(
        rule=rule.id,
        name=rule.name,
        unit="rules",
        period=year.period if year else case.whole,
        need=need,
        have=outcomes.count("met"),
        outcome="open",
        parts=tuple(one for _, own in found for one in own),
        met_on=_chosen_on([own for _, own in found], need),
    )
    (made,) = _waive(case, rule.id, year, _fill([made], _credit(case, rule.id, year)))
    yield made._replace(outcome=_chosen(made, outcomes))


def _everywhere(case: _Case, rule: AtLeast | Items) -> list[Requirement]:
    return [one for year in case.years if _asked_in(rule, year) for one in _of_rule(case, rule, year)]


def _chosen(one: Requirement, outcomes: list[Outcome]) -> Outcome:
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


def _chosen_on(parts: list[list[Requirement]], need: int | None) -> date | None:
    days = sorted(max(one.met_on or date.max for one in own) for own in parts)
    if need is None or need < 1 or len(days) < need or days[need - 1] == date.max:
        return None
    return days[need - 1]


RANK: dict[Outcome, int] = {"behind": 0, "at risk": 1, "blocked": 2, "open": 3, "met": 4}


def _worst(outcomes: Iterable[Outcome]) -> Outcome:
    return min(outcomes, key=RANK.__getitem__)


def _absences(case: _Case, year: ProgramYear) -> Requirement | None:
    """The limit of unexcused absences in a program year; a made-up meeting is none."""
    most = case.policy.attendance.maximum_absences
    if most is None:
        return None
    period = year.period
    missed = tuple(one for one in case.items if one.verdict == "missed" and one.absent and period.holds(one.day))
    need = None if most is UNSET else known(most)
    over = 0 if need is None else max(0, len(missed) - need)
    for waiver in case.waivers:
        if waiver.rule == ABSENCES and waiver.year in (None, year.number) and waiver.since <= period.ends:
            over = 0 if waiver.amount is None else max(0, over - max(0, waiver.amount))
    outcome: Outcome = "blocked" if need is None else "behind" if over else "met"
    return Requirement(ABSENCES, "Absences", ABSENCES, period, need, len(missed), outcome, others=missed, limit=True)


# The whole ---------------------------------------------------------------------------------------


def _state(
    case: _Case, enrolment: Enrolment, found: list[Requirement], unset: Sequence[str], must_finish: date | None
) -> State:
    outcomes = {one.outcome for one in found}
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


def _may_complete(case: _Case) -> bool:
    return case.policy.completion.earliest == "when met" or case.today > case.whole.ends


def _finish(case: _Case, state: State, found: list[Requirement]) -> date | None:
    """When everything was met, or will be if nothing is missed any more; None where that cannot be said."""
    if state in ("behind", "blocked", "history not imported") or not found:
        return None
    if any(one.outcome in ("behind", "blocked") or (one.missing and one.due < case.today) for one in found):
        return None  # somebody must decide first
    if state == "paused" and case.away.spans and case.away.spans[-1][1] == date.max:
        return None
    days = [_met_by(case, one) for one in found if not one.limit]
    last = max(days, default=case.whole.ends)
    return last if case.policy.completion.earliest == "when met" else max(last, shifted(case.whole.ends, 1))


def _met_by(case: _Case, one: Requirement) -> date:
    """The day on which a requirement was met, or on which it will be with the meetings to come."""
    missing = one.missing or 0
    if missing == 0:
        given = [item.day for item in one.counted]
        return one.met_on or max(given, default=max(case.starts, min(case.today, one.period.starts)))
    rule = case.policy.rule(one.rule)
    if not isinstance(rule, AtLeast) or not by_meetings_alone(rule) or one.period.ends < case.today:
        return max(one.period.ends, case.today)
    coming = [item for item in of_types(case.items, rule.activities) if item.verdict == "open"]
    inside = [item for item in coming if one.period.holds(item.day)]
    enough = met_on(case.policy, rule, sorted([*one.counted, *inside], key=lambda item: item.day), one.have + missing)
    return max(enough, case.today) if enough else one.period.ends


def _too_few(case: _Case, calendar: Calendar) -> tuple[Shortage, ...]:
    current = next((year for year in case.years if year.period.holds(case.today)), None)
    if current is None:
        return ()
    found = calendar.shortages(case.policy, case.today)
    rules = {one.id for one in case.policy.rules if _asked_in(one, current)} if found else set()
    return tuple(one for one in found if one.rule in rules)
