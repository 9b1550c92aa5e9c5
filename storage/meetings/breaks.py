"""Breaks of the program and of cohorts: no meetings, reminders or check-ins on these days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import insert, or_, select, update

from program.meetings.series import Break
from storage.core import audit_log
from storage.core.database import Tx
from storage.core.work import Work
from storage.meetings.meetings_tables import break_


@dataclass(frozen=True, slots=True)
class StoredBreak:
    """A break as it is stored; without a cohort it is the whole program's."""

    id: UUID
    cohort_id: UUID | None
    starts: date
    ends: date
    label: str

    @property
    def days(self) -> Break:
        """The break's days."""
        return Break(self.starts, self.ends, self.label)


_BREAK = (break_.c.id, break_.c.cohort_id, break_.c.starts, break_.c.ends, break_.c.label)


def add(work: Work, cohort_id: UUID | None, starts: date, ends: date, label: str, by: UUID | None) -> UUID:
    """Add a break; its id."""
    break_id = work.new_id()
    row = {"id": break_id, "cohort_id": cohort_id, "starts": starts, "ends": ends, "label": label}
    work.tx.execute(insert(break_).values(row))
    audit_log.note(work, break_id, "break.added", by, starts=starts.isoformat(), ends=ends.isoformat())
    return break_id


def remove(work: Work, break_id: UUID, by: UUID) -> bool:
    """Remove a break; False where it was removed before."""
    there = update(break_).where(break_.c.id == break_id, break_.c.removed_at.is_(None))
    removed = work.tx.execute(there.values(removed_at=work.now)).rowcount == 1
    if removed:
        audit_log.note(work, break_id, "break.removed", by)
    return removed


def get(tx: Tx, break_id: UUID) -> StoredBreak | None:
    """The break of an id, unless it was removed."""
    query = select(*_BREAK).where(break_.c.id == break_id, break_.c.removed_at.is_(None))
    row = tx.execute(query).one_or_none()
    return StoredBreak(*row) if row else None


def of_cohort(tx: Tx, cohort_id: UUID, since: date | None = None) -> list[StoredBreak]:
    """The program's breaks and the cohort's own, by date."""
    query = select(*_BREAK).where(
        break_.c.removed_at.is_(None), or_(break_.c.cohort_id.is_(None), break_.c.cohort_id == cohort_id)
    )
    if since is not None:
        query = query.where(break_.c.ends >= since)
    return [StoredBreak(*row) for row in tx.execute(query.order_by(break_.c.starts, break_.c.id))]


def of_program(tx: Tx) -> list[StoredBreak]:
    """Every break there is, the program's and the cohorts'."""
    query = select(*_BREAK).where(break_.c.removed_at.is_(None))
    return [StoredBreak(*row) for row in tx.execute(query.order_by(break_.c.starts, break_.c.id))]
