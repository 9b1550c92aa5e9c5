"""The roster import: what a checked file would change, and the change itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import ColumnElement, and_, insert, select, update

from program.roster import Problem, Row
from program.times import local_day
from storage import cohorts, history, ledger, policies
from storage.database import Tx
from storage.ledger import Line
from storage.tables import cohort, enrolment, membership, person
from storage.work import Work


@dataclass(frozen=True, slots=True)
class Change:
    """One thing an import does, in words."""

    line: int
    text: str


@dataclass(slots=True)
class Plan:
    changes: list[Change] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def import_roster(work: Work, rows: Sequence[Row]) -> Plan:
    """Bring persons, cohorts and places up to the file; a row that is missing removes nobody.

    Nothing is written while there are problems: the caller rolls the transaction back. A dry run is the
    same call in a transaction that is rolled back.
    """
    plan = Plan()
    for row in rows:
        person_id = _person(work, row, plan)
        if person_id is None:
            continue
        if row.role == "coordinator":
            _coordinator(work, row, person_id, plan)
            continue
        cohort_id = _cohort(work, row, plan)
        _place(work, row, person_id, cohort_id, plan)
        if row.role == "mentee":
            _enrolment(work, row, person_id, plan)
    return plan


def _person(work: Work, row: Row, plan: Plan) -> UUID | None:
    """The row's person, by the stable id if the file has one, else by address."""
    by_id = _find(work.tx, person.c.roster_id == row.person_id) if row.person_id else None
    by_email = _find(work.tx, person.c.email == row.email)
    if by_id and by_email and by_id.id != by_email.id:
        text = f"{row.email} belongs to somebody else than the person_id {row.person_id!r}."
        plan.problems.append(Problem(row.line, text))
        return None
    found = by_id or by_email
    if found is None:
        person_id = work.new_id()
        values = {
            "id": person_id,
            "roster_id": row.person_id,
            "name": row.name,
            "email": row.email,
            "zone": row.zone,
        }
        work.tx.execute(insert(person).values(values))
        history.note(work, person_id, "person.imported", None)
        plan.changes.append(Change(row.line, f"{row.name} <{row.email}> is new."))
        return person_id
    if row.person_id and found.roster_id and found.roster_id != row.person_id:
        text = f"{row.email} has the person_id {found.roster_id!r} already, not {row.person_id!r}."
        plan.problems.append(Problem(row.line, text))
        return None
    fresh = {"name": row.name, "email": row.email, "zone": row.zone}
    if row.person_id:
        fresh["roster_id"] = row.person_id
    _update_person(work, row, found, fresh, plan)
    return UUID(str(found.id))


def _update_person(work: Work, row: Row, found: _Found, fresh: dict[str, str], plan: Plan) -> None:
    changed = {name: value for name, value in fresh.items() if getattr(found, name) != value}
    if not changed:
        return
    work.tx.execute(update(person).where(person.c.id == found.id).values(changed))
    history.note(work, found.id, "person.changed", None, fields=sorted(changed))
    for name, value in changed.items():
        plan.changes.append(Change(row.line, f"{found.name}: {name} {getattr(found, name) or '(none)'} -> {value}"))


@dataclass(frozen=True, slots=True)
class _Found:
    id: UUID
    roster_id: str | None
    name: str
    email: str
    zone: str
    coordinator: bool


def _find(tx: Tx, where: ColumnElement[bool]) -> _Found | None:
    columns = (
        person.c.id,
        person.c.roster_id,
        person.c.name,
        person.c.email,
        person.c.zone,
        person.c.coordinator,
    )
    row = tx.execute(select(*columns).where(where)).one_or_none()
    return _Found(*row) if row else None


def _coordinator(work: Work, row: Row, person_id: UUID, plan: Plan) -> None:
    there = update(person).where(person.c.id == person_id, ~person.c.coordinator)
    if work.tx.execute(there.values(coordinator=True)).rowcount:
        history.note(work, person_id, "coordinator.named", None)
        plan.changes.append(Change(row.line, f"{row.name} becomes a coordinator."))


def _cohort(work: Work, row: Row, plan: Plan) -> UUID:
    found = cohorts.by_name(work.tx, row.cohort)
    if found is None:
        plan.changes.append(Change(row.line, f"The cohort {row.cohort} is new."))
        return cohorts.create(work, row.cohort, row.region, row.zone)
    if row.region and found.region != row.region:
        plan.changes.append(Change(row.line, f"{row.cohort}: region {found.region or '(none)'} -> {row.region}"))
        work.tx.execute(update(cohort).where(cohort.c.id == found.id).values(region=row.region))
    return found.id


def _place(work: Work, row: Row, person_id: UUID, cohort_id: UUID, plan: Plan) -> None:
    here = and_(membership.c.cohort_id == cohort_id, membership.c.person_id == person_id, membership.c.until.is_(None))
    role = work.tx.scalar(select(membership.c.role).where(here))
    if role == row.role:
        return
    if role is not None:
        cohorts.leave(work, cohort_id, person_id, None)
        plan.changes.append(Change(row.line, f"{row.name} is now {row.role} of {row.cohort}, not {role}."))
    else:
        plan.changes.append(Change(row.line, f"{row.name} joins {row.cohort} as {row.role}."))
    cohorts.join(work, cohort_id, person_id, row.role, None)


def _enrolment(work: Work, row: Row, person_id: UUID, plan: Plan) -> None:
    found = work.tx.execute(select(enrolment).where(enrolment.c.person_id == person_id)).one_or_none()
    if found is None:
        starts = row.program_start or local_day(work.now, row.zone)
        cohorts.enrol(work, person_id, policies.current(work.tx, starts), starts, row.district, row.track)
        return
    fresh = {"district": row.district, "track": row.track, "starts": row.program_start}
    changed = {name: value for name, value in fresh.items() if value and getattr(found, name) != value}
    if not changed:
        return
    what = ", ".join(f"{name} {getattr(found, name) or '(none)'} -> {value}" for name, value in changed.items())
    plan.changes.append(Change(row.line, f"{row.name}: {what}"))
    if work.chain_key:
        detail = {name: {"from": str(getattr(found, name)), "to": str(value)} for name, value in changed.items()}
        ledger.add(work, person_id, Line("enrolment", "changed", work.now, None, "operator", detail=detail))
    elif ledger.has_begun(work.tx):
        text = f"{row.name}: a change of {' and '.join(changed)} is recorded in the ledger, and its key is not here."
        plan.problems.append(Problem(row.line, text))
    work.tx.execute(update(enrolment).where(enrolment.c.id == found.id).values(changed))
    history.note(work, person_id, "enrolment.changed", None, fields=sorted(changed))
