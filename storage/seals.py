"""Seals of the rows that decide who somebody is, who leads a cohort, and who may read what somebody wrote.

A seal is a MAC of the row's deciding values under the database's own key, which only the operator's key unwraps.
Somebody who writes to the database without that key can make no seal that fits, and a row whose seal does not
fit opens nothing. A row with an older, once valid state and its seal fits again: see ``docs/privacy.md``.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Table, bindparam, select, text, update

from program.chain import mac_of
from storage.database import SEAL_KEY, Tx
from storage.tables import account, dispute, download, installation, membership, person, share


class Locked(Exception):
    """The database was not unlocked with the operator's keys, so nothing can be sealed or checked."""


def key_of(tx: Tx) -> bytes:
    """The database's own key.

    Raises:
        Locked: this transaction's database was not unlocked.
    """
    key: bytes | None = tx.get_execution_options().get(SEAL_KEY)
    if not key:
        raise Locked(Locked.__doc__)
    return key


# One function a kind of row ------------------------------------------------------------------------


def of_account(tx: Tx, account_id: UUID, platform: str, tenant: str, user: str, person_id: UUID | None) -> bytes:
    """The seal of a confirmed link: this account, on this platform and tenant, is this person's."""
    values = {"id": account_id, "platform": platform, "tenant": tenant, "user": user, "person": person_id}
    return mac_of(key_of(tx), "account", values)


def of_coordinator(tx: Tx, person_id: UUID) -> bytes:
    return mac_of(key_of(tx), "coordinator", {"person": person_id})


def of_membership(
    tx: Tx, membership_id: UUID, cohort_id: UUID, person_id: UUID, role: str, since: datetime, until: datetime | None
) -> bytes:
    values = {
        "id": membership_id,
        "cohort": cohort_id,
        "person": person_id,
        "role": role,
        "since": since,
        "until": until,
    }
    return mac_of(key_of(tx), "membership", values)


def of_share(tx: Tx, row: Any) -> bytes:
    """``row``: the columns of ``share``, by name."""
    names = ("id", "item_id", "author_id", "mentor_id", "step", "target_id", "at", "copy_id")
    values = {name: _value(row, name) for name in names}
    return mac_of(key_of(tx), "share", {**values, "accounts": list(_value(row, "accounts"))})


def of_dispute(tx: Tx, row: Any) -> bytes:
    """``row``: the columns of ``dispute``, by name."""
    names = ("id", "person_id", "line_id", "about_id", "item_id", "with_mentors", "opened_at")
    return mac_of(key_of(tx), "dispute", {name: _value(row, name) for name in names})


def of_download(tx: Tx, row: Any) -> bytes:
    """``row``: the columns of ``download``, by name."""
    names = ("person_id", "what", "subject", "format", "expires_at")
    values = {name: _value(row, name) for name in names}
    return mac_of(key_of(tx), "download", {**values, "token": _value(row, "token_hash").hex()})


def _value(row: Any, name: str) -> Any:
    return row[name] if isinstance(row, dict) else getattr(row, name)


def fits(seal: bytes | None, expected: bytes) -> bool:
    """Whether a row's seal is the expected one; a row without a seal never fits."""
    return seal is not None and hmac.compare_digest(bytes(seal), expected)


# All rows ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Misfit:
    """A row whose seal does not fit. ``table``: its table; ``person_id``: whom it is about, if anybody."""

    table: str
    id: UUID
    person_id: UUID | None


_ACCOUNTS = (
    select(account.c.id, installation.c.platform, installation.c.tenant, account.c.user, account.c.person_id)
    .add_columns(account.c.seal)
    .join_from(account, installation)
    .where(account.c.link == "confirmed")
)
_MEMBERSHIPS = select(
    membership.c.id,
    membership.c.cohort_id,
    membership.c.person_id,
    membership.c.role,
    membership.c.since,
    membership.c.until,
    membership.c.seal,
)
_COORDINATORS = select(person.c.id, person.c.coordinator_seal).where(person.c.coordinator)


def misfits(tx: Tx) -> list[Misfit]:
    """Every row whose seal does not fit, table by table."""
    rows = [("account", row[0], row[4], row[5], of_account(tx, *row[:5])) for row in tx.execute(_ACCOUNTS)]
    rows += [("membership", row[0], row[2], row[6], of_membership(tx, *row[:6])) for row in tx.execute(_MEMBERSHIPS)]
    rows += [("coordinator", row[0], row[0], row[1], of_coordinator(tx, row[0])) for row in tx.execute(_COORDINATORS)]
    rows += [("share", row.id, row.author_id, row.seal, of_share(tx, row)) for row in tx.execute(select(share))]
    rows += [("dispute", row.id, row.person_id, row.seal, of_dispute(tx, row)) for row in tx.execute(select(dispute))]
    return [Misfit(table, id_, person_id) for table, id_, person_id, seal, right in rows if not fits(seal, right)]


def seal_accounts(tx: Tx, ids: Sequence[UUID]) -> None:
    """Seal the confirmed links among these accounts after they were written."""
    for row in tx.execute(_ACCOUNTS.where(account.c.id.in_(list(ids)))).all():
        tx.execute(update(account).where(account.c.id == row[0]).values(seal=of_account(tx, *row[:5])))


def seal_everything(tx: Tx) -> None:
    """Seal all rows as they are. Only for a database from before there were seals, once."""
    _set(tx, account, "seal", {row[0]: of_account(tx, *row[:5]) for row in tx.execute(_ACCOUNTS)})
    _set(tx, membership, "seal", {row[0]: of_membership(tx, *row[:6]) for row in tx.execute(_MEMBERSHIPS)})
    _set(tx, person, "coordinator_seal", {row[0]: of_coordinator(tx, row[0]) for row in tx.execute(_COORDINATORS)})
    with _changeable(tx, share):
        _set(tx, share, "seal", {row.id: of_share(tx, row) for row in tx.execute(select(share))})
    _set(tx, dispute, "seal", {row.id: of_dispute(tx, row) for row in tx.execute(select(dispute))})
    tx.execute(download.delete())  # they last minutes


@contextmanager
def _changeable(tx: Tx, table: Table) -> Iterator[None]:
    """For the moment, rows of an append-only table may be changed."""
    if tx.dialect.name == "sqlite":
        name = f"{table.name}_no_update"
        trigger = tx.scalar(text("SELECT sql FROM main.sqlite_master WHERE name = :name"), {"name": name})
        tx.execute(text(f"DROP TRIGGER {name}"))
        yield
        tx.exec_driver_sql(str(trigger))
    else:
        name = f"{table.name}_no_change"
        tx.execute(text(f"ALTER TABLE {table.name} DISABLE TRIGGER {name}"))
        yield
        tx.execute(text(f"ALTER TABLE {table.name} ENABLE TRIGGER {name}"))


def _set(tx: Tx, table: Table, column: str, seals: dict[UUID, bytes]) -> None:
    if seals:
        statement = update(table).where(table.c.id == bindparam("row")).values({column: bindparam("mac")})
        tx.execute(statement, [{"row": row, "mac": mac} for row, mac in seals.items()])
