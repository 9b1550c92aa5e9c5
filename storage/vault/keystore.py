"""The key store: whose data key is there, and which of the operator's keys wraps it. It opens nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import exists, func, select

from program.core.words import counted
from storage.core.database import Tx
from storage.people.people_tables import person
from storage.record.record_tables import ledger_head
from storage.vault.vault_tables import ledger_key, ledger_key_copy, person_key, vault_item

FINGERPRINT = re.compile(r"[0-9a-f]{16}", re.ASCII)
RESTORE = "restore its newest backup (plc-bot restore --keys FILE). Where there is none, run plc-bot keys recover."


@dataclass(frozen=True, slots=True)
class Wrapping:
    """What one of the operator's keys wraps: how many people's data keys, and whether the ledger's."""

    fingerprint: str
    people: int
    ledger: bool

    @property
    def words(self) -> str:
        """What a key wraps, in words."""
        return counted(self.people, "person", "people") + (" and the ledger" if self.ledger else "")


def wrappings(tx: Tx, *, with_copy: bool = True) -> list[Wrapping]:
    """What each of the operator's keys wraps; ``with_copy``: the copy of the ledger's key counts, too."""
    rows = tx.execute(select(person_key.c.wrapped_by, func.count()).group_by(person_key.c.wrapped_by))
    people: dict[str, int] = {row[0]: row[1] for row in rows}
    ledger = {*tx.scalars(select(ledger_key.c.wrapped_by))}
    if with_copy:
        ledger |= {*tx.scalars(select(ledger_key_copy.c.wrapped_by))}
    return [Wrapping(row, people.get(row, 0), row in ledger) for row in sorted({*people, *ledger})]


def is_fingerprint(text: str) -> bool:
    """Whether a key can have this fingerprint. A row that names none is damaged; no key is missing for it."""
    return FINGERPRINT.fullmatch(text) is not None


def listed(wrappings: Sequence[Wrapping]) -> str:
    """Fingerprints with what each wraps, in one sentence's words."""
    return ", ".join(f"{wrapping.fingerprint} ({wrapping.words})" for wrapping in wrappings)


def gaps(tx: Tx) -> str:
    """What the data needs and the key store lacks, because it is lost or of another day; empty: nothing."""
    has_key = exists().where(person_key.c.person_id == person.c.id)
    wrote = exists().where(vault_item.c.person_id == person.c.id, vault_item.c.sealed != b"")
    keyless = tx.scalar(select(func.count()).select_from(person).where(wrote, ~has_key)) or 0
    if keyless:
        return (
            f"The data keys of {counted(keyless, 'person', 'people')} who wrote something are missing. The key store "
            f"is lost, or older than the data: {RESTORE}"
        )
    return ledger_gap(tx)


def ledger_gap(tx: Tx) -> str:
    """What the key store lacks of the ledger's key; empty: nothing."""
    if tx.scalar(select(ledger_key.c.id)) is not None:
        return ""
    used = any(tx.execute(select(column).limit(1)).first() for column in (ledger_head.c.position, ledger_key_copy.c.id))
    if not used:
        return ""
    return f"The ledger's key is missing, so its lines cannot be checked. The key store is lost: {RESTORE}"
