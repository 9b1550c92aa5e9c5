"""Disputes about records: who may read them and how they ended. Their text is in the vault."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, select, update

from storage.core.database import Tx
from storage.core.work import Work
from storage.record.record_tables import dispute
from storage.vault import seals
from storage.vault.seals import fits


@dataclass(frozen=True, slots=True)
class Dispute:
    """A dispute about a record; its text is in the vault."""

    id: UUID
    person_id: UUID
    line_id: UUID  # the ledger line that opened it
    about_id: UUID  # the ledger line it is about
    item_id: UUID  # the text in the vault
    with_mentors: bool  # else the coordinators alone may read it
    opened_at: datetime
    outcome: str  # empty while it is open


_DISPUTE = (
    dispute.c.id,
    dispute.c.person_id,
    dispute.c.line_id,
    dispute.c.about_id,
    dispute.c.item_id,
    dispute.c.with_mentors,
    dispute.c.opened_at,
    dispute.c.outcome,
)


def add(work: Work, person_id: UUID, line_id: UUID, about_id: UUID, item_id: UUID, *, with_mentors: bool) -> Dispute:
    """Open a dispute."""
    row = Dispute(work.new_id(), person_id, line_id, about_id, item_id, with_mentors, work.now, "")
    values = {name: getattr(row, name) for name in row.__dataclass_fields__}
    work.tx.execute(insert(dispute).values(seals.sealed(work.tx, dispute, values)))
    return row


def find(tx: Tx, dispute_id: UUID) -> Dispute | None:
    """The dispute of an id, if there is one and its seal fits."""
    row = tx.execute(select(*_DISPUTE, dispute.c.seal).where(dispute.c.id == dispute_id)).one_or_none()
    return Dispute(*row[:-1]) if row and fits(row.seal, seals.of_row(tx, dispute, row)) else None


def open_of(tx: Tx, person_id: UUID) -> list[Dispute]:
    """A mentee's disputes that nobody has settled, in the order of opening."""
    query = select(*_DISPUTE).where(dispute.c.person_id == person_id, dispute.c.outcome == "")
    return [Dispute(*row) for row in tx.execute(query.order_by(dispute.c.opened_at, dispute.c.id))]


def every_open(tx: Tx) -> list[Dispute]:
    """The disputes that nobody has settled and whose seal fits, in the order of opening."""
    query = select(*_DISPUTE, dispute.c.seal).where(dispute.c.outcome == "")
    rows = tx.execute(query.order_by(dispute.c.opened_at, dispute.c.id)).all()
    return [Dispute(*row[:-1]) for row in rows if fits(row.seal, seals.of_row(tx, dispute, row))]


def open_about(tx: Tx, line_id: UUID) -> list[UUID]:
    """The open disputes about a line."""
    query = select(dispute.c.id).where(dispute.c.about_id == line_id, dispute.c.outcome == "")
    return list(tx.scalars(query.order_by(dispute.c.id)))


def settle(work: Work, dispute_id: UUID, outcome: str) -> bool:
    """Settle a dispute; False where it was settled before."""
    there = update(dispute).where(dispute.c.id == dispute_id, dispute.c.outcome == "")
    return work.tx.execute(there.values(outcome=outcome, settled_at=work.now)).rowcount == 1
