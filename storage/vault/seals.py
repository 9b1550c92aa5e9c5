"""Seals of the rows that decide who somebody is, who may read what, and what a standing or certificate rests on.

A seal is a MAC of the row's deciding values under the database's own key, which only the operator's key unwraps.
Somebody who writes to the database without that key can make no seal that fits, and a row whose seal does not
fit opens nothing. A row with an older, once valid state and its seal fits again: see ``docs/privacy.md``.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Table, bindparam, null, select, text, update

from program.record.chain import mac_of
from storage.checkins.checkins_tables import share
from storage.core.columns import APPEND_ONLY
from storage.core.core_tables import program
from storage.core.database import SEAL_KEY, Tx
from storage.meetings.meetings_tables import meeting, summary
from storage.outbox.outbox_tables import installation
from storage.people.people_tables import account, gone_report, membership, person, replacement
from storage.program_desk.program_desk_tables import download
from storage.record.record_tables import amendment, certificate, dispute, enrolment, ledger_line, policy


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
    """The seal of somebody's coordinator role."""
    return mac_of(key_of(tx), "coordinator", {"person": person_id})


# The columns that the seal of a table's rows covers: everything that decides what the row means.
COVERED: Mapping[Table, tuple[str, ...]] = {
    program: ("id", "name", "example", "zone"),
    person: ("id", "name", "email"),
    account: ("id", "installation_id", "user", "email", "member"),
    membership: ("id", "cohort_id", "person_id", "role", "since", "until"),
    share: ("id", "item_id", "author_id", "mentor_id", "step", "target_id", "at", "copy_id", "accounts"),
    dispute: ("id", "person_id", "line_id", "about_id", "item_id", "with_mentors", "opened_at"),
    download: ("person_id", "what", "subject", "format", "expires_at", "token_hash"),
    enrolment: ("id", "person_id", "policy", "starts", "district", "track", "version"),
    policy: ("name", "text", "holds_from", "adopted_at", "by"),
    amendment: ("id", "policy", "path", "value", "at", "by"),
    replacement: ("id", "person_id", "account_id", "asked_at", "holds_from", "outcome"),
    gone_report: ("id", "replacement_id", "at"),
    meeting: (
        "id",
        "cohort_id",
        "topic",
        "zone",
        "local_start",
        "starts_at",
        "ends_at",
        "cancelled_at",
        "version",
    ),
    summary: ("id", "meeting_id", "version", "topics", "withdrawn_at"),
    ledger_line: ("id", "enrolment_id", "position", "mark"),
    certificate: ("id", "enrolment_id", "number", "code", "name", "policy", "issued_at"),
}


_SEAL_COLUMNS = {account: "facts_seal"}  # its seal is that of the link


def column_of(table: Table) -> str:
    """The column with the seal of the columns in :data:`COVERED`."""
    return _SEAL_COLUMNS.get(table, "seal")


def of_membership(tx: Tx, *values: Any) -> bytes:
    """``values``: the columns of a membership in the order of :data:`COVERED`."""
    return of_row(tx, membership, dict(zip(COVERED[membership], values, strict=True)))


def of_row(tx: Tx, table: Table, row: Any) -> bytes:
    """The seal of a row of one of the tables in :data:`COVERED`. ``row``: its columns by name; none of them: null."""
    return mac_of_row(key_of(tx), table, row)


def mac_of_row(key: bytes, table: Table, row: Any) -> bytes:
    """The seal of a row under the database's own key."""
    return mac_of(key, table.name, {name: _value(row, name) for name in COVERED[table]})


def _value(row: Any, name: str) -> Any:
    return row.get(name) if isinstance(row, dict) else getattr(row, name)


