"""Pausing check-ins: what somebody chose, which is noted with the accounts that see it.

What was chosen before an account was linked that does not see it (:mod:`storage.people.account_views`) stays with the
accounts it was noted with. The new account neither sees nor ends it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, FromClause, ScalarSelect, and_, case, exists, func, or_, select, true, update

from storage.core.database import Tx, inline_word
from storage.people.account_views import AccountView
from storage.people.people_tables import account, person

_paused = account.alias("paused")


@dataclass(frozen=True, slots=True)
class Pause:
    """``checkins``: turned on or off; ``snoozed_until``: the first local day on which they come again."""

    checkins: bool | None = None  # None: neither
    snoozed_until: date | None = None

    def covers(self, day: date) -> bool:
        """Whether no check-in is wanted on a day."""
        return self.checkins is False or (self.snoozed_until is not None and day < self.snoozed_until)


def set_snooze(tx: Tx, person_id: UUID, view: AccountView, until: date | None) -> None:
    """Pause a person's check-ins until a local day; None ends the pause, as far as this account sees it."""
    tx.execute(update(account).where(is_seen(person_id, view)).values(snoozed_until=until))


def set_checkins(tx: Tx, person_id: UUID, view: AccountView, on: bool) -> None:
    """Turn check-ins on or off for somebody."""
    tx.execute(update(account).where(is_seen(person_id, view)).values(checkins=on))


def of_view(tx: Tx, person_id: UUID, view: AccountView) -> Pause:
    """What an account sees of its person's pauses; where it sees several, the longest."""
    rows = tx.execute(select(account.c.checkins, account.c.snoozed_until).where(is_seen(person_id, view))).all()
    chosen = [row.checkins for row in rows if row.checkins is not None]
    days = [row.snoozed_until for row in rows if row.snoozed_until is not None]
    return Pause(max(chosen, default=None), max(days, default=None))


def is_seen(person_id: UUID, view: AccountView | None) -> ColumnElement[bool]:
    """The condition on accounts of a person, that an account sees what is noted with them; None: every account."""
    linked = and_(account.c.person_id == person_id, account.c.link == inline_word("confirmed"))
    if view is None or view.since is None:
        return linked
    return and_(linked, or_(account.c.id == view.account_id, _is_newest(account)))


def _is_newest(row: FromClause) -> ColumnElement[bool]:
    """Whether no account of the same person was linked later that sees less: every one sees what is noted with it."""
    newer = account.alias("newer")
    return ~exists().where(
        newer.c.person_id == row.c.person_id,
        newer.c.link == inline_word("confirmed"),
        newer.c.sees_from.is_not(None),
        or_(row.c.sees_from.is_(None), newer.c.sees_from > row.c.sees_from),
    )


def _theirs(seen_by_all: bool) -> ColumnElement[bool]:
    newest = _is_newest(_paused) if seen_by_all else true()
    return and_(_paused.c.person_id == person.c.id, _paused.c.link == inline_word("confirmed"), newest)


def snoozed_until(*, seen_by_all: bool = False) -> ScalarSelect[date | None]:
    """Until when the person of an enclosing query paused check-ins, with any of their accounts.

    ``seen_by_all``: only what every one of their accounts sees
    """
    return select(func.max(_paused.c.snoozed_until)).where(_theirs(seen_by_all)).scalar_subquery()


def wants_checkins(*, seen_by_all: bool = False) -> ScalarSelect[int | None]:
    """1 where the person of an enclosing query turned check-ins on, 0 where off, null where neither.

    ``seen_by_all``: only what every one of their accounts sees
    """
    wanted = case((_paused.c.checkins, 1), (_paused.c.checkins.is_(False), 0))
    return select(func.max(wanted)).where(_theirs(seen_by_all)).scalar_subquery()
