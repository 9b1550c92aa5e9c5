"""Key rotation: rewraps the data keys under the operator's first key, and surveys what opens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Row, Select, bindparam, func, select, update

from program.core.words import counted
from storage.core import processes
from storage.core.database import Tx
from storage.core.processes import Process
from storage.vault import keystore
from storage.vault.operator_keys import BadKey
from storage.vault.vault import ITEMS, Sealed, Vault, key_identity
from storage.vault.vault_tables import ledger_key, ledger_key_copy, person_key, vault_item

BATCH = 200  # data keys rewrapped in one transaction
PAGE = 1000  # items opened in one go


class NotAnnounced(Exception):
    """A running process does not have the new key; the text says which."""


@dataclass(frozen=True, slots=True)
class Step:
    """One transaction's work: data keys rewrapped, those that did not open, and where to go on."""

    done: int
    unopened: int
    last: UUID | None  # None: that was all


def to_rewrap(tx: Tx, vault: Vault) -> int:
    """How many data keys are still to be rewrapped, among those that the configured keys may open."""
    query = select(func.count()).select_from(person_key).where(person_key.c.wrapped_by.in_(vault.fingerprints[1:]))
    return tx.scalar(query) or 0


def rewrap(tx: Tx, vault: Vault, now: datetime, after: UUID, most: int = BATCH) -> Step:
    """Wrap the next data keys under the first key. Stopped anywhere, nothing is lost: what is done stays done.

    Raises:
        NotAnnounced: a running process could not open what would be written.
    """
    _everybody_has(tx, vault, now)
    rows = tx.execute(
        select(person_key)
        .where(person_key.c.wrapped_by.in_(vault.fingerprints[1:]), person_key.c.person_id > after)
        .order_by(person_key.c.person_id)
        .limit(most)
        .with_for_update()
    ).all()
    changed = []
    for row in rows:
        identity = key_identity(row.person_id)
        try:
            clear = vault.unwrap(row.wrapped_by, row.wrapped, identity)
        except Sealed:
            continue
        changed.append({"of": row.person_id, "new": vault.wrap(clear, identity)})
    if changed:
        values = {"wrapped": bindparam("new"), "wrapped_by": vault.fingerprints[0]}
        tx.execute(update(person_key).where(person_key.c.person_id == bindparam("of")).values(values), changed)
    return Step(len(changed), len(rows) - len(changed), rows[-1].person_id if len(rows) == most else None)


def rewrap_ledger(tx: Tx, vault: Vault, now: datetime) -> bool:
    """Wrap the ledger's key under the first key; False where it is already, or there is none."""
    _everybody_has(tx, vault, now)
    row = tx.execute(select(ledger_key).with_for_update()).one_or_none()
    copied = tx.scalar(select(ledger_key_copy.c.wrapped_by))
    if row is None or row.wrapped_by == copied == vault.fingerprints[0]:
        return False
    clear, identity = vault.unwrap_chain_key(row)
    vault.keep_copy(tx, clear)
    tx.execute(update(ledger_key).values(wrapped=vault.wrap(clear, identity), wrapped_by=vault.fingerprints[0]))
    return True


def check_together(tx: Tx, vault: Vault, now: datetime) -> None:
    """Check that a starting process and the running ones can read what each other writes.

    On SQLite no other process runs: one that is still announced there was killed.

    Raises:
        BadKey: names the key, and says what to do.
    """
    if tx.dialect.name == "sqlite":
        return
    first, there = vault.fingerprints[0], [process for process in processes.alive(tx, now) if process.fingerprints]
    if without := [process for process in there if first not in process.fingerprints]:
        raise BadKey(
            f"The first of PLC_ENCRYPTION_KEYS, {first}, is not known to "
            f"{counted(len(without), 'process that runs', 'processes that run')} ({_heard(without, now)}), which could "
            "not read what this one writes. Put the new key second, restart every process, and put it first after "
            f"that. {_KILLED}"
        )
    if others := sorted({process.fingerprints[0] for process in there} - set(vault.fingerprints)):
        raise BadKey(
            f"PLC_ENCRYPTION_KEYS lacks a key that a running process writes with; its fingerprint is {others[0]}. "
            f"Put it after the others, separated by a comma. {_KILLED}"
        )


