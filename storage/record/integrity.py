"""What the checks of the records came to: when, and how many problems there were. What they are is not kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select

from storage.core.database import Tx
from storage.core.work import Work
from storage.record.record_tables import integrity_check
from storage.record.verification import Verdict


@dataclass(frozen=True, slots=True)
class Check:
    """What a check of the records came to."""

    at: datetime
    lines: int
    problems: int


def newest(tx: Tx) -> Check | None:
    """The newest check, if there was one."""
    query = select(integrity_check.c.at, integrity_check.c.lines, integrity_check.c.problems)
    row = tx.execute(query.order_by(integrity_check.c.at.desc()).limit(1)).one_or_none()
    return Check(*row) if row else None


def add(work: Work, verdict: Verdict) -> Check:
    """Keep what a check came to."""
    made = Check(work.now, verdict.lines, len(verdict.problems))
    row = {"id": work.new_id(), "at": made.at, "lines": made.lines, "problems": made.problems}
    work.tx.execute(insert(integrity_check).values(row))
    return made
