"""People, their accounts, and which account belongs to which person.

An e-mail only proposes a link; the person, or a coordinator, makes it. From then on the tenant and the
user id are the identity, and a later change of address moves nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, bindparam, insert, select, update

from program.core.times import DEFAULT_ZONE
from program.core.words import folded
from storage.core import audit_log
from storage.core.database import Tx, in_ids, inline_word
from storage.core.work import Work
from storage.outbox.outbox_tables import installation
from storage.people.account_views import AccountView
from storage.people.people_tables import account, cohort, membership, person
from storage.vault import seals
from storage.vault.seals import fits

SETTINGS, ROSTER = "settings", "roster"  # what named a coordinator


@dataclass(frozen=True, slots=True)
class Person:
    """A person on the roster."""

    id: UUID
    name: str
    email: str
    zone: str
    coordinator: bool


_PERSON = (
    person.c.id,
    person.c.name,
    person.c.email,
    person.c.zone,
    person.c.coordinator,
)


@dataclass(frozen=True, slots=True)
class Member:
    """A present place in a cohort."""

    cohort_id: UUID
    cohort: str
    role: str  # mentee, mentor


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: an account, and the person it is linked to, if any."""

    account_id: UUID
    platform: str
    link: str  # none, proposed, confirmed, declined
    person_id: UUID | None
    name: str
    zone: str
    coordinator: bool
    memberships: tuple[Member, ...]
    misfits: tuple[str, ...] = ()  # kinds of rows about them whose seal does not fit; they count for nothing
    sees_from: datetime | None = None

    @property
    def view(self) -> AccountView:
        """What the account sees of its person's check-ins."""
        return AccountView(self.account_id, self.sees_from)


# Built once, as every statement that each request runs is: building one takes longer than running it.
_ACTOR = (
    select(
        account.c.id,
        account.c.link,
        account.c.name,
        person.c.id,
        person.c.name,
        person.c.zone,
        person.c.coordinator,
        cohort.c.id,
        cohort.c.name,
        membership.c.role,
        account.c.seal,
        person.c.coordinator_seal,
        membership.c.id,
        membership.c.since,
        membership.c.seal,
        account.c.sees_from,
    )
    .join_from(installation, account, account.c.installation_id == installation.c.id)
    .join(person, and_(person.c.id == account.c.person_id, account.c.link == inline_word("confirmed")), isouter=True)
    .join(membership, and_(membership.c.person_id == person.c.id, membership.c.until.is_(None)), isouter=True)
    .join(cohort, cohort.c.id == membership.c.cohort_id, isouter=True)
    .where(
        installation.c.platform == bindparam("platform"),
        installation.c.tenant == bindparam("tenant"),
        account.c.user == bindparam("user"),
    )
    .order_by(cohort.c.key)
)


def actor(tx: Tx, platform: str, tenant: str, user: str) -> Actor | None:
    """Everything a request needs about its sender, in one query; None for an account never seen."""
    rows = tx.execute(_ACTOR, {"platform": platform, "tenant": tenant, "user": user}).all()
    if not rows:
        return None
    account_id, link, account_name, person_id, name, zone, coordinator = rows[0][:7]
    seal, coordinator_seal = rows[0][10:12]
    if person_id is not None and not fits(seal, seals.of_account(tx, account_id, platform, tenant, user, person_id)):
        return Actor(account_id, platform, "none", None, account_name, DEFAULT_ZONE, False, (), ("account",))
    misfits = []
    if coordinator and not fits(coordinator_seal, seals.of_coordinator(tx, person_id)):
        coordinator = False
        misfits.append("coordinator")
    memberships = []
    for row in rows:
        if row[7] is None:
            continue
        if fits(row[14], seals.of_membership(tx, row[12], row[7], person_id, row[9], row[13], None)):
            memberships.append(Member(row[7], row[8], row[9]))
        else:
            misfits.append("membership")
    return Actor(
        account_id=account_id,
        platform=platform,
        link=link,
        person_id=person_id,
        name=name or account_name,
        zone=zone or DEFAULT_ZONE,
        coordinator=bool(coordinator),
        memberships=tuple(memberships),
        misfits=tuple(misfits),
        sees_from=rows[0].sees_from,
    )


_GET = select(*_PERSON, person.c.coordinator_seal).where(person.c.id == bindparam("id"))


def get(tx: Tx, person_id: UUID) -> Person:
    """A person; a coordinator only where the role's seal fits."""
    row = tx.execute(_GET, {"id": person_id}).one()
    someone = Person(*row[:-1])
    if someone.coordinator and not fits(row[-1], seals.of_coordinator(tx, person_id)):
        return replace(someone, coordinator=False)
    return someone


def named(tx: Tx, person_ids: Iterable[UUID]) -> dict[UUID, str]:
    """Names by id."""
    query = select(person.c.id, person.c.name).where(in_ids(tx, person.c.id, person_ids))
    return {row.id: row.name for row in tx.execute(query)}


def by_email(tx: Tx, email: str) -> Person | None:
    """The person of an address, whatever its case."""
    row = tx.execute(select(*_PERSON).where(person.c.email == email.strip().lower())).one_or_none()
    return Person(*row) if row else None


