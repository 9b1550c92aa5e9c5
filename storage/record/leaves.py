"""Who is on leave when, from the ledger's lines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select

from program.meetings.series import Break, break_on
from program.record.ledger import Leave
from storage.core.database import Tx, ids_value, in_ids_parameter
from storage.record.record_tables import enrolment, ledger_line

NO_END = date(2999, 12, 31)


def standing_leaves(lines: Iterable[Any]) -> list[Leave]:
    """The leaves that hold, from one person's lines about leave in the order of recording.

    A leave may be ended several times; of its endings that are not taken back, the last one holds.
    """
    granted: dict[UUID, Leave] = {}
    endings: dict[UUID, tuple[UUID, date | None]] = {}  # by the line that ended it: the leave and its last day
    for line in lines:
        if line.step == "granted":
            granted[line.id] = Leave(line.id, *span(line.detail), line.reason, line.position)
        elif line.step == "ended" and line.target_id in granted:
            endings[line.id] = (line.target_id, span(line.detail)[1])
        elif line.step == "withdrawn":
            endings.pop(line.target_id, None)
            granted.pop(line.target_id, None)
    last_days = dict(endings.values())
    return [replace(leave, ends=last_days[leave.id]) if leave.id in last_days else leave for leave in granted.values()]


def span(detail: Any) -> tuple[date, date | None]:
    """The first and the last day of a leave, as a line's detail holds them; None: until further notice."""
    ends = detail["ends"]
    return date.fromisoformat(detail["starts"]), date.fromisoformat(ends) if ends else None


_EVERY = (
    select(
        enrolment.c.person_id,
        ledger_line.c.id,
        ledger_line.c.position,
        ledger_line.c.step,
        ledger_line.c.target_id,
        ledger_line.c.reason,
        ledger_line.c.detail,
    )
    .join_from(ledger_line, enrolment)
    .where(ledger_line.c.kind == "leave")
    .order_by(ledger_line.c.enrolment_id, ledger_line.c.position)
)


@cache
def _of_ids(dialect: str) -> Select[Any]:
    return _EVERY.where(in_ids_parameter(dialect, enrolment.c.person_id))


def _leaves(tx: Tx, people: Sequence[UUID] | None) -> dict[UUID, list[Leave]]:
    lines: dict[UUID, list[Any]] = {}
    rows = (
        tx.execute(_EVERY) if people is None else tx.execute(_of_ids(tx.dialect.name), {"ids": ids_value(tx, people)})
    )
    for row in rows:
        lines.setdefault(row.person_id, []).append(row)
    return {person_id: standing_leaves(mine) for person_id, mine in lines.items()}


def of_person(tx: Tx, person_id: UUID) -> list[Leave]:
    """The granted leaves of somebody, past and to come."""
    return _leaves(tx, [person_id]).get(person_id, [])


def running(tx: Tx, person_id: UUID, day: date) -> Leave | None:
    """The leave that somebody is on, on a day."""
    return next(iter(overlapping(tx, person_id, day, day)), None)


def overlapping(tx: Tx, person_id: UUID, starts: date, ends: date | None) -> list[Leave]:
    """The granted leaves of somebody that share a day with these days; ``ends`` None: until further notice."""
    last = ends or NO_END
    return [leave for leave in of_person(tx, person_id) if max(starts, leave.starts) <= min(last, leave.ends or NO_END)]


def of_people(tx: Tx, people: Sequence[UUID] | None = None) -> dict[UUID, tuple[Break, ...]]:
    """The granted leaves of these people (None: of everybody), as breaks of their own."""
    return {
        person_id: tuple(Break(leave.starts, leave.ends or NO_END, "Leave") for leave in mine)
        for person_id, mine in _leaves(tx, people).items()
    }


def away_on(tx: Tx, people: Sequence[UUID], day: date) -> set[UUID]:
    """Those of these people who are on leave on a day."""
    return {person_id for person_id, spans in of_people(tx, people).items() if break_on(day, spans)}
