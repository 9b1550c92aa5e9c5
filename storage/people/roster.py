"""The roster import: what a checked file would change, prepared by reading alone, and the change itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Table, bindparam, func, insert, select, update

from program.core.times import local_day, long_day
from program.core.words import listed
from program.people.roster import Problem, Row
from program.record.policy import Policy
from storage.core import audit_log
from storage.core.core_tables import audit_entry
from storage.core.database import Tx
from storage.core.work import Work
from storage.people import cohorts, people
from storage.people.memberships import Joining
from storage.people.people_tables import cohort, membership, person
from storage.record import enrolments, ledger, policies
from storage.record.ledger import Line
from storage.record.record_tables import amendment, enrolment, policy
from storage.vault import seals
from storage.vault.vault_tables import ledger_key

BATCH = 1_000  # rows of one statement

Report = Callable[[str, int, int], None]  # what is being done, how much of it is done, how much there is


def report_nothing(_what: str, _done: int, _total: int) -> None:
    """Ignore an import's progress."""


@dataclass(frozen=True, slots=True)
class RosterChange:
    """One thing an import does, in words."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class _Person:
    id: UUID
    roster_id: str | None
    name: str
    email: str
    zone: str
    coordinator: bool


@dataclass(frozen=True, slots=True)
class _Enrolment:
    id: UUID
    person_id: UUID
    policy: str
    starts: date
    district: str
    track: str


@dataclass(slots=True)
class Plan:
    """What an import changes, in words and in rows. ``stamp``: the program's state that it was prepared from."""

    stamp: tuple[int, ...]
    changes: list[RosterChange] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    persons: list[dict[str, Any]] = field(default_factory=list)
    person_changes: list[tuple[_Person, list[str]]] = field(default_factory=list)  # the new state, and what is new
    coordinators: list[UUID] = field(default_factory=list)
    named_too: list[UUID] = field(default_factory=list)  # coordinators already, that the roster names from now on
    cohorts: list[tuple[UUID, str, str, str]] = field(default_factory=list)  # id, name, region, zone
    regions: dict[UUID, str] = field(default_factory=dict)
    leavings: list[tuple[UUID, UUID]] = field(default_factory=list)  # cohort, person
    joinings: list[Joining] = field(default_factory=list)
    enrolments: list[dict[str, Any]] = field(default_factory=list)
    enrolment_changes: list[tuple[_Enrolment, dict[str, Any]]] = field(default_factory=list)  # as it was, what is new

    @property
    def touched(self) -> list[UUID]:
        """Everybody whose check-ins may change."""
        ids = [row["id"] for row in self.persons]
        ids += [person.id for person, _ in self.person_changes]
        ids += [joining.person_id for joining in self.joinings]
        return list(dict.fromkeys(ids))


def import_roster(work: Work, rows: Sequence[Row], *, restore_removed: bool = False) -> Plan:
    """Import a roster: update people, cohorts and memberships to its rows. A row that is missing removes nobody.

    Nothing is written where the plan has problems.
    """
    plan = prepare(work, rows, restore_removed=restore_removed)
    if not plan.problems:
        write(work, plan)
    return plan


def stamp(tx: Tx) -> tuple[int, ...]:
    """A value that changes whenever anything changes that an import is prepared from."""
    tables = (audit_entry, person, cohort, membership, enrolment, policy, amendment, ledger_key)
    counts = [select(func.count()).select_from(table).scalar_subquery() for table in tables]
    return tuple(tx.execute(select(*counts)).one())


# Preparing ---------------------------------------------------------------------------------------


def prepare(work: Work, rows: Sequence[Row], report: Report = report_nothing, *, restore_removed: bool = False) -> Plan:
    """What the file changes. Only reads, so it needs no writer; a few queries, however long the file is.

    ``restore_removed``: a row may give back a place or role that was ended; otherwise it is a problem.
    """
    preparing = _Preparing(work, restore_removed=restore_removed)
    for number, row in enumerate(rows, start=1):
        preparing.add(row)
        if number % BATCH == 0 or number == len(rows):
            report("Checking", number, len(rows))
    return preparing.plan


