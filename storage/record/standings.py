"""Standings from the ledger, in a fixed number of queries however many mentees there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cache
from itertools import groupby
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Select, func, select, true

from program.core.times import whole_minutes
from program.record.calendar import Calendar
from program.record.ledger import Attendance, Enrolment, Meeting, Record
from program.record.periods import day_of, year_of
from program.record.policy import AtLeast, Policy
from program.record.standing import Standing, standing
from storage.core.database import Tx, ids_parameter, in_ids_parameter, inline_word
from storage.meetings.meetings_tables import meeting, summary
from storage.people.people_tables import membership, person
from storage.record import policies, records
from storage.record.record_tables import enrolment


@dataclass(frozen=True, slots=True)
class Mentee:
    """A mentee with their standing. In several cohorts they are measured once, against the meetings of all."""

    id: UUID
    name: str
    cohort_ids: tuple[UUID, ...]
    policy: Policy
    standing: Standing


@dataclass(frozen=True, slots=True)
class _Queries:
    """What the standings of some mentees are read with. Built once, which takes far longer than one person's rows."""

    mentees: Select[Any]
    lines: Select[Any]


@cache
def _queries(dialect: str, whose: Literal["people", "cohorts", "all"], *, single: bool = False) -> _Queries:
    """``whose``: the mentees whose ids are given, those of the given cohorts, or everybody."""
    there = membership.alias("there")
    members = select(there.c.person_id).where(
        in_ids_parameter(dialect, there.c.cohort_id, single=single),
        there.c.until.is_(None),
        there.c.role == inline_word("mentee"),
    )
    wanted = {
        "people": in_ids_parameter(dialect, membership.c.person_id, single=single),
        "cohorts": membership.c.person_id.in_(members),
        "all": true(),
    }
    places = (membership.c.until.is_(None), membership.c.role == inline_word("mentee"), wanted[whose])
    first = membership.alias("first")
    known_since = (
        select(func.min(first.c.since))
        .where(first.c.person_id == membership.c.person_id, first.c.role == inline_word("mentee"))
        .scalar_subquery()
    )
    return _Queries(
        mentees=select(
            person.c.id,
            person.c.name,
            membership.c.cohort_id,
            enrolment.c.policy,
            enrolment.c.starts,
            enrolment.c.track,
            known_since.label("known_since"),
        )
        .join_from(membership, person)
        .join(enrolment, enrolment.c.person_id == person.c.id)
        .where(*places)
        .order_by(person.c.name, person.c.id, membership.c.cohort_id),
        lines=records.lines_of(
            in_ids_parameter(dialect, enrolment.c.person_id, single=single)
            if whose == "people"
            else enrolment.c.person_id.in_(select(membership.c.person_id).where(*places))
        ),
    )


@cache
def _meetings_of(dialect: str, *, single: bool) -> Select[Any]:
    return (
        select(meeting.c.cohort_id, meeting.c.id, meeting.c.starts_at, meeting.c.ends_at)
        .where(in_ids_parameter(dialect, meeting.c.cohort_id, single=single), meeting.c.cancelled_at.is_(None))
        .order_by(meeting.c.starts_at, meeting.c.id)
    )


def of_people(tx: Tx, people: Sequence[UUID], now: datetime) -> list[Mentee]:
    """The standings of these people, as far as they are mentees of a cohort now, by name."""
    return _standings(tx, now, _queries(tx.dialect.name, "people", single=len(people) == 1), ids_parameter(tx, people))


def of_cohorts(tx: Tx, cohort_ids: Sequence[UUID] | None, now: datetime) -> list[Mentee]:
    """The standings of these cohorts' mentees, or of the whole program's, by name."""
    if cohort_ids is None:
        return _standings(tx, now, _queries(tx.dialect.name, "all"), {})
    queries = _queries(tx.dialect.name, "cohorts", single=len(cohort_ids) == 1)
    return _standings(tx, now, queries, ids_parameter(tx, cohort_ids))


def _standings(tx: Tx, now: datetime, queries: _Queries, asked: Mapping[str, Any]) -> list[Mentee]:
    rows = tx.execute(queries.mentees, asked).all()
    if not rows:
        return []
    used = {name: policies.get(tx, name) for name in {row.policy for row in rows}}
    found_records = records.read(tx, queries.lines, asked)
    topics = _topics(tx) if any(_asks_topics(policy) for policy in used.values()) else {}
    meetings = _meetings(tx, {row.cohort_id for row in rows})
    calendars: dict[tuple[UUID, ...], Calendar] = {}
    mentees: list[Mentee] = []
    for person_id, group in groupby(rows, key=lambda row: row.id):
        mine = list(group)
        row, policy = mine[0], used[mine[0].policy]
        record = found_records.get(person_id, Record())
        missing = not record.imported and _began_earlier(policy, row.starts, row.known_since)
        who = Enrolment(row.starts, row.track, missing)
        if topics:
            record = replace(record, attendance=_with_topics(record.attendance, topics))
        own = tuple(place.cohort_id for place in mine)
        if own not in calendars:
            calendars[own] = Calendar(meeting for cohort_id in own for meeting in meetings.get(cohort_id, ()))
        result = standing(policy, who, record, calendars[own], day_of(now, policy.program.zone))
        mentees.append(Mentee(person_id, row.name, own, policy, result))
    return mentees


def _began_earlier(policy: Policy, starts: date, known_since: datetime) -> bool:
    """Whether the program start lies in an earlier program year than that in which the bot came to know them."""
    boundary = policy.program.boundary
    return year_of(starts, boundary) < year_of(day_of(known_since, policy.program.zone), boundary)


def _meetings(tx: Tx, cohort_ids: set[UUID]) -> dict[UUID, list[Meeting]]:
    """The meetings of these cohorts that are not cancelled, past and to come."""
    by_cohort: dict[UUID, list[Meeting]] = {}
    rows = tx.execute(_meetings_of(tx.dialect.name, single=len(cohort_ids) == 1), ids_parameter(tx, cohort_ids))
    for cohort_id, meeting_id, starts_at, ends_at in rows:
        by_cohort.setdefault(cohort_id, []).append(Meeting(meeting_id, starts_at, whole_minutes(starts_at, ends_at)))
    return by_cohort


def _asks_topics(policy: Policy) -> bool:
    return any(isinstance(rule, AtLeast) and rule.unit == "topics" for rule in policy.rules)


def _topics(tx: Tx) -> dict[UUID, tuple[str, ...]]:
    """The topics of each meeting by its newest summary; a withdrawn one says nothing."""
    rows = tx.execute(
        select(summary.c.meeting_id, summary.c.topics, summary.c.withdrawn_at).order_by(
            summary.c.meeting_id, summary.c.version
        )
    )
    return {meeting_id: () if withdrawn else tuple(topics) for meeting_id, topics, withdrawn in rows}


def _with_topics(lines: Sequence[Attendance], topics: dict[UUID, tuple[str, ...]]) -> tuple[Attendance, ...]:
    return tuple(attendance._replace(topics=topics.get(attendance.id, ())) for attendance in lines)
