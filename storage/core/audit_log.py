"""The audit log: who changed what, and when. It is append-only and never holds confidential text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select

from storage.core.core_tables import audit_entry
from storage.core.database import Tx
from storage.core.work import Work
from storage.people.people_tables import person


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One entry of the audit log."""

    at: datetime
    by: str | None  # a name; None: the operator or the bot itself
    what: str
    detail: dict[str, Any]


def note_all(work: Work, notes: Sequence[tuple[UUID, str, dict[str, Any]]], by: UUID | None) -> None:
    """Add an entry for each of these changes: subject, what happened, detail. ``by``: who made them."""
    rows = [
        {"id": work.new_id(), "at": work.now, "by": by, "subject": subject, "what": what, "detail": detail}
        for subject, what, detail in notes
    ]
    if rows:
        work.tx.execute(insert(audit_entry), rows)


def note(work: Work, subject: UUID, what: str, by: UUID | None, **detail: Any) -> None:
    """Add an entry. ``detail`` holds codes, ids and times, never what somebody wrote."""
    row = {"id": work.new_id(), "at": work.now, "by": by, "subject": subject, "what": what, "detail": detail}
    work.tx.execute(insert(audit_entry).values(row))


def entries(tx: Tx, subject: UUID) -> list[AuditEntry]:
    """The entries about one person, cohort or other subject, the oldest first."""
    rows = tx.execute(
        select(audit_entry.c.at, person.c.name, audit_entry.c.what, audit_entry.c.detail)
        .join_from(audit_entry, person, person.c.id == audit_entry.c.by, isouter=True)
        .where(audit_entry.c.subject == subject)
        .order_by(audit_entry.c.at, audit_entry.c.id)
    )
    return [AuditEntry(*row) for row in rows]
