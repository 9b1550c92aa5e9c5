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
from storage.core.database import Tx, among_given, listed
from storage.record.record_tables import enrolment, ledger_line

NO_END = date(2999, 12, 31)


def standing_leaves(lines: Iterable[Any]) -> list[Leave]:
    """The leaves that hold, from one person's lines about leave in the order of recording.

    A leave may be ended from a day on; both the leave and its ending may be taken back.
    """
    found: dict[UUID, Leave] = {}
    before: dict[UUID, Leave] = {}  # what a leave was, by the line that ended it
    for line in lines:
        target = found.get(line.target_id)
        if line.step == "granted":
            found[line.id] = Leave(line.id, *span(line.detail), line.reason, line.position)
        elif line.step == "ended" and target is not None:
            before[line.id] = target
            found[target.id] = replace(target, ends=span(line.detail)[1])
        elif line.step == "withdrawn" and line.target_id in before:
            earlier = before.pop(line.target_id)
            found[earlier.id] = earlier
        elif line.step == "withdrawn":
            found.pop(line.target_id, None)
    return list(found.values())


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
def _of_given(dialect: str) -> Select[Any]:
    return _EVERY.where(among_given(dialect, enrolment.c.person_id))


def _leaves(tx: Tx, people: Sequence[UUID] | None) -> dict[UUID, list[Leave]]:
    lines: dict[UUID, list[Any]] = {}
    rows = tx.execute(_EVERY) if people is None else tx.execute(_of_given(tx.dialect.name), {"ids": listed(tx, people)})
    for row in rows:
        lines.setdefault(row.person_id, []).append(row)
    return {person_id: standing_leaves(mine) for person_id, mine in lines.items()}


def of_person(tx: Tx, person_id: UUID) -> list[Leave]:
    """The granted leaves of somebody, past and to come."""
    return _leaves(tx, [person_id]).get(person_id, [])


def running(tx: Tx, person_id: UUID, day: date) -> Leave | None:
    """The leave that somebody is on, on a day."""
    return next(
        (
            leave
            for leave in of_person(tx, person_id)
            if leave.starts <= day and (leave.ends is None or day <= leave.ends)
        ),
        None,
    )


def of_people(tx: Tx, people: Sequence[UUID] | None = None) -> dict[UUID, tuple[Break, ...]]:
    """The granted leaves of these people (None: of everybody), as breaks of their own."""
    return {
        person_id: tuple(Break(leave.starts, leave.ends or NO_END, "Leave") for leave in mine)
        for person_id, mine in _leaves(tx, people).items()
    }


def away_on(tx: Tx, people: Sequence[UUID], day: date) -> set[UUID]:
    """Those of these people who are on leave on a day."""
    return {person_id for person_id, spans in of_people(tx, people).items() if break_on(day, spans)}
