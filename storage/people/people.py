"""Persons, their accounts, and which account is whom.

An e-mail only proposes a link; the person, or a coordinator, makes it. From then on the tenant and the
user id are the identity, and a later change of address moves nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, ScalarSelect, and_, bindparam, case, func, insert, or_, select, update

from program.core.words import folded
from storage.core import audit_log
from storage.core.database import Tx, among, word
from storage.core.work import Work
from storage.outbox import conversations
from storage.outbox.outbox_tables import installation
from storage.people.people_tables import account, cohort, membership, person
from storage.vault import seals
from storage.vault.seals import fits

ZONE = "America/Chicago"  # of somebody whose own is not known
SETTINGS, ROSTER = "settings", "roster"  # what named a coordinator


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the roster."""

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


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody's account on a platform, linked to a person or not."""

    id: UUID
    platform: str
    tenant: str
    user: str
    name: str
    email: str
    member: bool
    person_id: UUID | None
    link: str


_ACCOUNT = (
    account.c.id,
    installation.c.platform,
    installation.c.tenant,
    account.c.user,
    account.c.name,
    account.c.email,
    account.c.member,
    account.c.person_id,
    account.c.link,
)


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
    )
    .join_from(installation, account, account.c.installation_id == installation.c.id)
    .join(person, and_(person.c.id == account.c.person_id, account.c.link == word("confirmed")), isouter=True)
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
    """Everything a request must know of who sent it, in one query; None for an account never seen."""
    rows = tx.execute(_ACTOR, {"platform": platform, "tenant": tenant, "user": user}).all()
    if not rows:
        return None
    account_id, link, account_name, person_id, name, zone, coordinator = rows[0][:7]
    seal, coordinator_seal = rows[0][10:12]
    if person_id is not None and not fits(seal, seals.of_account(tx, account_id, platform, tenant, user, person_id)):
        return Actor(account_id, platform, "none", None, account_name, ZONE, False, (), ("account",))
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
        zone=zone or ZONE,
        coordinator=bool(coordinator),
        memberships=tuple(memberships),
        misfits=tuple(misfits),
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
    query = select(person.c.id, person.c.name).where(among(tx, person.c.id, person_ids))
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
    rows = tx.execute(select(*_PERSON).where(among(tx, person.c.id, person_ids)))
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
    """Until this transaction ends nobody else ends a role, so that two do not end each other's at once."""
    tx.execute(select(person.c.id).where(person.c.coordinator).order_by(person.c.id).with_for_update())


def ensure_coordinators(work: Work, addresses: Iterable[str], zone: str) -> None:
    """Make the people of the settings coordinators, and end the role of those whom only the settings named before.

    Which account is theirs is confirmed later. Whom the roster named too keeps the role.
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
    """What names this person a coordinator now: the settings, the roster, a command of a coordinator.

    Before it was noted what did, only the settings made coordinators of people whom no roster had.
    """
    lines = audit_log.of(tx, person_id)
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
    lines = audit_log.of(work.tx, person_id)
    before = set() if any(line.what == "coordinator.named" for line in lines) else named_by(work.tx, person_id)
    for name in sorted(before | {source}):
        audit_log.note(work, person_id, "coordinator.named", None, source=name)


def coordinators_named_by(tx: Tx, source: str) -> set[UUID]:
    """The coordinators whom the settings or the roster names."""
    return {one.id for one in coordinators(tx) if source in named_by(tx, one.id)}


# Accounts ---------------------------------------------------------------------------------------


def _accounts(*where: Any) -> Any:
    return select(*_ACCOUNT).join_from(account, installation).where(*where)


def _sealed_accounts(*where: Any) -> Any:
    """:func:`_accounts` with each row's seal at its end."""
    return select(*_ACCOUNT, account.c.seal).join_from(account, installation).where(*where)


# Built once, since every message that goes out runs them.
_ACCOUNT_BY_ID = _accounts(account.c.id == bindparam("id"))
_ACCOUNTS_OF = _sealed_accounts(
    account.c.person_id == bindparam("person"), account.c.link == "confirmed", account.c.active
).order_by(account.c.seen_at.desc(), account.c.id)


def account_by_id(tx: Tx, account_id: UUID) -> Account | None:
    """The account of an id, if there is one."""
    row = tx.execute(_ACCOUNT_BY_ID, {"id": account_id}).one_or_none()
    return Account(*row) if row else None


