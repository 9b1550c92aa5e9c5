"""Series and meetings, RSVPs and visitors. The local time and zone are the truth; UTC is derived."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Select, bindparam, insert, literal, select, update

from program.core.times import to_utc, whole_minutes
from storage.core import audit_log
from storage.core.database import Tx, ids_parameter, in_ids, in_ids_parameter, inline_word
from storage.core.work import Work, insert_new, put
from storage.meetings.meetings_tables import meeting, rsvp, series, visitor
from storage.people.people_tables import membership, person
from storage.vault import seals


@dataclass(frozen=True, slots=True)
class Meeting:
    """One meeting. Its local start and zone are the truth; ``starts_at`` is derived."""

    id: UUID
    series_id: UUID
    cohort_id: UUID
    topic: str
    local_start: datetime  # naive, in ``zone``
    zone: str
    starts_at: datetime
    ends_at: datetime
    place: str
    cancelled_at: datetime | None
    cancel_reason: str
    version: int
    settled_at: datetime | None

    @property
    def minutes(self) -> int:
        """Its length in whole minutes."""
        return whole_minutes(self.starts_at, self.ends_at)


_MEETING: tuple[Any, ...] = (
    meeting.c.id,
    meeting.c.series_id,
    meeting.c.cohort_id,
    meeting.c.topic,
    meeting.c.local_start,
    meeting.c.zone,
    meeting.c.starts_at,
    meeting.c.ends_at,
    meeting.c.place,
    meeting.c.cancelled_at,
    meeting.c.cancel_reason,
    meeting.c.version,
    meeting.c.settled_at,
)


# Built once, since every request runs some of them.
_GET = select(*_MEETING).where(meeting.c.id == bindparam("id"))
_EXPECTED = (
    select(person.c.id, person.c.name, literal(False))
    .join_from(membership, person)
    .where(
        membership.c.cohort_id == bindparam("cohort"),
        membership.c.role == inline_word("mentee"),
        membership.c.until.is_(None) | (membership.c.until > bindparam("began")),
    )
    .union_all(
        select(person.c.id, person.c.name, literal(True))
        .join_from(visitor, person, person.c.id == visitor.c.person_id)
        .where(visitor.c.meeting_id == bindparam("meeting"))
    )
)


@cache
def _next(dialect: str, *, single: bool) -> Select[Any]:
    return (
        select(*_MEETING)
        .where(
            in_ids_parameter(dialect, meeting.c.cohort_id, single=single),
            meeting.c.cancelled_at.is_(None),
            meeting.c.ends_at > bindparam("now"),
        )
        .order_by(meeting.c.starts_at, meeting.c.topic, meeting.c.id)
        .limit(1)
    )


def create_series(
    work: Work,
    cohort_id: UUID,
    by: UUID,
    *,
    topic: str,
    starts: Sequence[datetime],
    zone: str,
    minutes: int,
    place: str,
    repeat: str,
    until: date | None,
) -> tuple[UUID, list[Meeting]]:
    """Store a series and its meetings; ``starts`` are naive local times in ``zone``."""
    series_id = work.new_id()
    row = {
        "id": series_id,
        "cohort_id": cohort_id,
        "repeat": repeat,
        "until": until,
        "created_by": by,
        "created_at": work.now,
    }
    work.tx.execute(insert(series).values(row))
    rows = []
    for start in starts:
        starts_at = to_utc(start, zone)
        made = {
            "id": work.new_id(),
            "series_id": series_id,
            "cohort_id": cohort_id,
            "topic": topic,
            "local_start": start,
            "zone": zone,
            "starts_at": starts_at,
            "ends_at": starts_at + timedelta(minutes=minutes),
            "place": place,
            "version": 0,
        }
        rows.append(seals.sealed(work.tx, meeting, made))
    work.tx.execute(insert(meeting), rows)
    audit_log.note(work, series_id, "series.created", by, meetings=len(rows))
    return series_id, of_series(work.tx, series_id)


def find(tx: Tx, meeting_id: UUID) -> Meeting | None:
    """The meeting of an id, if there is one."""
    row = tx.execute(_GET, {"id": meeting_id}).one_or_none()
    return Meeting(*row) if row else None


def get(tx: Tx, meeting_id: UUID) -> Meeting:
    """The meeting of an id that is known to be there. Raises NoResultFound where it is not."""
    return Meeting(*tx.execute(_GET, {"id": meeting_id}).one())


def of_series(tx: Tx, series_id: UUID, since: datetime | None = None) -> list[Meeting]:
    """The meetings of a series that are not cancelled, by time."""
    query = select(*_MEETING).where(meeting.c.series_id == series_id, meeting.c.cancelled_at.is_(None))
    if since is not None:
        query = query.where(meeting.c.starts_at >= since)
    return [Meeting(*row) for row in tx.execute(query.order_by(meeting.c.starts_at, meeting.c.topic, meeting.c.id))]


def between(tx: Tx, start: datetime, end: datetime, cohort_ids: Sequence[UUID] | None = None) -> list[Meeting]:
    """The meetings that start in [start, end) and are not cancelled, by time."""
    query = select(*_MEETING).where(
        meeting.c.starts_at >= start, meeting.c.starts_at < end, meeting.c.cancelled_at.is_(None)
    )
    if cohort_ids is not None:
        query = query.where(in_ids(tx, meeting.c.cohort_id, cohort_ids))
    return [Meeting(*row) for row in tx.execute(query.order_by(meeting.c.starts_at, meeting.c.topic, meeting.c.id))]


def next_meeting(tx: Tx, cohort_ids: Sequence[UUID], now: datetime) -> Meeting | None:
    """The first meeting that has not ended."""
    query = _next(tx.dialect.name, single=len(cohort_ids) == 1)
    row = tx.execute(query, {**ids_parameter(tx, cohort_ids), "now": now}).one_or_none()
    return Meeting(*row) if row else None


def last_meetings(tx: Tx, cohort_id: UUID, now: datetime, most: int) -> list[Meeting]:
    """The latest meetings that have begun, the newest first."""
    rows = tx.execute(
        select(*_MEETING)
        .where(meeting.c.cohort_id == cohort_id, meeting.c.cancelled_at.is_(None), meeting.c.starts_at <= now)
        .order_by(meeting.c.starts_at.desc(), meeting.c.topic, meeting.c.id)
        .limit(most)
    )
    return [Meeting(*row) for row in rows]


def move(work: Work, item: Meeting, local_start: datetime, by: UUID, **other: Any) -> Meeting:
    """Move a meeting to another local time; ``other``: a new topic, place or length in minutes."""
    minutes = other.pop("minutes", item.minutes)
    starts_at = to_utc(local_start, item.zone)
    values = {
        "local_start": local_start,
        "starts_at": starts_at,
        "ends_at": starts_at + timedelta(minutes=minutes),
        "version": item.version + 1,
        **other,
    }
    seals.change(work.tx, meeting, item.id, values)
    was = item.local_start.isoformat()
    audit_log.note(work, item.id, "meeting.moved", by, was=was, to=local_start.isoformat())
    return get(work.tx, item.id)


def cancel(work: Work, item: Meeting, reason: str, by: UUID | None) -> bool:
    """Cancel a meeting; nobody is absent from it. False when it was cancelled before."""
    values = {"cancelled_at": work.now, "cancel_reason": reason, "version": item.version + 1}
    done = seals.change(work.tx, meeting, item.id, values, meeting.c.cancelled_at.is_(None))
    if done:
        audit_log.note(work, item.id, "meeting.cancelled", by, reason=reason)
    return done


def restore(work: Work, item: Meeting, by: UUID) -> Meeting:
    """Undo a cancellation."""
    values = {"cancelled_at": None, "cancel_reason": "", "version": item.version + 1}
    seals.change(work.tx, meeting, item.id, values)
    audit_log.note(work, item.id, "meeting.restored", by)
    return get(work.tx, item.id)


def set_settled(work: Work, meeting_id: UUID, settled: bool) -> None:
    """Note whether everybody expected at a meeting is marked, and since when."""
    values = {"settled_at": work.now if settled else None}
    work.tx.execute(update(meeting).where(meeting.c.id == meeting_id).values(values))


# RSVPs and visitors -----------------------------------------------------------------------------


def answer(work: Work, meeting_id: UUID, person_id: UUID, coming: bool) -> None:
    """Save whether somebody is coming; the newest answer counts."""
    put(
        work.tx,
        rsvp,
        {"meeting_id": meeting_id, "person_id": person_id, "coming": coming, "at": work.now},
    )


@dataclass(frozen=True, slots=True)
class Answers:
    """Names of those who answered, by when they did."""

    coming: tuple[str, ...]
    not_coming: tuple[str, ...]


def answers(tx: Tx, meeting_id: UUID) -> Answers:
    """Who is coming and who is not, by name."""
    rows = tx.execute(
        select(person.c.name, rsvp.c.coming)
        .join_from(rsvp, person)
        .where(rsvp.c.meeting_id == meeting_id)
        .order_by(rsvp.c.at, person.c.name)
    ).all()
    return Answers(tuple(row.name for row in rows if row.coming), tuple(row.name for row in rows if not row.coming))


def coming(tx: Tx, meeting_id: UUID, person_id: UUID) -> bool | None:
    """What somebody answered; None where they did not."""
    query = select(rsvp.c.coming).where(rsvp.c.meeting_id == meeting_id, rsvp.c.person_id == person_id)
    is_coming: bool | None = tx.scalar(query)
    return is_coming


def add_visitor(work: Work, meeting_id: UUID, person_id: UUID, by: UUID) -> None:
    """Add a mentee of another cohort to a meeting's list."""
    row = {"meeting_id": meeting_id, "person_id": person_id, "added_by": by, "at": work.now}
    insert_new(work.tx, visitor, [row])


@dataclass(frozen=True, slots=True)
class Expected:
    """Somebody whose attendance a meeting takes."""

    id: UUID
    name: str
    visitor: bool


def expected(tx: Tx, item: Meeting) -> list[Expected]:
    """The mentees who were in the cohort when the meeting began, and its visitors, by name."""
    asked = {"cohort": item.cohort_id, "began": item.starts_at, "meeting": item.id}
    rows = [Expected(*row) for row in tx.execute(_EXPECTED, asked)]
    mentees = {row.id: row for row in sorted(rows, key=lambda row: row.visitor, reverse=True)}  # a mentee's place wins
    return sorted(mentees.values(), key=lambda row: (row.visitor, row.name.lower(), str(row.id)))
