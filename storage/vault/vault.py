"""The vault: what people write in confidence, encrypted.

AES-256-GCM under a data key per person. Data keys are wrapped by the operator's key and live in the schema
``keys``, apart from the data; who is forgotten loses theirs, and writes again under a new one. The row's
identity (item, kind, person, account) is bound in as associated data, so a ciphertext moved elsewhere does
not open. An item opens only for the account that wrote it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import ColumnElement, bindparam, delete, exists, insert, select, update

from storage.core.database import Tx, in_ids
from storage.core.work import Work, insert_new, put
from storage.outbox.outbox_tables import installation
from storage.people.people_tables import account
from storage.record.record_tables import dispute
from storage.vault import keystore
from storage.vault.operator_keys import KEY_BYTES, BadKey, OperatorKey
from storage.vault.vault_tables import ledger_key, ledger_key_copy, person_key, vault_item

LEDGER_IDENTITY = b"ledger-key-3"  # of a database all of whose records are sealed
UNSEALED_IDENTITY = b"ledger-key"  # of one from before there were seals
# The identities that a database's own key may be wrapped under; the middle one: accounts, memberships, roles,
# shares and disputes are sealed, and what standings rest on is not.
LEDGER_IDENTITIES = (LEDGER_IDENTITY, b"ledger-key-2", UNSEALED_IDENTITY)
COPY_IDENTITY = b"ledger-key-copy"
NONCE_BYTES = 12
UNDECIDED = "waiting"  # the kind of typed words that their author has not chosen about


_OWNER = (
    select(installation.c.platform, installation.c.tenant, account.c.user)
    .join_from(account, installation)
    .where(account.c.id == bindparam("account"))
)
# The vault's rows, with the platform, tenant and user of the account that wrote each.
ITEMS = (
    select(vault_item, installation.c.platform, installation.c.tenant, account.c.user)
    .join_from(vault_item, account, account.c.id == vault_item.c.account_id)
    .join(installation, installation.c.id == account.c.installation_id)
)


class Sealed(Exception):
    """This does not open with the configured keys."""


class NoKeyYet(Exception):
    """A data key must be made for somebody, in a transaction of its own, before anything is written with it."""

    def __init__(self, person_id: UUID) -> None:
        super().__init__(NoKeyYet.__doc__)
        self.person_id = person_id


@dataclass(frozen=True, slots=True)
class DataKey:
    """A person's key, unwrapped."""

    id: UUID
    cipher: AESGCM


@dataclass(frozen=True, slots=True)
class VaultItem:
    """A row of the vault without its text."""

    id: UUID
    kind: str
    checkin_id: UUID | None
    at: datetime


