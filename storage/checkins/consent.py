"""Who agreed to check-ins, and who declined: each decision a line with the notice's version; the last one holds.

A decision belongs to the account that made it. It holds for the person while that account is theirs: an account that
replaced it neither sees it nor is bound by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, bindparam, exists, func, insert, or_, select

from program.privacy.privacy_settings import NOTICE_VERSION
from storage.checkins.checkins_tables import consent
from storage.core.database import Tx, in_ids, inline_word
from storage.core.work import Work
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


def decide(work: Work, person_id: UUID, account_id: UUID | None, decision: str) -> None:
    """Add a decision about the notice as it is now, unless it says what the last one does."""
    story = of_person(work.tx, person_id)
    if story and (story[-1].decision, story[-1].version) == (decision, NOTICE_VERSION):
        return
    row = {
        "id": work.new_id(),
        "person_id": person_id,
        "account_id": account_id,
        "number": work.tx.execute(_COUNT, {"person": person_id}).scalar_one() + 1,
        "version": NOTICE_VERSION,
        "decision": decision,
        "at": work.now,
    }
    work.tx.execute(insert(consent).values(row))


def _holds(decision: Any) -> ColumnElement[bool]:
    """Whether the account that decided is still linked to its person."""
    decider = account.alias("decider")
    linked = exists().where(
        decider.c.id == decision.c.account_id,
        decider.c.person_id == decision.c.person_id,
        decider.c.link == inline_word("confirmed"),
    )
    return or_(decision.c.account_id.is_(None), linked)


_COUNT = select(func.count()).select_from(consent).where(consent.c.person_id == bindparam("person"))
_OF_PERSON = (
    select(consent.c.decision, consent.c.version, consent.c.at)
    .where(consent.c.person_id == bindparam("person"), _holds(consent))
    .order_by(consent.c.number)
)


def of_person(tx: Tx, person_id: UUID) -> list[Decision]:
    """Every decision of a person's present accounts, the one that holds last."""
    return [Decision(*row) for row in tx.execute(_OF_PERSON, {"person": person_id})]


def of(tx: Tx, person_id: UUID) -> Decision | None:
    """The decision that holds; None: not asked yet, or not answered."""
    story = of_person(tx, person_id)
    return story[-1] if story else None


def declined() -> Select[tuple[UUID]]:
    """The ids of those who declined, as a part of other queries."""
    return _last(DECLINED)


def agreed_of(tx: Tx, people: Sequence[UUID]) -> set[UUID]:
    """Those of these people who agreed to the notice as it is now."""
    query = _last(AGREED).where(consent.c.version == NOTICE_VERSION, in_ids(tx, consent.c.person_id, people))
    return set(tx.scalars(query))


def _last(decision: str) -> Select[tuple[UUID]]:
    later = consent.alias("later")
    same = (later.c.person_id == consent.c.person_id, _holds(later))
    newest = select(func.max(later.c.number)).where(*same).scalar_subquery()
    return select(consent.c.person_id).where(consent.c.number == newest, consent.c.decision == decision)
