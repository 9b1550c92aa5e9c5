"""Memberships: who is in which cohort, as what, since when. A row whose seal does not fit counts for nothing."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select

from storage.core.database import Tx, in_ids
from storage.core.work import Work
from storage.people.people_tables import membership
from storage.vault import seals
from storage.vault.seals import fits

# The columns that a seal covers, in its order, and the seal itself.
SEALED = (*seals.COVERED[membership], "seal")


@dataclass(frozen=True, slots=True)
class Membership:
    """Somebody's place in a cohort now."""

    person_id: UUID
    cohort_id: UUID
    role: str  # mentee, mentor


@dataclass(frozen=True, slots=True)
class Joining:
    """Somebody joins a cohort in a role."""

    cohort_id: UUID
    person_id: UUID
    role: str


def row_fits(tx: Tx, row: Sequence[Any]) -> bool:
    """``row``: the columns :data:`SEALED`."""
    return fits(row[6], seals.of_membership(tx, *row[:6]))


def current(tx: Tx, person_ids: Collection[UUID]) -> set[Membership]:
    """The present memberships of these people."""
    if not person_ids:
        return set()
    columns = [membership.c[name] for name in SEALED]
    query = select(*columns).where(in_ids(tx, membership.c.person_id, person_ids), membership.c.until.is_(None))
    return {Membership(row.person_id, row.cohort_id, row.role) for row in tx.execute(query) if row_fits(tx, row)}


def begin(work: Work, joinings: Sequence[Joining]) -> None:
    """Begin these memberships now, in one statement."""
    rows = []
    for joining in joinings:
        row = {
            "id": work.new_id(),
            "cohort_id": joining.cohort_id,
            "person_id": joining.person_id,
            "role": joining.role,
            "since": work.now,
            "until": None,
        }
        rows.append(seals.sealed(work.tx, membership, row))
    if rows:
        work.tx.execute(insert(membership), rows)


def end(work: Work, cohort_id: UUID, person_id: UUID) -> None:
    """End a person's membership of a cohort now. A forged one ends too, and its seal still does not fit."""
    where = (membership.c.cohort_id == cohort_id, membership.c.person_id == person_id, membership.c.until.is_(None))
    for membership_id in work.tx.scalars(select(membership.c.id).where(*where)).all():
        seals.change(work.tx, membership, membership_id, {"until": work.now})
