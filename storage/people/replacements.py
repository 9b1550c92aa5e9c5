"""Replacing somebody's account: asked for, told to the earlier account, and done after some days unless they object."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import insert, select

from storage.core import audit_log
from storage.core.database import Tx
from storage.core.work import Work
from storage.people.people_tables import replacement
from storage.vault import seals

WAIT = timedelta(days=3)


class AlreadyAsked(Exception):
    """A replacement of this person's account waits already."""


@dataclass(frozen=True, slots=True)
class Replacement:
    id: UUID
    person_id: UUID
    account_id: UUID  # the new one
    holds_from: datetime


def ask(work: Work, person_id: UUID, account_id: UUID, by: UUID | None) -> Replacement:
    """Ask for a replacement, which holds after :data:`WAIT`.

    Raises:
        AlreadyAsked: one waits already.
    """
    waiting = select(replacement.c.id).where(replacement.c.person_id == person_id, replacement.c.outcome == "")
    if work.tx.execute(waiting).first() is not None:
        raise AlreadyAsked(AlreadyAsked.__doc__)
    asked = Replacement(work.new_id(), person_id, account_id, work.now + WAIT)
    row = {**asdict(asked), "asked_at": work.now, "outcome": ""}
    work.tx.execute(insert(replacement).values(seals.sealed(work.tx, replacement, row)))
    audit_log.note(work, person_id, "account.replacing", by, account=str(account_id))
    return asked


def waiting(tx: Tx, replacement_id: UUID) -> Replacement | None:
    """A replacement that waits; None where it was settled, or was changed outside the program."""
    query = select(replacement).where(replacement.c.id == replacement_id, replacement.c.outcome == "")
    row = tx.execute(query).one_or_none()
    if row is None or not seals.fits(row.seal, seals.of_row(tx, replacement, row)):
        return None
    return Replacement(row.id, row.person_id, row.account_id, row.holds_from)


def whose(tx: Tx, replacement_id: UUID) -> UUID | None:
    """Whose account it was about."""
    query = select(replacement.c.person_id).where(replacement.c.id == replacement_id)
    person_id: UUID | None = tx.scalar(query)
    return person_id


def settle(work: Work, one: Replacement, outcome: str, by: UUID | None) -> None:
    """``outcome``: done, stopped (the person objected), dropped (the new account is somebody else's by now)."""
    seals.change(work.tx, replacement, one.id, {"outcome": outcome})
    audit_log.note(work, one.person_id, f"account.replacement_{outcome}", by, account=str(one.account_id))
