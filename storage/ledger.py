"""The ledger: every line a certificate rests on. Lines are only added, each chained to the one before it."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, func, insert, select

from program.chain import SHORT, START, Link, check_chain, mark_of, seal_of
from program.wording import RecordLine
from storage import people, seals
from storage.database import Tx
from storage.tables import cohort, enrolment, ledger_head, ledger_line, meeting, membership, person
from storage.work import Work, put

# What the mark covers: everything but the row's own id and the mark.
_CONTENT = (
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
    work.tx.execute(_ADD, values)
    proof = _proof(work.chain_key, row.id, position, mark)
    put(work.tx, ledger_head, {"enrolment_id": row.id, "position": position, "mark": mark, "proof": proof})
    return line_id


def _proof(key: bytes, enrolment_id: UUID, position: int, mark: bytes) -> bytes:
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


def get(tx: Tx, line_id: UUID) -> RecordLine | None:
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


# Heads and verification -------------------------------------------------------------------------


def head_of(tx: Tx, person_id: UUID) -> str:
    """The head of a person's chain, as a packet shows it; empty for an empty chain."""
    mark = tx.scalar(
        select(ledger_head.c.mark).join_from(ledger_head, enrolment).where(enrolment.c.person_id == person_id)
    )
    return mark.hex() if mark else ""


def seal(work: Work, until: datetime) -> str:
    """A seal over everything recorded up to ``until``: "20261123T132500Z-<hash>"."""
    until = until.astimezone(UTC).replace(microsecond=0)  # what the seal says, and so what is checked later
    return f"{until:%Y%m%dT%H%M%SZ}-{seal_of(work.chain_key, _heads_at(work.tx, until))}"


def _heads_at(tx: Tx, until: datetime) -> list[tuple[UUID, int, bytes]]:
    last = (
        select(ledger_line.c.enrolment_id, func.max(ledger_line.c.position).label("position"))
        .where(ledger_line.c.recorded_at <= until)
        .group_by(ledger_line.c.enrolment_id)
        .subquery()
    )
    rows = tx.execute(
        select(ledger_line.c.enrolment_id, ledger_line.c.position, ledger_line.c.mark).join(
            last,
            (last.c.enrolment_id == ledger_line.c.enrolment_id) & (last.c.position == ledger_line.c.position),
        )
    )
    return [(row.enrolment_id, row.position, row.mark) for row in rows]


@dataclass(frozen=True, slots=True)
class Verdict:
    enrolments: int
    lines: int
    problems: list[str]


def verify(tx: Tx, key: bytes, head: str = "") -> Verdict:
    """Check every chain: a change, a gap, a cut-off end, and whether a known head is still in it; and every seal.

    ``head``: a packet's head (64 hexadecimal characters, or the 16 that a record shows) or a digest's seal.
    """
    heads = {row.enrolment_id: row for row in tx.execute(select(ledger_head))}
    names = {row.id: row.name for row in tx.execute(select(enrolment.c.id, person.c.name).join_from(enrolment, person))}
    problems: list[str] = []
    marks: set[str] = set()
    lines = 0
    seen: set[UUID] = set()
    for enrolment_id, links in _chains(tx):
        seen.add(enrolment_id)
        lines += len(links)
        marks |= {link.mark.hex() for link in links}
        found = check_chain(key, enrolment_id, links) or _check_head(key, heads.get(enrolment_id), links[-1])
        problems += [f"{names.get(enrolment_id, enrolment_id)}: {text}." for text in found]
    for enrolment_id, row in heads.items():
        if enrolment_id not in seen:
            problems.append(f"{names.get(enrolment_id)}: all {row.position + 1} lines are missing.")
    problems += _check_seals(tx)
    problems += _check_known(tx, key, head, marks)
    return Verdict(len(seen), lines, problems)


SEALED = {
    "account": "the link from an account to this person was changed or inserted",
    "membership": "a membership was changed or inserted",
    "coordinator": "the coordinator role was changed or inserted",
    "share": "a share of a reflection was changed or inserted",
    "dispute": "a dispute was changed or inserted",
}


def _check_seals(tx: Tx) -> list[str]:
    """Rows beside the ledger that decide who is who and who leads, and that the program did not write."""
    rows = seals.misfits(tx)
    names = people.named(tx, {row.person_id for row in rows if row.person_id})
    return [f"{names.get(row.person_id, row.id) if row.person_id else row.id}: {SEALED[row.table]}." for row in rows]


def _chains(tx: Tx) -> Iterable[tuple[UUID, list[Link]]]:
    columns = [ledger_line.c[name] for name in _CONTENT]
    rows = tx.execute(
        select(ledger_line.c.enrolment_id, ledger_line.c.position, ledger_line.c.mark, *columns).order_by(
            ledger_line.c.enrolment_id, ledger_line.c.position
        )
    ).mappings()
    for enrolment_id, group in groupby(rows, key=lambda row: row["enrolment_id"]):
        links = [
            Link(enrolment_id, row["position"], {name: row[name] for name in _CONTENT}, row["mark"]) for row in group
        ]
        yield enrolment_id, links


def _check_head(key: bytes, head: Any, last: Link) -> list[str]:
    if head is None:
        return ["the record of its end is missing"]
    if not hmac.compare_digest(head.proof, _proof(key, last.enrolment, head.position, head.mark)):
        return ["the record of its end was changed"]
    if head.position > last.position:
        return [f"its end was cut off: lines {last.position + 1} to {head.position} are missing"]
    if head.position < last.position or head.mark != last.mark:
        return ["its end does not fit the record of it"]
    return []


def _check_known(tx: Tx, key: bytes, head: str, marks: set[str]) -> list[str]:
    if not head:
        return []
    if "-" not in head:
        known = len(head) >= SHORT and any(mark.startswith(head.lower()) for mark in marks)
        return [] if known else ["The given head is in no chain: something was cut off or changed."]
    try:
        until = datetime.strptime(head.split("-", maxsplit=1)[0] + "+0000", "%Y%m%dT%H%M%SZ%z")
    except ValueError:
        return ["The given head is neither a packet's nor a digest's."]
    now = seal_of(key, _heads_at(tx, until))
    return (
        []
        if hmac.compare_digest(now, head.split("-")[1])
        else ["The given seal does not fit: something recorded before it was cut off or changed."]
    )
