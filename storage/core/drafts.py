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


def newest(tx: Tx, person_id: UUID, kind: str, since: datetime) -> dict[str, Any] | None:
    """The values of a person's draft of a kind; None when there is none, or it is older than ``since``."""
    query = select(draft.c["values"]).where(draft.c.person_id == person_id, draft.c.kind == kind, draft.c.at >= since)
    values: dict[str, Any] | None = tx.scalar(query)
    return values


def forget(work: Work, kind: str, *, before: datetime | None = None, person_id: UUID | None = None) -> None:
    """Delete the drafts of a kind: those before an instant, and of one person where given."""
    old = () if before is None else (draft.c.at < before,)
    theirs = () if person_id is None else (draft.c.person_id == person_id,)
    work.tx.execute(delete(draft).where(draft.c.kind == kind, *old, *theirs))


def drop(work: Work, draft_id: UUID) -> None:
    """Delete a draft."""
    work.tx.execute(delete(draft).where(draft.c.id == draft_id))
