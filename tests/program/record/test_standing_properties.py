"""What holds for every policy and every ledger, however odd."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from program.record import english, explain
from program.record.ledger import (
    Attendance,
    Credit,
    Enrolment,
    Leave,
    LoggedActivity,
    MakeUp,
    Meeting,
    Record,
    Transfer,
    Waiver,
)
from program.record.policy import Policy
from program.record.policy_reading import BadPolicy, amend, read_policy
from program.record.requirement import RANK, Requirement
from program.record.standing import Standing, State, standing
from storage.record import policies
from tests.program.record.ledger import MEETINGS, policy_of, rule, shape, text_of

LEVELS: dict[State, int] = {
    "behind": 0,
    "at risk": 1,
    "blocked": 2,
    "history not imported": 3,
    "paused": 3,
    "on track": 3,
    "complete": 4,
}

RULES = (
    rule(id="minutes", unit="minutes", at_least=300, activities=["meeting", "contact"]),
    rule(id="whole", unit="months", at_least=5, per="program"),
    rule(id="topics", unit="topics", at_least=2),
    rule(id="semester", per="semester", at_least=2),
    rule(id="month", per="month", in_months=[9, 10, 11], activities=["meeting", "contact"]),
    rule(id="week", per="week", first_weeks=3, activities=["contact"]),
    rule(id="capped", activities=["workshop", "meeting"], at_least=3),
    '[[rule]]\nkind = "items"\nid = "items"\nname = "Items"\nper = "year"\nitems = { a = "A", b = "B" }\n',
    '[[rule]]\nkind = "choose"\nid = "choice"\nname = "Choice"\nper = "program"\nat_least = 2\n'
    'rules = ["meetings", "items", "whole"]\n',
)
EXTRA = """
[makeups]
approver = "mentor"
activities = ["contact", "workshop"]
ratio = 1
deadline_days = 60
per_year = 2
[leave]
approver = "coordinator"
reasons = {}
pauses_year_from_days = 120
credit_expires_after_days = 700
maximum_years = 6
[transfer]
approver = "coordinator"
credit_stays = false
[[track]]
id = "half"
name = "Half"
scale_percent = 50
joining_mid_year = "scaled"
credit = [{ rule = "meetings", amount = 1, year = 1 }]
"""
STRICT = (
    "[attendance]\npartial_counts = false\nunconfirmed_counts = false\nlate_after_minutes = 5\nmaximum_absences = 1\n"
)
EVERYTHING = text_of(MEETINGS, *RULES, EXTRA, attendance=STRICT)


def loosened(text: str, which: int) -> Policy:
    """The policy with one of its numbers or answers unset."""
    lines = text.split("\n")
    answers = [line.split(" = ")[-1] for line in lines]
    may = [number for number, answer in enumerate(answers) if answer in ("true", "false") or answer.isdigit()]
    number = may[which % len(may)]
    lines[number] = lines[number].split(" = ")[0] + ' = "unset"'
    return read_policy("\n".join(lines))


POLICIES = [
    policies.shipped(policies.EXAMPLE),
    policies.shipped(policies.MISSOURI),
    shape("delaware"),
    shape("vermont"),
    policy_of(),
    read_policy(EVERYTHING),
    read_policy(EVERYTHING.replace('"07-01"', '"02-29"').replace('"01-01"', '"08-31"')),
    *(loosened(EVERYTHING, which) for which in range(24)),
]
ids = st.integers(1, 12).map(lambda number: UUID(int=number))
near = st.datetimes(datetime(2025, 6, 1), datetime(2028, 9, 1)).map(lambda at: at.replace(tzinfo=UTC))
odd = st.datetimes(timezones=st.just(UTC))
whens = st.one_of(near, near, near, odd)
days = st.one_of(st.dates(date(2025, 6, 1), date(2028, 9, 1)), st.dates())
minutes = st.one_of(st.sampled_from([0, 10, 30, 60, 90]), st.integers(-5, 10**6))
types = st.sampled_from(
    ["contact", "workshop", "meeting", "conversation", "observation", "visit", "development", "tea"]
)
rules = st.sampled_from(
    ["meetings", "minutes", "whole", "month", "week", "items", "choice", "monthly", "absences", "no"]
)
amounts = st.one_of(st.integers(-2, 5), st.integers(0, 10**6))
topics = st.sets(st.sampled_from(["x", "y", "z"])).map(lambda topics: tuple(sorted(topics)))
years = st.sampled_from([None, 1, 2, 3, 0, -1])
orders = st.integers(0, 9)

attendances = st.builds(
    Attendance,
    ids,
    whens,
    minutes,
    st.sampled_from(["tapped", "confirmed", "corrected"]),
    st.sampled_from(["present", "partial", "excused", "absent"]),
    st.one_of(st.none(), minutes),
    topics,
    orders,
)
activities = st.builds(
    LoggedActivity,
    ids,
    types,
    whens,
    minutes,
    st.sampled_from(["", "phone", "letter"]),
    st.sampled_from(["", "a", "b", "orientation"]),
    topics,
    st.booleans(),
    orders,
    st.booleans(),
)
makeups = st.builds(MakeUp, ids, ids, types, whens, minutes, st.booleans(), orders, st.booleans())
records = st.builds(
    Record,
    st.lists(attendances, max_size=10).map(tuple),
    st.lists(activities, max_size=8).map(tuple),
    st.lists(makeups, max_size=6).map(tuple),
    st.lists(st.builds(Waiver, ids, rules, years, st.one_of(st.none(), amounts), days, orders), max_size=3).map(tuple),
    st.lists(st.builds(Credit, ids, rules, years, amounts, orders), max_size=3).map(tuple),
    st.lists(st.builds(Leave, ids, days, st.one_of(st.none(), days), st.just("x"), orders), max_size=3).map(tuple),
    st.lists(st.builds(Transfer, ids, days, orders), max_size=2).map(tuple),
)
meetings = st.lists(st.builds(Meeting, ids, whens, minutes), max_size=8, unique_by=lambda meeting: meeting.id)
enrolments = st.builds(Enrolment, days, st.sampled_from(["", "half", "Half", "mystery"]), st.booleans())
chosen = st.integers(0, len(POLICIES) - 1)  # a number is short where an example is printed
PARTS = ("attendance", "activities", "makeups", "waivers", "credits", "leaves", "transfers")


def cases(test: Callable[..., None]) -> Callable[..., None]:
    return settings(max_examples=150, deadline=None)(
        given(chosen, enrolments, records, meetings, days, st.data())(test)
    )


def every(result: Standing) -> list[Requirement]:
    return [requirement for top in result.requirements for requirement in (top, *top.parts)]


@cases
def test_no_policy_and_ledger_raise(
    which: int, who: Enrolment, record: Record, cohort: list[Meeting], today: date, data: st.DataObject
) -> None:
    policy = POLICIES[which]
    result = standing(policy, who, record, cohort, today)
    assert result.state in LEVELS
    for about in ("", "Maria Lopez"):
        headline, details = explain.summary(result, about)
        assert headline
        assert all(details)
    assert explain.trouble(result)
    for requirement in every(result):
        assert all(explain.why(requirement))
        assert min(requirement.have, requirement.credited, requirement.waived) >= 0
        assert requirement.period.starts <= requirement.period.ends
        if requirement.need is None:
            assert requirement.outcome != "met"
    if result.unset:
        assert result.state != "complete"


@cases
def test_the_order_of_recording_does_not_matter(
    which: int, who: Enrolment, record: Record, cohort: list[Meeting], today: date, data: st.DataObject
) -> None:
    policy = POLICIES[which]
    mixed: dict[str, Any] = {name: tuple(data.draw(st.permutations(getattr(record, name)))) for name in PARTS}
    other = standing(policy, who, Record(**mixed), data.draw(st.permutations(cohort)), today)
    assert other == standing(policy, who, record, cohort, today)


@cases
def test_nothing_counts_twice(
    which: int, who: Enrolment, record: Record, cohort: list[Meeting], today: date, data: st.DataObject
) -> None:
    policy = POLICIES[which]
    result = standing(policy, who, record, cohort, today)
    twice = Record(**{name: getattr(record, name) * 2 for name in PARTS})
    assert standing(policy, who, twice, cohort * 2, today).state == result.state
    by_rule: dict[str, list[UUID]] = {}
    for requirement in every(result):
        if requirement.unit != "absences":
            by_rule.setdefault(requirement.rule, []).extend(item.id for item in requirement.counted)
        if requirement.unit == "events":
            assert requirement.have <= len(requirement.counted)
        if requirement.unit == "minutes":
            assert requirement.have <= sum(item.minutes for item in requirement.counted)
    for name, counted in by_rule.items():
        assert len(counted) == len(set(counted)), name
    held: dict[UUID, int] = {}
    for line in record.attendance:
        held[line.id] = max(held.get(line.id, 0), line.minutes)
    for requirement in every(result):
        for item in requirement.counted:
            if item.activity == "meeting":
                assert item.minutes <= held[item.id]


@cases
def test_one_more_attended_meeting_never_lowers_a_standing(
    which: int, who: Enrolment, record: Record, cohort: list[Meeting], today: date, data: st.DataObject
) -> None:
    policy = POLICIES[which]
    at = data.draw(whens)
    known = [meeting for meeting in cohort if meeting.id not in {line.id for line in record.attendance}]
    scheduled: bool = data.draw(st.booleans())
    if known and scheduled:
        meeting = data.draw(st.sampled_from(known))
        line = Attendance(meeting.id, meeting.starts_at, meeting.minutes, "confirmed", "present")
    else:
        line = Attendance(UUID(int=99), at, data.draw(minutes), "confirmed", "present", None, ("x",))
    before = standing(policy, who, record, cohort, today)
    after = standing(policy, who, replace(record, attendance=(*record.attendance, line)), cohort, today)
    assert LEVELS[after.state] >= LEVELS[before.state]
    for was, now in zip(every(before), every(after), strict=True):
        assert now.have >= was.have or now.limit
        assert RANK[now.outcome] >= RANK[was.outcome]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 3))
def test_every_policy_can_be_said_in_english_and_filled_in(which: int, number: int) -> None:
    policy = loosened(EVERYTHING, which)
    said = english.describe(policy)
    for unset in policy.unset:
        assert unset.says in said
    for value in (number, True, "none", date(2026, 1, 1)):
        try:
            filled = amend(policy, {unset.path: value for unset in policy.unset})
        except BadPolicy:
            continue
        assert filled.unset == ()
        assert english.describe(filled).endswith("Every value in this policy is set.")
        return
    pytest.fail("nothing fits")


@given(chosen, st.dates(date(2, 1, 1), date(9990, 1, 1)), st.integers(0, 60))
def test_a_day_lies_in_at_most_one_period_of_a_rule(which: int, starts: date, ahead: int) -> None:
    result = standing(POLICIES[which], Enrolment(starts), Record(), (), starts + timedelta(days=ahead))
    groups: dict[str, list[Requirement]] = {}
    for requirement in result.requirements:
        groups.setdefault(requirement.rule, []).append(requirement)
    for group in groups.values():
        for before, after in pairwise(group):
            assert before.period.ends < after.period.starts