_KILLED = f"A process that was killed counts for {int(processes.STALE.total_seconds())} s."


def _heard(some: Sequence[Process], now: datetime) -> str:
    return ", ".join(
        f"{process.name}, last heard {int((now - process.seen_at).total_seconds())} s ago" for process in some
    )


def _everybody_has(tx: Tx, vault: Vault, now: datetime) -> None:
    processes.hold_keys(tx)
    without = [process for process in processes.alive(tx, now) if vault.fingerprints[0] not in process.fingerprints]
    if without:
        names = _heard(without, now)
        raise NotAnnounced(
            f"{counted(len(without), 'running process does', 'running processes do')} not have the new key "
            f"{vault.fingerprints[0]} yet ({names}). Put it first in PLC_ENCRYPTION_KEYS, keep the old one after it, "
            f"restart the bot, and rotate again. {_KILLED}"
        )


@dataclass(frozen=True, slots=True)
class Survey:
    """What is wrapped by which key, and what no key opens."""

    wrappings: list[keystore.Wrapping]
    unopened_keys: int  # data keys whose operator's key is configured and does not open them
    ledger_opens: bool
    items: int
    unopened_items: int
    gaps: str  # what the data needs and the key store lacks


def survey(tx: Tx, vault: Vault) -> Survey:
    """Try every data key and every item. No text is kept."""
    opened: dict[UUID, AESGCM] = {}
    unopened_keys = 0
    for row, clear in _tried(tx, vault, select(person_key)):
        if clear is not None:
            opened[row.person_id] = AESGCM(clear)
        else:
            unopened_keys += row.wrapped_by in vault.fingerprints or not keystore.is_fingerprint(row.wrapped_by)
    items, unopened_items = _try_items(tx, vault, opened)
    return Survey(
        keystore.wrappings(tx), unopened_keys, ledger_opens(tx, vault), items, unopened_items, keystore.gaps(tx)
    )


def damaged_keys(tx: Tx, vault: Vault, people: Sequence[UUID] | None = None) -> list[UUID]:
    """Try every data key, or these people's. Returns the people whose keys do not open with the configured keys."""
    query = select(person_key)
    if people is not None:
        query = query.where(person_key.c.person_id.in_(people))
    return [row.person_id for row, clear in _tried(tx, vault, query) if clear is None]


def _tried(tx: Tx, vault: Vault, query: Select[Any]) -> Iterator[tuple[Row[Any], bytes | None]]:
    """Rows of ``person_key`` with their data keys in the clear; None: it does not open."""
    for row in tx.execute(query.execution_options(yield_per=PAGE)):
        try:
            yield row, vault.unwrap(row.wrapped_by, row.wrapped, key_identity(row.person_id))
        except Sealed:
            yield row, None


def ledger_opens(tx: Tx, vault: Vault) -> bool:
    """Whether the configured keys open the ledger's key, or there is none yet."""
    row = tx.execute(select(ledger_key)).one_or_none()
    try:
        return row is None or bool(vault.unwrap_chain_key(row)[0])
    except Sealed:
        return False


def _try_items(tx: Tx, vault: Vault, opened: dict[UUID, AESGCM]) -> tuple[int, int]:
    """How many items there are, and how many of them do not open."""
    items = unopened = 0
    rows = tx.execute(ITEMS.where(vault_item.c.sealed != b"").execution_options(yield_per=PAGE))
    for row in rows:
        items += 1
        try:
            vault.opened(row, opened[row.person_id])
        except (KeyError, Sealed):
            unopened += 1
    return items, unopened