def _ended_places(tx: Tx) -> dict[tuple[UUID, UUID, str], datetime]:
    """When each place (cohort, person, role) ended last."""
    places = select(membership.c.cohort_id, membership.c.person_id, membership.c.role, membership.c.until)
    rows = tx.execute(places.where(membership.c.until.is_not(None)).order_by(membership.c.until))
    return {(row.cohort_id, row.person_id, row.role): row.until for row in rows}


def _ended_roles(tx: Tx) -> dict[UUID, datetime]:
    """When each former coordinator's role ended last."""
    lines = select(audit_entry.c.subject, audit_entry.c.at).where(audit_entry.c.what == "coordinator.removed")
    return {row.subject: row.at for row in tx.execute(lines.order_by(audit_entry.c.at))}


class _Preparing:
    """The program as it is and, row by row, as it will be."""

    def __init__(self, work: Work, *, restore_removed: bool) -> None:
        tx = work.tx
        self.work = work
        self.restore_removed = restore_removed
        self.ended_places = _ended_places(tx)
        self.ended_roles = _ended_roles(tx)
        self.named_by_roster = people.coordinators_named_by(tx, people.ROSTER)
        self.plan = Plan(stamp(tx))
        persons = [
            _Person(*row)
            for row in tx.execute(
                select(
                    person.c.id, person.c.roster_id, person.c.name, person.c.email, person.c.zone, person.c.coordinator
                )
            )
        ]
        self.by_email = {person.email: person for person in persons}
        self.by_roster_id = {person.roster_id: person for person in persons if person.roster_id}
        self.cohorts = {cohort.name.lower(): (cohort.id, cohort.region) for cohort in cohorts.all_cohorts(tx)}
        places = select(membership.c.cohort_id, membership.c.person_id, membership.c.role)
        self.roles = {(row[0], row[1]): row[2] for row in tx.execute(places.where(membership.c.until.is_(None)))}
        columns = [enrolment.c[name] for name in _Enrolment.__dataclass_fields__]
        self.enrolments = {row.person_id: _Enrolment(*row) for row in tx.execute(select(*columns))}
        self._policies: dict[str, Policy] = {}
        self._current: dict[date, str] = {}

    def add(self, row: Row) -> None:
        someone = self._person(row)
        if someone is None:
            return
        if row.role == "coordinator":
            self._coordinator(row, someone)
            return
        self._place(row, someone, self._cohort(row))
        if row.role == "mentee":
            self._enrolment(row, someone)

    def _change(self, row: Row, text: str) -> None:
        self.plan.changes.append(RosterChange(row.line, text))

    def _problem(self, row: Row, text: str) -> None:
        self.plan.problems.append(Problem(row.line, text))

    def _person(self, row: Row) -> _Person | None:
        """The row's person, by the stable id if the file has one, else by address."""
        by_id = self.by_roster_id.get(row.person_id) if row.person_id else None
        by_email = self.by_email.get(row.email)
        if by_id and by_email and by_id.id != by_email.id:
            self._problem(row, f"{row.email} belongs to somebody else than the person_id {row.person_id!r}.")
            return None
        known = by_id or by_email
        if known is None:
            return self._new_person(row)
        if row.person_id and known.roster_id and known.roster_id != row.person_id:
            self._problem(row, f"{row.email} has the person_id {known.roster_id!r} already, not {row.person_id!r}.")
            return None
        return self._changed_person(row, known)

    def _new_person(self, row: Row) -> _Person:
        someone = _Person(self.work.new_id(), row.person_id, row.name, row.email, row.zone, False)
        names = ("id", "roster_id", "name", "email", "zone")
        self.plan.persons.append({name: getattr(someone, name) for name in names})
        self._remember(someone)
        self._change(row, f"{row.name} <{row.email}> is new.")
        return someone

    def _changed_person(self, row: Row, known: _Person) -> _Person:
        fresh: dict[str, Any] = {"name": row.name, "email": row.email, "zone": row.zone}
        if row.person_id:
            fresh["roster_id"] = row.person_id
        changed = {name: value for name, value in fresh.items() if getattr(known, name) != value}
        if not changed:
            return known
        for name, value in changed.items():
            self._change(row, f"{known.name}: {name} {getattr(known, name) or '(none)'} -> {value}")
        someone = replace(known, **changed)
        self.by_email.pop(known.email, None)
        self._remember(someone)
        self.plan.person_changes.append((someone, sorted(changed)))
        return someone

    def _remember(self, someone: _Person) -> None:
        self.by_email[someone.email] = someone
        if someone.roster_id:
            self.by_roster_id[someone.roster_id] = someone

    def _coordinator(self, row: Row, someone: _Person) -> None:
        if someone.coordinator:
            if someone.id not in self.named_by_roster:
                self.named_by_roster.add(someone.id)
                self.plan.named_too.append(someone.id)
        elif self._may_get_back(row, self.ended_roles.get(someone.id), "as coordinator"):
            self.named_by_roster.add(someone.id)
            self.plan.coordinators.append(someone.id)
            self._remember(replace(someone, coordinator=True))
            self._change(row, f"{row.name} becomes a coordinator.")

    def _cohort(self, row: Row) -> UUID:
        key = row.cohort.strip().lower()
        known = self.cohorts.get(key)
        if known is None:
            cohort_id = self.work.new_id()
            self.cohorts[key] = (cohort_id, row.region)
            self.plan.cohorts.append((cohort_id, row.cohort, row.region, row.zone))
            self._change(row, f"The cohort {row.cohort} is new.")
            return cohort_id
        cohort_id, region = known
        if row.region and region != row.region:
            self.cohorts[key] = (cohort_id, row.region)
            self.plan.regions[cohort_id] = row.region
            self._change(row, f"{row.cohort}: region {region or '(none)'} -> {row.region}")
        return cohort_id

    def _place(self, row: Row, someone: _Person, cohort_id: UUID) -> None:
        role = self.roles.get((cohort_id, someone.id))
        if role == row.role:
            return
        if role is not None:
            self.plan.leavings.append((cohort_id, someone.id))
            self._change(row, f"{row.name} is now {row.role} of {row.cohort}, not {role}.")
        elif self._may_get_back(
            row, self.ended_places.get((cohort_id, someone.id, row.role)), f"as {row.role} of {row.cohort}"
        ):
            self._change(row, f"{row.name} joins {row.cohort} as {row.role}.")
        else:
            return
        self.roles[cohort_id, someone.id] = row.role
        self.plan.joinings.append(Joining(cohort_id, someone.id, row.role))

    def _may_get_back(self, row: Row, ended: datetime | None, what: str) -> bool:
        """Whether the row may give somebody a place or role; what was taken away is given back only on request."""
        if ended is None or self.restore_removed:
            return True
        self._problem(
            row,
            f"{row.name} was removed {what} on {long_day(ended, row.zone)}. Delete this line, or give the role back "
            "by importing with --restore-removed.",
        )
        return False

    def _enrolment(self, row: Row, someone: _Person) -> None:
        known = self.enrolments.get(someone.id)
        starts = row.program_start or (known.starts if known else local_day(self.work.now, row.zone))
        name = known.policy if known else self._policy_from(starts)
        if not self._has_track(row, name, known):
            return
        if known is None:
            new = _Enrolment(self.work.new_id(), someone.id, name, starts, row.district, row.track)
            self.enrolments[someone.id] = new
            self.plan.enrolments.append({column: getattr(new, column) for column in _Enrolment.__dataclass_fields__})
            return
        fresh = {"district": row.district, "track": row.track, "starts": row.program_start}
        changed = {column: value for column, value in fresh.items() if value and getattr(known, column) != value}
        if changed:
            self._changed_enrolment(row, known, changed)

    def _changed_enrolment(self, row: Row, known: _Enrolment, changed: dict[str, Any]) -> None:
        what = [f"{name} {getattr(known, name) or '(none)'} -> {value}" for name, value in changed.items()]
        self._change(row, f"{row.name}: {', '.join(what)}")
        self.plan.enrolment_changes.append((known, changed))
        self.enrolments[known.person_id] = replace(known, **changed)

    def _has_track(self, row: Row, name: str, known: _Enrolment | None) -> bool:
        """Whether the policy has the row's track; a track that somebody is on already is left alone."""
        if not row.track or (known is not None and known.track == row.track):
            return True
        if name not in self._policies:
            self._policies[name] = policies.get(self.work.tx, name)
        rules = self._policies[name]
        if rules.track(row.track) is not None:
            return True
        ids = listed([track.id for track in rules.tracks])
        has = f"its tracks are {ids}" if ids else "it has no tracks; leave the cell empty"
        self._problem(row, f"{row.name}: the track {row.track!r} is not in the policy {name}; {has}.")
        return False

    def _policy_from(self, day: date) -> str:
        if day not in self._current:
            self._current[day] = policies.current(self.work.tx, day)
        return self._current[day]


