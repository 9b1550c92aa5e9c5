"""An account that was linked after another one of its person lost its link sees of check-ins what came after that"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from alembic import op

revision = "0017_account_views"
down_revision = "0016_gone_reports"

TIME = sa.DateTime(timezone=True)
account = sa.table(
    "account",
    sa.column("id", sa.Uuid()),
    sa.column("installation_id", sa.Uuid()),
    sa.column("person_id", sa.Uuid()),
    sa.column("link", sa.String()),
    sa.column("linked_at", TIME),
    sa.column("sees_from", TIME),
)
history = sa.table(
    "history",
    sa.column("at", TIME),
    sa.column("subject", sa.Uuid()),
    sa.column("what", sa.String()),
    sa.column("detail", sa.JSON()),
)


def upgrade() -> None:
    tx = op.get_bind()
    op.add_column("account", sa.Column("sees_from", TIME, nullable=True))
    places = {row.id: row.installation_id for row in tx.execute(sa.select(account.c.id, account.c.installation_id))}
    late = list(_linked_after_another(tx, places))
    if late:
        linked = account.c.link == "confirmed"
        tx.execute(sa.update(account).where(linked, account.c.id.in_(late)).values(sees_from=account.c.linked_at))
    op.drop_column("account", "linked_at")


def _linked_after_another(tx: Any, places: dict[UUID, UUID]) -> Iterator[UUID]:
    """The accounts that were linked to somebody one of whose accounts had lost its link, or lost it to them.

    In a workspace somebody has one account: the one that was linked there last. An account is one person's at a time.
    """
    query = sa.select(history.c.subject, history.c.detail).where(history.c.what == "account.linked")
    owners: dict[UUID, UUID] = {}  # the accounts that are linked, and to whom
    theirs: dict[UUID, set[UUID]] = {}  # the same by person
    lost: set[UUID] = set()  # people of whom an account was unlinked
    late: dict[UUID, bool] = {}
    for row in tx.execute(query.order_by(history.c.at)):
        account_id = UUID(row.detail["account"]) if row.detail.get("account") else None
        if account_id not in places:
            continue
        linked = theirs.setdefault(row.subject, set())
        gone = {other for other in linked if places[other] == places[account_id]} | {account_id} & owners.keys()
        for other in gone - (linked & {account_id}):
            theirs[owners[other]].discard(other)
            lost.add(owners.pop(other))
        late[account_id] = row.subject in lost
        owners[account_id] = row.subject
        linked.add(account_id)
    yield from (account_id for account_id, is_late in late.items() if is_late)