def sealed(tx: Tx, table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    """A new row of one of these tables, with its seal, for an insert."""
    return {**row, column_of(table): of_row(tx, table, dict(row))}


def change(tx: Tx, table: Table, row_id: UUID | int, values: Mapping[str, Any], *where: ColumnElement[bool]) -> bool:
    """Change a sealed row and its seal; False where it is not there, or not as ``where`` says.

    A row that was changed outside the program gets no new seal, so it stays reported.
    """
    row = tx.execute(select(table).where(table.c.id == row_id, *where).with_for_update()).mappings().one_or_none()
    if row is None:
        return False
    before = dict(row)
    if fits(row["seal"], of_row(tx, table, before)):
        values = sealed(tx, table, {**before, **values})
    tx.execute(update(table).where(table.c.id == row_id).values(values))
    return True


def fits(seal: bytes | None, expected: bytes) -> bool:
    """Whether a row's seal is the expected one; a row without a seal never fits."""
    return seal is not None and hmac.compare_digest(bytes(seal), expected)


# All rows ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Misfit:
    """A row whose seal does not fit. ``id``: a policy's name, or the row's id; ``person_id``: whose it is."""

    table: str
    id: UUID | str
    person_id: UUID | None


_ACCOUNTS = (
    select(account.c.id, installation.c.platform, installation.c.tenant, account.c.user, account.c.person_id)
    .add_columns(account.c.seal)
    .join_from(account, installation)
    .where(account.c.link == "confirmed")
)
_COORDINATORS = select(person.c.id, person.c.coordinator_seal).where(person.c.coordinator)
# The tables that say who is who and who may read what, and those that a standing or a certificate rests on.
WHO_MAY_READ = (share, dispute)
ADDRESSES = (person, account)
RECORDS = (program, enrolment, policy, amendment, meeting, summary, ledger_line, certificate)
# The column of each table that leads to the person a row is about.
_PERSON = {
    share: share.c.author_id,
    dispute: dispute.c.person_id,
    enrolment: enrolment.c.person_id,
    membership: membership.c.person_id,
    person: person.c.id,
    account: account.c.person_id,
}
_OF_ENROLMENT = (ledger_line, certificate)


def misfits(tx: Tx) -> list[Misfit]:
    """Every row beside the records whose seal does not fit, table by table."""
    rows = [("account", row[0], row[4], row[5], of_account(tx, *row[:5])) for row in tx.execute(_ACCOUNTS)]
    rows += [("coordinator", row[0], row[0], row[1], of_coordinator(tx, row[0])) for row in tx.execute(_COORDINATORS)]
    wrong = [Misfit(table, id_, person_id) for table, id_, person_id, seal, right in rows if not fits(seal, right)]
    return wrong + [misfit for table in (membership, *WHO_MAY_READ, *ADDRESSES) for misfit in misfits_of(tx, table)]


def misfits_of(tx: Tx, table: Table, *where: ColumnElement[bool]) -> list[Misfit]:
    """The rows of one of the tables in :data:`COVERED` whose seal does not fit."""
    key, names = key_of(tx), COVERED[table]
    seal = table.c[column_of(table)].label("its_seal")
    query = select(*(table.c[name] for name in names), seal, _person_of(table).label("whose"))
    if table in _OF_ENROLMENT:
        query = query.join_from(table, enrolment)
    called = "address" if table in ADDRESSES else table.name
    return [
        Misfit(called, row[0], row.whose)
        for row in tx.execute(query.where(*where))
        if not fits(row.its_seal, mac_of_row(key, table, row))
    ]


def _person_of(table: Table) -> ColumnElement[Any]:
    return enrolment.c.person_id if table in _OF_ENROLMENT else _PERSON.get(table, null())


def seal_accounts(tx: Tx, ids: Sequence[UUID]) -> None:
    """Seal the confirmed links among these accounts after they were written."""
    for row in tx.execute(_ACCOUNTS.where(account.c.id.in_(list(ids)))).all():
        tx.execute(update(account).where(account.c.id == row[0]).values(seal=of_account(tx, *row[:5])))


def seal_everything(tx: Tx) -> None:
    """Seal all rows as they are. Only for a database from before there were seals, once."""
    _set(tx, account, "seal", {row[0]: of_account(tx, *row[:5]) for row in tx.execute(_ACCOUNTS)})
    _set(tx, person, "coordinator_seal", {row[0]: of_coordinator(tx, row[0]) for row in tx.execute(_COORDINATORS)})
    for table in (membership, *WHO_MAY_READ):
        _seal_table(tx, table)
    tx.execute(download.delete())  # they last minutes
    seal_records(tx)


def seal_records(tx: Tx) -> None:
    """Seal addresses, and what standings and certificates rest on, as it is. Only where it was never sealed, once."""
    for table in (*ADDRESSES, *RECORDS):
        _seal_table(tx, table)


def _seal_table(tx: Tx, table: Table) -> None:
    rows = tx.execute(select(*(table.c[name] for name in COVERED[table])))
    seals = {row[0]: of_row(tx, table, row) for row in rows}
    with _changeable(tx, table) if table.name in APPEND_ONLY else nullcontext():
        _set(tx, table, column_of(table), seals)


@contextmanager
def _changeable(tx: Tx, table: Table) -> Iterator[None]:
    """Disable the trigger of an append-only table until the block ends."""
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


def _set(tx: Tx, table: Table, column: str, seals: Mapping[UUID | str, bytes]) -> None:
    if seals:
        (primary,) = table.primary_key
        statement = update(table).where(primary == bindparam("row")).values({column: bindparam("mac")})
        tx.execute(statement, [{"row": row, "mac": mac} for row, mac in seals.items()])
