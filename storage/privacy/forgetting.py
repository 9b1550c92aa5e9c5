"""Forgetting a person: their data key is destroyed, and with it whatever they wrote in confidence.

Who was forgotten is written down in both stores, the data and the keys. A backup of one that is put back
beside the other is therefore brought up to it: see :func:`apply_again`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Table, case, delete, func, select, update

from storage.checkins import checkins
from storage.checkins.checkins_tables import checkin
from storage.core import audit_log
from storage.core.database import Tx, in_ids
from storage.core.work import Work, insert_new
from storage.people import account_links
from storage.people.account_views import AccountView
from storage.privacy import holds
from storage.privacy.privacy_tables import forgotten, forgotten_key
from storage.vault import vault
from storage.vault.vault_tables import person_key, vault_item

LISTS = (forgotten, forgotten_key)  # in the data, and in the key store


@dataclass(frozen=True, slots=True)
class ForgottenAgain:
    """What an older backup had brought back."""

    keys: int
    items: int


@dataclass(frozen=True, slots=True)
class Forgotten:
    """A line of the lists. ``key_id``: the key that was destroyed, if there was one; ``by`` None: the operator."""

    id: UUID
    person_id: UUID
    key_id: UUID | None
    at: datetime
    by: UUID | None


def forget(work: Work, person_id: UUID, by: UUID | None) -> int:
    """Destroy what a person wrote in confidence and the key to every copy of it; how many items that were.

    ``by``: the person, or None for the operator. The attendance ledger is not touched.

    Raises:
        Held: a legal hold is on it.
    """
    holds.check_free(work.tx, person_id)
    # The key goes first: a transaction that writes under it now is waited for, and what it wrote goes too.
    gone = delete(person_key).where(person_key.c.person_id == person_id).returning(person_key.c.key_id)
    key_id = work.tx.scalar(gone)
    _write_down(work.tx, [Forgotten(work.new_id(), person_id, key_id, work.now, by)])
    clear_marks(work.tx, person_id, work.now)
    return vault.destroy(work.tx, vault_item.c.person_id == person_id)


def forget_account(work: Work, person_id: UUID, view: AccountView) -> int:
    """Destroy what one account of a person wrote in confidence; how many items that were.

    What another account wrote stays, and with it the key, so that an account that replaced another one destroys
    nothing of it. See :func:`was_replaced`.

    Raises:
        Held: a legal hold is on it.
    """
    holds.check_free(work.tx, person_id)
    _write_down(work.tx, [Forgotten(work.new_id(), person_id, None, work.now, person_id)])
    theirs = vault_item.c.person_id == person_id
    own = (theirs, vault_item.c.account_id == view.account_id)
    seen = select(checkin.c.id).where(checkin.c.person_id == person_id, checkins.is_shown(view))
    answered = list(work.tx.scalars(seen))
    gone = vault.destroy(work.tx, *own)
    left = select(vault_item.c.checkin_id).where(theirs, vault_item.c.checkin_id.is_not(None))
    empty = (in_ids(work.tx, checkin.c.id, answered), checkin.c.id.not_in(left))
    clear_marks(work.tx, person_id, work.now, *empty, view=view)
    return gone


def note_lost_keys(work: Work, person_id: UUID, key_ids: Sequence[UUID]) -> None:
    """Write down data keys that are lost: what was under them was removed, and no older backup brings it back."""
    _write_down(work.tx, [Forgotten(work.new_id(), person_id, key_id, work.now, None) for key_id in key_ids])


def was_replaced(tx: Tx, person_id: UUID) -> bool:
    """Whether an account was linked to this person that is not now. It tells nothing of what it wrote."""
    now = {str(account.id) for account in account_links.accounts_of(tx, person_id)}
    linked = (line.detail["account"] for line in audit_log.entries(tx, person_id) if line.what == "account.linked")
    return any(account_id not in now for account_id in linked)


def count(tx: Tx) -> int:
    """How often somebody was forgotten."""
    return tx.scalar(select(func.count()).select_from(forgotten_key)) or 0


def listed(tx: Tx, stores: Sequence[Table] = LISTS) -> list[Forgotten]:
    """What the lists say, of both stores or of one."""
    rows = {row.id: Forgotten(*row) for kept in stores for row in tx.execute(select(kept))}
    return sorted(rows.values(), key=lambda entry: (entry.at, entry.id))


def remember(tx: Tx, lines: Sequence[Forgotten]) -> None:
    """Take over what another database's lists say; :func:`apply_again` then acts on it."""
    insert_new(tx, forgotten_key, [_row(forgotten) for forgotten in lines])


def apply_again(tx: Tx) -> ForgottenAgain:
    """Forget again the people on either store's list, where a backup brought something back. Changes nothing otherwise.

    It goes by the keys' ids, not by time: what a forgotten person wrote later is under another key and stays.
    """
    known = set(tx.scalars(select(forgotten.c.id)))
    lines = listed(tx)
    _write_down(tx, lines)
    for line in lines:
        if line.id not in known:
            clear_marks(tx, line.person_id, line.at)
    destroyed = select(forgotten_key.c.key_id).where(forgotten_key.c.key_id.is_not(None))
    keys = tx.execute(delete(person_key).where(person_key.c.key_id.in_(destroyed))).rowcount
    items = vault.destroy(tx, vault_item.c.key_id.in_(destroyed))
    return ForgottenAgain(keys, items)


def _write_down(tx: Tx, lines: Sequence[Forgotten]) -> None:
    for kept in LISTS:
        insert_new(tx, kept, [_row(forgotten) for forgotten in lines])


def _row(entry: Forgotten) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in entry.__dataclass_fields__}


def clear_marks(
    tx: Tx, person_id: UUID, until: datetime, *which: ColumnElement[bool], view: AccountView | None = None
) -> None:
    """Whether somebody answered is theirs too. ``view``: a wish to be contacted that the account does not see stays."""
    seen = checkin.c.reach_out_at.is_not(None) if view is None else view.is_after(checkin.c.reach_out_at)
    before = update(checkin).where(checkin.c.person_id == person_id, checkin.c.opened_at <= until, *which)
    tx.execute(before.values(answered_at=None, reach_out_at=case((~seen, checkin.c.reach_out_at))))
