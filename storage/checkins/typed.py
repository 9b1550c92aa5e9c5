"""Words that somebody typed into the chat: sealed until their author keeps them, or they are destroyed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from program.checkins.typed import kept_until
from storage.checkins.checkins import CheckIn
from storage.checkins.checkins_tables import checkin
from storage.core.database import Tx
from storage.core.work import Work
from storage.outbox import due, moments
from storage.people import account_links
from storage.people.account_views import AccountView
from storage.vault import vault
from storage.vault.vault import UNDECIDED, Vault
from storage.vault.vault_tables import vault_item

MOST = 20  # waiting for one account at a time


@dataclass(frozen=True, slots=True)
class UndecidedText:
    """Typed words that wait for their author's choice until a time."""

    id: UUID
    checkin_id: UUID
    until: datetime


_UNDECIDED = select(vault_item.c.id, vault_item.c.checkin_id, vault_item.c.at, checkin.c.closes_at).join_from(
    vault_item, checkin, checkin.c.id == vault_item.c.checkin_id
)


def hold(sealer: Vault, work: Work, open_checkin: CheckIn, account_id: UUID, text: str) -> UndecidedText:
    """Seal typed words, and plan the time at which they are destroyed.

    Raises:
        NoKeyYet: their author has no data key yet.
    """
    item_id = sealer.save(
        work, UNDECIDED, text, person_id=open_checkin.person_id, account_id=account_id, checkin_id=open_checkin.id
    )
    until = kept_until(work.now, open_checkin.closes_at)
    due.plan(work, moments.CHECKINS_EXPIRE, until, until.isoformat())
    return UndecidedText(item_id, open_checkin.id, until)


def of_account(tx: Tx, account_id: UUID, now: datetime) -> list[UndecidedText]:
    """What this account typed and has not chosen about, the earliest first."""
    query = _UNDECIDED.where(vault_item.c.account_id == account_id, vault_item.c.kind == UNDECIDED)
    rows = tx.execute(query.order_by(vault_item.c.at, vault_item.c.id))
    texts = [UndecidedText(row.id, row.checkin_id, kept_until(row.at, row.closes_at)) for row in rows]
    return [held_words for held_words in texts if held_words.until > now]


def find(tx: Tx, item_id: UUID, account_id: UUID, now: datetime) -> UndecidedText | None:
    """Words of this account that still wait; None for everybody else's, and for what is gone or past its time."""
    return next((held_words for held_words in of_account(tx, account_id, now) if held_words.id == item_id), None)


def destroy(tx: Tx, text: UndecidedText, account_id: UUID) -> None:
    """Destroy typed words that wait for a choice."""
    vault.remove(tx, text.id, account_id)


def destroy_all(tx: Tx, person_id: UUID, view: AccountView) -> None:
    """Destroy whatever waits of the accounts that are linked to this person, as far as an account sees it."""
    linked = [account.id for account in account_links.linked_accounts(tx, person_id)]
    seen = view.sees(vault_item.c.at, vault_item.c.account_id)
    vault.destroy(tx, vault_item.c.account_id.in_(linked), vault_item.c.kind == UNDECIDED, seen)


def destroy_expired(work: Work) -> int:
    """Destroy what nobody chose to keep in its time; how many items that were.

    A legal hold does not keep these: their author never gave them to the program.
    """
    rows = work.tx.execute(_UNDECIDED.where(vault_item.c.kind == UNDECIDED)).all()
    expired = [row.id for row in rows if kept_until(row.at, row.closes_at) <= work.now]
    return vault.destroy(work.tx, vault_item.c.id.in_(expired)) if expired else 0


def count(tx: Tx, account_id: UUID) -> int:
    """How many typed messages of an account wait for a choice."""
    query = select(func.count()).select_from(vault_item)
    return tx.scalar(query.where(vault_item.c.account_id == account_id, vault_item.c.kind == UNDECIDED)) or 0
