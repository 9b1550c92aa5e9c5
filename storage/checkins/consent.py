"""Who agreed to check-ins, and who declined: each decision a line with the notice's version; the last one holds.

A decision belongs to the account that made it. It holds for the person while that account is theirs, and for each of
their accounts that sees it: one that replaced an account neither sees what was decided before nor is bound by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, bindparam, exists, func, insert, or_, select

from program.privacy.privacy_settings import NOTICE_VERSION
from storage.checkins.checkins_tables import consent
from storage.core.database import Tx, in_ids, inline_word
from storage.core.work import Work
from storage.people.account_views import AccountView
from storage.people.people_tables import account

AGREED = "agreed"
DECLINED = "declined"


@dataclass(frozen=True, slots=True)
class Decision:
    """What somebody chose about check-ins, for which version of the notice, and when."""

    decision: str  # agreed, declined
    version: str  # of the notice
    at: datetime

    @property
    def agreed(self) -> bool:
        """Whether it is a yes to the notice as it is now."""
        return self.decision == AGREED and self.version == NOTICE_VERSION

    @property
    def declined(self) -> bool:
        """A no holds for later notices too: nobody is asked again."""
        return self.decision == DECLINED


def decide(work: Work, person_id: UUID, view: AccountView | None, decision: str) -> None:
    """Add an account's decision about the notice as it is now, unless it says what the last one that it sees does."""
    story = of_person(work.tx, person_id, view)
    if story and (story[-1].decision, story[-1].version) == (decision, NOTICE_VERSION):
        return
    row = {
        "id": work.new_id(),
        "person_id": person_id,
        "account_id": view.account_id if view is not None else None,
        "number": work.tx.execute(_COUNT, {"person": person_id}).scalar_one() + 1,
        "version": NOTICE_VERSION,
        "decision": decision,
        "at": work.now,
    }
    work.tx.execute(insert(consent).values(row))


def _holds(decision: Any, *, seen_by_all: bool = False) -> ColumnElement[bool]:
    """Whether the account that decided is still linked to its person, and every account of theirs sees it."""
    decider = account.alias("decider")
    linked = exists().where(
        decider.c.id == decision.c.account_id,
        decider.c.person_id == decision.c.person_id,
        decider.c.link == inline_word("confirmed"),
    )
    holds = or_(decision.c.account_id.is_(None), linked)
    return and_(holds, ~_is_unseen(decision)) if seen_by_all else holds


def _is_unseen(decision: Any) -> ColumnElement[bool]:
    """Whether an account of the person does not see a decision."""
    reader = account.alias("reader")
    return exists().where(
        reader.c.person_id == decision.c.person_id,
        reader.c.link == inline_word("confirmed"),
        reader.c.sees_from >= decision.c.at,
        or_(decision.c.account_id.is_(None), reader.c.id != decision.c.account_id),
    )


_COUNT = select(func.count()).select_from(consent).where(consent.c.person_id == bindparam("person"))
_OF_PERSON = (
    select(consent.c.decision, consent.c.version, consent.c.at)
    .where(consent.c.person_id == bindparam("person"), _holds(consent))
    .order_by(consent.c.number)
)


def of_person(tx: Tx, person_id: UUID, view: AccountView | None = None) -> list[Decision]:
    """Every decision of a person's present accounts that an account sees, the one that holds for it last.

    ``view`` None: every decision.
    """
    query = _OF_PERSON
    if view is not None and view.since is not None:
        query = query.where(view.sees(consent.c.at, consent.c.account_id))
    return [Decision(*row) for row in tx.execute(query, {"person": person_id})]


def of(tx: Tx, person_id: UUID, view: AccountView | None = None) -> Decision | None:
    """The decision that holds for an account; None: not asked yet, or not answered."""
    story = of_person(tx, person_id, view)
    return story[-1] if story else None


def declined(*, seen_by_all: bool = False) -> Select[tuple[UUID]]:
    """The ids of those who declined, as a part of other queries.

    ``seen_by_all``: by what every one of their accounts sees
    """
    return _last(DECLINED, seen_by_all=seen_by_all)


def agreed_of(tx: Tx, people: Sequence[UUID]) -> set[UUID]:
    """Those of these people who agreed to the notice as it is now."""
    query = _last(AGREED).where(consent.c.version == NOTICE_VERSION, in_ids(tx, consent.c.person_id, people))
    return set(tx.scalars(query))


def _last(decision: str, *, seen_by_all: bool = False) -> Select[tuple[UUID]]:
    later = consent.alias("later")
    same = (later.c.person_id == consent.c.person_id, _holds(later, seen_by_all=seen_by_all))
    newest = select(func.max(later.c.number)).where(*same).scalar_subquery()
    return select(consent.c.person_id).where(consent.c.number == newest, consent.c.decision == decision)