class Vault:
    """Seals and opens items. It holds the operator's keys and no text."""

    def __init__(self, keys: Sequence[OperatorKey]) -> None:
        self._keys = {key.fingerprint: key for key in keys}
        self._wrapping = keys[0]

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """Fingerprints of the configured operator's keys, the one that wraps first."""
        return tuple(self._keys)

    def ensure_keys(self, work: Work, people: Sequence[UUID]) -> None:
        """Make the data keys that these people do not have yet.

        Called before anything is written with them, in an earlier transaction: SQLite commits two files
        one after the other, and an item must never be there without its key.
        """
        known = set(
            work.tx.scalars(select(person_key.c.person_id).where(in_ids(work.tx, person_key.c.person_id, people)))
        )
        rows = []
        for person_id in people:
            if person_id not in known:
                wrapped = self.wrap(os.urandom(KEY_BYTES), key_identity(person_id))
                row = {"person_id": person_id, "key_id": work.new_id(), "wrapped": wrapped}
                rows.append({**row, "wrapped_by": self._wrapping.fingerprint})
        insert_new(work.tx, person_key, rows)

    def check(self, tx: Tx) -> None:
        """Check that the configured keys open everything that is stored.

        Raises:
            BadKey: names the fingerprints, and how much each opens or would open.
        """
        wrappings = keystore.wrappings(tx, with_copy=False)
        unknown = [wrapping for wrapping in wrappings if wrapping.fingerprint not in self._keys]
        missing = [wrapping for wrapping in unknown if keystore.is_fingerprint(wrapping.fingerprint)]
        if missing:
            there = [wrapping for wrapping in wrappings if wrapping.fingerprint in self._keys]
            which = f": {keystore.listed(there)}" if there else " nothing"
            opened = f"The configured keys open{which}."
            raise BadKey(
                "PLC_ENCRYPTION_KEYS lacks a key that earlier reflections are kept under. "
                f"Missing, by fingerprint: {keystore.listed(missing)}. {opened} "
                "Put the missing key after the others, separated by a comma."
            )
        if problem := keystore.gaps(tx):
            raise BadKey(problem)

    def wrap(self, clear: bytes, identity: bytes) -> bytes:
        """Wrap a key under the operator's first key, bound to what it is for."""
        return _encrypt(self._wrapping.cipher, clear, identity)

    def unwrap(self, wrapped_by: str, wrapped: bytes, identity: bytes) -> bytes:
        """A data key in the clear.

        Raises:
            Sealed: the configured keys do not open it.
        """
        if wrapped_by not in self._keys:
            raise Sealed(Sealed.__doc__)
        return _decrypt(self._keys[wrapped_by].cipher, wrapped, identity)

    def chain_key(self, tx: Tx, first: bytes = b"") -> bytes:
        """The key of the ledger's marks; made at the first call, or ``first`` where that is given.

        Raises:
            BadKey: the operator's key for it is not configured, or it is damaged or lost.
        """
        row = tx.execute(select(ledger_key)).one_or_none()
        if row is None:
            if problem := keystore.ledger_gap(tx):
                raise BadKey(problem)
            wrapped = self.wrap(first or os.urandom(KEY_BYTES), LEDGER_IDENTITY)
            made = {"id": 1, "wrapped_by": self._wrapping.fingerprint, "wrapped": wrapped}
            insert_new(tx, ledger_key, [made])
            row = tx.execute(select(ledger_key)).one()
        if row.wrapped_by not in self._keys and keystore.is_fingerprint(row.wrapped_by):
            raise BadKey(f"PLC_ENCRYPTION_KEYS lacks the ledger's key; its fingerprint is {row.wrapped_by}.")
        try:
            return self.unwrap_chain_key(row)[0]
        except Sealed:
            raise BadKey(f"The ledger's key is damaged: {keystore.RESTORE}") from None

    def unwrap_chain_key(self, row: Any) -> tuple[bytes, bytes]:
        """The database's own key from its row, and the identity that it is wrapped under.

        Raises:
            Sealed: the configured keys do not open it.
        """
        for identity in LEDGER_IDENTITIES:
            with suppress(Sealed):
                return self.unwrap(row.wrapped_by, row.wrapped, identity), identity
        raise Sealed(Sealed.__doc__)

    def keep_copy(self, tx: Tx, key: bytes) -> None:
        """Keep the ledger's key, wrapped, among the data too."""
        wrapped = self.wrap(key, COPY_IDENTITY)
        put(tx, ledger_key_copy, {"id": 1, "wrapped_by": self._wrapping.fingerprint, "wrapped": wrapped})

    def chain_key_from_copy(self, tx: Tx) -> bytes | None:
        """The ledger's key from its copy among the data; None where there is none.

        Raises:
            BadKey: the operator's key for it is not configured.
            Sealed: it does not open, though the key is configured.
        """
        row = tx.execute(select(ledger_key_copy)).one_or_none()
        if row is None:
            return None
        if row.wrapped_by not in self._keys:
            raise BadKey(f"PLC_ENCRYPTION_KEYS lacks the ledger's key; its fingerprint is {row.wrapped_by}.")
        return self.unwrap(row.wrapped_by, row.wrapped, COPY_IDENTITY)

    def save(
        self,
        work: Work,
        kind: str,
        text: str,
        *,
        person_id: UUID,
        account_id: UUID,
        checkin_id: UUID | None,
        at: datetime | None = None,
    ) -> UUID:
        """Seal a new item; its id. ``at``: when it was written, if not now.

        Raises:
            NoKeyYet: :meth:`ensure_keys` comes first.
        """
        item_id = work.new_id()
        owner = work.tx.execute(_OWNER, {"account": account_id}).one()
        identity = _item_identity(item_id, kind, person_id, account_id, checkin_id, owner)
        key = self._key_to_write(work.tx, person_id)
        row = {
            "id": item_id,
            "person_id": person_id,
            "account_id": account_id,
            "kind": kind,
            "checkin_id": checkin_id,
            "key_id": key.id,
            "sealed": _encrypt(key.cipher, text.encode(), identity),
            "at": at or work.now,
        }
        work.tx.execute(insert(vault_item).values(row))
        return item_id

    def replace(self, work: Work, item_id: UUID, text: str) -> None:
        """Seal new text in place of an item's old one.

        Raises:
            NoKeyYet: its author was forgotten at the same moment.
        """
        row = work.tx.execute(ITEMS.where(vault_item.c.id == item_id)).one()
        identity = _item_identity(item_id, row.kind, row.person_id, row.account_id, row.checkin_id, row)
        key = self._key_to_write(work.tx, row.person_id)
        values = {"sealed": _encrypt(key.cipher, text.encode(), identity), "key_id": key.id, "at": work.now}
        work.tx.execute(update(vault_item).where(vault_item.c.id == item_id).values(values))

    def open(self, tx: Tx, item_id: UUID, account_id: UUID) -> str | None:
        """The text, for the account that wrote it; None for everybody else and for items that are gone."""
        query = ITEMS.where(vault_item.c.id == item_id, vault_item.c.account_id == account_id)
        row = tx.execute(query).one_or_none()
        if row is None or not row.sealed:
            return None
        return self.opened(row, self._data_key(tx, row.person_id).cipher)

    def opened(self, row: Any, cipher: AESGCM) -> str:
        """The text of a row of :data:`ITEMS`.

        Raises:
            Sealed: it is not this key's, or it was moved or changed.
        """
        identity = _item_identity(row.id, row.kind, row.person_id, row.account_id, row.checkin_id, row)
        return _decrypt(cipher, row.sealed, identity).decode()

    def bind_to_users(self, tx: Tx) -> None:
        """Seal each item again so that it opens only for its account's platform, tenant and user.

        For items from before, once. One that does not open stays as it is, and ``keys check`` tells of it.
        """
        ciphers: dict[UUID, AESGCM | None] = {}
        for row in tx.execute(ITEMS.where(vault_item.c.sealed != b"")).all():
            if row.person_id not in ciphers:
                ciphers[row.person_id] = self._cipher_if_there(tx, row.person_id)
            cipher = ciphers[row.person_id]
            if cipher is None:
                continue
            with suppress(Sealed):
                clear = _decrypt(cipher, row.sealed, _unbound_identity(row.id, row.kind, row.person_id, row.account_id))
                identity = _item_identity(row.id, row.kind, row.person_id, row.account_id, row.checkin_id, row)
                sealed = {"sealed": _encrypt(cipher, clear, identity)}
                tx.execute(update(vault_item).where(vault_item.c.id == row.id).values(sealed))

    def _cipher_if_there(self, tx: Tx, person_id: UUID) -> AESGCM | None:
        try:
            return self._data_key(tx, person_id).cipher
        except Sealed:
            return None

    def open_shared(self, tx: Tx, item_id: UUID) -> str | None:
        """The text of an item, for a reader whose right to it the caller has checked."""
        author = author_of(tx, item_id)
        return self.open(tx, item_id, author) if author else None

    def _data_key(self, tx: Tx, person_id: UUID) -> DataKey:
        row = tx.execute(select(person_key).where(person_key.c.person_id == person_id)).one_or_none()
        if row is None:
            raise Sealed(Sealed.__doc__)
        return self._unwrapped(row)

    def _key_to_write(self, tx: Tx, person_id: UUID) -> DataKey:
        """The key, locked until this transaction ends: forgetting the person waits for what is written."""
        query = select(person_key).where(person_key.c.person_id == person_id)
        row = tx.execute(query.with_for_update(read=True, key_share=True)).one_or_none()
        if row is None:
            raise NoKeyYet(person_id)
        return self._unwrapped(row)

    def _unwrapped(self, row: Any) -> DataKey:
        return DataKey(row.key_id, AESGCM(self.unwrap(row.wrapped_by, row.wrapped, key_identity(row.person_id))))


