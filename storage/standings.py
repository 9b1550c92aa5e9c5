"""Standings from the ledger, in a fixed number of queries however many mentees there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import bindparam, func, select

from program.periods import day_of, year_of
from program.policy import AtLeast, Policy
from program.record import Attendance, Enrolment, Meeting, Record
from program.standing import Standing, standing
from storage import policies, records
from storage.database import Tx
from storage.tables import enrolment, meeting, membership, person, summary
from storage.work import MOST_NAMED

_MENTEES = (
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
    .where(membership.c.until.is_(None), membership.c.role == "mentee")
    .order_by(person.c.name, person.c.id, membership.c.cohort_id)
)
_THESE = _MENTEES.where(person.c.id.in_(bindparam("people", expanding=True)))
_IN_COHORTS = _MENTEES.where(membership.c.cohort_id.in_(bindparam("cohorts", expanding=True)))
_ALL_KNOWN_SINCE = (
    select(membership.c.person_id, func.min(membership.c.since).label("first"))
    .where(membership.c.role == "mentee")
    .group_by(membership.c.person_id)
)
_KNOWN_SINCE = _ALL_KNOWN_SINCE.where(membership.c.person_id.in_(bindparam("people", expanding=True)))
_WHOLE_CALENDAR = (
    select(meeting.c.cohort_id, meeting.c.id, meeting.c.starts_at, meeting.c.ends_at)
    .where(meeting.c.cancelled_at.is_(None))
    .order_by(meeting.c.starts_at, meeting.c.id)
)
_CALENDAR = _WHOLE_CALENDAR.where(meeting.c.cohort_id.in_(bindparam("cohorts", expanding=True)))


@dataclass(frozen=True, slots=True)
class Mentee:
    """A mentee of a cohort with their standing."""

    id: UUID
    name: str
    cohort_id: UUID
    policy: Policy
    standing: Standing


def of_people(tx: Tx, people: Sequence[UUID], now: datetime) -> list[Mentee]:
    """The standings of these mentees, by name; somebody in several cohorts comes once for each."""
    return _standings(tx, now, people=people)


def of_cohorts(tx: Tx, cohort_ids: Sequence[UUID] | None, now: datetime) -> list[Mentee]:
    """The standings of these cohorts' mentees, or of the whole program's."""
    return _standings(tx, now, cohort_ids=cohort_ids)


def _standings(
    tx: Tx,
    now: datetime,
    *,
    people: Sequence[UUID] | None = None,
    cohort_ids: Sequence[UUID] | None = None,
) -> list[Mentee]:
    if people is not None:
        rows = tx.execute(_THESE, {"people": list(people)}).all()
    elif cohort_ids is not None:
        rows = tx.execute(_IN_COHORTS, {"cohorts": list(cohort_ids)}).all()
    else:
        rows = tx.execute(_MENTEES).all()
    if not rows:
        return []
    ids = _few({row.id for row in rows})
    used = {name: policies.get(tx, name) for name in {row.policy for row in rows}}
    found_records = records.of_people(tx, ids)
    topics = _topics(tx) if any(_asks_topics(one) for one in used.values()) else {}
    known_since = _known_since(tx, ids)
    calendar = _calendar(tx, _few({row.cohort_id for row in rows}))
    found: list[Mentee] = []
    for row in rows:
        policy = used[row.policy]
        record = found_records.get(row.id, Record())
        first = min([known_since[row.id], *(one.starts_at for one in record.attendance)])
        who = Enrolment(row.starts, row.track, _history_missing(policy, row.starts, first))
        record = replace(record, attendance=tuple(_with_topics(record.attendance, topics)))
        result = standing(policy, who, record, calendar.get(row.cohort_id, ()), day_of(now, policy.program.zone))
        found.append(Mentee(row.id, row.name, row.cohort_id, policy, result))
    return found


def _history_missing(policy: Policy, starts: date, first: datetime) -> bool:
    """Whether the start lies in an earlier program year than everything that is known of the mentee."""
    boundary = policy.program.boundary
    return year_of(starts, boundary) < year_of(day_of(first, policy.program.zone), boundary)


def _few(ids: set[UUID]) -> list[UUID] | None:
    """Those that a query names; None: too many, it reads everybody's."""
    return sorted(ids) if len(ids) <= MOST_NAMED else None


def _known_since(tx: Tx, people: Sequence[UUID] | None) -> dict[UUID, datetime]:
    """When each of these people was first a mentee here."""
    rows = tx.execute(_ALL_KNOWN_SINCE) if people is None else tx.execute(_KNOWN_SINCE, {"people": list(people)})
    return {row.person_id: row.first for row in rows}


def _calendar(tx: Tx, cohort_ids: Sequence[UUID] | None) -> dict[UUID, list[Meeting]]:
    """The meetings of these cohorts that are not cancelled, past and to come."""
    found: dict[UUID, list[Meeting]] = {}
    rows = tx.execute(_WHOLE_CALENDAR) if cohort_ids is None else tx.execute(_CALENDAR, {"cohorts": list(cohort_ids)})
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


def _with_topics(lines: Sequence[Attendance], topics: dict[UUID, tuple[str, ...]]) -> Sequence[Attendance]:
    return [replace(one, topics=topics.get(one.id, ())) for one in lines] if topics else lines
