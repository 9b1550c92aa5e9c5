"""The ledger: every line a certificate rests on. Lines are only added, each chained to the one before it."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, bindparam, exists, func, insert, or_, select

from program.record.chain import START, mark_of
from program.record.wording import RecordLine
from storage.core.database import Tx, in_ids
from storage.core.work import Work, put
from storage.meetings.meetings_tables import meeting
from storage.people.people_tables import cohort, membership, person
from storage.record.record_tables import enrolment, ledger_head, ledger_line
from storage.vault import seals

# What the mark covers. The row's seal binds its id to its place and mark.
CONTENT = (
    "kind",
    "step",
    "meeting_id",
    "target_id",
    "status",
    "minutes",
    "code",
    "happened_at",
    "recorded_at",
    "by",
    "reason",
    "verified",
    "detail",
)


class NotEnrolled(Exception):
    """This person is not enrolled in the program, so nothing can be recorded for them."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line to be added. ``happened_at``: when it happened; when it is recorded is the transaction's time."""

    kind: str
    step: str
    happened_at: datetime
    by: UUID | None
    verified: str  # self, mentor, coordinator, operator, import
    meeting_id: UUID | None = None
    target_id: UUID | None = None
    status: str = ""
    minutes: int | None = None
    code: str = ""
    reason: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)


_HEAD = (
    select(enrolment.c.id, ledger_head.c.position, ledger_head.c.mark)
    .join_from(enrolment, ledger_head, isouter=True)
    .where(enrolment.c.person_id == bindparam("person"))
)
_ADD = insert(ledger_line)


def add(work: Work, person_id: UUID, line: Line) -> UUID:
    """Add a line to a person's chain; its id.

    Raises:
        NotEnrolled: there is no chain for this person.
    """
    if not work.chain_key:
        raise ValueError("The ledger needs its key to add a line.")
    row = work.tx.execute(_HEAD, {"person": person_id}).one_or_none()
    if row is None:
        raise NotEnrolled(NotEnrolled.__doc__)
    position = 0 if row.position is None else row.position + 1
    content = {
        "kind": line.kind,
        "step": line.step,
        "meeting_id": line.meeting_id,
        "target_id": line.target_id,
        "status": line.status,
        "minutes": line.minutes,
        "code": line.code,
        "happened_at": line.happened_at,
        "recorded_at": work.now,
        "by": line.by,
        "reason": line.reason,
        "verified": line.verified,
        "detail": dict(line.detail),
    }
    mark = mark_of(work.chain_key, row.mark or START, row.id, position, content)
    line_id = work.new_id()
    values = {"id": line_id, "enrolment_id": row.id, "position": position, "mark": mark, **content}
    seal = seals.mac_of_row(work.chain_key, ledger_line, values)
    work.tx.execute(_ADD, {**values, "seal": seal})
    proof = proof_of(work.chain_key, row.id, position, mark)
    put(work.tx, ledger_head, {"enrolment_id": row.id, "position": position, "mark": mark, "proof": proof})
    return line_id


def proof_of(key: bytes, enrolment_id: UUID, position: int, mark: bytes) -> bytes:
    """A keyed hash over the note of a chain's end, so that no other note fits."""
    message = b"head" + enrolment_id.bytes + position.to_bytes(8, "big") + mark
    return hmac.new(key, message, hashlib.sha256).digest()


# Reading ----------------------------------------------------------------------------------------


def of_person(tx: Tx, person_id: UUID) -> list[RecordLine]:
    """Everything recorded for a person, in the order of recording."""
    return _lines(tx, enrolment.c.person_id == person_id)


def of_cohort(tx: Tx, cohort_id: UUID | None, kinds: Collection[str]) -> list[RecordLine]:
    """The lines of these kinds of a cohort's present mentees, or of the whole program's, by person."""
    wanted = ledger_line.c.kind.in_(sorted(kinds))
    if cohort_id is None:
        return _lines(tx, wanted)
    here = select(membership.c.person_id).where(
        membership.c.cohort_id == cohort_id, membership.c.role == "mentee", membership.c.until.is_(None)
    )
    return _lines(tx, wanted, enrolment.c.person_id.in_(here))


REQUESTS = (("activity", "logged"), ("makeup", "asked"))  # kinds and steps that a decision answers


def with_requests(tx: Tx, person_ids: Collection[UUID] | None) -> list[UUID]:
    """Those of these people (None: of everybody) who ever logged an activity or asked for a make-up, decided or not."""
    asked = or_(*(and_(ledger_line.c.kind == kind, ledger_line.c.step == step) for kind, step in REQUESTS))
    query = select(enrolment.c.person_id).join_from(ledger_line, enrolment).where(asked).distinct()
    if person_ids is not None:
        query = query.where(in_ids(tx, enrolment.c.person_id, person_ids))
    return sorted(tx.scalars(query))


def waiting_leaves(tx: Tx) -> list[RecordLine]:
    """The requests for a leave that nobody decided or took back, by person in the order of recording."""
    answer = ledger_line.alias("answer")
    answered = exists().where(answer.c.target_id == ledger_line.c.id, answer.c.kind == "leave")
    return _lines(tx, ledger_line.c.kind == "leave", ledger_line.c.step == "asked", ~answered)


def get(tx: Tx, line_id: UUID) -> RecordLine | None:
    """The line of an id in words, if there is one."""
    return next(iter(_lines(tx, ledger_line.c.id == line_id)), None)


def about(tx: Tx, line_id: UUID) -> list[RecordLine]:
    """The later lines that are about a line: its verification, decision or correction."""
    return _lines(tx, ledger_line.c.target_id == line_id)


def _lines(tx: Tx, *where: ColumnElement[bool]) -> list[RecordLine]:
    """Lines by person in the order of recording, with the names they speak of, in one query."""
    recorder = person.alias("recorder")
    query: Any = (
        select(
            ledger_line.c.id,
            person.c.id,
            person.c.name,
            ledger_line.c.position,
            ledger_line.c.kind,
            ledger_line.c.step,
            ledger_line.c.meeting_id,
            func.coalesce(meeting.c.topic, ""),
            func.coalesce(cohort.c.name, ""),
            ledger_line.c.target_id,
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


# Heads ------------------------------------------------------------------------------------------


def head_of(tx: Tx, person_id: UUID) -> str:
    """The head of a person's chain, as a packet shows it; empty for an empty chain."""
    mark = tx.scalar(
        select(ledger_head.c.mark).join_from(ledger_head, enrolment).where(enrolment.c.person_id == person_id)
    )
    return mark.hex() if mark else ""