def author_of(tx: Tx, item_id: UUID) -> UUID | None:
    """The account that wrote an item; None where the item is gone."""
    account_id: UUID | None = tx.scalar(select(vault_item.c.account_id).where(vault_item.c.id == item_id))
    return account_id


def find(tx: Tx, checkin_id: UUID, kind: str, account_id: UUID) -> VaultItem | None:
    """The item of that kind that this account wrote for a check-in."""
    row = tx.execute(
        select(vault_item.c.id, vault_item.c.kind, vault_item.c.checkin_id, vault_item.c.at).where(
            vault_item.c.checkin_id == checkin_id,
            vault_item.c.kind == kind,
            vault_item.c.account_id == account_id,
        )
    ).one_or_none()
    return VaultItem(*row) if row else None


def remove(tx: Tx, item_id: UUID, account_id: UUID) -> bool:
    """Remove an item; only the account that wrote it can."""
    own = delete(vault_item).where(vault_item.c.id == item_id, vault_item.c.account_id == account_id)
    return tx.execute(own).rowcount == 1


def anything_written(tx: Tx, checkin_id: UUID) -> bool:
    """Whether something was saved for a check-in. Typed words that wait for their author's choice are not saved."""
    saved = (vault_item.c.checkin_id == checkin_id, vault_item.c.kind != UNDECIDED)
    return tx.execute(select(vault_item.c.id).where(*saved)).first() is not None


