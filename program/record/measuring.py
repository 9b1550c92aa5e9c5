"""The requirements of a period: what a rule asks, what there is, and what can still be added."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from program.record.case import Case
from program.record.counting import Item, amount, by_meetings_alone, met_on, of_types
from program.record.judging import (
    choice_met_on,
    credit_for,
    fill,
    outcome_of,
    outcome_of_choice,
    waive,
)
from program.record.periods import Period, ProgramYear, parts
from program.record.policy import ABSENCES, AtLeast, Choose, Items, Rule, known
from program.record.requirement import Outcome, Requirement, worst
from program.record.unset import UNSET, Unset


def asked_in(rule: Rule, year: ProgramYear) -> bool:
    """Whether a rule asks for something in this program year."""
    return not rule.years or year.number in rule.years


def in_order(case: Case, year: ProgramYear | None, rules: Sequence[Rule]) -> Iterator[Requirement]:
    """The requirements of these rules; a rule that is a part of a choice only inside of it."""
    inside = case.policy.chosen_from
    for rule in rules:
        if isinstance(rule, Choose):
            yield from _choice(case, rule, year)
        elif rule.id not in inside:
            yield from _of_rule(case, rule, year)


def _of_rule(case: Case, rule: AtLeast | Items, year: ProgramYear | None) -> list[Requirement]:
    if isinstance(rule, Items):
        return [_items(case, rule, year)]
    return _at_least(case, rule, year)


def _at_least(case: Case, rule: AtLeast, year: ProgramYear | None) -> list[Requirement]:
    """The rule in each of its periods. What was done in a paused part, and credits, fill what is missing."""
    mine = list(of_types(case.items, rule.activities))
    asked, off = _periods(case, rule, year)
    need = None if isinstance(rule.first_weeks, Unset) else _need(case, rule, year)
    requirements = [
        _measure(case, rule, period, [item for item in mine if period.holds(item.day)], need) for period in asked
    ]
    spare = sum(min(need or 0, amount(case.policy, rule, _counting(mine, period))) for period in off)
    requirements = fill(requirements, spare + credit_for(case, rule.id, year))
    return [
        requirement._replace(outcome=outcome_of(case, requirement))
        for requirement in waive(case, rule.id, year, requirements)
    ]


def _periods(case: Case, rule: AtLeast, year: ProgramYear | None) -> tuple[list[Period], list[Period]]:
    """The periods in which the rule asks for something, and those it lets off."""
    if year is None:
        return [case.whole], []
    if isinstance(rule.first_weeks, Unset):  # unknown weeks: one requirement that says so
        return ([year.period] if year.number == 1 else []), []
    if rule.per == "year":
        return [year.period], []
    return parts(case.policy.program, rule, year, case.starts, case.paused)


def _counting(items: Iterable[Item], period: Period) -> list[Item]:
    return [item for item in items if item.verdict == "counts" and period.holds(item.day)]


def _need(case: Case, rule: AtLeast, year: ProgramYear | None) -> int | None:
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


def _measure(case: Case, rule: AtLeast, period: Period, mine: list[Item], need: int | None) -> Requirement:
    """What there is, before credits and waivers."""
    counted = [item for item in mine if item.verdict == "counts"]
    have = amount(case.policy, rule, counted)

    def adds(more: list[Item]) -> int:
        """What these would add to what counts."""
        return amount(case.policy, rule, [*counted, *map(_in_full, more)]) - have if more else 0

    others = [item for item in mine if item.verdict != "counts"]
    coming = [item for item in others if item.verdict in ("open", "pending")]
    undecided = [item for item in others if item.verdict == "undecided"]
    missed = [item for item in others if item.verdict == "missed"]
    makeable = [item for item in missed if item.make_up_until is not None]
    return Requirement(
        rule=rule.id,
        name=rule.name,
        unit=rule.unit,
        period=period,
        need=need,
        have=have,
        outcome="open",
        counted=tuple(counted),
        others=tuple([item for item in others if item.verdict != "open"]),
        coming=adds(coming),
        could=adds(coming + makeable),
        maybe=adds(undecided),
        chances=adds(coming + undecided + missed) if by_meetings_alone(rule) else None,
        met_on=None if need is None or have < need else met_on(case.policy, rule, counted, need),
    )


def _in_full(item: Item) -> Item:
    """A missed meeting with the minutes it would have given: its own entry holds none."""
    return item._replace(minutes=item.full) if item.full > item.minutes else item


def _items(case: Case, rule: Items, year: ProgramYear | None) -> Requirement:
    """Named things, each once."""
    period = year.period if year else case.whole
    mine = [item for item in case.items if item.code in rule.items and period.holds(item.day)]
    done = {item.code for item in reversed(mine) if item.verdict == "counts"}
    first = {item.code: item for item in reversed(mine) if item.verdict == "counts"}
    lacking = tuple(words for code, words in rule.items.items() if code not in done)
    pending = {item.code for item in mine if item.verdict == "pending"} - done
    maybe = {item.code for item in mine if item.verdict == "undecided"} - done - pending
    requirement = Requirement(
        rule=rule.id,
        name=rule.name,
        unit="items",
        period=period,
        need=len(rule.items),
        have=len(done),
        outcome="open",
        counted=tuple(sorted(first.values(), key=lambda item: (item.day, item.id))),
        others=tuple(item for item in mine if item.verdict != "counts"),
        could=len(pending),
        maybe=len(maybe),
        lacking=lacking,
        met_on=max((item.day for item in first.values()), default=None) if not lacking else None,
    )
    (requirement,) = waive(case, rule.id, year, fill([requirement], credit_for(case, rule.id, year)))
    return requirement._replace(outcome=outcome_of(case, requirement))


def _choice(case: Case, rule: Choose, year: ProgramYear | None) -> Iterator[Requirement]:
    """So many of these rules: each is met when all of its periods here are. Nothing where nothing is asked."""
    groups: list[tuple[str, list[Requirement]]] = []
    for id_ in rule.rules:
        part = case.policy.rule(id_)
        if part is None or isinstance(part, Choose):
            continue
        each = _everywhere(case, part) if year is None and part.per != "program" else None
        own = each if each is not None else _of_rule(case, part, year) if year is None or asked_in(part, year) else []
        if own:
            groups.append((part.name, own))
    if not groups:
        return
    outcomes = [worst(requirement.outcome for requirement in own) for _, own in groups]
    need = len(groups) if rule.at_least == "all" else known(rule.at_least)
    if isinstance(need, int):
        need = min(need, len(groups))
    made = Requirement(
        rule=rule.id,
        name=rule.name,
        unit="rules",
        period=year.period if year else case.whole,
        need=need,
        have=outcomes.count("met"),
        outcome="open",
        parts=tuple(requirement for _, own in groups for requirement in own),
        met_on=choice_met_on([own for _, own in groups], need),
    )
    (made,) = waive(case, rule.id, year, fill([made], credit_for(case, rule.id, year)))
    yield made._replace(outcome=outcome_of_choice(made, outcomes))


def _everywhere(case: Case, rule: AtLeast | Items) -> list[Requirement]:
    return [requirement for year in case.years if asked_in(rule, year) for requirement in _of_rule(case, rule, year)]


def absences(case: Case, year: ProgramYear) -> Requirement | None:
    """The limit of unexcused absences in a program year; a made-up meeting is none."""
    most = case.policy.attendance.maximum_absences
    if most is None:
        return None
    period = year.period
    missed = tuple(item for item in case.items if item.verdict == "missed" and item.absent and period.holds(item.day))
    need = None if most is UNSET else known(most)
    over = 0 if need is None else max(0, len(missed) - need)
    for waiver in case.waivers:
        if waiver.rule == ABSENCES and waiver.year in (None, year.number) and waiver.since <= period.ends:
            over = 0 if waiver.amount is None else max(0, over - max(0, waiver.amount))
    outcome: Outcome = "blocked" if need is None else "behind" if over else "met"
    return Requirement(ABSENCES, "Absences", ABSENCES, period, need, len(missed), outcome, others=missed, limit=True)
