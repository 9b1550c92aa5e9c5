"""Replacing somebody's account: requested, announced to the accounts they have, and done after some days.

An account in the same workspace or tenant replaces the earlier one; an account elsewhere is an additional one.
An account that can't be told is replaced on a report of the operator that it is gone, some days after that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, func, insert, select

from storage.core import audit_log
from storage.core.database import Tx
from storage.core.work import Work
from storage.outbox import kinds
from storage.outbox.outbox_tables import delivery
from storage.people.people_tables import account, gone_report, replacement
from storage.vault import seals

WAIT = timedelta(days=3)
NOTICE = kinds.IDENTITY_REPLACING  # the kind of the message to the accounts that somebody has


class AlreadyAsked(Exception):
    """A replacement of this person's account waits already."""


@dataclass(frozen=True, slots=True)
class Replacement:
    """An account that is to replace somebody's earlier one."""

    id: UUID
    person_id: UUID
    account_id: UUID  # the new one
    holds_from: datetime  # at the earliest: the days count from when the notice was sent
    outcome: str = ""  # empty while it waits; done, stopped, dropped


def ask(work: Work, person_id: UUID, account_id: UUID, by: UUID | None) -> Replacement:
    """Ask for a replacement, which holds :data:`WAIT` after the notice of it was sent.

    Raises:
        AlreadyAsked: one waits already.
    """
    open_request = select(replacement.c.id).where(replacement.c.person_id == person_id, replacement.c.outcome == "")
    if work.tx.execute(open_request).first() is not None:
        raise AlreadyAsked(AlreadyAsked.__doc__)
    asked = Replacement(work.new_id(), person_id, account_id, work.now + WAIT)
    row = {**asdict(asked), "asked_at": work.now}
    work.tx.execute(insert(replacement).values(seals.sealed(work.tx, replacement, row)))
    audit_log.note(work, person_id, "account.replacing", by, account=str(account_id))
    return asked


def find(tx: Tx, replacement_id: UUID) -> Replacement | None:
    """A replacement; None where there is none, or it was changed outside the program."""
    row = tx.execute(select(replacement).where(replacement.c.id == replacement_id)).one_or_none()
    if row is None or not seals.fits(row.seal, seals.of_row(tx, replacement, row)):
        return None
    return Replacement(row.id, row.person_id, row.account_id, row.holds_from, row.outcome)


def find_open(tx: Tx, replacement_id: UUID) -> Replacement | None:
    """A replacement that waits; None where it was settled, or was changed outside the program."""
    asked = find(tx, replacement_id)
    return asked if asked is not None and not asked.outcome else None


def accounts_to_tell(tx: Tx, asked: Replacement) -> set[UUID]:
    """The accounts that must be told: the one that loses its link, or all where none loses it.

    An account whose seal does not fit is among them, since it loses its link too.
    """
    theirs = select(account.c.id, account.c.installation_id).where(
        account.c.person_id == asked.person_id, account.c.link == "confirmed", account.c.id != asked.account_id
    )
    rows = tx.execute(theirs).all()
    place = tx.scalar(select(account.c.installation_id).where(account.c.id == asked.account_id))
    replaced = [row for row in rows if row.installation_id == place]
    return {row.id for row in replaced or rows}


def told_at(tx: Tx, asked: Replacement) -> datetime | None:
    """When the notice was first sent to an account of :func:`accounts_to_tell`; None: it was not."""
    to_tell = accounts_to_tell(tx, asked)
    query = select(func.min(delivery.c.settled_at)).where(
        *_notice_of(asked), delivery.c.state == "sent", delivery.c.account_id.in_(to_tell)
    )
    at: datetime | None = tx.scalar(query)
    return at


def is_being_told(tx: Tx, asked: Replacement) -> bool:
    """Whether a notice to an account of :func:`accounts_to_tell` still waits to be sent."""
    to_tell = accounts_to_tell(tx, asked)
    query = select(delivery.c.id).where(
        *_notice_of(asked), delivery.c.state.in_(("queued", "sending")), delivery.c.account_id.in_(to_tell)
    )
    return tx.execute(query.limit(1)).first() is not None


