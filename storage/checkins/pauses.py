"""Pausing check-ins: what somebody chose, which belongs to the accounts that they had then."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, ScalarSelect, and_, case, func, select, update

from storage.core.database import Tx, inline_word
from storage.people.people_tables import account, person

_paused = account.alias("paused")


_theirs = and_(_paused.c.person_id == person.c.id, _paused.c.link == inline_word("confirmed"))


def _linked(person_id: UUID) -> ColumnElement[bool]:
    return and_(account.c.person_id == person_id, account.c.link == inline_word("confirmed"))


def set_snooze(tx: Tx, person_id: UUID, until: date | None) -> None:
    """Pause a person's check-ins until a local day; None ends the pause."""
    tx.execute(update(account).where(_linked(person_id)).values(snoozed_until=until))


def set_checkins(tx: Tx, person_id: UUID, on: bool) -> None:
    """Turn check-ins on or off for somebody."""
    tx.execute(update(account).where(_linked(person_id)).values(checkins=on))


def snoozed_until() -> ScalarSelect[date | None]:
    """Until when the person of an enclosing query paused check-ins, with any of their accounts."""
    return select(func.max(_paused.c.snoozed_until)).where(_theirs).scalar_subquery()


def wants_checkins() -> ScalarSelect[int | None]:
    """1 where the person of an enclosing query turned check-ins on, 0 where off, null where neither."""
    wanted = case((_paused.c.checkins, 1), (_paused.c.checkins.is_(False), 0))
    return select(func.max(wanted)).where(_theirs).scalar_subquery()
