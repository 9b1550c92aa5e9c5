"""Choices about check-ins and pauses belong to the accounts that made them; when an account was linked is noted"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from alembic import op

from storage.core.migrations.append_only import append_only

revision = "0015_choices"
down_revision = "0014_homes"

TIME = sa.DateTime(timezone=True)
account = sa.table(
    "account",
    sa.column("id", sa.Uuid()),
    sa.column("person_id", sa.Uuid()),
    sa.column("link", sa.String()),
    sa.column("linked_at", TIME),
    sa.column("checkins", sa.Boolean()),
    sa.column("snoozed_until", sa.Date()),
)
person = sa.table(
    "person",
    sa.column("id", sa.Uuid()),
    sa.column("checkins", sa.Boolean()),
    sa.column("snoozed_until", sa.Date()),
)
history = sa.table(
    "history",
    sa.column("at", TIME),
    sa.column("subject", sa.Uuid()),
    sa.column("what", sa.String()),
    sa.column("detail", sa.JSON()),
)
consent = sa.table(
    "consent",
    sa.column("id", sa.Uuid()),
    sa.column("person_id", sa.Uuid()),
    sa.column("account_id", sa.Uuid()),
    sa.column("at", TIME),
)

Links = dict[UUID, list[tuple[datetime, UUID]]]  # by person: when, and which account


def upgrade() -> None:
    tx = op.get_bind()
    op.add_column("account", sa.Column("linked_at", TIME, nullable=True))
    op.add_column("account", sa.Column("checkins", sa.Boolean(), nullable=True))
    op.add_column("account", sa.Column("snoozed_until", sa.Date(), nullable=True))
    op.add_column("consent", sa.Column("account_id", sa.Uuid(), nullable=True))
    links = _links(tx)
    for linked in links.values():
        for at, account_id in linked:  # the last time last
            there = sa.update(account).where(account.c.id == account_id, account.c.link == "confirmed")
            tx.execute(there.values(linked_at=at))
    _move_pauses(tx)
    _note_who_decided(tx, links)
    op.drop_column("person", "checkins")
    op.drop_column("person", "snoozed_until")


def _links(tx: Any) -> Links:
    links: Links = {}
    query = sa.select(history.c.subject, history.c.at, history.c.detail).where(history.c.what == "account.linked")
    for row in tx.execute(query.order_by(history.c.at)):
        if row.detail.get("account"):
            links.setdefault(row.subject, []).append((row.at, UUID(row.detail["account"])))
    return links


def _move_pauses(tx: Any) -> None:
    rows = sa.select(person).where(sa.or_(person.c.checkins.is_not(None), person.c.snoozed_until.is_not(None)))
    for row in tx.execute(rows).all():
        theirs = sa.update(account).where(account.c.person_id == row.id, account.c.link == "confirmed")
        tx.execute(theirs.values(checkins=row.checkins, snoozed_until=row.snoozed_until))


def _note_who_decided(tx: Any, links: Links) -> None:
    """The account that was linked last when somebody decided. Rows of this table are only added, but for this once."""
    for statement in _dropped(tx.dialect.name):
        op.execute(statement)
    for row in tx.execute(sa.select(consent)).all():
        before = [account_id for at, account_id in links.get(row.person_id, []) if at <= row.at]
        if before:
            tx.execute(sa.update(consent).where(consent.c.id == row.id).values(account_id=before[-1]))
    for statement in append_only("consent", tx.dialect.name):
        op.execute(statement)


def _dropped(dialect: str) -> tuple[str, ...]:
    if dialect == "sqlite":
        return ("DROP TRIGGER consent_no_update", "DROP TRIGGER consent_no_delete")
    return (
        "DROP TRIGGER consent_no_change ON consent",
        "DROP TRIGGER consent_no_truncate ON consent",
        "DROP FUNCTION consent_refuse()",
    )