# Writing -----------------------------------------------------------------------------------------


def write(work: Work, plan: Plan, report: Report = report_nothing) -> None:
    """Write a plan without problems. The caller sees to it that its stamp still holds."""
    for someone, names in plan.person_changes:  # in the file's order: an address may move from one to the next
        values = {name: getattr(someone, name) for name in names}
        if values.keys() & {"name", "email"}:  # the operator's file says so, whatever stood there
            sealed = {"id": someone.id, "name": someone.name, "email": someone.email}
            values |= seals.sealed(work.tx, person, sealed)
        work.tx.execute(update(person).where(person.c.id == someone.id).values(values))
    _in_batches(work, person, [seals.sealed(work.tx, person, row) for row in plan.persons], "People", report)
    audit_log.note_all(work, [(row["id"], "person.imported", {}) for row in plan.persons], None)
    audit_log.note_all(
        work, [(person.id, "person.changed", {"fields": names}) for person, names in plan.person_changes], None
    )
    for person_id in plan.coordinators:
        people.make_coordinator(work, person_id, people.ROSTER)
    for person_id in plan.named_too:
        people.also_named(work, person_id, people.ROSTER)
    for cohort_id, name, region, zone in plan.cohorts:
        cohorts.create(work, name, region, zone, cohort_id=cohort_id)
    regions = [{"of": cohort_id, "region": region} for cohort_id, region in plan.regions.items()]
    if regions:
        work.tx.execute(update(cohort).where(cohort.c.id == bindparam("of")), regions)
    for cohort_id, person_id in plan.leavings:
        cohorts.leave(work, cohort_id, person_id, None)
    for start in range(0, len(plan.joinings), BATCH):
        cohorts.join_all(work, plan.joinings[start : start + BATCH], None)
        report("Places", min(start + BATCH, len(plan.joinings)), len(plan.joinings))
    new = [seals.sealed(work.tx, enrolment, {**row, "version": 0}) for row in plan.enrolments]
    _in_batches(work, enrolment, new, "Enrollments", report)
    for before, changed in plan.enrolment_changes:
        _change_enrolment(work, before, changed)


def _in_batches(work: Work, table: Table, rows: Sequence[dict[str, Any]], what: str, report: Report) -> None:
    for start in range(0, len(rows), BATCH):
        work.tx.execute(insert(table), rows[start : start + BATCH])
        report(what, min(start + BATCH, len(rows)), len(rows))


def _change_enrolment(work: Work, before: _Enrolment, changed: dict[str, Any]) -> None:
    detail = {name: {"from": str(getattr(before, name)), "to": str(value)} for name, value in changed.items()}
    ledger.add(work, before.person_id, Line("enrolment", "changed", work.now, None, "operator", detail=detail))
    enrolments.change_row(work.tx, before.person_id, changed)
    audit_log.note(work, before.person_id, "enrolment.changed", None, fields=sorted(changed))
