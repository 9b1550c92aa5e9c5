"""Certificates: issued once, revoked or reissued with a reason, and never edited.

A row is only ever added. Whether a certificate holds is what the ledger says of its code, so that each step
is a line of the holder's chain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Subquery, and_, bindparam, exists, func, insert, select

from program.record.certificate import new_code
from storage.core.database import Tx, in_ids, inline_word
from storage.core.work import Work
from storage.people.people_tables import person
from storage.record import checkpoints, ledger
from storage.record.record_tables import certificate, enrolment, ledger_line
from storage.vault import seals

KIND = "certificate"
GRANTED = ("issued", "reissued")


class AlreadyIssued(Exception):
    """There is a certificate in force, or there was one: it is reissued, not issued again."""


class NotInForce(Exception):
    """This certificate was revoked already."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate as it was issued. ``intact``: its seal fits."""

    id: UUID
    person_id: UUID
    number: int
    code: str
    name: str  # as it is shown
    policy: str
    issued_at: datetime
    revoked_at: datetime | None
    reason: str  # of the revocation
    intact: bool = True  # as it was issued; False: the row was changed outside the program, so it proves nothing

    @property
    def in_force(self) -> bool:
        """Whether it was not revoked."""
        return self.revoked_at is None


def _revocations() -> Subquery:
    return (
        select(ledger_line.c.enrolment_id, ledger_line.c.code, ledger_line.c.recorded_at, ledger_line.c.reason)
        .where(ledger_line.c.kind == inline_word(KIND), ledger_line.c.step == inline_word("revoked"))
        .subquery()
    )


def _certificates() -> Any:
    gone = _revocations()
    granted = exists().where(
        ledger_line.c.enrolment_id == certificate.c.enrolment_id,
        ledger_line.c.kind == inline_word(KIND),
        ledger_line.c.step.in_([inline_word(text) for text in GRANTED]),
        ledger_line.c.code == certificate.c.code,
    )
    return (
        select(
            certificate.c.id,
            enrolment.c.person_id,
            certificate.c.number,
            certificate.c.code,
            certificate.c.name,
            certificate.c.policy,
            certificate.c.issued_at,
            gone.c.recorded_at,
            func.coalesce(gone.c.reason, ""),
            certificate.c.enrolment_id,
            certificate.c.seal,
        )
        .join_from(certificate, enrolment)
        .join(
            gone,
            and_(gone.c.enrolment_id == certificate.c.enrolment_id, gone.c.code == certificate.c.code),
            isouter=True,
        )
        .where(granted)  # a row that no ledger line speaks of was put there by somebody else
        .order_by(certificate.c.issued_at.desc(), certificate.c.number.desc(), certificate.c.id)
    )


# Built once: everybody who asks for their progress runs the last of them.
_EVERY = _certificates()
_BY_CODE = _EVERY.where(certificate.c.code == bindparam("code"))
_GET = _EVERY.where(certificate.c.id == bindparam("id"))
_OF_PERSON = _EVERY.where(enrolment.c.person_id == bindparam("person"))


def by_code(tx: Tx, code: str) -> Certificate | None:
    """The certificate of a code, if there is one."""
    row = tx.execute(_BY_CODE, {"code": code}).one_or_none()
    return _read(tx, row) if row else None


def _read(tx: Tx, row: Any) -> Certificate:
    intact = seals.fits(row.seal, seals.of_row(tx, certificate, row))
    return replace(Certificate(*row[:9]), intact=intact)


def left_a_trace(tx: Tx, code: str) -> bool:
    """Whether there is a line, or a row, of a certificate with this code, though not both."""
    line = select(ledger_line.c.id).where(
        ledger_line.c.kind == inline_word(KIND), ledger_line.c.step.in_(GRANTED), ledger_line.c.code == code
    )
    row = select(certificate.c.id).where(certificate.c.code == code)
    return tx.execute(line).first() is not None or tx.execute(row).first() is not None


def get(tx: Tx, certificate_id: UUID) -> Certificate | None:
    """The certificate of an id, if there is one."""
    row = tx.execute(_GET, {"id": certificate_id}).one_or_none()
    return _read(tx, row) if row else None


def of_person(tx: Tx, person_id: UUID) -> list[Certificate]:
    """Every certificate somebody was given, the newest first."""
    return [_read(tx, row) for row in tx.execute(_OF_PERSON, {"person": person_id})]


