"""Shares of a reflection with a mentor, and every reading of one: lines that are only added.

A share holds for the accounts the mentor had when it was made, until its author stops it or the mentor is no
longer a mentor of a cohort in which the author is a mentee.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, insert, or_, select

from storage.checkins.checkins_tables import share, share_reading
from storage.core.database import Tx
from storage.core.work import Work
from storage.outbox import deliveries, kinds
from storage.people import account_links, memberships
from storage.people.people_tables import person
from storage.privacy import holds
from storage.vault import seals, vault
from storage.vault.seals import fits
from storage.vault.vault_tables import vault_item


@dataclass(frozen=True, slots=True)
class Share:
    """A reflection that its author shared with a mentor."""

    id: UUID
    item_id: UUID
    author_id: UUID
    mentor_id: UUID
    mentor: str  # the name
    author: str
    accounts: Sequence[str]  # ids of the mentor's accounts that may open it
    at: datetime
    copy_id: UUID | None  # what the mentor reads; None for a share from before copies were made
    ended_at: datetime | None
    still_theirs: bool  # whether the mentor is still a mentor of the author's

    @property
    def holds(self) -> bool:
        """Whether the mentor may still open it."""
        return self.ended_at is None and self.still_theirs and self.copy_id is not None


_SEALED = ("id", "item_id", "author_id", "mentor_id", "step", "target_id", "accounts", "at", "copy_id", "seal")


def _pairs(tx: Tx, person_ids: Collection[UUID]) -> set[tuple[UUID, UUID]]:
    """The pairs among these people of a mentee and a mentor of their cohort, now."""
    there = memberships.current(tx, person_ids)
    mentees = [membership for membership in there if membership.role == "mentee"]
    mentors = [membership for membership in there if membership.role == "mentor"]
    return {
        (mentee.person_id, mentor.person_id)
        for mentee in mentees
        for mentor in mentors
        if mentee.cohort_id == mentor.cohort_id
    }


def _select(tx: Tx, *where: ColumnElement[bool]) -> list[Share]:
    stop, mentor, author = share.alias("stop"), person.alias("mentor"), person.alias("author")
    columns: list[Any] = [
        share.c.id,
        share.c.item_id,
        share.c.author_id,
        share.c.mentor_id,
        mentor.c.name,
        author.c.name,
        share.c.accounts,
        share.c.at,
        share.c.copy_id,
        stop.c.at,
    ]
    query = (
        select(*columns, *(share.c[name].label(f"share_{name}") for name in _SEALED))
        .join_from(share, mentor, mentor.c.id == share.c.mentor_id)
        .join(author, author.c.id == share.c.author_id)
        .join(stop, stop.c.target_id == share.c.id, isouter=True)
        .where(share.c.step == "shared", *where)
        .order_by(share.c.at, share.c.id)
    )
    rows = [row for row in tx.execute(query) if fits(row.share_seal, seals.of_row(tx, share, _share(row)))]
    theirs = _pairs(tx, {person_id for row in rows for person_id in (row.share_author_id, row.share_mentor_id)})
    return [Share(*[*row[: len(columns)], (row.share_author_id, row.share_mentor_id) in theirs]) for row in rows]


def _share(row: Any) -> dict[str, Any]:
    return {name: getattr(row, f"share_{name}") for name in _SEALED}


def get(tx: Tx, share_id: UUID) -> Share | None:
    """The share of an id, if there is one."""
    shares = _select(tx, share.c.id == share_id)
    return shares[0] if shares else None


def of_items(tx: Tx, item_ids: Sequence[UUID]) -> list[Share]:
    """Every share of these reflections, ended ones too."""
    return _select(tx, share.c.item_id.in_(list(item_ids)))


def of_author(tx: Tx, person_id: UUID) -> list[Share]:
    """What somebody shared, whether it has ended or not."""
    return _select(tx, share.c.author_id == person_id)


def with_mentor(tx: Tx, person_id: UUID) -> list[Share]:
    """What was ever shared with somebody."""
    return _select(tx, share.c.mentor_id == person_id)


def make(work: Work, item_id: UUID, author_id: UUID, mentor_id: UUID, copy_id: UUID) -> UUID:
    """Share a copy of a reflection with a mentor; their message is queued. The caller has checked both."""
    share_id = work.new_id()
    accounts = sorted(str(account.id) for account in account_links.accounts_of(work.tx, mentor_id))
    row = {
        "item_id": item_id,
        "author_id": author_id,
        "mentor_id": mentor_id,
        "accounts": accounts,
        "copy_id": copy_id,
    }
    line = {"id": share_id, "step": "shared", "target_id": None, "at": work.now, "by": author_id, **row}
    work.tx.execute(insert(share).values(seals.sealed(work.tx, share, line)))
    deliveries.to_person(work, kinds.SHARE, mentor_id, share_id)
    _refresh_checkin(work, item_id, copy_id)
    return share_id


def _refresh_checkin(work: Work, *item_ids: UUID | None) -> None:
    """Bring the messages of the check-in up to date, which tell its author who can read what."""
    query = select(vault_item.c.checkin_id).where(vault_item.c.id.in_([id_ for id_ in item_ids if id_ is not None]))
    for checkin_id in set(work.tx.scalars(query)):
        deliveries.refresh(work, checkin_id, kinds.CHECKIN, kinds.CHECKIN_NUDGE)


def stop(work: Work, shared: Share, by: UUID | None) -> None:
    """End a share that has not ended, and destroy its copy unless a legal hold keeps it.

    ``by``: its author; None: it ended by itself.
    """
    row = {
        "id": work.new_id(),
        "item_id": shared.item_id,
        "author_id": shared.author_id,
        "mentor_id": shared.mentor_id,
        "step": "stopped",
        "target_id": shared.id,
        "accounts": [],
        "at": work.now,
        "by": by,
        "copy_id": None,
    }
    work.tx.execute(insert(share).values(seals.sealed(work.tx, share, row)))
    _refresh_checkin(work, shared.item_id, shared.copy_id)
    if shared.copy_id is not None and holds.of_person(work.tx, shared.author_id) is None:
        vault.destroy(work.tx, vault_item.c.id == shared.copy_id)
    deliveries.refresh(work, shared.id, kinds.SHARE)


def end_of_item(work: Work, item_id: UUID) -> None:
    """End a removed reflection's shares, and destroy every copy, those that a legal hold had kept too."""
    for of_item in of_items(work.tx, [item_id]):
        if of_item.ended_at is None:
            stop(work, of_item, of_item.author_id)
        elif of_item.copy_id is not None:
            vault.destroy(work.tx, vault_item.c.id == of_item.copy_id)


def end_lapsed(work: Work, person_id: UUID) -> None:
    """End the shares by or with somebody whose mentor is no longer theirs; called when a membership ends.

    Reading asks the same question each time; ending them makes sure that coming back revives none.
    """
    for shared in _select(work.tx, or_(share.c.author_id == person_id, share.c.mentor_id == person_id)):
        if shared.ended_at is None and not shared.still_theirs:
            stop(work, shared, None)


# Readings ---------------------------------------------------------------------------------------


def note_reading(work: Work, share_id: UUID, account_id: UUID) -> None:
    """Note that an account opened a share. Readings are never removed."""
    row = {"id": work.new_id(), "share_id": share_id, "account_id": account_id, "at": work.now}
    work.tx.execute(insert(share_reading).values(row))


def readings(tx: Tx, share_ids: Sequence[UUID]) -> dict[UUID, list[datetime]]:
    """When each share was read, the first reading first."""
    wanted = share_reading.c.share_id.in_(list(share_ids))
    times: dict[UUID, list[datetime]] = {}
    query = select(share_reading.c.share_id, share_reading.c.at).where(wanted)
    for share_id, at in tx.execute(query.order_by(share_reading.c.at, share_reading.c.id)):
        times.setdefault(share_id, []).append(at)
    return times
