"""What an account sees of its person's check-ins.

The accounts of a person share everything. But an account that was linked after another one lost its link, as when it
replaced it, sees only what came since it was linked, and what was chosen or written with itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select, true

from storage.core.database import Tx
from storage.people.people_tables import account


@dataclass(frozen=True, slots=True)
class AccountView:
    """``since``: the account sees what came after that; None: whatever the accounts of its person share."""

    account_id: UUID
    since: datetime | None = None

    def is_after(self, at: ColumnElement[datetime]) -> ColumnElement[bool]:
        """The condition that a row is recent enough for this account, whichever account it is from."""
        return true() if self.since is None else at > self.since

    def sees(self, at: ColumnElement[datetime], by: ColumnElement[UUID]) -> ColumnElement[bool]:
        """The condition that this account sees a row of a time, made by an account."""
        return or_(self.is_after(at), by == self.account_id)


def view_of(tx: Tx, account_id: UUID) -> AccountView:
    """What an account sees."""
    return AccountView(account_id, tx.scalar(select(account.c.sees_from).where(account.c.id == account_id)))
