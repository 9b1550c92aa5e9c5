"""Who is on leave when, from the ledger's lines."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import select

from program.series import Break
from storage.database import Tx
from storage.tables import enrolment, ledger_line

NO_END = date(2999, 12, 31)


def of_people(tx: Tx, people: Sequence[UUID] | None = None) -> dict[UUID, tuple[Break, ...]]:
    """The granted leaves of these people (None: of everybody), as breaks of their own."""
    query = (
        select(
            enrolment.c.person_id,
            ledger_line.c.id,
            ledger_line.c.step,
            ledger_line.c.target_id,
            ledger_line.c.detail,
        )
        .join_from(ledger_line, enrolment)
        .where(ledger_line.c.kind == "leave")
        .order_by(ledger_line.c.enrolment_id, ledger_line.c.position)
    )
    if people is not None:
        query = query.where(enrolment.c.person_id.in_(list(people)))
    granted: dict[UUID, tuple[UUID, Break]] = {}
    for person_id, line_id, step, target_id, detail in tx.execute(query):
        if step == "granted":
            ends = date.fromisoformat(detail["ends"]) if detail["ends"] else NO_END
            granted[line_id] = (person_id, Break(date.fromisoformat(detail["starts"]), ends, "Leave"))
        elif step == "withdrawn":
            granted.pop(target_id, None)
    found: dict[UUID, tuple[Break, ...]] = {}
    for person_id, span in granted.values():
        found[person_id] = (*found.get(person_id, ()), span)
    return found
