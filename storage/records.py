"""What the ledger says about people, as the rules read it: every line of them in one query."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select

from program.record import Activity, Attendance, Credit, Leave, MakeUp, Record, Transfer, Waiver
from program.times import PROGRAM_ZONE, local_day
from storage.database import Tx
from storage.tables import enrolment, ledger_line, meeting

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


_OF_ALL = (
    select(*_COLUMNS)
    .join_from(ledger_line, enrolment)
    .join(meeting, meeting.c.id == ledger_line.c.meeting_id, isouter=True)
    .order_by(ledger_line.c.enrolment_id, ledger_line.c.position)
)
_OF_PEOPLE = _OF_ALL.where(enrolment.c.person_id.in_(bindparam("people", expanding=True)))


def of_people(tx: Tx, people: Sequence[UUID] | None) -> dict[UUID, Record]:
    """The record of each of these people (None: of everybody); whoever has no lines is left out."""
    lines: dict[UUID, list[Any]] = {}
    rows = tx.execute(_OF_ALL) if people is None else tx.execute(_OF_PEOPLE, {"people": list(people)})
    for row in rows:
        lines.setdefault(row.person_id, []).append(row)
    return {person_id: _record(mine) for person_id, mine in lines.items()}


def _record(lines: Sequence[Any]) -> Record:
    kinds = {row.id: row.kind for row in lines}  # a dispute about a line decides nothing of it
    decided = {row.target_id: row.step for row in lines if kinds.get(row.target_id) == row.kind}
    return Record(
        attendance=tuple(_attendance(lines)),
        activities=tuple(
            Activity(
                row.id,
                row.code,
                row.happened_at,
                row.minutes or 0,
                row.detail.get("mode", ""),
                row.detail.get("item", ""),
                verified=decided.get(row.id) == "verified",
                order=row.position,
                withdrawn=decided.get(row.id) in ("declined", "withdrawn"),
            )
            for row in lines
            if (row.kind, row.step) == ("activity", "logged")
        ),
        makeups=tuple(
            MakeUp(
                row.id,
                row.meeting_id,
                row.code,
                row.happened_at,
                row.minutes or 0,
                approved=decided.get(row.id) == "approved",
                order=row.position,
                withdrawn=decided.get(row.id) in ("declined", "withdrawn"),
            )
            for row in lines
            if (row.kind, row.step) == ("makeup", "asked")
        ),
        waivers=tuple(
            Waiver(
                row.id,
                row.code,
                row.detail.get("year"),
                row.detail.get("amount"),
                local_day(row.happened_at, PROGRAM_ZONE),
                row.position,
                decided.get(row.id) == "withdrawn",
            )
            for row in lines
            if (row.kind, row.step) == ("waiver", "granted")
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
            for row in lines
            if (row.kind, row.step) == ("credit", "granted")
        ),
        leaves=tuple(_leave(row, decided) for row in lines if (row.kind, row.step) == ("leave", "granted")),
        transfers=tuple(
            Transfer(row.id, date.fromisoformat(row.detail["on"]), row.position)
            for row in lines
            if row.kind == "transfer"
        ),
    )


def _attendance(lines: Sequence[Any]) -> Iterable[Attendance]:
    for row in lines:
        if row.kind != "attendance" or row.cancelled_at is not None:
            continue
        if row.meeting_id is None:  # imported: the line stands for the meeting
            yield Attendance(row.id, row.happened_at, row.minutes or 0, "confirmed", row.status, order=row.position)
            continue
        minutes = int((row.ends_at - row.starts_at).total_seconds() // 60)
        yield Attendance(row.meeting_id, row.starts_at, minutes, row.step, row.status, row.minutes, order=row.position)


def _leave(row: Any, decided: dict[UUID, str]) -> Leave:
    ends = row.detail["ends"]
    return Leave(
        row.id,
        date.fromisoformat(row.detail["starts"]),
        date.fromisoformat(ends) if ends else None,
        row.reason,
        row.position,
        decided.get(row.id) == "withdrawn",
    )
