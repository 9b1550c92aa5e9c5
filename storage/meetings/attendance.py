"""The attendance ledger: lines are only added. Today's state is derived from them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, select

from program.meetings.attendance import Entry, Mark, Status, Step, counts, marks
from storage.core.database import Tx
from storage.core.work import Work
from storage.meetings.meetings import Meeting
from storage.meetings.meetings_tables import meeting
from storage.people.people_tables import person
from storage.record import ledger
from storage.record.record_tables import enrolment, ledger_line

KIND = "attendance"
VERIFIED = {"tapped": "self", "confirmed": "mentor", "corrected": "mentor"}


_OF_MEETING = (
    select(
        enrolment.c.person_id,
        ledger_line.c.step,
        ledger_line.c.status,
        ledger_line.c.minutes,
        ledger_line.c.recorded_at,
    )
    .join_from(ledger_line, enrolment)
    .where(ledger_line.c.meeting_id == bindparam("meeting"), ledger_line.c.kind == KIND)
    .order_by(ledger_line.c.enrolment_id, ledger_line.c.position)
)


def add(
    work: Work,
    about: Meeting,
    person_id: UUID,
    step: Step,
    status: Status,
    by: UUID,
    *,
    minutes: int | None = None,
    reason: str = "",
) -> UUID:
    """Add a line about this person in a meeting; its id."""
    line = ledger.Line(
        KIND,
        step,
        about.starts_at,
        by,
        VERIFIED[step],
        meeting_id=about.id,
        status=status,
        minutes=minutes,
        reason=reason,
    )
    return ledger.add(work, person_id, line)


def of_meeting(tx: Tx, meeting_id: UUID) -> dict[UUID, Mark]:
    """The present state of a meeting's attendance, by person."""
    return marks(Entry(*row) for row in tx.execute(_OF_MEETING, {"meeting": meeting_id}))


@dataclass(frozen=True, slots=True)
class Difference:
    """A mentee tapped "I'm here" and was recorded as not there, and it is not settled which is right."""

    line_id: UUID
    person_id: UUID
    person: str
    meeting_id: UUID
    status: Status


def differences(tx: Tx, since: datetime, meeting_id: UUID | None = None) -> list[Difference]:
    """The open differences between taps and records, for meetings since a time."""
    query = (
        select(
            ledger_line.c.id,
            enrolment.c.person_id,
            person.c.name,
            ledger_line.c.meeting_id,
            ledger_line.c.kind,
            ledger_line.c.step,
            ledger_line.c.status,
            ledger_line.c.target_id,
        )
        .join_from(ledger_line, enrolment)
        .join(person, person.c.id == enrolment.c.person_id)
        .where(ledger_line.c.happened_at >= since, ledger_line.c.kind.in_((KIND, "answer")))
        .order_by(person.c.name, ledger_line.c.enrolment_id, ledger_line.c.position)
    )
    if meeting_id is not None:
        query = query.where(ledger_line.c.meeting_id == meeting_id)
    tapped: set[tuple[UUID, UUID]] = set()
    last: dict[tuple[UUID, UUID], Difference] = {}
    answered: set[UUID] = set()
    for row in tx.execute(query):
        place = (row.person_id, row.meeting_id)
        if row.kind == "answer":
            answered.add(row.target_id)
        elif row.step == "tapped":
            tapped.add(place)
        else:
            last[place] = Difference(row.id, row.person_id, row.name, row.meeting_id, row.status)
    return [
        difference
        for place, difference in last.items()
        if place in tapped and not counts(difference.status) and difference.line_id not in answered
    ]


def answer(work: Work, difference: Difference, by: UUID, step: str, verified: str) -> None:
    """Settle a difference: the mentee agrees with the record, or the mentor keeps it."""
    happened = work.tx.scalar(select(meeting.c.starts_at).where(meeting.c.id == difference.meeting_id)) or work.now
    line = ledger.Line(
        "answer", step, happened, by, verified, meeting_id=difference.meeting_id, target_id=difference.line_id
    )
    ledger.add(work, difference.person_id, line)
