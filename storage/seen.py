"""The acts that were done already, by the platform's own id of each, so that a retry changes nothing."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete

from storage.tables import draft, seen
from storage.work import Work, insert_new

KEPT = timedelta(days=30)


def first_time(work: Work, key: str) -> bool:
    """Record the act; False when it was recorded before. Undone when the transaction is."""
    return insert_new(work.tx, seen, [{"key": key[:300], "at": work.now}]) == 1


def forget_old(work: Work) -> None:
    """Keys and drafts go after 30 days."""
    work.tx.execute(delete(seen).where(seen.c.at < work.now - KEPT))
    work.tx.execute(delete(draft).where(draft.c.at < work.now - KEPT))
