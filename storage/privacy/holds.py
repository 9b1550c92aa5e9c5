"""Legal holds: what a person wrote must be kept, whatever they or the program's settings ask for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select

from storage.core.database import Tx
from storage.core.work import Work
from storage.privacy.privacy_tables import hold

REASONS = {
    "records_request": "a public-records request",
    "litigation": "a legal dispute",
    "investigation": "an investigation",
    "audit": "an audit",
    "other": "another legal reason",
}


@dataclass(frozen=True, slots=True)
class Hold:
    """``by``: a coordinator, None for the operator."""

    person_id: UUID
    reason: str
    at: datetime
    by: UUID | None

    @property
    def words(self) -> str:
        """The reason in words."""
        return REASONS[self.reason]


class Held(Exception):
    """A legal hold is on what this person wrote, so it cannot be destroyed."""

    def __init__(self, hold: Hold) -> None:
        super().__init__(Held.__doc__)
        self.hold = hold


def of_person(tx: Tx, person_id: UUID) -> Hold | None:
    """The hold that is on a person now."""
    last = _last(tx, person_id)
    return Hold(last.person_id, last.reason, last.at, last.by) if last is not None and last.step == "set" else None


def check_free(tx: Tx, person_id: UUID) -> None:
    """Nothing that a held person wrote is destroyed.

    Raises:
        Held: a hold is on them now.
    """
    if held := of_person(tx, person_id):
        raise Held(held)


def _last(tx: Tx, person_id: UUID) -> Any:
    query = select(hold).where(hold.c.person_id == person_id).order_by(hold.c.number.desc()).limit(1)
    return tx.execute(query).one_or_none()


def held_people(tx: Tx) -> set[UUID]:
    """Everybody with a hold on them now."""
    last = select(hold.c.person_id, func.max(hold.c.number).label("number")).group_by(hold.c.person_id).subquery()
    newest = (last.c.person_id == hold.c.person_id) & (last.c.number == hold.c.number)
    return set(tx.scalars(select(hold.c.person_id).join(last, newest).where(hold.c.step == "set")))


def put_on(work: Work, person_id: UUID, reason: str, by: UUID | None) -> bool:
    """False where one is on already."""
    if of_person(work.tx, person_id) is not None:
        return False
    _add(work, person_id, "set", reason, by)
    return True


def release(work: Work, person_id: UUID, by: UUID | None) -> bool:
    """False where there is none."""
    held = of_person(work.tx, person_id)
    if held is None:
        return False
    _add(work, person_id, "released", held.reason, by)
    return True


def _add(work: Work, person_id: UUID, step: str, reason: str, by: UUID | None) -> None:
    last = _last(work.tx, person_id)
    row = {
        "id": work.new_id(),
        "person_id": person_id,
        "number": last.number + 1 if last is not None else 1,
        "step": step,
        "reason": reason,
        "at": work.now,
        "by": by,
    }
    work.tx.execute(insert(hold).values(row))
