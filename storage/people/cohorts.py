"""Cohorts, their members, home channels and settings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import and_, bindparam, insert, or_, select, update

from program.checkins.schedule import Cycle
from storage.checkins import shares
from storage.core import audit_log
from storage.core.database import Tx, in_ids
from storage.core.work import Work
from storage.people import memberships, people
from storage.people.memberships import SEALED, Joining, row_fits
from storage.people.people_tables import cohort, membership, person
from storage.vault import seals
from storage.vault.seals import fits

DEFAULT_REMINDERS = (1440, 60)  # minutes before a meeting


@dataclass(frozen=True, slots=True)
class Cohort:
    """A cohort with its settings."""

    id: UUID
    name: str
    region: str
    zone: str
    home_id: UUID | None
    reminders: Sequence[int]  # minutes before a meeting
    checkin_weekday: int
    checkin_at: time
    checkin_weeks: int
    retention_months: int | None  # None: reflections are kept
    retention_from: datetime | None  # nothing is deleted before

    @property
    def cycle(self) -> Cycle:
        """The rhythm of its check-ins."""
        return Cycle(self.checkin_weekday, self.checkin_at, self.checkin_weeks)


_COHORT = (
    cohort.c.id,
    cohort.c.name,
    cohort.c.region,
    cohort.c.zone,
    cohort.c.home_id,
    cohort.c.reminders,
    cohort.c.checkin_weekday,
    cohort.c.checkin_at,
    cohort.c.checkin_weeks,
    cohort.c.retention_months,
    cohort.c.retention_from,
)


_GET = select(*_COHORT).where(cohort.c.id == bindparam("id"))


@dataclass(frozen=True, slots=True)
class CohortMember:
    """A present member of a cohort."""

    id: UUID
    name: str
    email: str
    zone: str
    role: str


def get(tx: Tx, cohort_id: UUID) -> Cohort:
    """The cohort of an id that is known to be there. Raises NoResultFound where it is not."""
    return Cohort(*tx.execute(_GET, {"id": cohort_id}).one())


def find(tx: Tx, cohort_id: UUID) -> Cohort | None:
    """The cohort of an id, if there is one."""
    row = tx.execute(_GET, {"id": cohort_id}).one_or_none()
    return Cohort(*row) if row else None


def by_name(tx: Tx, name: str) -> Cohort | None:
    """The cohort of a name, whatever its case."""
    row = tx.execute(select(*_COHORT).where(cohort.c.key == name.strip().lower())).one_or_none()
    return Cohort(*row) if row else None


def all_cohorts(tx: Tx) -> list[Cohort]:
    """Every cohort, by region and name."""
    return [Cohort(*row) for row in tx.execute(select(*_COHORT).order_by(cohort.c.region, cohort.c.key))]


def create(work: Work, name: str, region: str, zone: str, *, cohort_id: UUID | None = None) -> UUID:
    """Create a cohort; its id, which is ``cohort_id`` where that was made before."""
    cycle = Cycle()
    cohort_id = cohort_id or work.new_id()
    row = {
        "id": cohort_id,
        "name": name,
        "key": name.lower(),
        "region": region,
        "zone": zone,
        "reminders": list(DEFAULT_REMINDERS),
        "checkin_weekday": cycle.weekday,
        "checkin_at": cycle.at,
        "checkin_weeks": cycle.every_weeks,
    }
    work.tx.execute(insert(cohort).values(row))
    return cohort_id


def change(work: Work, cohort_id: UUID, by: UUID | None, **values: Any) -> None:
    """Change a cohort's settings (reminders, check-in rhythm, region, retention)."""
    work.tx.execute(update(cohort).where(cohort.c.id == cohort_id).values(values))
    detail = {
        name: value.isoformat() if isinstance(value, time | datetime) else value for name, value in values.items()
    }
    audit_log.note(work, cohort_id, "cohort.changed", by, **detail)


def want_home(tx: Tx, cohort_id: UUID, conversation_id: UUID | None) -> None:
    """Note the channel that is to become a cohort's home once the bot is in it, in place of an earlier one."""
    tx.execute(update(cohort).where(cohort.c.id == cohort_id).values(wanted_home_id=conversation_id))


def unwant_home(tx: Tx, cohort_id: UUID, conversation_id: UUID) -> None:
    """Forget that this channel was to become the home; another one that was to become it stays."""
    here = (cohort.c.id == cohort_id, cohort.c.wanted_home_id == conversation_id)
    tx.execute(update(cohort).where(*here).values(wanted_home_id=None))


def wanted_home(tx: Tx, cohort_id: UUID) -> UUID | None:
    """The channel that was linked last, where the bot has not entered it yet."""
    wanted: UUID | None = tx.scalar(select(cohort.c.wanted_home_id).where(cohort.c.id == cohort_id))
    return wanted


