"""The process registry: which processes run now, and which of the operator's keys each of them has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select, text

from storage.core.core_tables import process
from storage.core.database import APPLICATION_NAME, Tx
from storage.core.work import put

STALE = timedelta(minutes=2)  # since its last heartbeat, after which a process is taken for dead
KEYS_LOCK = 703_141_593  # any number of our own, for PostgreSQL's advisory lock


@dataclass(frozen=True, slots=True)
class Process:
    """``name`` says nothing of the machine; ``fingerprints`` are those of the operator's keys it has."""

    id: UUID
    name: str
    started_at: datetime
    seen_at: datetime
    fingerprints: Sequence[str]


_PROCESS = (process.c.id, process.c.name, process.c.started_at, process.c.seen_at, process.c.fingerprints)


def hold_keys(tx: Tx) -> None:
    """Until this transaction ends, no process announces its keys and no data key is rewrapped.

    SQLite has one writer at a time anyway.
    """
    if tx.dialect.name != "sqlite":
        tx.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": KEYS_LOCK})


_END_SILENT = text(
    """
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE datname = current_database() AND usename = current_user AND application_name = :sessions
      AND xact_start IS NOT NULL AND wait_event = 'ClientRead'
      AND state_change < clock_timestamp() - make_interval(secs => :seconds)
    """
)


def end_silent(tx: Tx, seconds: float) -> int:
    """On PostgreSQL, end transactions that were idle for so long, which frees their locks; how many.

    The server does so itself where a process freezes between two statements, but not where it froze
    within a batch of them: that session is not idle in its eyes.
    """
    return tx.scalar(_END_SILENT, {"sessions": APPLICATION_NAME, "seconds": seconds}) or 0


def announce(tx: Tx, registered: Process) -> None:
    """Store a process's heartbeat, and remove the processes without a recent one."""
    put(tx, process, {name: getattr(registered, name) for name in registered.__dataclass_fields__})
    tx.execute(delete(process).where(process.c.seen_at < registered.seen_at - STALE))


def is_known(tx: Tx, process_id: UUID) -> bool:
    """Whether a process is still in the registry."""
    return tx.scalar(select(process.c.id).where(process.c.id == process_id)) is not None


def leave(tx: Tx, process_id: UUID) -> None:
    """Remove a process that ends."""
    tx.execute(delete(process).where(process.c.id == process_id))


def clear(tx: Tx) -> None:
    """Remove every process."""
    tx.execute(delete(process))


def alive(tx: Tx, now: datetime) -> list[Process]:
    """The processes with a fresh heartbeat, the oldest first."""
    rows = tx.execute(select(*_PROCESS).where(process.c.seen_at >= now - STALE).order_by(process.c.started_at))
    return [Process(*row) for row in rows]
