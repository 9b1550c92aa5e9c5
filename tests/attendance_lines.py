"""The lines of the attendance ledger about one person in one meeting, for tests to compare."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from storage.core.database import Tx
from storage.people.people_tables import person
from storage.record.record_tables import enrolment, ledger_line


@dataclass(frozen=True, slots=True)
class AttendanceLine:
    """One entry about somebody's attendance of a meeting."""

    step: str
    status: str
    minutes: int | None
    by: str
    reason: str


def attendance_lines(tx: Tx, meeting_id: UUID, person_id: UUID) -> list[AttendanceLine]:
    """Every line of one person in one meeting, in the order in which they were recorded."""
    rows = tx.execute(
        select(ledger_line.c.step, ledger_line.c.status, ledger_line.c.minutes, person.c.name, ledger_line.c.reason)
        .join_from(ledger_line, enrolment)
        .join(person, person.c.id == ledger_line.c.by)
        .where(ledger_line.c.meeting_id == meeting_id, enrolment.c.person_id == person_id)
        .order_by(ledger_line.c.position)
    )
    return [AttendanceLine(*row) for row in rows]