def set_home(work: Work, cohort_id: UUID, conversation_id: UUID | None, by: UUID) -> None:
    """Make a channel the cohort's home, or none; a channel that was to become it is forgotten."""
    values = {"home_id": conversation_id, "wanted_home_id": None}
    work.tx.execute(update(cohort).where(cohort.c.id == cohort_id).values(values))
    home = str(conversation_id) if conversation_id else None
    audit_log.note(work, cohort_id, "cohort.home", by, conversation=home)


def members(tx: Tx, cohort_id: UUID, role: str | None = None) -> list[CohortMember]:
    """A cohort's present members by name, all or those of one role. A membership whose seal does not fit is none."""
    query = (
        select(person.c.id, person.c.name, person.c.email, person.c.zone, membership.c.role)
        .add_columns(membership.c.id, membership.c.since, membership.c.seal)
        .join_from(membership, person)
        .where(membership.c.cohort_id == cohort_id, membership.c.until.is_(None))
        .order_by(person.c.name, person.c.id)
    )
    if role is not None:
        query = query.where(membership.c.role == role)
    return [
        CohortMember(*row[:5])
        for row in tx.execute(query)
        if fits(row[7], seals.of_membership(tx, row[5], cohort_id, row[0], row[4], row[6], None))
    ]


def sizes(tx: Tx) -> dict[UUID, tuple[int, int]]:
    """Mentees and mentors of each cohort."""
    counts: dict[UUID, tuple[int, int]] = {}
    rows = tx.execute(select(membership.c.cohort_id, membership.c.role).where(membership.c.until.is_(None)))
    for cohort_id, role in rows:
        mentees, mentors = counts.get(cohort_id, (0, 0))
        counts[cohort_id] = (mentees + (role == "mentee"), mentors + (role == "mentor"))
    return counts


def join(work: Work, cohort_id: UUID, person_id: UUID, role: str, by: UUID | None) -> None:
    """Make somebody a member of a cohort."""
    join_all(work, [Joining(cohort_id, person_id, role)], by)


def join_all(work: Work, joinings: Sequence[Joining], by: UUID | None) -> None:
    """Begin these memberships now."""
    memberships.begin(work, joinings)
    notes = [
        (joining.cohort_id, "member.joined", {"person": str(joining.person_id), "role": joining.role})
        for joining in joinings
    ]
    audit_log.note_all(work, notes, by)


def leave(work: Work, cohort_id: UUID, person_id: UUID, by: UUID | None) -> None:
    """End a membership today; what was attended stays.

    Every way out of a cohort comes through here (a transfer, leaving the program, another role), so what must
    end together with a membership ends here.
    """
    memberships.end(work, cohort_id, person_id)
    shares.end_lapsed(work, person_id)
    audit_log.note(work, cohort_id, "member.left", by, person=str(person_id))


def shared_cohorts(tx: Tx, person_id: UUID, roles: Iterable[str] = ("mentee", "mentor")) -> list[Cohort]:
    """The cohorts a person is in now."""
    here = {
        membership.cohort_id for membership in memberships.current(tx, [person_id]) if membership.role in set(roles)
    }
    rows = tx.execute(select(*_COHORT).where(in_ids(tx, cohort.c.id, here)).order_by(cohort.c.key))
    return [Cohort(*row) for row in rows]


def ever_of(tx: Tx, person_id: UUID) -> list[str]:
    """The names of the cohorts somebody is or was a mentee of, in that order."""
    names = tx.scalars(
        select(cohort.c.name)
        .join_from(membership, cohort)
        .where(membership.c.person_id == person_id, membership.c.role == "mentee")
        .order_by(membership.c.since, cohort.c.key)
    )
    return list(dict.fromkeys(names))


def mentors_at(tx: Tx, person_id: UUID, at: datetime) -> set[UUID]:
    """The people who were mentors of a mentee's cohorts at a time and lead a cohort still."""
    own, theirs, still = membership.alias("own"), membership.alias("theirs"), membership.alias("still")
    there = [and_(side.c.since <= at, or_(side.c.until.is_(None), side.c.until > at)) for side in (own, theirs)]
    query = (
        select(*(alias.c[name] for alias in (own, theirs, still) for name in SEALED))
        .join_from(own, theirs, theirs.c.cohort_id == own.c.cohort_id)
        .join(still, still.c.person_id == theirs.c.person_id)
        .where(own.c.person_id == person_id, own.c.role == "mentee", theirs.c.role == "mentor", *there)
        .where(still.c.role == "mentor", still.c.until.is_(None))
    )
    width = len(SEALED)
    return {
        row[width + 2]
        for row in tx.execute(query)
        if all(row_fits(tx, row[start : start + width]) for start in (0, width, 2 * width))
    }


def coordinators(tx: Tx) -> list[CohortMember]:
    """The program's coordinators, who stand in for a cohort without mentors."""
    return [
        CohortMember(person.id, person.name, person.email, person.zone, "coordinator")
        for person in people.coordinators(tx)
    ]