def newest_of(tx: Tx, people: Sequence[UUID] | None = None) -> dict[UUID, Certificate]:
    """The newest certificate of each of these people (None: of everybody), in one query."""
    query = _EVERY
    if people is not None:
        query = query.where(in_ids(tx, enrolment.c.person_id, people))
    newest: dict[UUID, Certificate] = {}
    for row in tx.execute(query):
        issued = _read(tx, row)
        if issued.person_id not in newest or newest[issued.person_id].number < issued.number:
            newest[issued.person_id] = issued
    return newest


def holds_one() -> ColumnElement[bool]:
    """The condition, for a query over ``person``, that they hold a certificate that is in force."""
    gone = _revocations()
    revoked = exists().where(gone.c.enrolment_id == certificate.c.enrolment_id, gone.c.code == certificate.c.code)
    return person.c.id.in_(select(enrolment.c.person_id).join_from(certificate, enrolment).where(~revoked))


def issue(work: Work, person_id: UUID, name: str, policy: str, by: UUID | None) -> Certificate:
    """Make somebody's first certificate and its ledger line.

    Raises:
        AlreadyIssued: there was one before.
    """
    if of_person(work.tx, person_id):
        raise AlreadyIssued(AlreadyIssued.__doc__)
    made = _grant(work, person_id, 1, name, policy, by, "issued")
    checkpoints.make(work.tx, work.now)
    return made


def revoke(work: Work, issued: Certificate, reason: str, by: UUID | None) -> None:
    """Take a certificate back; its code answers "revoked" from now on.

    Raises:
        NotInForce: it was revoked before.
    """
    if not issued.in_force:
        raise NotInForce(NotInForce.__doc__)
    _take_back(work, issued, reason, by)
    checkpoints.make(work.tx, work.now)


def reissue(work: Work, issued: Certificate, name: str, policy: str, reason: str, by: UUID | None) -> Certificate:
    """A new certificate with a new code in place of the newest one, which is revoked if it still held."""
    if issued.in_force:
        _take_back(work, issued, reason, by)
    made = _grant(work, issued.person_id, issued.number + 1, name, policy, by, "reissued", reason, issued)
    checkpoints.make(work.tx, work.now)
    return made


def _take_back(work: Work, issued: Certificate, reason: str, by: UUID | None) -> None:
    _line(work, issued.person_id, "revoked", issued.code, by, reason, target=_granting(work.tx, issued))


def _grant(
    work: Work,
    person_id: UUID,
    number: int,
    name: str,
    policy: str,
    by: UUID | None,
    step: str,
    reason: str = "",
    before: Certificate | None = None,
) -> Certificate:
    chain = work.tx.scalar(select(enrolment.c.id).where(enrolment.c.person_id == person_id))
    if chain is None:
        raise ledger.NotEnrolled(ledger.NotEnrolled.__doc__)
    code, new_id = new_code(), work.new_id()
    row = {
        "id": new_id,
        "enrolment_id": chain,
        "number": number,
        "code": code,
        "name": name,
        "policy": policy,
        "issued_at": work.now,
    }
    work.tx.execute(insert(certificate).values(seals.sealed(work.tx, certificate, row)))
    target = _granting(work.tx, before) if before else None
    _line(work, person_id, step, code, by, reason, target=target, policy=policy)
    return Certificate(new_id, person_id, number, code, name, policy, work.now, None, "")


def _line(
    work: Work, person_id: UUID, step: str, code: str, by: UUID | None, reason: str, target: UUID | None, **detail: str
) -> None:
    verified = "coordinator" if by else "operator"
    line = ledger.Line(KIND, step, work.now, by, verified, target_id=target, code=code, reason=reason, detail=detail)
    ledger.add(work, person_id, line)


def _granting(tx: Tx, issued: Certificate) -> UUID | None:
    """The ledger line that granted a certificate."""
    line: UUID | None = tx.scalar(
        select(ledger_line.c.id)
        .join_from(ledger_line, enrolment)
        .where(
            enrolment.c.person_id == issued.person_id,
            ledger_line.c.kind == KIND,
            ledger_line.c.step.in_(GRANTED),
            ledger_line.c.code == issued.code,
        )
    )
    return line
