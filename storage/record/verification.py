"""Checking the ledger: every chain, every sealed row that a standing or a certificate rests on, and the checkpoints."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Table, func, select, true

from program.record.chain import SHORT, ChainLink, check_chain, seal_of
from storage.core.core_tables import program
from storage.core.database import Tx
from storage.meetings.meetings_tables import meeting, summary
from storage.people import people
from storage.people.people_tables import cohort, membership, person
from storage.record import checkpoints
from storage.record.certificates import GRANTED, KIND
from storage.record.ledger import CONTENT, proof_of
from storage.record.record_tables import amendment, certificate, enrolment, ledger_head, ledger_line, policy
from storage.vault import seals
from storage.vault.seals import Misfit

# What a row of each table is called in a sentence about it.
CALLED = {
    "account": "the link from an account to this person",
    "address": "a name or an email address",
    "program": "the program's name or time zone",
    "membership": "a membership",
    "coordinator": "the coordinator role",
    "share": "a share of a reflection",
    "dispute": "a dispute",
    "enrolment": "the enrollment",
    "policy": "the policy",
    "amendment": "a value filled in for the policy",
    "meeting": "the meeting",
    "summary": "a summary's topics",
    "ledger_line": "the id of a line",
    "certificate": "a certificate",
    "chain": "the newest lines",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was checked, and each problem in a sentence."""

    enrolments: int
    lines: int
    problems: list[str]


def verify(tx: Tx, key: bytes, head: str = "") -> Verdict:
    """Check everything: each problem in a sentence that names whose record it is.

    ``head``: a packet's head (64 hexadecimal characters, or the 16 that a record shows), or a digest's check code.
    """
    names = _names(tx)
    problems, marks, broken = _check_chains(tx, key, names)
    rows = seals.misfits(tx)
    for table in seals.RECORDS:
        where = (ledger_line.c.enrolment_id.not_in(broken),) if table is ledger_line else ()
        rows += seals.misfits_of(tx, table, *where)
    problems += _changed(tx, rows)
    problems += _check_certificates(tx)
    checked = checkpoints.check(tx, key, marks)
    problems += checked.broken + _gone(tx, checked.gone)
    problems += _check_known(tx, key, head, marks)
    return Verdict(len(marks), sum(map(len, marks.values())), problems)


def of_person(tx: Tx, key: bytes, person_id: UUID) -> list[str]:
    """The problems of everything that one person's standing and certificates rest on."""
    mine = enrolment.c.person_id == person_id
    own = select(enrolment.c.id).where(mine).scalar_subquery()
    problems, marks, _ = _check_chains(tx, key, _names(tx, mine), mine)
    their_policy = select(enrolment.c.policy).where(mine).scalar_subquery()
    cohorts = select(membership.c.cohort_id).where(membership.c.person_id == person_id)
    meetings = select(ledger_line.c.meeting_id).where(ledger_line.c.enrolment_id == own)
    wanted: dict[Table, ColumnElement[bool]] = {
        program: true(),
        person: person.c.id == person_id,
        membership: membership.c.person_id == person_id,
        enrolment: mine,
        policy: policy.c.name == their_policy,
        amendment: amendment.c.policy == their_policy,
        meeting: meeting.c.id.in_(meetings) | meeting.c.cohort_id.in_(cohorts),
        summary: summary.c.meeting_id.in_(meetings),
        ledger_line: ledger_line.c.enrolment_id == own,
        certificate: certificate.c.enrolment_id == own,
    }
    rows = [misfit for table, where in wanted.items() for misfit in seals.misfits_of(tx, table, where)]
    gone = checkpoints.gone_of_person(tx, person_id, marks)
    return problems + _changed(tx, rows) + _check_certificates(tx, mine) + _gone(tx, gone)


def _names(tx: Tx, *where: ColumnElement[bool]) -> dict[UUID, str]:
    """The name of each enrolment's person."""
    query = select(enrolment.c.id, person.c.name).join_from(enrolment, person).where(*where)
    return {row.id: row.name for row in tx.execute(query)}


# Chains -------------------------------------------------------------------------------------------


def _check_chains(
    tx: Tx, key: bytes, names: Mapping[UUID, str], *where: ColumnElement[bool]
) -> tuple[list[str], dict[UUID, list[bytes]], list[UUID]]:
    """The problems of these chains, each chain's marks by position, and the broken chains."""
    query = select(ledger_head).join_from(ledger_head, enrolment).where(*where)
    heads = {row.enrolment_id: row for row in tx.execute(query)}
    problems: list[str] = []
    marks: dict[UUID, list[bytes]] = {}
    broken: list[UUID] = []
    for enrolment_id, links in _chains(tx, *where):
        marks[enrolment_id] = [link.mark for link in links]
        wrong = check_chain(key, enrolment_id, links)
        broken += [enrolment_id] if wrong else []
        wrong = wrong or _check_head(key, heads.get(enrolment_id), links[-1])
        problems += [f"{names.get(enrolment_id, enrolment_id)}: {text}." for text in wrong]
    for enrolment_id, row in heads.items():
        if enrolment_id not in marks:
            problems.append(f"{names.get(enrolment_id)}: all {row.position + 1} lines are missing.")
    return problems, marks, broken