def destroy(tx: Tx, *which: ColumnElement[bool]) -> int:
    """Remove these items for good, how many. What a dispute names stays as an empty shell: the record needs its row."""
    named = exists().where(dispute.c.item_id == vault_item.c.id)
    emptied = tx.execute(
        update(vault_item).where(*which, named, vault_item.c.sealed != b"").values(sealed=b"")
    ).rowcount
    return emptied + tx.execute(delete(vault_item).where(*which, ~named)).rowcount


def key_identity(person_id: UUID) -> bytes:
    """The associated data that a person's wrapped key is bound to."""
    return b"person-key:" + person_id.bytes


def _item_identity(
    item_id: UUID, kind: str, person_id: UUID, account_id: UUID, checkin_id: UUID | None, owner: Any
) -> bytes:
    """``owner``: the account's platform, tenant and user, so that an account given to somebody else opens nothing."""
    names = json.dumps([owner.platform, owner.tenant, owner.user]).encode()
    about = checkin_id.bytes if checkin_id else bytes(16)
    return b"item-2:" + item_id.bytes + kind.encode() + b":" + person_id.bytes + account_id.bytes + about + names


def _unbound_identity(item_id: UUID, kind: str, person_id: UUID, account_id: UUID) -> bytes:
    """The identity of an item from before it was bound to its user."""
    return b"item:" + item_id.bytes + kind.encode() + b":" + person_id.bytes + account_id.bytes


def _encrypt(cipher: AESGCM, clear: bytes, identity: bytes) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, clear, identity)


def _decrypt(cipher: AESGCM, sealed: bytes, identity: bytes) -> bytes:
    try:
        return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], identity)
    except (InvalidTag, ValueError):  # ValueError: it was emptied, or cut off within its nonce
        raise Sealed(Sealed.__doc__) from None
