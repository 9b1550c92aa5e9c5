"""Standings from the ledger, in a fixed number of queries however many mentees there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import groupby
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, true

from program.calendar import Calendar
from program.periods import day_of, year_of
from program.policy import AtLeast, Policy
from program.record import Attendance, Enrolment, Meeting, Record
from program.standing import Standing, standing
from storage import policies, records
from storage.database import Ids, Tx, among
from storage.tables import enrolment, meeting, membership, person, summary


@dataclass(frozen=True, slots=True)
class Mentee:
    """A mentee with their standing. In several cohorts they are measured once, against the meetings of all."""

    id: UUID
    name: str
    cohort_ids: tuple[UUID, ...]
    policy: Policy
    standing: Standing


def of_people(tx: Tx, people: Sequence[UUID], now: datetime) -> list[Mentee]:
    """The standings of these people, as far as they are mentees of a cohort now, by name."""
    return _standings(tx, now, among(tx, membership.c.person_id, people))


def of_cohorts(tx: Tx, cohort_ids: Sequence[UUID] | None, now: datetime) -> list[Mentee]:
    """The standings of these cohorts' mentees, or of the whole program's, by name."""
    if cohort_ids is None:
        return _standings(tx, now, true())
    there = membership.alias("there")
    members = select(there.c.person_id).where(
        among(tx, there.c.cohort_id, cohort_ids), there.c.until.is_(None), there.c.role == "mentee"
    )
    return _standings(tx, now, membership.c.person_id.in_(members))


def _standings(tx: Tx, now: datetime, wanted: ColumnElement[bool]) -> list[Mentee]:
    """``wanted``: the condition on a membership for the mentees that are asked for."""
    places = (membership.c.until.is_(None), membership.c.role == "mentee", wanted)
    rows = tx.execute(
        select(
            person.c.id,
            person.c.name,
            membership.c.cohort_id,
            enrolment.c.policy,
            enrolment.c.starts,
            enrolment.c.track,
        )
        .join_from(membership, person)
        .join(enrolment, enrolment.c.person_id == person.c.id)
        .where(*places)
        .order_by(person.c.name, person.c.id, membership.c.cohort_id)
    ).all()
    if not rows:
        return []
    mentees = select(membership.c.person_id).where(*places)
    used = {name: policies.get(tx, name) for name in {row.policy for row in rows}}
    found_records = records.of_people(tx, mentees)
    topics = _topics(tx) if any(_asks_topics(one) for one in used.values()) else {}
    known_since = _known_since(tx, mentees)
    meetings = _meetings(tx, {row.cohort_id for row in rows})
    calendars: dict[tuple[UUID, ...], Calendar] = {}
    found: list[Mentee] = []
    for person_id, group in groupby(rows, key=lambda row: row.id):
        mine = list(group)
        row, policy = mine[0], used[mine[0].policy]
        record = found_records.get(person_id, Record())
        missing = not record.imported and _began_earlier(policy, row.starts, known_since[person_id])
        who = Enrolment(row.starts, row.track, missing)
        if topics:
            record = replace(record, attendance=_with_topics(record.attendance, topics))
        own = tuple(place.cohort_id for place in mine)
        if own not in calendars:
            calendars[own] = Calendar(one for cohort_id in own for one in meetings.get(cohort_id, ()))
        result = standing(policy, who, record, calendars[own], day_of(now, policy.program.zone))
        found.append(Mentee(person_id, row.name, own, policy, result))
    return found


def _began_earlier(policy: Policy, starts: date, known_since: datetime) -> bool:
    """Whether the program start lies in an earlier program year than that in which the bot came to know them."""
    boundary = policy.program.boundary
    return year_of(starts, boundary) < year_of(day_of(known_since, policy.program.zone), boundary)


def _known_since(tx: Tx, people: Ids) -> dict[UUID, datetime]:
    """When each of these people was first a mentee here."""
    rows = tx.execute(
        select(membership.c.person_id, func.min(membership.c.since).label("first"))
        .where(membership.c.role == "mentee", among(tx, membership.c.person_id, people))
        .group_by(membership.c.person_id)
    )
    return {row.person_id: row.first for row in rows}


def _meetings(tx: Tx, cohort_ids: Ids) -> dict[UUID, list[Meeting]]:
    """The meetings of these cohorts that are not cancelled, past and to come."""
    found: dict[UUID, list[Meeting]] = {}
    rows = tx.execute(
        select(meeting.c.cohort_id, meeting.c.id, meeting.c.starts_at, meeting.c.ends_at)
        .where(among(tx, meeting.c.cohort_id, cohort_ids), meeting.c.cancelled_at.is_(None))
        .order_by(meeting.c.starts_at, meeting.c.id)
    )
    for cohort_id, meeting_id, starts_at, ends_at in rows:
        minutes = int((ends_at - starts_at).total_seconds() // 60)
        found.setdefault(cohort_id, []).append(Meeting(meeting_id, starts_at, minutes))
    return found


def _asks_topics(policy: Policy) -> bool:
    return any(isinstance(one, AtLeast) and one.unit == "topics" for one in policy.rules)


def _topics(tx: Tx) -> dict[UUID, tuple[str, ...]]:
    """The topics of each meeting by its newest summary; a withdrawn one says nothing."""
    rows = tx.execute(
        select(summary.c.meeting_id, summary.c.topics, summary.c.withdrawn_at).order_by(
            summary.c.meeting_id, summary.c.version
        )
    )
    return {meeting_id: () if withdrawn else tuple(topics) for meeting_id, topics, withdrawn in rows}


def _with_topics(lines: Sequence[Attendance], topics: dict[UUID, tuple[str, ...]]) -> tuple[Attendance, ...]:
    return tuple(replace(one, topics=topics.get(one.id, ())) for one in lines)
