"""What figures about groups are made from, and the figures themselves: made once, never made again."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, insert, or_, select

from program.checkins.figures import OTHERS, Figure, Participation, Tally
from program.checkins.schedule import Cycle
from storage.checkins import consent, pauses
from storage.checkins.checkins_tables import checkin, figure, participation
from storage.core.database import Tx
from storage.core.work import Work
from storage.people.people_tables import account, cohort, membership, person
from storage.record.certificates import holds_one
from storage.vault.vault import Sealed, Vault
from storage.vault.vault_tables import vault_item


@dataclass(frozen=True, slots=True)
class GroupMember:
    """A member of a cohort who gets check-ins unless they chose otherwise: that choice is not looked at here."""

    id: UUID
    zone: str
    cohort_id: UUID
    cohort: str
    cycle: Cycle
    since: datetime  # in the cohort and matched to an account


@dataclass(frozen=True, slots=True)
class StoredFigure:
    """A figure as it was stored. ``members``: who could have answered."""

    month: date
    place: str
    name: str
    members: int
    figure: Figure


def mentees(tx: Tx, until: datetime) -> list[GroupMember]:
    """The matched mentees who came before a time and were still there; by cohort's name, so that one comes first."""
    linked = select(account.c.person_id).where(account.c.link == "confirmed", account.c.active)
    query = (
        select(
            person.c.id,
            person.c.zone,
            cohort.c.id,
            cohort.c.name,
            cohort.c.checkin_weekday,
            cohort.c.checkin_at,
            cohort.c.checkin_weeks,
            membership.c.since,
            person.c.welcomed_at,
        )
        .join_from(membership, person)
        .join(cohort, cohort.c.id == membership.c.cohort_id)
        .where(
            membership.c.role == "mentee",
            membership.c.since < until,
            or_(membership.c.until.is_(None), membership.c.until >= until),
            person.c.id.in_(linked),
            person.c.welcomed_at.is_not(None),
            ~holds_one(),
        )
        .order_by(cohort.c.key, person.c.id)
    )
    return [
        GroupMember(person_id, zone, cohort_id, name, Cycle(weekday, at, weeks), max(since, welcomed))
        for person_id, zone, cohort_id, name, weekday, at, weeks, since, welcomed in tx.execute(query)
    ]


def tally(tx: Tx, opener: Vault, person_ids: Collection[UUID], since: datetime, until: datetime) -> Tally:
    """The last number each of these people tapped in check-ins opened between two times.

    The only place where somebody else's number is opened. It is counted and not kept; a person who declined since is
    not counted at all, nor is what was tapped with an account that was replaced.
    """
    query = (
        select(vault_item.c.person_id, vault_item.c.id)
        .join_from(vault_item, checkin, checkin.c.id == vault_item.c.checkin_id)
        .join(account, and_(account.c.id == vault_item.c.account_id, account.c.person_id == vault_item.c.person_id))
        .where(
            account.c.link == "confirmed",
            vault_item.c.kind == "pulse",
            vault_item.c.person_id.in_(list(person_ids)),
            vault_item.c.person_id.not_in(consent.declined()),
            checkin.c.opened_at >= since,
            checkin.c.opened_at < until,
        )
        .order_by(checkin.c.opened_at, vault_item.c.at, vault_item.c.id)
    )
    last = {row.person_id: row.id for row in tx.execute(query)}
    tapped = [_number(opener, tx, item_id) for item_id in last.values()]
    bands = [sum(text in which for text in tapped) for which in (("1", "2"), ("3",), ("4", "5"))]
    return Tally(*bands)


def _number(opener: Vault, tx: Tx, item_id: UUID) -> str | None:
    """None: it does not open. One damaged key must not cost everybody else their figures."""
    try:
        return opener.open_shared(tx, item_id)
    except Sealed:
        return None


def count_declined(tx: Tx, person_ids: Collection[UUID]) -> int:
    """How many of these people declined check-ins."""
    declined = consent.declined().subquery()
    query = select(func.count()).select_from(declined).where(declined.c.person_id.in_(list(person_ids)))
    return tx.scalar(query) or 0


