"""Accounts on platforms, and the people they are linked to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, insert, or_, select, update

from storage.core import audit_log
from storage.core.database import Tx, in_ids, inline_word
from storage.core.work import Work
from storage.outbox import conversations
from storage.outbox.outbox_tables import installation
from storage.people.people import _PERSON, Person, by_email
from storage.people.people_tables import account, membership, person
from storage.vault import seals
from storage.vault.seals import fits


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


def _accounts(*where: Any) -> Any:
    return select(*_ACCOUNT).join_from(account, installation).where(*where)


def _sealed_accounts(*where: Any) -> Any:
    """:func:`_accounts` with each row's seal at its end."""
    return select(*_ACCOUNT, account.c.seal).join_from(account, installation).where(*where)


# Built once, since every message that goes out runs them.
_ACCOUNT_BY_ID = _accounts(account.c.id == bindparam("id"))


_LINKED_TO = _sealed_accounts(account.c.person_id == bindparam("person"), account.c.link == "confirmed").order_by(
    account.c.seen_at.desc(), account.c.id
)
_ACCOUNTS_OF = _LINKED_TO.where(account.c.active)


def account_by_id(tx: Tx, account_id: UUID) -> Account | None:
    """The account of an id, if there is one."""
    row = tx.execute(_ACCOUNT_BY_ID, {"id": account_id}).one_or_none()
    return Account(*row) if row else None


def accounts_of(tx: Tx, person_id: UUID) -> list[Account]:
    """The confirmed accounts of a person, the one seen last first."""
    return _of_person(tx, _ACCOUNTS_OF, person_id)


def linked_accounts(tx: Tx, person_id: UUID) -> list[Account]:
    """:func:`accounts_of`, and those that the platform had deactivated when it was asked last."""
    return _of_person(tx, _LINKED_TO, person_id)


def _of_person(tx: Tx, query: Any, person_id: UUID) -> list[Account]:
    rows = tx.execute(query, {"person": person_id})
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
            in_ids(tx, account.c.person_id, person_ids),
            account.c.link == "confirmed",
            installation.c.platform == platform,
            installation.c.tenant == tenant,
        )
    )
    return {row.person_id: row.user for row in rows if fits(row[-1], _account_seal(tx, row))}


def unmatched_people(tx: Tx, cohort_id: UUID | None = None) -> list[Person]:
    """The people without a linked account: in one cohort, or in the whole program."""
    linked = select(account.c.person_id).where(account.c.link == "confirmed", account.c.active)
    here = select(membership.c.person_id).where(membership.c.until.is_(None))
    if cohort_id is not None:
        here = here.where(membership.c.cohort_id == cohort_id)
    belongs = person.c.id.in_(here) if cohort_id else or_(person.c.id.in_(here), person.c.coordinator)
    query = select(*_PERSON).where(belongs, person.c.id.not_in(linked.where(account.c.person_id.is_not(None))))
    return [Person(*row) for row in tx.execute(query.order_by(person.c.name))]


def is_unmatched(tx: Tx, person_id: UUID) -> bool:
    """Whether no account at all is linked to a person, one that the platform has deactivated included."""
    linked = select(account.c.id).where(account.c.person_id == person_id, account.c.link == inline_word("confirmed"))
    return tx.execute(linked.limit(1)).first() is None


def proposed(tx: Tx, person_ids: Iterable[UUID]) -> set[UUID]:
    """Those of these people that an account is proposed for."""
    query = select(account.c.person_id).where(account.c.link == "proposed", account.c.active)
    return set(tx.scalars(query.where(in_ids(tx, account.c.person_id, person_ids))))


def unmatched_accounts(tx: Tx, most: int = 100) -> list[Account]:
    """Accounts that the bot has seen and that are linked to no person, full members last."""
    rows = tx.execute(
        _accounts(account.c.link != "confirmed", account.c.active)
        .order_by(account.c.member, account.c.name, account.c.id)
        .limit(most)
    )
    return [Account(*row) for row in rows]


