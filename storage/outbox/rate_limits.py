"""Rate limits of the platforms: when the next call is allowed, shared by every process, by tenant and conversation.

A subject is an installation's id, or what a conversation's deliveries share (see ``deliveries.LANE``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import BindParameter, ColumnElement, bindparam, delete, exists, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from storage.core.work import Work, insert_new
from storage.outbox.outbox_tables import rate_limit

VERBS = ("post", "update", "visit")
ANY = ""  # the method of what holds for all calls in one conversation
KEPT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Rate:
    """Calls ``seconds`` apart on average; after a rest, ``burst`` of them at once."""

    seconds: float
    burst: int


@dataclass(frozen=True, slots=True)
class Limit:
    """What one tenant's calls of some verbs keep to.

    rate: over the whole tenant; None: only the platform's own requests to wait hold
    min_gap: the least seconds between two of them in one conversation
    """

    method: str = "call"
    verbs: tuple[str, ...] = VERBS
    rate: Rate | None = None
    min_gap: float = 0.0


UNLIMITED = (Limit(),)


_NEXT_AT = select(rate_limit.c.next_at).where(
    rate_limit.c.subject == bindparam("subject"), rate_limit.c.method == bindparam("method")
)
_NEXT_AT_HELD = _NEXT_AT.with_for_update(skip_locked=True)


def available_calls(work: Work, subject: UUID, limit: Limit, most: int) -> int:
    """How many calls may begin now, at most ``most``. On PostgreSQL the answer is held for this transaction.

    0 while another process is just taking its share of the same.
    """
    asked = {"subject": subject, "method": limit.method}
    held_until = work.tx.scalar(_NEXT_AT, asked)
    if limit.rate is None:
        return most if held_until is None or held_until <= work.now else 0
    if held_until is None:  # only then, as an insert waits for a transaction that changes the row
        insert_new(work.tx, rate_limit, [{**asked, "next_at": work.now}])
    next_at = work.tx.scalar(_NEXT_AT_HELD, asked)
    if next_at is None:
        return 0
    wait = max((next_at - work.now).total_seconds(), 0.0)
    free = limit.rate.burst - wait / limit.rate.seconds
    return max(0, min(most, int(free + 1e-6)))  # a hair of rounding is no reason to wait


def record_calls(work: Work, subject: UUID, limit: Limit, calls: int) -> None:
    """Count so many calls that begin now. Follows :func:`available_calls` in the same transaction."""
    if limit.rate is None or not calls:
        return
    latest = work.tx.scalar(_NEXT_AT, {"subject": subject, "method": limit.method}) or work.now
    next_at = max(latest, work.now) + timedelta(seconds=calls * limit.rate.seconds)
    block_until(work, [subject], next_at, limit.method)


def defer_calls(work: Work, subject: UUID, limit: Limit, seconds: float) -> None:
    """Block a tenant's calls for so many seconds, as the platform asked. After that, one call goes first."""
    rest = (limit.rate.burst - 1) * limit.rate.seconds if limit.rate else 0.0
    block_until(work, [subject], work.now + timedelta(seconds=seconds + rest), limit.method)


def block_until(work: Work, subjects: Iterable[UUID], until: datetime, method: str = ANY) -> None:
    """Block calls to these subjects until a time. A later time that is stored already stays."""
    rows = [{"subject": subject_id, "method": method, "next_at": until} for subject_id in sorted(subjects)]
    if rows:
        work.tx.execute(_later(work.tx.dialect.name), rows)


@cache
def _later(dialect: str) -> Any:
    insert = (sqlite_insert if dialect == "sqlite" else postgresql_insert)(rate_limit)
    return insert.on_conflict_do_update(
        index_elements=["subject", "method"],
        set_={"next_at": insert.excluded.next_at},
        where=rate_limit.c.next_at < insert.excluded.next_at,
    )


def is_blocked(subject: ColumnElement[UUID], now: BindParameter[datetime]) -> ColumnElement[bool]:
    """The condition that a conversation is blocked at a time."""
    return exists().where(rate_limit.c.subject == subject, rate_limit.c.method == ANY, rate_limit.c.next_at > now)


def forget_old(work: Work) -> None:
    """Delete what no longer limits anything."""
    work.tx.execute(delete(rate_limit).where(rate_limit.c.next_at < work.now - KEPT))