def count_paused(tx: Tx, person_ids: Collection[UUID], today: date) -> int:
    """How many paused check-ins or turned them off."""
    away = or_(pauses.snoozed_until() > today, pauses.wants_checkins() == 0)
    query = select(func.count()).select_from(person).where(person.c.id.in_(list(person_ids)), away)
    return tx.scalar(query.where(person.c.id.not_in(consent.declined()))) or 0


# The figures ------------------------------------------------------------------------------------


def made(tx: Tx, month: date) -> bool:
    """Whether a month's figures are made."""
    return tx.scalar(select(figure.c.id).where(figure.c.month == month).limit(1)) is not None


def save(work: Work, shown: StoredFigure, reserved: int) -> None:
    """Save one group's figure of a month."""
    row = {
        "id": work.new_id(),
        "month": shown.month,
        "place": shown.place,
        "name": shown.name,
        "members": shown.members,
        "reserved": reserved,
        "at_least": shown.figure.at_least or None,
        "mood": shown.figure.mood,
        "at": work.now,
    }
    work.tx.execute(insert(figure).values(row))


def of_month(tx: Tx, month: date) -> list[StoredFigure]:
    """The figures of a month, as they were made."""
    columns = (figure.c.month, figure.c.place, figure.c.name, figure.c.members, figure.c.at_least, figure.c.mood)
    query = select(*columns).where(figure.c.month == month).order_by(figure.c.name, figure.c.place)
    return [StoredFigure(*row[:4], Figure(row.at_least or 0, row.mood)) for row in tx.execute(query)]


def months(tx: Tx) -> list[date]:
    """The months that have figures, the newest first."""
    return list(tx.scalars(select(figure.c.month).distinct().order_by(figure.c.month.desc())))


def made_since(tx: Tx, at: datetime) -> Sequence[date]:
    """The months whose figures were made since then."""
    return list(tx.scalars(select(figure.c.month).distinct().where(figure.c.at >= at).order_by(figure.c.month)))


def save_participation(work: Work, year: date, taking_part: Participation, members: int) -> None:
    """Save how many take part in a school year, in the bands that may be shown."""
    row = {
        "id": work.new_id(),
        "year": year,
        "place": taking_part.place,
        "members": members,
        "declined": taking_part.declined,
        "paused": taking_part.paused,
        "reserved": taking_part.reserved,
        "at": work.now,
    }
    work.tx.execute(insert(participation).values(row))


def participation_of(tx: Tx, year: date) -> Participation | None:
    """What was said of a school year."""
    return _participation(tx, participation.c.year == year)


def last_participation(tx: Tx, year: date) -> Participation | None:
    """What was said last, of this school year or an earlier one."""
    return _participation(tx, participation.c.year <= year)


def keeping_the_reserve(tx: Tx, year: date) -> set[UUID]:
    """Who was in the group of what was said last, of this school year or an earlier one: rather too many than too few.

    It is said as that month's figures are made; a group is a cohort, or all those without figures of their own.
    """
    query = select(participation.c.place, participation.c.at).where(participation.c.year <= year)
    said = tx.execute(query.order_by(participation.c.year.desc()).limit(1)).one_or_none()
    if said is None:
        return set()
    made = tx.execute(select(figure.c.place, figure.c.month).where(figure.c.at == said.at)).all()
    alone = {row.place for row in made}
    first = datetime.combine(min(row.month for row in made), time(), UTC)
    there = select(membership.c.person_id, membership.c.cohort_id).where(
        membership.c.role == "mentee",
        membership.c.since < said.at,
        or_(membership.c.until.is_(None), membership.c.until >= first),
    )
    return {
        person_id
        for person_id, cohort_id in tx.execute(there)
        if str(cohort_id) == said.place or (said.place == OTHERS and str(cohort_id) not in alone)
    }


def _participation(tx: Tx, where: ColumnElement[bool]) -> Participation | None:
    columns = (participation.c.place, participation.c.declined, participation.c.paused, participation.c.reserved)
    query = select(*columns).where(where).order_by(participation.c.year.desc()).limit(1)
    row = tx.execute(query).one_or_none()
    return Participation(*row) if row else None
