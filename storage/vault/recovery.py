"""Recovery from a lost key store: restores the ledger's key from its copy, and removes words that no key opens."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, inspect, select, text

from storage.core import audit_log
from storage.core.columns import metadata
from storage.core.database import KEYS_SCHEMA, Tx
from storage.core.migrations.append_only import append_only_in
from storage.core.work import Work, put
from storage.outbox import deliveries, kinds
from storage.people import people
from storage.privacy import forgetting, holds
from storage.privacy.privacy_tables import forgotten, forgotten_key
from storage.record import checkpoints
from storage.vault import keystore
from storage.vault import vault as vaults
from storage.vault.operator_keys import BadKey
from storage.vault.unlock import unlock
from storage.vault.vault import LEDGER_IDENTITY, Sealed, Vault, key_identity
from storage.vault.vault_tables import ledger_key, person_key, vault_item

STORE = (person_key, ledger_key, forgotten_key)


class CannotRecover(Exception):
    """Nothing was changed; the text says why."""


@dataclass(frozen=True, slots=True)
class Lost:
    """A person whose words no key opens now. ``items``: how many; ``held``: a legal hold is on them."""

    person_id: UUID
    name: str
    items: int
    held: bool


@dataclass(frozen=True, slots=True)
class Damage:
    """What is lost.

    people   whose words no key opens
    unused   how many data keys do not open under which nothing is kept
    tables   those of the key store that are not there
    ledger   the ledger's key must come from its copy
    """

    people: list[Lost]
    unused: int
    tables: tuple[str, ...]
    ledger: bool

    def __bool__(self) -> bool:
        return bool(self.people or self.unused or self.tables or self.ledger)


def damage(tx: Tx, vault: Vault) -> Damage:
    """Find out what is lost. It changes nothing.

    Raises:
        BadKey: one of the operator's keys is not configured, so nothing is said to be lost.
        CannotRecover: the ledger's key is lost, and there is no copy of it.
    """
    gone = _missing_tables(tx)
    opened, closed = _tried(tx, vault, gone)
    counts: dict[UUID, int] = {}
    query = select(vault_item.c.person_id, vault_item.c.key_id, func.count())
    groups = query.where(vault_item.c.sealed != b"").group_by(vault_item.c.person_id, vault_item.c.key_id)
    for person_id, key_id, count in tx.execute(groups):
        if opened.get(person_id) != key_id:
            counts[person_id] = counts.get(person_id, 0) + count
    names = people.named(tx, counts)
    lost = [Lost(id_, names[id_], count, holds.of_person(tx, id_) is not None) for id_, count in counts.items()]
    lost.sort(key=lambda row: (row.name, str(row.person_id)))
    return Damage(lost, len(closed - {*counts}), gone, not _ledger_opens(tx, vault, gone))


def _missing_tables(tx: Tx) -> tuple[str, ...]:
    there = inspect(tx).get_table_names(schema=KEYS_SCHEMA)
    return tuple(table.name for table in STORE if table.name not in there)


def _tried(tx: Tx, vault: Vault, gone: Sequence[str]) -> tuple[dict[UUID, UUID], set[UUID]]:
    """The ids of the data keys that open, by person; and whose do not open.

    Raises:
        BadKey: one of the operator's keys is not configured.
    """
    opened: dict[UUID, UUID] = {}
    closed: set[UUID] = set()
    for row in tx.execute(select(person_key)) if person_key.name not in gone else ():
        if row.wrapped_by not in vault.fingerprints and keystore.is_fingerprint(row.wrapped_by):
            raise BadKey(
                f"PLC_ENCRYPTION_KEYS lacks the key {row.wrapped_by}. Put it after the others, separated by a comma."
            )
        if _opens(vault, row):
            opened[row.person_id] = row.key_id
        else:
            closed.add(row.person_id)
    return opened, closed


def _opens(vault: Vault, row: Any) -> bool:
    try:
        return bool(vault.unwrap(row.wrapped_by, row.wrapped, key_identity(row.person_id)))
    except Sealed:
        return False


def _ledger_opens(tx: Tx, vault: Vault, gone: Sequence[str]) -> bool:
    """Whether the ledger's key in the key store opens and is this database's."""
    row = tx.execute(select(ledger_key)).one_or_none() if ledger_key.name not in gone else None
    key = None
    if row is not None:
        with suppress(Sealed):
            key, _ = vault.unwrap_chain_key(row)
    copied = None
    with suppress(Sealed, *((BadKey,) if key else ())):
        copied = vault.chain_key_from_copy(tx)
    if key and (copied in (None, key) or checkpoints.begun_under(tx, key)):
        return True
    if copied is None:
        raise CannotRecover(
            "The ledger's key is lost, and there is no copy of it among the data. Restore a backup of the key store "
            "(plc-bot restore --keys FILE)."
        )
    return False


def recover(work: Work, vault: Vault, shown: Damage) -> None:
    """Remove the words that no key opens, tell those who wrote them, and make the key store whole again.

    ``shown``: what somebody consented to losing.

    Raises:
        BadKey, CannotRecover: nothing is changed.
    """
    if damage(work.tx, vault) != shown:
        raise CannotRecover("What is lost has changed since then. Run this again.")
    if held := [loss.name for loss in shown.people if loss.held]:
        raise CannotRecover(
            f"A legal hold is on what was written by {', '.join(held)}, so it cannot be removed. End the hold first "
            "(plc-bot person release NAME), or restore a backup of the key store."
        )
    _make_store(work.tx, shown.tables)
    if shown.ledger:
        clear = vault.chain_key_from_copy(work.tx) or b""
        wrapped = vault.wrap(clear, LEDGER_IDENTITY)
        put(work.tx, ledger_key, {"id": 1, "wrapped_by": vault.fingerprints[0], "wrapped": wrapped})
    unlock(work.tx, vault, now=work.now)
    opened, closed = _tried(work.tx, vault, ())
    for loss in shown.people:
        _remove(work, loss, opened.get(loss.person_id))
    work.tx.execute(delete(person_key).where(person_key.c.person_id.in_(closed)))


def _make_store(tx: Tx, gone: Sequence[str]) -> None:
    """Make the tables of the key store that are not there, with the list of the forgotten that the data has."""
    if not gone:
        return
    postgresql = tx.dialect.name != "sqlite"
    if postgresql:
        tx.execute(text(f"CREATE SCHEMA IF NOT EXISTS {KEYS_SCHEMA}"))
    metadata.create_all(tx, tables=[table for table in STORE if table.name in gone])
    if forgotten_key.name not in gone:
        return
    if postgresql:  # the function of its triggers may have stayed when the table went
        tx.execute(text(f"DROP FUNCTION IF EXISTS {KEYS_SCHEMA}.{forgotten_key.name}_refuse()"))
    for statement in append_only_in(KEYS_SCHEMA, forgotten_key.name, tx.dialect.name):
        tx.exec_driver_sql(statement)
    forgetting.remember(tx, forgetting.listed(tx, (forgotten,)))


def _remove(work: Work, loss: Lost, key_id: UUID | None) -> None:
    """Remove what this person wrote under a key that is gone, and tell them."""
    gone = vault_item.c.key_id.is_distinct_from(key_id)
    keys = select(vault_item.c.key_id).where(vault_item.c.person_id == loss.person_id, gone).distinct()
    forgetting.note_lost_keys(work, loss.person_id, [lost for lost in work.tx.scalars(keys) if lost is not None])
    vaults.destroy(work.tx, vault_item.c.person_id == loss.person_id, gone)
    forgetting.clear_marks(work.tx, loss.person_id, work.now)
    audit_log.note(work, loss.person_id, "keys.lost", None, items=loss.items)
    deliveries.to_person(work, kinds.KEYS_LOST, loss.person_id, loss.person_id, tag=work.now.isoformat())
