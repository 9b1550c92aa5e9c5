"""Another account for somebody who has one: asked for, told to the accounts they have, and done after some days.

An account in the same workspace or tenant replaces the earlier one; an account elsewhere is an additional one.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, func, insert, select

from storage.core import audit_log
from storage.core.database import Tx
from storage.core.work import Work
from storage.outbox.outbox_tables import delivery
from storage.people.people_tables import account, replacement
from storage.vault import seals

WAIT = timedelta(days=3)
NOTICE = "identity.replacing"  # the kind of the message to the accounts that somebody has


class AlreadyAsked(Exception):
    """A replacement of this person's account waits already."""


@dataclass(frozen=True, slots=True)
class Replacement:
    """An account that is to replace somebody's earlier one."""

    id: UUID
    person_id: UUID
    account_id: UUID  # the new one
    holds_from: datetime  # at the earliest: the days count from when the notice was sent
    outcome: str = ""  # empty while it waits; done, stopped, dropped


def ask(work: Work, person_id: UUID, account_id: UUID, by: UUID | None) -> Replacement:
    """Ask for a replacement, which holds :data:`WAIT` after the notice of it was sent.

    Raises:
        AlreadyAsked: one waits already.
    """
    waiting = select(replacement.c.id).where(replacement.c.person_id == person_id, replacement.c.outcome == "")
    if work.tx.execute(waiting).first() is not None:
        raise AlreadyAsked(AlreadyAsked.__doc__)
    asked = Replacement(work.new_id(), person_id, account_id, work.now + WAIT)
    row = {**asdict(asked), "asked_at": work.now}
    work.tx.execute(insert(replacement).values(seals.sealed(work.tx, replacement, row)))
    audit_log.note(work, person_id, "account.replacing", by, account=str(account_id))
    return asked


def find(tx: Tx, replacement_id: UUID) -> Replacement | None:
    """A replacement; None where there is none, or it was changed outside the program."""
    row = tx.execute(select(replacement).where(replacement.c.id == replacement_id)).one_or_none()
    if row is None or not seals.fits(row.seal, seals.of_row(tx, replacement, row)):
        return None
    return Replacement(row.id, row.person_id, row.account_id, row.holds_from, row.outcome)


def waiting(tx: Tx, replacement_id: UUID) -> Replacement | None:
    """A replacement that waits; None where it was settled, or was changed outside the program."""
    asked = find(tx, replacement_id)
    return asked if asked is not None and not asked.outcome else None


def told_at(tx: Tx, asked: Replacement) -> datetime | None:
    """When the notice was first sent to an account that the person still has; None: it was not."""
    query = (
        select(func.min(delivery.c.settled_at))
        .join_from(delivery, account, account.c.id == delivery.c.account_id)
        .where(*_notice_of(asked), delivery.c.state == "sent")
        .where(account.c.person_id == asked.person_id, account.c.link == "confirmed")
    )
    at: datetime | None = tx.scalar(query)
    return at


def is_being_told(tx: Tx, asked: Replacement) -> bool:
    """Whether a notice still waits to be sent."""
    query = select(delivery.c.id).where(*_notice_of(asked), delivery.c.state.in_(("queued", "sending")))
    return tx.execute(query.limit(1)).first() is not None


def _notice_of(asked: Replacement) -> tuple[ColumnElement[bool], ...]:
    return (delivery.c.kind == NOTICE, delivery.c.subject == str(asked.id), delivery.c.verb == "post")


def whose(tx: Tx, replacement_id: UUID) -> UUID | None:
    """Whose account it was about."""
    query = select(replacement.c.person_id).where(replacement.c.id == replacement_id)
    person_id: UUID | None = tx.scalar(query)
    return person_id


def settle(work: Work, asked: Replacement, outcome: str, by: UUID | None) -> None:
    """``outcome``: done, stopped (the person objected), dropped (the new account is somebody else's by now)."""
    seals.change(work.tx, replacement, asked.id, {"outcome": outcome})
    audit_log.note(work, asked.person_id, f"account.replacement_{outcome}", by, account=str(asked.account_id))
