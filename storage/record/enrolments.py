"""Enrolments: which policy, track and start somebody's two years go by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import exists, select

from program.core.times import local_day
from program.record.policy import Policy
from storage.core import audit_log, program
from storage.core.database import Tx, in_ids
from storage.core.work import Work
from storage.people.people_tables import membership, person
from storage.record import certificates, policies, standings
from storage.record.record_tables import enrolment
from storage.vault import seals


@dataclass(frozen=True, slots=True)
class Enrolment:
    """Which policy and track somebody's two years go by, and since when."""

    id: UUID
    person_id: UUID
    policy: Policy
    starts: date
    district: str
    track: str


_ENROLMENT = (
    enrolment.c.id,
    enrolment.c.person_id,
    enrolment.c.policy,
    enrolment.c.starts,
    enrolment.c.district,
    enrolment.c.track,
)


def of_person(tx: Tx, person_id: UUID) -> Enrolment | None:
    """Somebody's enrolment, if they have one."""
    enrolments = of_people(tx, [person_id])
    return enrolments[0] if enrolments else None


def of_people(tx: Tx, people: Sequence[UUID]) -> list[Enrolment]:
    """The enrolments of these people; who has none is left out."""
    rows = tx.execute(select(*_ENROLMENT).where(in_ids(tx, enrolment.c.person_id, people)))
    return [
        Enrolment(row.id, row.person_id, policies.get(tx, row.policy), row.starts, row.district, row.track)
        for row in rows
    ]


def is_enrolled(tx: Tx, person_id: UUID) -> bool:
    """Whether somebody is enrolled as a mentee."""
    return tx.scalar(select(enrolment.c.id).where(enrolment.c.person_id == person_id)) is not None


def districts(tx: Tx) -> dict[UUID, tuple[str, date]]:
    """District and start of everybody enrolled."""
    rows = tx.execute(select(enrolment.c.person_id, enrolment.c.district, enrolment.c.starts))
    return {row.person_id: (row.district, row.starts) for row in rows}


def policy_of(tx: Tx, person_id: UUID) -> Policy:
    """The policy of somebody who is enrolled."""
    name = tx.execute(select(enrolment.c.policy).where(enrolment.c.person_id == person_id)).scalar_one()
    return policies.get(tx, name)


def today_of(work: Work, person_id: UUID) -> date:
    """Today in the zone in which somebody's standing is counted: their policy's, or the program's if not enrolled."""
    mine = of_person(work.tx, person_id)
    return local_day(work.now, mine.policy.program.zone if mine else program.zone_of(work.tx))


def to_take_along(tx: Tx, name: str, now: datetime) -> list[tuple[Enrolment, str]]:
    """The mentees that a new policy can apply to, with their names.

    They are on another policy and in a cohort now, hold no certificate and do not wait for one. People who have
    completed or left are measured by the policy they had.
    """
    in_cohort = exists().where(
        membership.c.person_id == person.c.id, membership.c.role == "mentee", membership.c.until.is_(None)
    )
    rows = tx.execute(
        select(*_ENROLMENT, person.c.name)
        .join_from(enrolment, person)
        .where(enrolment.c.policy != name, in_cohort, ~certificates.holds_one())
        .order_by(person.c.name, person.c.id)
    ).all()
    mentees = standings.of_people(tx, [row.person_id for row in rows], now)
    complete = {mentee.id for mentee in mentees if mentee.standing.state == "complete"}
    return [
        (Enrolment(row.id, row.person_id, policies.get(tx, row.policy), row.starts, row.district, row.track), row.name)
        for row in rows
        if row.person_id not in complete
    ]


def change_row(tx: Tx, person_id: UUID, values: Mapping[str, Any]) -> None:
    """Change somebody's enrolment and its seal; the ledger line and the note that go with it are the caller's."""
    row = tx.execute(select(enrolment.c.id, enrolment.c.version).where(enrolment.c.person_id == person_id)).one()
    seals.change(tx, enrolment, row.id, {**values, "version": row.version + 1})


def change(work: Work, person_id: UUID, by: UUID | None, **values: str) -> None:
    """Change the district, track or policy; the ledger line that goes with it is the caller's."""
    change_row(work.tx, person_id, values)
    audit_log.note(work, person_id, "enrolment.changed", by, **values)
