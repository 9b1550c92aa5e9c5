"""The record as people read it: ledger lines with the names they speak of, in one query."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from program.wording import RecordLine
from storage.database import Tx, among
from storage.tables import cohort, enrolment, ledger_line, meeting, membership, person


def lines_of(tx: Tx, people: Sequence[UUID]) -> list[RecordLine]:
    """Every line of these people, by person in the order of recording."""
    return _lines(tx, among(tx, enrolment.c.person_id, people))


def lines_of_cohort(tx: Tx, cohort_id: UUID | None, kinds: Collection[str]) -> list[RecordLine]:
    """The lines of these kinds of a cohort's present mentees, or of the whole program's."""
    wanted = ledger_line.c.kind.in_(sorted(kinds))
    if cohort_id is None:
        return _lines(tx, wanted)
    here = select(membership.c.person_id).where(
        membership.c.cohort_id == cohort_id, membership.c.role == "mentee", membership.c.until.is_(None)
    )
    return _lines(tx, wanted, enrolment.c.person_id.in_(here))


def _lines(tx: Tx, *where: Any) -> list[RecordLine]:
    recorder = person.alias("recorder")
    query: Any = (
        select(
            person.c.id,
            person.c.name,
            ledger_line.c.position,
            ledger_line.c.kind,
            ledger_line.c.step,
            func.coalesce(meeting.c.topic, ""),
            func.coalesce(cohort.c.name, ""),
            ledger_line.c.status,
            ledger_line.c.minutes,
            ledger_line.c.code,
            ledger_line.c.happened_at,
            ledger_line.c.recorded_at,
            recorder.c.name,
            ledger_line.c.reason,
            ledger_line.c.verified,
            ledger_line.c.detail,
            ledger_line.c.mark,
        )
        .join_from(ledger_line, enrolment)
        .join(person, person.c.id == enrolment.c.person_id)
        .join(meeting, meeting.c.id == ledger_line.c.meeting_id, isouter=True)
        .join(cohort, cohort.c.id == meeting.c.cohort_id, isouter=True)
        .join(recorder, recorder.c.id == ledger_line.c.by, isouter=True)
        .where(*where)
        .order_by(person.c.name, enrolment.c.id, ledger_line.c.position)
    )
    return [RecordLine(*row) for row in tx.execute(query)]


@dataclass(frozen=True, slots=True)
class Enrolment:
    """How somebody takes part in the program."""

    person_id: UUID
    name: str
    policy: str
    starts: date
    district: str
    track: str
    cohorts: tuple[str, ...]


def enrolment_of(tx: Tx, person_id: UUID) -> Enrolment | None:
    row = tx.execute(
        select(person.c.name, enrolment.c.policy, enrolment.c.starts, enrolment.c.district, enrolment.c.track)
        .join_from(enrolment, person)
        .where(enrolment.c.person_id == person_id)
    ).one_or_none()
    if row is None:
        return None
    names = tx.scalars(
        select(cohort.c.name)
        .join_from(membership, cohort)
        .where(membership.c.person_id == person_id, membership.c.role == "mentee")
        .order_by(membership.c.since, cohort.c.key)
    )
    return Enrolment(person_id, *row, tuple(dict.fromkeys(names)))


def districts(tx: Tx) -> dict[UUID, tuple[str, date]]:
    """District and start of everybody enrolled."""
    rows = tx.execute(select(enrolment.c.person_id, enrolment.c.district, enrolment.c.starts))
    return {row.person_id: (row.district, row.starts) for row in rows}