def accounts_of(tx: Tx, person_id: UUID) -> list[Account]:
    """The confirmed accounts of a person, the one seen last first."""
    rows = tx.execute(_ACCOUNTS_OF, {"person": person_id})
    return [Account(*row[:-1]) for row in rows if fits(row[-1], _account_seal(tx, row))]


def _account_seal(tx: Tx, row: Any) -> bytes:
    return seals.of_account(tx, row.id, row.platform, row.tenant, row.user, row.person_id)


def is_same_place(account: Account, other: Account) -> bool:
    """Whether two accounts are of one workspace or tenant, where a person has one account at a time."""
    return (account.platform, account.tenant) == (other.platform, other.tenant)


def users_on(tx: Tx, person_ids: Iterable[UUID], platform: str, tenant: str) -> dict[UUID, str]:
    """The user ids under which these people are known in one workspace."""
    person_ids = list(person_ids)
    if not person_ids:  # most messages mention nobody
        return {}
    rows = tx.execute(
        _sealed_accounts(
            among(tx, account.c.person_id, person_ids),
            account.c.link == "confirmed",
            installation.c.platform == platform,
            installation.c.tenant == tenant,
        )
    )
    return {row.person_id: row.user for row in rows if fits(row[-1], _account_seal(tx, row))}


def unmatched_people(tx: Tx, cohort_id: UUID | None = None) -> list[Person]:
    """Those whom no account is linked to: of one cohort, or of the whole program."""
    linked = select(account.c.person_id).where(account.c.link == "confirmed", account.c.active)
    here = select(membership.c.person_id).where(membership.c.until.is_(None))
    if cohort_id is not None:
        here = here.where(membership.c.cohort_id == cohort_id)
    belongs = person.c.id.in_(here) if cohort_id else or_(person.c.id.in_(here), person.c.coordinator)
    query = select(*_PERSON).where(belongs, person.c.id.not_in(linked.where(account.c.person_id.is_not(None))))
    return [Person(*row) for row in tx.execute(query.order_by(person.c.name))]


def is_unmatched(tx: Tx, person_id: UUID) -> bool:
    """Whether no account at all is linked to a person, one that the platform has deactivated included."""
    linked = select(account.c.id).where(account.c.person_id == person_id, account.c.link == word("confirmed"))
    return tx.execute(linked.limit(1)).first() is None


def proposed(tx: Tx, person_ids: Iterable[UUID]) -> set[UUID]:
    """Those of these people whom an account is being asked about."""
    query = select(account.c.person_id).where(account.c.link == "proposed", account.c.active)
    return set(tx.scalars(query.where(among(tx, account.c.person_id, person_ids))))


def unmatched_accounts(tx: Tx, most: int = 100) -> list[Account]:
    """Accounts that were seen where the bot is and are nobody's, full members last."""
    rows = tx.execute(
        _accounts(account.c.link != "confirmed", account.c.active)
        .order_by(account.c.member, account.c.name, account.c.id)
        .limit(most)
    )
    return [Account(*row) for row in rows]


def see(
    work: Work, platform: str, tenant: str, user: str, *, name: str, email: str, member: bool, active: bool
) -> Account:
    """Store or refresh what a platform says of an account. It never moves a link."""
    at = conversations.installation_id(work, platform, tenant)
    query = _accounts(account.c.installation_id == at, account.c.user == user)
    facts = {
        "name": name[:200],
        "email": email[:200].lower(),
        "member": member,
        "active": active,
        "seen_at": work.now,
    }
    row = work.tx.execute(query).one_or_none()
    if row is None:
        new = {"id": work.new_id(), "installation_id": at, "user": user, "link": "none", **facts}
        work.tx.execute(insert(account).values(seals.sealed(work.tx, account, new)))
    else:
        told = {"id": row.id, "installation_id": at, "user": user, **facts}
        work.tx.execute(update(account).where(account.c.id == row.id).values(seals.sealed(work.tx, account, told)))
    return Account(*work.tx.execute(query).one())