@dataclass(frozen=True, slots=True)
class Try:
    """The newest try to tell an account."""

    user: str
    at: datetime | None  # when it was queued; None: there was none
    state: str
    unreachable: bool  # it failed, and the platform said that it can't reach this account
    reason: str
    must: bool  # it is one of :func:`accounts_to_tell`

    def is_settled(self, since: datetime | None) -> bool:
        """Whether the account can't be reached; for one that need not be told, also whether it was told."""
        gone = self.state == "failed" and self.unreachable and self.at is not None
        if not self.must:
            return gone or self.state == "sent"
        return gone and (since is None or (self.at is not None and self.at >= since))


def newest_tries(tx: Tx, asked: Replacement) -> list[Try]:
    """For each account that the person has, also one whose seal does not fit, the newest try to tell it."""
    must = accounts_to_tell(tx, asked)
    query = select(account.c.id, account.c.user).where(
        account.c.person_id == asked.person_id, account.c.link == "confirmed"
    )
    rows = tx.execute(query.order_by(account.c.id)).all()
    return [_newest_try(tx, asked, row.id, row.user, must=row.id in must) for row in rows]


def _newest_try(tx: Tx, asked: Replacement, account_id: UUID, user: str, *, must: bool) -> Try:
    query = (
        select(delivery.c.created_at, delivery.c.state, delivery.c.unreachable, delivery.c.reason)
        .where(*_notice_of(asked), delivery.c.account_id == account_id)
        .order_by(delivery.c.created_at.desc(), delivery.c.id)
        .limit(1)
    )
    row = tx.execute(query).one_or_none()
    return Try(user, *row, must) if row else Try(user, None, "", False, "", must)


def is_gone(tries: Sequence[Try], since: datetime | None = None) -> bool:
    """Whether the platform said of every account, in its newest try, that it can't be reached.

    One that keeps its link may have been told instead. ``since``: of the others, only tries that were queued then or
    later count.
    """
    return any(last.must for last in tries) and all(last.is_settled(since) for last in tries)


class CannotReport(Exception):
    """It was reported already, or the platform did not say that the account is gone."""


def report_gone(work: Work, asked: Replacement) -> None:
    """Store that the operator says that the account the person has is gone: the days count from now.

    Raises:
        CannotReport: an account was told or may still be, it was reported already, or it is settled.
    """
    tx = work.tx
    reported = tx.execute(select(gone_report.c.id).where(gone_report.c.replacement_id == asked.id)).first()
    tries = newest_tries(tx, asked)
    if find_open(tx, asked.id) is None or reported or told_at(tx, asked) or not is_gone(tries):
        raise CannotReport(CannotReport.__doc__)
    row = {"id": work.new_id(), "replacement_id": asked.id, "at": work.now}
    tx.execute(insert(gone_report).values(seals.sealed(tx, gone_report, row)))
    earlier = [last.user for last in tries]
    audit_log.note(work, asked.person_id, "account.gone", None, account=str(asked.account_id), earlier=earlier)


def reported_gone_at(tx: Tx, asked: Replacement) -> datetime | None:
    """When the operator reported it; None where they did not, or the row was changed outside the program."""
    row = tx.execute(select(gone_report).where(gone_report.c.replacement_id == asked.id)).one_or_none()
    if row is None or not seals.fits(row.seal, seals.of_row(tx, gone_report, row)):
        return None
    at: datetime = row.at
    return at


def find_open_of(tx: Tx, person_id: UUID, account_id: UUID) -> Replacement | None:
    """The replacement of a person's account by this one that waits."""
    query = select(replacement.c.id).where(
        replacement.c.person_id == person_id, replacement.c.account_id == account_id, replacement.c.outcome == ""
    )
    replacement_id = tx.scalar(query)
    return find_open(tx, replacement_id) if replacement_id else None


def _notice_of(asked: Replacement) -> tuple[ColumnElement[bool], ...]:
    return (delivery.c.kind == NOTICE.name, delivery.c.subject == str(asked.id), delivery.c.verb == "post")


def whose(tx: Tx, replacement_id: UUID) -> UUID | None:
    """Whose account it was about."""
    query = select(replacement.c.person_id).where(replacement.c.id == replacement_id)
    person_id: UUID | None = tx.scalar(query)
    return person_id


def settle(work: Work, asked: Replacement, outcome: str, by: UUID | None) -> None:
    """``outcome``: done, stopped (the person objected), dropped (the new account is somebody else's by now)."""
    seals.change(work.tx, replacement, asked.id, {"outcome": outcome})
    audit_log.note(work, asked.person_id, f"account.replacement_{outcome}", by, account=str(asked.account_id))
