"""The append-only story of what was changed: who, when, what. It never holds confidential text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select

from storage.core.core_tables import history
from storage.core.database import Tx
from storage.core.work import Work
from storage.people.people_tables import person


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the audit log: when, who, what."""

    at: datetime
    by: str | None  # a name; None: the operator or the bot itself
    what: str
    detail: dict[str, Any]


def note_all(work: Work, notes: Sequence[tuple[UUID, str, dict[str, Any]]], by: UUID | None) -> None:
    """Note many things of one act: of what, what, and its detail."""
    rows = [
        {"id": work.new_id(), "at": work.now, "by": by, "subject": subject, "what": what, "detail": detail}
        for subject, what, detail in notes
    ]
    if rows:
        work.tx.execute(insert(history), rows)


def note(work: Work, subject: UUID, what: str, by: UUID | None, **detail: Any) -> None:
    """Add a line. ``detail`` holds codes, ids and times, never what somebody wrote."""
    row = {"id": work.new_id(), "at": work.now, "by": by, "subject": subject, "what": what, "detail": detail}
    work.tx.execute(insert(history).values(row))


def of(tx: Tx, subject: UUID) -> list[Line]:
    """The lines about one person, cohort or other subject, the oldest first."""
    rows = tx.execute(
        select(history.c.at, person.c.name, history.c.what, history.c.detail)
        .join_from(history, person, person.c.id == history.c.by, isouter=True)
        .where(history.c.subject == subject)
        .order_by(history.c.at, history.c.id)
    )
    return [Line(*row) for row in rows]