def _chains(tx: Tx, *where: ColumnElement[bool]) -> Iterable[tuple[UUID, list[ChainLink]]]:
    columns = [ledger_line.c[name] for name in CONTENT]
    query = select(ledger_line.c.enrolment_id, ledger_line.c.position, ledger_line.c.mark, *columns)
    query = query.join_from(ledger_line, enrolment).where(*where)
    rows = tx.execute(query.order_by(ledger_line.c.enrolment_id, ledger_line.c.position)).mappings()
    for enrolment_id, group in groupby(rows, key=lambda row: row["enrolment_id"]):
        yield (
            enrolment_id,
            [
                ChainLink(enrolment_id, row["position"], {name: row[name] for name in CONTENT}, bytes(row["mark"]))
                for row in group
            ],
        )


def _check_head(key: bytes, head: Any, last: ChainLink) -> list[str]:
    if head is None:
        return ["the record of its end is missing"]
    if not hmac.compare_digest(head.proof, proof_of(key, last.enrolment, head.position, head.mark)):
        return ["the record of its end was changed"]
    if head.position > last.position:
        return [f"its end was cut off: lines {last.position + 1} to {head.position} are missing"]
    if head.position < last.position or head.mark != last.mark:
        return ["its end does not fit the record of it"]
    return []


# Rows ---------------------------------------------------------------------------------------------


def _changed(tx: Tx, rows: list[Misfit]) -> list[str]:
    """Rows that the program did not write, in sentences."""
    names = people.named(tx, {row.person_id for row in rows if row.person_id})
    return [
        f"{_whose(tx, row.table, row.id, names.get(row.person_id) if row.person_id else None)}: "
        f"{CALLED[row.table]} was changed or inserted."
        for row in rows
    ]


def _whose(tx: Tx, table: str, row_id: UUID | str, name: str | None) -> str:
    """The person or thing that a row is about, in words."""
    if name:
        return name
    if table == "meeting":
        query = select(cohort.c.name, meeting.c.topic).join_from(meeting, cohort).where(meeting.c.id == row_id)
    elif table == "summary":
        query = select(cohort.c.name, meeting.c.topic).join_from(summary, meeting).join(cohort)
        query = query.where(summary.c.id == row_id)
    elif table == "amendment":
        query = select(amendment.c.policy, amendment.c.path).where(amendment.c.id == row_id)
    else:
        return str(row_id)
    row = tx.execute(query).one_or_none()
    return f"{row[0]}, {row[1]}" if row else str(row_id)


def _check_certificates(tx: Tx, *where: ColumnElement[bool]) -> list[str]:
    """Each certificate has the line that granted it, and each such line its certificate."""
    lines = (
        select(person.c.name, ledger_line.c.enrolment_id, ledger_line.c.code)
        .join_from(ledger_line, enrolment)
        .join(person, person.c.id == enrolment.c.person_id)
        .where(ledger_line.c.kind == KIND, ledger_line.c.step.in_(GRANTED), *where)
    )
    granted = {(row.enrolment_id, row.code): row.name for row in tx.execute(lines)}
    rows = (
        select(person.c.name, certificate.c.enrolment_id, certificate.c.code)
        .join_from(certificate, enrolment)
        .join(person, person.c.id == enrolment.c.person_id)
        .where(*where)
    )
    stored = {(row.enrolment_id, row.code): row.name for row in tx.execute(rows)}
    missing = [f"{name}: the certificate {key[1]} is missing." for key, name in granted.items() if key not in stored]
    extra = [f"{name}: no line grants the certificate {key[1]}." for key, name in stored.items() if key not in granted]
    return missing + extra


# Checkpoints and what was kept elsewhere ----------------------------------------------------------


def _gone(tx: Tx, rows: list[checkpoints.MissingRecord]) -> list[str]:
    """What the newest checkpoint covers and is gone, in sentences."""
    about = {row.about for row in rows if row.about}
    names = people.named(tx, about)
    if about - names.keys():
        names |= {row.id: row.name for row in tx.execute(select(cohort.c.id, cohort.c.name))}
    return [
        f"{names.get(row.about, row.key) if row.about else row.key}: "
        f"{CALLED[row.kind]} went missing, or an older state was put back."
        for row in rows
    ]


def _check_known(tx: Tx, key: bytes, head: str, marks: Mapping[UUID, list[bytes]]) -> list[str]:
    if not head:
        return []
    if "-" not in head:
        every = {mark.hex() for chain in marks.values() for mark in chain}
        known = len(head) >= SHORT and any(mark.startswith(head.lower()) for mark in every)
        return [] if known else ["The given head is in no chain: something was cut off or changed."]
    try:
        until = datetime.strptime(head.split("-", maxsplit=1)[0] + "+0000", "%Y%m%dT%H%M%SZ%z")
    except ValueError:
        return ["The given head is neither a packet's nor a digest's."]
    whole = checkpoints.known(tx, head, marks)
    if whole is None:  # a digest's from before there were checkpoints
        whole = hmac.compare_digest(seal_of(key, _heads_at(tx, until)), head.split("-")[1])
    if whole:
        return []
    return ["The given check code does not fit: something recorded before it was cut off or changed."]


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