def propose(work: Work, seen: Account) -> Person | None:
    """Propose the person with the account's address, if it is a full member and neither is linked yet."""
    if seen.link in ("confirmed", "declined"):
        return None
    candidate = candidate_for(work.tx, seen)
    if candidate is None:
        return None
    change = {"person_id": candidate.id, "link": "proposed"}
    work.tx.execute(update(account).where(account.c.id == seen.id).values(change))
    return candidate


def candidate_for(tx: Tx, seen: Account) -> Person | None:
    """The person with a full member's address, unless an account of the same workspace is theirs already."""
    if not seen.member or not seen.email:
        return None
    candidate = by_email(tx, seen.email)
    if candidate is None or not _addresses_fit(tx, seen.id, candidate.id):
        return None
    taken = _accounts(
        account.c.person_id == candidate.id,
        account.c.link == "confirmed",
        installation.c.platform == seen.platform,
        installation.c.tenant == seen.tenant,
    )
    return None if tx.execute(taken).first() is not None else candidate


def _addresses_fit(tx: Tx, account_id: UUID, person_id: UUID) -> bool:
    """Whether the platform said the account's address, and the roster the person's."""
    return not (
        seals.misfits_of(tx, account, account.c.id == account_id)
        or seals.misfits_of(tx, person, person.c.id == person_id)
    )


def confirm(work: Work, account_id: UUID, person_id: UUID, by: UUID | None) -> None:
    """Link an account to a person. Other accounts of theirs in the same workspace lose the link.

    What an account wrote in confidence stays with that account: see :mod:`storage.vault.vault`.
    """
    place = select(account.c.installation_id).where(account.c.id == account_id).scalar_subquery()
    work.tx.execute(
        update(account)
        .where(account.c.person_id == person_id, account.c.installation_id == place, account.c.id != account_id)
        .values(person_id=None, link="none", seal=None)
    )
    linked = {"person_id": person_id, "link": "confirmed", "linked_at": work.now}
    work.tx.execute(update(account).where(account.c.id == account_id).values(linked))
    seals.seal_accounts(work.tx, [account_id])
    audit_log.note(work, person_id, "account.linked", by, account=str(account_id))


def decline(work: Work, account_id: UUID) -> None:
    """ "That isn't me": the proposal goes and is not made again."""
    change = {"person_id": None, "link": "declined", "seal": None}
    work.tx.execute(update(account).where(account.c.id == account_id).values(change))


def withdraw(work: Work, account_id: UUID) -> None:
    """Take back a proposal or a "That isn't me": the account is nobody's, and may be asked again."""
    change = {"person_id": None, "link": "none", "seal": None}
    unlinked = account.c.link != word("confirmed")
    work.tx.execute(update(account).where(account.c.id == account_id, unlinked).values(change))


def mark_welcomed(work: Work, person_id: UUID) -> bool:
    """True the first time."""
    first = update(person).where(person.c.id == person_id, person.c.welcomed_at.is_(None))
    return work.tx.execute(first.values(welcomed_at=work.now)).rowcount == 1


# Pauses -----------------------------------------------------------------------------------------
# A pause belongs to the accounts that a person had when it began: an account that replaces them knows nothing of it.


_paused = account.alias("paused")
_theirs = and_(_paused.c.person_id == person.c.id, _paused.c.link == word("confirmed"))


def _linked(person_id: UUID) -> ColumnElement[bool]:
    return and_(account.c.person_id == person_id, account.c.link == word("confirmed"))


def set_snooze(tx: Tx, person_id: UUID, until: date | None) -> None:
    """Pause a person's check-ins until a local day; None ends the pause."""
    tx.execute(update(account).where(_linked(person_id)).values(snoozed_until=until))


def set_checkins(tx: Tx, person_id: UUID, on: bool) -> None:
    """Turn check-ins on or off for somebody."""
    tx.execute(update(account).where(_linked(person_id)).values(checkins=on))


def snoozed_until() -> ScalarSelect[date | None]:
    """Until when the person of an enclosing query paused check-ins, with any of their accounts."""
    return select(func.max(_paused.c.snoozed_until)).where(_theirs).scalar_subquery()


def wants_checkins() -> ScalarSelect[int | None]:
    """1 where the person of an enclosing query turned check-ins on, 0 where off, null where neither."""
    wanted = case((_paused.c.checkins, 1), (_paused.c.checkins.is_(False), 0))
    return select(func.max(wanted)).where(_theirs).scalar_subquery()
