"""The requests that were processed already, so that a platform's retry changes nothing.

A row holds a MAC of the platform's own ids and the day, and nothing of what was asked: no argument, value or word.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete

from program.record.chain import mac_of
from storage.core.core_tables import draft
from storage.core.work import Work, insert_new
from storage.outbox.outbox_tables import processed_request

KEPT = timedelta(days=30)
PURPOSE = "processed requests"


def request_key(chain_key: bytes, platform: str, tenant: str, user: str, request_id: str) -> bytes:
    """The idempotency key of a request, 32 bytes.

    ``request_id`` is made of the platform's own ids. The user's id belongs to the key, so that nobody can use up
    the key of somebody else's request. Without the database's own key nobody can confirm a guess.
    """
    ids = {"platform": platform, "tenant": tenant, "user": user, "id": request_id}
    return mac_of(chain_key, PURPOSE, ids)


def record(work: Work, key: bytes) -> bool:
    """Record a request as processed; False when it was before. Rolled back with the transaction."""
    return insert_new(work.tx, processed_request, [{"key": key, "day": work.now.date()}]) == 1


def discard(work: Work, key: bytes) -> None:
    """Let the same request be processed again."""
    work.tx.execute(delete(processed_request).where(processed_request.c.key == key))


def forget_old(work: Work) -> None:
    """Delete the keys and drafts of more than 30 days ago."""
    oldest = work.now - KEPT
    work.tx.execute(delete(processed_request).where(processed_request.c.day < oldest.date()))
    work.tx.execute(delete(draft).where(draft.c.at < oldest))
