"""Standings from the ledger, in a fixed number of queries however many mentees there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from uuid import UUID

from sqlalchemy import select

from program.policy import Policy
from program.standing import Standing, standing
from program.times import PROGRAM_ZONE, local_day, program_year, to_utc
from storage import attendance, meetings, policies
from storage.database import Tx
from storage.tables import enrolment, membership, person


@dataclass(frozen=True, slots=True)
class Mentee:
    """A mentee of a cohort with their standing."""

    id: UUID
    name: str
    cohort_id: UUID
    policy: Policy
    standing: Standing


def of_people(tx: Tx, people: Sequence[UUID], now: datetime) -> list[Mentee]:
    """The standings of these mentees, by name; somebody in several cohorts comes once for each."""
    return _standings(tx, now, people=people)


def of_cohorts(tx: Tx, cohort_ids: Sequence[UUID] | None, now: datetime) -> list[Mentee]:
    """The standings of these cohorts' mentees, or of the whole program's."""
    return _standings(tx, now, cohort_ids=cohort_ids)


def _standings(
    tx: Tx,
    now: datetime,
    *,
    people: Sequence[UUID] | None = None,
    cohort_ids: Sequence[UUID] | None = None,
) -> list[Mentee]:
    query = (
        select(person.c.id, person.c.name, membership.c.cohort_id, enrolment.c.policy, enrolment.c.starts)
        .join_from(membership, person)
        .join(enrolment, enrolment.c.person_id == person.c.id)
        .where(membership.c.until.is_(None), membership.c.role == "mentee")
        .order_by(person.c.name, person.c.id, membership.c.cohort_id)
    )
    if people is not None:
        query = query.where(person.c.id.in_(list(people)))
    if cohort_ids is not None:
        query = query.where(membership.c.cohort_id.in_(list(cohort_ids)))
    rows = tx.execute(query).all()
    settled = attendance.settled_of(tx, list({row.id for row in rows}))
    to_come = _still_to_come(tx, {row.cohort_id for row in rows}, now)
    found = []
    for row in rows:
        policy = policies.get(row.policy)
        entries = [(local_day(one.starts_at, policy.zone), one.status) for one in settled.get(row.id, [])]
        today = local_day(now, policy.zone)
        result = standing(policy, row.starts, entries, today, to_come.get(row.cohort_id, 0))
        found.append(Mentee(row.id, row.name, row.cohort_id, policy, result))
    return found


def _still_to_come(tx: Tx, cohort_ids: set[UUID], now: datetime) -> dict[UUID, int]:
    """Meetings each cohort has scheduled until the program year ends (Missouri's 30 June)."""
    year = program_year(local_day(now, PROGRAM_ZONE))
    end = to_utc(datetime.combine(date(year + 1, 7, 1), time()), PROGRAM_ZONE)
    found: dict[UUID, int] = {}
    for item in meetings.between(tx, now, end, list(cohort_ids)):
        found[item.cohort_id] = found.get(item.cohort_id, 0) + 1
    return found
