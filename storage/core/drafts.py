"""A form's values between its steps, or the name of a command until its sender is known. Nothing confidential."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select

from storage.core.core_tables import draft
from storage.core.database import Tx
from storage.core.work import Work


def keep(work: Work, person_id: UUID, kind: str, values: Mapping[str, Any]) -> UUID:
    """Keep the values for the next step; they replace the person's earlier draft of that kind."""
    work.tx.execute(delete(draft).where(draft.c.person_id == person_id, draft.c.kind == kind))
    return _add(work, person_id, kind, values)


def keep_of_account(work: Work, person_id: UUID, kind: str, account: str, values: Mapping[str, Any]) -> UUID:
    """Keep the values with the account; they replace its earlier draft of that kind for the person."""
    forget_of_account(work, person_id, kind, account)
    return _add(work, person_id, kind, {**values, "account": account})


def _add(work: Work, person_id: UUID, kind: str, values: Mapping[str, Any]) -> UUID:
    draft_id = work.new_id()
    row = {"id": draft_id, "person_id": person_id, "kind": kind, "values": dict(values), "at": work.now}
    work.tx.execute(insert(draft).values(row))
    return draft_id


def read(tx: Tx, draft_id: UUID, person_id: UUID, kind: str) -> dict[str, Any] | None:
    """The values; None when they are gone, of another form, or somebody else's."""
    of_form = (draft.c.id == draft_id) & (draft.c.person_id == person_id) & (draft.c.kind == kind)
    query = select(draft.c["values"]).where(of_form)
    values: dict[str, Any] | None = tx.scalar(query)
    return values


def of_account(tx: Tx, person_id: UUID, kind: str, account: str, since: datetime) -> dict[str, Any] | None:
    """The values of an account's draft of a kind for a person; None: there is none, or it is older than ``since``."""
    query = select(draft.c["values"]).where(draft.c.person_id == person_id, draft.c.kind == kind, draft.c.at >= since)
    kept: list[dict[str, Any]] = list(tx.scalars(query))
    return next((values for values in kept if values.get("account") == account), None)


def forget_of_account(work: Work, person_id: UUID, kind: str, account: str) -> None:
    """Delete an account's draft of a kind for a person."""
    query = select(draft.c.id, draft.c["values"]).where(draft.c.person_id == person_id, draft.c.kind == kind)
    theirs = [row.id for row in work.tx.execute(query).all() if row[1].get("account") == account]
    work.tx.execute(delete(draft).where(draft.c.id.in_(theirs)))


def forget(work: Work, kind: str, *, before: datetime) -> None:
    """Delete the drafts of a kind that are older than an instant."""
    work.tx.execute(delete(draft).where(draft.c.kind == kind, draft.c.at < before))


def drop(work: Work, draft_id: UUID) -> None:
    """Delete a draft."""
    work.tx.execute(delete(draft).where(draft.c.id == draft_id))