def search(tx: Tx, text: str, most: int = 5) -> list[Person]:
    """The people whose address is ``text``, or whose name holds it; names that begin with it come first.

    Where there are none, those whose address begins with it. Compared is what :func:`folded` makes of both, which no
    database can do: a program has some thousands of people, and comparing them takes milliseconds.
    """
    wanted = folded(text)
    if not wanted:
        return []
    rows = tx.execute(select(person.c.id, person.c.name, person.c.email)).all()
    names = {row.id: folded(row.name) for row in rows}
    emails = {row.id: folded(row.email) for row in rows}
    matches = [row for row in rows if emails[row.id] == wanted or wanted in names[row.id]]
    matches = matches or [row for row in rows if emails[row.id].startswith(wanted)]
    matches.sort(key=lambda row: (not names[row.id].startswith(wanted), row.name, row.id))
    return of_ids(tx, [row.id for row in matches[:most]])


def of_ids(tx: Tx, person_ids: Sequence[UUID]) -> list[Person]:
    """These people, in this order."""
    rows = tx.execute(select(*_PERSON).where(in_ids(tx, person.c.id, person_ids)))
    by_id = {row.id: Person(*row) for row in rows}
    return [by_id[person_id] for person_id in person_ids if person_id in by_id]


def coordinators(tx: Tx) -> list[Person]:
    """Everybody with the coordinator's role, by name."""
    query = select(*_PERSON, person.c.coordinator_seal).where(person.c.coordinator).order_by(person.c.name)
    return [Person(*row[:-1]) for row in tx.execute(query) if fits(row[-1], seals.of_coordinator(tx, row[0]))]


def make_coordinator(work: Work, person_id: UUID, source: str, by: UUID | None = None) -> None:
    """Give the coordinator's role. ``source``: ``settings`` or ``roster``, for the audit log."""
    values = {"coordinator": True, "coordinator_seal": seals.of_coordinator(work.tx, person_id)}
    work.tx.execute(update(person).where(person.c.id == person_id).values(values))
    audit_log.note(work, person_id, "coordinator.named", by, source=source)


def end_coordinator(work: Work, person_id: UUID, source: str, by: UUID | None = None) -> None:
    """Take the coordinator's role; requests read it from the database, so it ends at once in every process."""
    values = {"coordinator": False, "coordinator_seal": None}
    work.tx.execute(update(person).where(person.c.id == person_id).values(values))
    audit_log.note(work, person_id, "coordinator.removed", by, source=source)


def hold_coordinators(tx: Tx) -> None:
    """Lock the coordinators' rows until this transaction ends, so that two do not end each other's roles at once."""
    tx.execute(select(person.c.id).where(person.c.coordinator).order_by(person.c.id).with_for_update())


def ensure_coordinators(work: Work, addresses: Iterable[str], zone: str) -> None:
    """Make the people in the settings coordinators, and end the role of those that only the settings named before.

    Which account is theirs is confirmed later. People that the roster named too keep the role.
    """
    wanted = {address.strip().lower() for address in addresses}
    for former in coordinators(work.tx):
        sources = named_by(work.tx, former.id)
        if former.email in wanted or SETTINGS not in sources:
            continue
        if sources == {SETTINGS}:
            end_coordinator(work, former.id, SETTINGS)
        else:
            audit_log.note(work, former.id, "coordinator.unnamed", None, source=SETTINGS)
    for address in sorted(wanted):
        known = by_email(work.tx, address)
        if known is None:
            person_id = work.new_id()
            row = {"id": person_id, "name": address.split("@")[0], "email": address, "zone": zone}
            work.tx.execute(insert(person).values(seals.sealed(work.tx, person, row)))
            make_coordinator(work, person_id, SETTINGS)
        elif known.coordinator and SETTINGS not in named_by(work.tx, known.id):
            also_named(work, known.id, SETTINGS)
        elif not known.coordinator and not seals.misfits_of(work.tx, person, person.c.id == known.id):
            make_coordinator(work, known.id, SETTINGS)


def named_by(tx: Tx, person_id: UUID) -> set[str]:
    """What makes this person a coordinator now: the settings, the roster, or a coordinator's command.

    Before it was noted what did, only the settings made coordinators of people on no roster.
    """
    lines = audit_log.entries(tx, person_id)
    noted = [line for line in lines if line.what.startswith("coordinator.")]
    if not noted:
        return {ROSTER if any(line.what == "person.imported" for line in lines) else SETTINGS}
    ended = max((line.at for line in noted if line.what == "coordinator.removed"), default=noted[0].at)
    sources: set[str] = set()
    for line in noted:
        if line.at >= ended and line.what == "coordinator.named":
            sources.add(str(line.detail.get("source")))
        elif line.what == "coordinator.unnamed":
            sources.discard(str(line.detail.get("source")))
    return sources


def also_named(work: Work, person_id: UUID, source: str) -> None:
    """Note that something else names a coordinator too; the role stays until neither does."""
    lines = audit_log.entries(work.tx, person_id)
    before = set() if any(line.what == "coordinator.named" for line in lines) else named_by(work.tx, person_id)
    for name in sorted(before | {source}):
        audit_log.note(work, person_id, "coordinator.named", None, source=name)


def coordinators_named_by(tx: Tx, source: str) -> set[UUID]:
    """The coordinators that the settings or the roster names."""
    return {person.id for person in coordinators(tx) if source in named_by(tx, person.id)}


# Accounts ---------------------------------------------------------------------------------------


def mark_welcomed(work: Work, person_id: UUID) -> bool:
    """Note that a person was welcomed; True the first time."""
    first = update(person).where(person.c.id == person_id, person.c.welcomed_at.is_(None))
    return work.tx.execute(first.values(welcomed_at=work.now)).rowcount == 1
