"""What the ledger says about people, as the rules read it: every line of them in one query."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import groupby
from operator import itemgetter
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, select

from program.core.times import whole_minutes
from program.record.ledger import Attendance, Credit, LoggedActivity, MakeUp, Record, Transfer, Waiver
from program.record.stated_days import day_stated
from storage.core.database import Tx
from storage.meetings.meetings_tables import meeting
from storage.record.leaves import standing_leaves
from storage.record.record_tables import enrolment, ledger_line

_COLUMNS: tuple[Any, ...] = (
    enrolment.c.person_id,
    ledger_line.c.id,
    ledger_line.c.position,
    ledger_line.c.kind,
    ledger_line.c.step,
    ledger_line.c.meeting_id,
    ledger_line.c.target_id,
    ledger_line.c.status,
    ledger_line.c.minutes,
    ledger_line.c.code,
    ledger_line.c.happened_at,
    ledger_line.c.reason,
    ledger_line.c.detail,
    meeting.c.starts_at,
    meeting.c.ends_at,
    meeting.c.cancelled_at,
)


def lines_of(people: ColumnElement[bool]) -> Select[Any]:
    """The query for the lines of the people that a condition on ``enrolment.person_id`` names."""
    return (
        select(*_COLUMNS)
        .join_from(ledger_line, enrolment)
        .join(meeting, meeting.c.id == ledger_line.c.meeting_id, isouter=True)
        .where(people)
        .order_by(ledger_line.c.enrolment_id, ledger_line.c.position)
    )


def read(tx: Tx, query: Select[Any], parameters: Mapping[str, Any] | None = None) -> dict[UUID, Record]:
    """The records that a query of :func:`lines_of` finds."""
    rows = groupby(tx.execute(query, parameters or {}), key=_person)
    return {person_id: _record(list(mine)) for person_id, mine in rows}


_person = itemgetter(0)


def _record(lines: Sequence[Any]) -> Record:
    of_kind: dict[str, list[Any]] = {}
    for row in lines:
        of_kind.setdefault(row.kind, []).append(row)
    about = [row for row in lines if row.target_id is not None]
    kinds = {row.id: row.kind for row in lines} if about else {}  # a dispute about a line decides nothing of it
    decided = {row.target_id: _decision(row) for row in about if kinds.get(row.target_id) == row.kind}
    minutes = {row.target_id: row.minutes for row in about if row.step == "corrected" and row.minutes is not None}

    def begun(kind: str, step: str) -> Iterator[Any]:
        return (row for row in of_kind.get(kind, ()) if row.step == step)

    return Record(
        attendance=tuple(_attendance(of_kind.get("attendance", ()))),
        activities=tuple(
            LoggedActivity(
                row.id,
                row.code,
                row.happened_at,
                minutes.get(row.id, row.minutes or 0),
                row.detail.get("mode", ""),
                row.detail.get("item", ""),
                verified=decided.get(row.id) == "verified",
                order=row.position,
                withdrawn=decided.get(row.id) in ("declined", "withdrawn"),
            )
            for row in begun("activity", "logged")
        ),
        makeups=tuple(
            MakeUp(
                row.id,
                row.meeting_id,
                row.code,
                row.happened_at,
                minutes.get(row.id, row.minutes or 0),
                approved=decided.get(row.id) == "approved",
                order=row.position,
                withdrawn=decided.get(row.id) in ("declined", "withdrawn"),
            )
            for row in begun("makeup", "asked")
        ),
        waivers=tuple(
            Waiver(
                row.id,
                row.code,
                row.detail.get("year"),
                row.detail.get("amount"),
                day_stated(row.happened_at),
                row.position,
                decided.get(row.id) == "withdrawn",
            )
            for row in begun("waiver", "granted")
        ),
        credits=tuple(
            Credit(
                row.id,
                row.code,
                row.detail.get("year"),
                row.detail.get("amount") or 0,
                row.position,
                decided.get(row.id) == "withdrawn",
            )
            for row in begun("credit", "granted")
        ),
        imported=any(row.step == "imported" for row in lines),
        leaves=tuple(standing_leaves(of_kind.get("leave", ()))),
        transfers=tuple(
            Transfer(row.id, date.fromisoformat(row.detail["on"]), row.position) for row in of_kind.get("transfer", ())
        ),
    )


def _decision(row: Any) -> str:
    """What a line decides of the line it is about; a correction decides again."""
    if row.step != "corrected":
        return str(row.step)
    if row.status != "counts":
        return "declined"
    return "approved" if row.kind == "makeup" else "verified"


def _attendance(lines: Iterable[Any]) -> Iterator[Attendance]:
    for row in lines:
        if row.cancelled_at is not None:
            continue
        if row.meeting_id is None:  # imported: the line stands for the meeting
            yield Attendance(row.id, row.happened_at, row.minutes or 0, "confirmed", row.status, order=row.position)
            continue
        minutes = whole_minutes(row.starts_at, row.ends_at)
        yield Attendance(row.meeting_id, row.starts_at, minutes, row.step, row.status, row.minutes, order=row.position)