def remember(
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


def propose(work: Work, known: Account) -> Person | None:
    """Propose the person with the account's address, if it is a full member and neither is linked yet."""
    if known.link in ("confirmed", "declined"):
        return None
    candidate = candidate_for(work.tx, known)
    if candidate is None:
        return None
    change = {"person_id": candidate.id, "link": "proposed"}
    work.tx.execute(update(account).where(account.c.id == known.id).values(change))
    return candidate


def candidate_for(tx: Tx, known: Account) -> Person | None:
    """The person with a full member's address, unless an account of the same workspace is theirs already."""
    if not known.member or not known.email:
        return None
    candidate = by_email(tx, known.email)
    if candidate is None or not _addresses_fit(tx, known.id, candidate.id):
        return None
    taken = _accounts(
        account.c.person_id == candidate.id,
        account.c.link == "confirmed",
        installation.c.platform == known.platform,
        installation.c.tenant == known.tenant,
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
    known = _ever_linked(work.tx, person_id)
    sees_from = None if sees_earlier(work.tx, account_id, person_id) else work.now
    work.tx.execute(
        update(account)
        .where(account.c.person_id == person_id, account.c.installation_id == place, account.c.id != account_id)
        .values(person_id=None, link="none", seal=None)
    )
    linked: dict[str, Any] = {"person_id": person_id, "link": "confirmed", "sees_from": sees_from}
    if account_id not in known or _others_see_less(work.tx, person_id, account_id):
        linked |= {"snoozed_until": None, "checkins": None}  # an earlier person's pause, or not for the others to see
    work.tx.execute(update(account).where(account.c.id == account_id).values(linked))
    seals.seal_accounts(work.tx, [account_id])
    audit_log.note(work, person_id, "account.linked", by, account=str(account_id))


def sees_earlier(tx: Tx, account_id: UUID, person_id: UUID) -> bool:
    """Whether an account, once it is linked to a person, sees what they chose and wrote in check-ins before.

    It does not where it replaces another account, or one was replaced before: see :mod:`storage.people.account_views`.
    """
    place = tx.scalar(select(account.c.installation_id).where(account.c.id == account_id))
    stay = select(account.c.id).where(account.c.person_id == person_id, account.c.link == inline_word("confirmed"))
    elsewhere = set(tx.scalars(stay.where(account.c.installation_id != place)))
    return not _ever_linked(tx, person_id) - elsewhere - {account_id}


def _ever_linked(tx: Tx, person_id: UUID) -> set[UUID]:
    """The accounts that are linked to the person, and those that the audit log says were."""
    linked = select(account.c.id).where(account.c.person_id == person_id, account.c.link == inline_word("confirmed"))
    lines = [line for line in audit_log.entries(tx, person_id) if line.what == "account.linked"]
    return set(tx.scalars(linked)) | {UUID(line.detail["account"]) for line in lines if line.detail.get("account")}


def _others_see_less(tx: Tx, person_id: UUID, account_id: UUID) -> bool:
    """Whether another account of the person does not see what was chosen before it was linked."""
    other = (account.c.person_id == person_id, account.c.link == inline_word("confirmed"), account.c.id != account_id)
    return tx.execute(select(account.c.id).where(*other, account.c.sees_from.is_not(None))).first() is not None


def decline(work: Work, account_id: UUID) -> None:
    """Note “That isn't me”: the proposal goes and is not made again."""
    change = {"person_id": None, "link": "declined", "seal": None}
    work.tx.execute(update(account).where(account.c.id == account_id).values(change))


def withdraw(work: Work, account_id: UUID) -> None:
    """Take back a proposal or a "That isn't me": the account is linked to no person, and may be asked again."""
    change = {"person_id": None, "link": "none", "seal": None}
    unlinked = account.c.link != inline_word("confirmed")
    work.tx.execute(update(account).where(account.c.id == account_id, unlinked).values(change))
