"""Checkpoints: which records there were at a time, so that one that is gone or rolled back since is reported.

A checkpoint is the Merkle root over every chain's end and every sealed row that a standing or a certificate rests
on, under a MAC that covers the checkpoint before it. A leaf is written only when its record is newer than before,
so a record that went missing stays in every later checkpoint and stays named.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, case, func, insert, literal, null, select, text

from program.record import merkle
from program.record.chain import SHORT, canonical, mac_of
from storage.core.database import Tx
from storage.meetings.meetings_tables import meeting, summary
from storage.people.people_tables import membership
from storage.record.record_tables import (
    amendment,
    certificate,
    checkpoint,
    checkpoint_leaf,
    enrolment,
    ledger_head,
    policy,
)
from storage.vault import seals

CHAIN = "chain"
LOCK = 703_141_594  # any number of our own, for PostgreSQL's advisory lock
# Of each kind of record: its key, which person or cohort it is about, its version (a number that only ever grows),
# and what covers it.
_RECORDS: Mapping[str, Select[Any]] = {
    CHAIN: select(
        ledger_head.c.enrolment_id, enrolment.c.person_id, ledger_head.c.position, ledger_head.c.mark
    ).join_from(ledger_head, enrolment),
    "enrolment": select(enrolment.c.id, enrolment.c.person_id, enrolment.c.version, enrolment.c.seal),
    "policy": select(policy.c.name, null(), literal(0), policy.c.seal),
    "amendment": select(amendment.c.id, null(), literal(0), amendment.c.seal),
    "meeting": select(meeting.c.id, meeting.c.cohort_id, meeting.c.version, meeting.c.seal),
    "summary": select(
        summary.c.id, meeting.c.cohort_id, case((summary.c.withdrawn_at.is_(None), 0), else_=1), summary.c.seal
    ).join_from(summary, meeting),
    "membership": select(
        membership.c.id,
        membership.c.person_id,
        case((membership.c.until.is_(None), 0), else_=1),
        membership.c.seal,
    ),
    "certificate": select(certificate.c.id, enrolment.c.person_id, literal(0), certificate.c.seal).join_from(
        certificate, enrolment
    ),
}


_COLUMNS = (checkpoint.c.number, checkpoint.c.at, checkpoint.c.leaves, checkpoint.c.root, checkpoint.c.mac)


@dataclass(frozen=True, slots=True)
class Leaf:
    """One record.

    subject   a policy's name; or the record's id and, after a slash, that of what it is about (hexadecimal)
    mac       its seal, or a chain's mark
    """

    kind: str
    subject: str
    version: int
    mac: bytes

    @property
    def key(self) -> tuple[str, str]:
        """What the leaf is about."""
        return (self.kind, self.subject)

    @property
    def bytes(self) -> bytes:
        """The leaf's bytes, which are hashed."""
        values = {"kind": self.kind, "subject": self.subject, "version": self.version, "mac": self.mac}
        return canonical(values)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One checkpoint: the Merkle root of its leaves, under a MAC."""

    number: int
    at: datetime
    leaves: int
    root: bytes
    mac: bytes

    @property
    def code(self) -> str:
        """The code to keep elsewhere: "20261123T132500Z-<16 hexadecimal characters>"."""
        return f"{self.at.astimezone(UTC):%Y%m%dT%H%M%SZ}-{self.root.hex()[:SHORT]}"


def make(tx: Tx, at: datetime) -> Checkpoint:
    """Add a checkpoint over everything as it is now."""
    if tx.dialect.name != "sqlite":  # two at once would get the same number
        tx.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    last = newest(tx)
    number = last.number + 1 if last else 0
    known = {leaf.key: leaf for leaf in _leaves_of(tx, number)}
    newer = [leaf for leaf in present(tx) if leaf.key not in known or known[leaf.key].version < leaf.version]
    known |= {leaf.key: leaf for leaf in newer}
    if newer:
        rows = [
            {"kind": leaf.kind, "subject": leaf.subject, "number": number, "version": leaf.version, "mac": leaf.mac}
            for leaf in newer
        ]
        tx.execute(insert(checkpoint_leaf), rows)
    root = _root(known.values())
    mac = _mac(seals.key_of(tx), number, at, len(known), root, last.mac if last else b"")
    tx.execute(insert(checkpoint).values(number=number, at=at, leaves=len(known), root=root, mac=mac))
    return Checkpoint(number, at, len(known), root, mac)


def newest(tx: Tx) -> Checkpoint | None:
    """The newest checkpoint, if there is one."""
    row = tx.execute(select(*_COLUMNS).order_by(checkpoint.c.number.desc()).limit(1)).one_or_none()
    return Checkpoint(*row) if row else None


def begun_under(tx: Tx, key: bytes) -> bool:
    """Whether the first checkpoint was made under this key, or there is none yet."""
    row = tx.execute(select(*_COLUMNS).order_by(checkpoint.c.number).limit(1)).one_or_none()
    if row is None:
        return True
    first = Checkpoint(*row)
    return hmac.compare_digest(first.mac, _mac(key, first.number, first.at, first.leaves, first.root, b""))


def present(tx: Tx, about: UUID | None = None) -> list[Leaf]:
    """Every record as it is now, or those about one person."""
    return [
        Leaf(kind, _subject(key, whose), version, bytes(mac or b""))
        for kind, query in _RECORDS.items()
        for key, whose, version, mac in tx.execute(query if about is None else _about(query, about))
    ]


def _about(query: Select[Any], person_id: UUID) -> Select[Any]:
    return query.where(list(query.selected_columns)[1] == person_id)


def _subject(key: UUID | str, about: UUID | None) -> str:
    named = key.hex if isinstance(key, UUID) else key
    return f"{named}/{about.hex}" if about else named


def _leaves_of(tx: Tx, number: int, *which: ColumnElement[bool]) -> list[Leaf]:
    """What the checkpoint of this number covers: of each record the newest leaf up to it."""
    last = (
        select(checkpoint_leaf.c.kind, checkpoint_leaf.c.subject, func.max(checkpoint_leaf.c.number).label("number"))
        .where(checkpoint_leaf.c.number <= number, *which)
        .group_by(checkpoint_leaf.c.kind, checkpoint_leaf.c.subject)
        .subquery()
    )
    same = (
        (last.c.kind == checkpoint_leaf.c.kind)
        & (last.c.subject == checkpoint_leaf.c.subject)
        & (last.c.number == checkpoint_leaf.c.number)
    )
    columns = (checkpoint_leaf.c.kind, checkpoint_leaf.c.subject, checkpoint_leaf.c.version, checkpoint_leaf.c.mac)
    rows = tx.execute(select(*columns).join_from(checkpoint_leaf, last, same))
    return [Leaf(row.kind, row.subject, row.version, bytes(row.mac)) for row in rows]


def _root(leaves: Iterable[Leaf]) -> bytes:
    return merkle.root([leaf.bytes for leaf in sorted(leaves, key=lambda row: row.key)])


def _mac(key: bytes, number: int, at: datetime, leaves: int, root: bytes, before: bytes) -> bytes:
    values = {"number": number, "at": at, "leaves": leaves, "root": root, "before": before}
    return mac_of(key, "checkpoint", values)


# Checking -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MissingRecord:
    """A record of the newest checkpoint that is gone, or is an older state of itself.

    key     its id in hexadecimal, or a policy's name
    about   which person or cohort it is about
    """

    kind: str
    key: str
    about: UUID | None


@dataclass(frozen=True, slots=True)
class CheckResult:
    """``broken``: what is wrong with the checkpoints themselves, in sentences; ``gone``: what they miss."""

    broken: list[str]
    gone: list[MissingRecord]


Marks = Mapping[UUID, Sequence[bytes]]  # of each enrolment's lines, by position


def check(tx: Tx, key: bytes, marks: Marks) -> CheckResult:
    """Check the chain of checkpoints, and everything that the newest one covers."""
    every = _every(tx)
    if not every:
        return CheckResult(["All checkpoints are missing."], [])
    before = b""
    for number, made in enumerate(every):
        right = _mac(key, number, made.at, made.leaves, made.root, before)
        if made.number != number or not hmac.compare_digest(made.mac, right):
            return CheckResult([f"Checkpoint {number} is missing, or was changed."], [])
        before = made.mac
    leaves = _leaves_of(tx, every[-1].number)
    broken = [] if _root(leaves) == every[-1].root else ["The list of what the newest checkpoint covers was changed."]
    return CheckResult(broken, gone(tx, leaves, marks))


def _every(tx: Tx) -> list[Checkpoint]:
    return [Checkpoint(*row) for row in tx.execute(select(*_COLUMNS).order_by(checkpoint.c.number))]


def gone(tx: Tx, leaves: Iterable[Leaf], marks: Marks, about: UUID | None = None) -> list[MissingRecord]:
    """Which of these records are missing now, or older than they were. ``about``: all are about this person."""
    there = {leaf.key: leaf for leaf in present(tx, about)}
    missed = [
        leaf
        for leaf in leaves
        if (_is_cut(leaf, marks) if leaf.kind == CHAIN else _is_older(there.get(leaf.key), leaf))
    ]
    return [_as_gone(leaf) for leaf in missed]


def gone_of_person(tx: Tx, person_id: UUID, marks: Marks) -> list[MissingRecord]:
    """Which of the records about one person that the newest checkpoint covers are missing now, or older than then."""
    last = newest(tx)
    about = f"%/{person_id.hex}"
    leaves = _leaves_of(tx, last.number, checkpoint_leaf.c.subject.like(about)) if last else []
    return gone(tx, leaves, marks, person_id)


def _as_gone(leaf: Leaf) -> MissingRecord:
    if leaf.kind == "policy":  # its name has a slash
        return MissingRecord(leaf.kind, leaf.subject, None)
    key, _, about = leaf.subject.partition("/")
    return MissingRecord(leaf.kind, key, UUID(about) if about else None)


def _is_cut(leaf: Leaf, marks: Marks) -> bool:
    """Whether the line that was a chain's last one is gone from it."""
    lines = marks.get(UUID(leaf.subject.partition("/")[0]), ())
    return leaf.version >= len(lines) or lines[leaf.version] != leaf.mac


def _is_older(now: Leaf | None, then: Leaf) -> bool:
    return now is None or now.version < then.version or (now.version == then.version and now.mac != then.mac)


def known(tx: Tx, code: str, marks: Marks) -> bool | None:
    """Whether what the checkpoint of this code covered is all still there; None: there is no such checkpoint."""
    there = next((checkpoint for checkpoint in _every(tx) if checkpoint.code == code), None)
    if there is None:
        return None
    leaves = _leaves_of(tx, there.number)
    return _root(leaves) == there.root and not gone(tx, leaves, marks)
