"""Session summaries: every version is kept, the newest one counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select

from storage.core import audit_log
from storage.core.database import Tx, in_ids
from storage.core.work import Work
from storage.meetings.meetings_tables import summary
from storage.people.people_tables import person
from storage.vault import seals


@dataclass(frozen=True, slots=True)
class Summary:
    """One version of a session summary."""

    id: UUID
    meeting_id: UUID
    version: int
    author_id: UUID
    author: str
    topics: Sequence[str]
    did: str
    next_steps: str
    at: datetime
    withdrawn_at: datetime | None


_SUMMARY: tuple[Any, ...] = (
    summary.c.id,
    summary.c.meeting_id,
    summary.c.version,
    summary.c.author_id,
    person.c.name,
    summary.c.topics,
    summary.c.did,
    summary.c.next_steps,
    summary.c.at,
    summary.c.withdrawn_at,
)


def newest(tx: Tx, meeting_id: UUID) -> Summary | None:
    """The newest version, withdrawn or not."""
    row = tx.execute(
        select(*_SUMMARY)
        .join_from(summary, person)
        .where(summary.c.meeting_id == meeting_id)
        .order_by(summary.c.version.desc())
        .limit(1)
    ).one_or_none()
    return Summary(*row) if row else None


def posted(tx: Tx, meeting_ids: Sequence[UUID]) -> set[UUID]:
    """Which of these meetings have a summary that was not withdrawn."""
    rows = tx.execute(
        select(summary.c.meeting_id, summary.c.withdrawn_at)
        .where(in_ids(tx, summary.c.meeting_id, meeting_ids))
        .order_by(summary.c.meeting_id, summary.c.version)
    )
    newest_of = {row.meeting_id: row.withdrawn_at for row in rows}
    return {meeting_id for meeting_id, withdrawn in newest_of.items() if withdrawn is None}


def add(work: Work, meeting_id: UUID, author: UUID, topics: Sequence[str], did: str, next_steps: str) -> int:
    """Add a version; which number it got."""
    before = newest(work.tx, meeting_id)
    version = before.version + 1 if before else 1
    row = {
        "id": work.new_id(),
        "meeting_id": meeting_id,
        "version": version,
        "author_id": author,
        "topics": list(topics),
        "did": did,
        "next_steps": next_steps,
        "at": work.now,
    }
    work.tx.execute(insert(summary).values(seals.sealed(work.tx, summary, row)))
    audit_log.note(work, meeting_id, "summary.posted", author, version=version)
    return version


def withdraw(work: Work, meeting_id: UUID, by: UUID) -> bool:
    """Withdraw the newest version; False when there is nothing to withdraw."""
    current = newest(work.tx, meeting_id)
    if current is None or current.withdrawn_at is not None:
        return False
    seals.change(work.tx, summary, current.id, {"withdrawn_at": work.now})
    audit_log.note(work, meeting_id, "summary.withdrawn", by, version=current.version)
    return True
