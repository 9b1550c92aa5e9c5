"""The attendance ledger: lines are only added. Today's state is derived from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, insert, select

from program.attendance import Entry, Mark, Status, Step, marks
from program.record import Attendance
from storage.database import Tx
from storage.tables import attendance_entry, meeting, person
from storage.work import Work


@dataclass(frozen=True, slots=True)
class Line:
    person: str
    step: str
    status: str
    minutes: int | None
    by: str
    at: datetime
    reason: str


def add(
    work: Work,
    meeting_id: UUID,
    person_id: UUID,
    step: Step,
    status: Status,
    by: UUID,
    *,
    minutes: int | None = None,
    reason: str = "",
) -> None:
    """Add a line after the last one of this person in this meeting."""
    here = (attendance_entry.c.meeting_id == meeting_id, attendance_entry.c.person_id == person_id)
    last = work.tx.scalar(select(func.max(attendance_entry.c.position)).where(*here))
    row = {
        "id": work.new_id(),
        "meeting_id": meeting_id,
        "person_id": person_id,
        "position": 0 if last is None else last + 1,
        "step": step,
        "status": status,
        "minutes": minutes,
        "by": by,
        "at": work.now,
        "reason": reason,
    }
    work.tx.execute(insert(attendance_entry).values(row))


def of_meeting(tx: Tx, meeting_id: UUID) -> dict[UUID, Mark]:
    rows = tx.execute(
        select(
            attendance_entry.c.person_id,
            attendance_entry.c.step,
            attendance_entry.c.status,
            attendance_entry.c.minutes,
        )
        .where(attendance_entry.c.meeting_id == meeting_id)
        .order_by(attendance_entry.c.person_id, attendance_entry.c.position)
    )
    return marks(Entry(*row) for row in rows)


def story(tx: Tx, meeting_id: UUID, person_id: UUID) -> list[Line]:
    """Every line of one person in one meeting, as it was recorded."""
    recorder = person.alias("recorder")
    rows = tx.execute(
        select(
            person.c.name,
            attendance_entry.c.step,
            attendance_entry.c.status,
            attendance_entry.c.minutes,
            recorder.c.name,
            attendance_entry.c.at,
            attendance_entry.c.reason,
        )
        .join_from(attendance_entry, person, person.c.id == attendance_entry.c.person_id)
        .join(recorder, recorder.c.id == attendance_entry.c.by)
        .where(attendance_entry.c.meeting_id == meeting_id, attendance_entry.c.person_id == person_id)
        .order_by(attendance_entry.c.position)
    )
    return [Line(*row) for row in rows]


def lines_of(tx: Tx, people: Sequence[UUID]) -> Mapping[UUID, list[Attendance]]:
    """Every line about these people, in one query; cancelled meetings are left out."""
    found: dict[UUID, list[Attendance]] = {}
    if not people:
        return found
    rows = tx.execute(
        select(
            attendance_entry.c.person_id,
            attendance_entry.c.meeting_id,
            meeting.c.starts_at,
            meeting.c.ends_at,
            attendance_entry.c.step,
            attendance_entry.c.status,
            attendance_entry.c.minutes,
            attendance_entry.c.position,
        )
        .join_from(attendance_entry, meeting)
        .where(attendance_entry.c.person_id.in_(list(people)), meeting.c.cancelled_at.is_(None))
        .order_by(attendance_entry.c.person_id, attendance_entry.c.meeting_id, attendance_entry.c.position)
    )
    for person_id, meeting_id, starts_at, ends_at, step, status, present, position in rows:
        held = int((ends_at - starts_at).total_seconds() // 60)
        line = Attendance(meeting_id, starts_at, held, step, status, present, order=position)
        found.setdefault(person_id, []).append(line)
    return found
