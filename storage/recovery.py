"""Going on without a lost key store: the ledger's key comes from its copy, and words that no key opens are removed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, inspect, select, text

from storage import deliveries, forgetting, history, holds, keystore, people
from storage import vault as vaults
from storage.database import KEYS_SCHEMA, Tx
from storage.migrations.append_only import append_only_in
from storage.tables import forgotten, forgotten_key, ledger_key, metadata, person_key, vault_item
from storage.unlock import unlock
from storage.vault import LEDGER_IDENTITY, BadKey, Sealed, Vault, key_identity
from storage.work import Work, put

STORE = (person_key, ledger_key, forgotten_key)


class CannotRecover(Exception):
    """Nothing was changed; the text says why."""


@dataclass(frozen=True, slots=True)
class Lost:
    """Somebody whose words no key opens any more. ``items``: how many; ``held``: a legal hold is on them."""

    person_id: UUID
    name: str
    items: int
    held: bool


@dataclass(frozen=True, slots=True)
class Damage:
    """``ledger``: the ledger's key must come from its copy."""

    people: list[Lost]
    ledger: bool


def damage(tx: Tx, vault: Vault) -> Damage:
    """What is lost. It changes nothing.

    Raises:
        BadKey: one of the operator's keys is not at hand, so nothing is said to be lost.
        CannotRecover: the ledger's key is lost, and there is no copy of it.
    """
    opened = _opened(tx, vault)
    counts: dict[UUID, int] = {}
    query = select(vault_item.c.person_id, vault_item.c.key_id, func.count())
    groups = query.where(vault_item.c.sealed != b"").group_by(vault_item.c.person_id, vault_item.c.key_id)
    for person_id, key_id, count in tx.execute(groups):
        if opened.get(person_id) != key_id:
            counts[person_id] = counts.get(person_id, 0) + count
    names = people.named(tx, counts)
    lost = [Lost(one, names[one], count, holds.of_person(tx, one) is not None) for one, count in counts.items()]
    return Damage(sorted(lost, key=lambda one: (one.name, str(one.person_id))), not _ledger_opens(tx, vault))


def _there(tx: Tx) -> bool:
    return inspect(tx).has_table(person_key.name, schema=KEYS_SCHEMA)


def _opened(tx: Tx, vault: Vault) -> dict[UUID, UUID]:
    """The ids of the data keys that open, by person."""
    found: dict[UUID, UUID] = {}
    for row in tx.execute(select(person_key)) if _there(tx) else ():
        if row.wrapped_by not in vault.fingerprints and keystore.is_fingerprint(row.wrapped_by):
            raise BadKey(
                f"PLC_ENCRYPTION_KEYS lacks the key {row.wrapped_by}. Put it after the others, separated by a comma."
            )
        if _opens(vault, row):
            found[row.person_id] = row.key_id
    return found


def _opens(vault: Vault, row: Any) -> bool:
    try:
        return bool(vault.unwrap(row.wrapped_by, row.wrapped, key_identity(row.person_id)))
    except Sealed:
        return False


def _ledger_opens(tx: Tx, vault: Vault) -> bool:
    row = tx.execute(select(ledger_key)).one_or_none() if _there(tx) else None
    try:
        if row is not None and vault.unwrap_chain_key(row):
            return True
    except Sealed:
        pass
    if _copy(tx, vault) is None:
        raise CannotRecover(
            "The ledger's key is lost, and there is no copy of it among the data. Restore a backup of the key store "
            "(plc-bot restore --keys FILE)."
        )
    return False


def _copy(tx: Tx, vault: Vault) -> bytes | None:
    try:
        return vault.chain_key_from_copy(tx)
    except Sealed:
        return None


def recover(work: Work, vault: Vault) -> Damage:
    """Remove the words that no key opens, tell those who wrote them, and make the key store whole again.

    Raises:
        BadKey, CannotRecover: nothing is changed.
    """
    found = damage(work.tx, vault)
    if held := [one.name for one in found.people if one.held]:
        raise CannotRecover(
            f"A legal hold is on what was written by {', '.join(held)}, so it cannot be removed. End the hold first "
            "(plc-bot person release NAME), or restore a backup of the key store."
        )
    _make_store(work.tx)
    if found.ledger:
        clear = _copy(work.tx, vault) or b""
        wrapped = vault.wrap(clear, LEDGER_IDENTITY)
        put(work.tx, ledger_key, {"id": 1, "wrapped_by": vault.fingerprints[0], "wrapped": wrapped})
    unlock(work.tx, vault, now=work.now)
    opened = _opened(work.tx, vault)
    for one in found.people:
        _remove(work, one, opened.get(one.person_id))
    broken = [row.person_id for row in work.tx.execute(select(person_key)) if not _opens(vault, row)]
    work.tx.execute(delete(person_key).where(person_key.c.person_id.in_(broken)))
    return found


def _make_store(tx: Tx) -> None:
    """An empty key store where there is none, with the list of the forgotten that the data has."""
    if _there(tx):
        return
    if tx.dialect.name != "sqlite":
        tx.execute(text(f"CREATE SCHEMA IF NOT EXISTS {KEYS_SCHEMA}"))
    metadata.create_all(tx, tables=list(STORE))
    for statement in append_only_in(KEYS_SCHEMA, forgotten_key.name, tx.dialect.name):
        tx.exec_driver_sql(statement)
    forgetting.remember(tx, forgetting.listed(tx, (forgotten,)))


def _remove(work: Work, one: Lost, key_id: UUID | None) -> None:
    """Remove what this person wrote under a key that is gone, and tell them."""
    gone = vault_item.c.key_id.is_distinct_from(key_id)
    vaults.destroy(work.tx, vault_item.c.person_id == one.person_id, gone)
    forgetting.clear_marks(work.tx, one.person_id, work.now)
    history.note(work, one.person_id, "keys.lost", None, items=one.items)
    deliveries.to_person(work, "keys.lost", one.person_id, one.person_id, tag=work.now.isoformat())
