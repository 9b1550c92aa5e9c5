"""Retention: a cohort may set after how many months what was written in check-ins is deleted. Off by default."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import case, select

from program.privacy.retention import kept_since, months_for
from storage.core.database import Tx
from storage.core.work import Work
from storage.people.people_tables import cohort, membership
from storage.privacy import holds
from storage.vault import vault
from storage.vault.vault_tables import vault_item

KINDS = ("reflection", "shared", "pulse")
CHUNK = 500  # people in one statement


def of_person(tx: Tx, person_id: UUID) -> int | None:
    """After how many months what this person writes is deleted; None: it is kept."""
    limits = _limits(tx, [person_id], None).get(person_id, [])
    return months_for(limits)


def delete_expired(work: Work) -> int:
    """Delete what is past its cohort's limit, save what a legal hold keeps; how many items that were."""
    writers = _writers(work.tx)
    if not writers:
        return 0
    held = holds.held_people(work.tx)
    by_months: dict[int, list[UUID]] = {}
    for person_id, limits in _limits(work.tx, writers, work.now).items():
        months = months_for(limits)
        if months is not None and person_id not in held:
            by_months.setdefault(months, []).append(person_id)
    return sum(
        vault.destroy(
            work.tx,
            vault_item.c.person_id.in_(people[at : at + CHUNK]),
            vault_item.c.kind.in_(KINDS),
            vault_item.c.at < kept_since(work.now, months),
        )
        for months, people in by_months.items()
        for at in range(0, len(people), CHUNK)
    )


def _writers(tx: Tx) -> list[UUID]:
    """Those who wrote something and are or were in a cohort with a limit."""
    limited = (
        select(membership.c.person_id)
        .join_from(membership, cohort)
        .where(cohort.c.retention_months.is_not(None), membership.c.person_id == vault_item.c.person_id)
    )
    return list(tx.scalars(select(vault_item.c.person_id).where(limited.exists()).distinct()))


def _limits(tx: Tx, people: Iterable[UUID], now: datetime | None) -> dict[UUID, list[int | None]]:
    """The limits of each person's cohorts: those they are in, or else those they were in.

    ``now``: a limit that nobody could know of for long enough does not count yet.
    """
    months = cohort.c.retention_months
    limit = months if now is None else case((cohort.c.retention_from <= now, months), else_=None)
    wanted = list(people)
    limits: dict[UUID, tuple[list[int | None], list[int | None]]] = {}
    for at in range(0, len(wanted), CHUNK):
        rows = tx.execute(
            select(membership.c.person_id, membership.c.until.is_(None), limit)
            .join_from(membership, cohort)
            .where(membership.c.person_id.in_(wanted[at : at + CHUNK]))
        )
        for person_id, present, row in rows:
            limits.setdefault(person_id, ([], []))[not present].append(row)
    return {person_id: here or former for person_id, (here, former) in limits.items()}
