"""Check-ins, their prompts and everybody's next check-in. Answers are in the vault."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    true,
    update,
)

from program.checkins.schedule import DEFAULT_PROMPTS, Cycle
from storage.checkins import consent, pauses
from storage.checkins.checkins_tables import checkin, checkin_schedule, prompt
from storage.core.database import Tx, in_ids, inline_word
from storage.core.work import Work, insert_new, put
from storage.people.account_views import AccountView
from storage.people.people_tables import account, cohort, membership, person
from storage.record.certificates import holds_one
from storage.vault.vault_tables import vault_item


@dataclass(frozen=True, slots=True)
class Prompt:
    """A question that check-ins ask."""

    id: UUID
    text: str


@dataclass(frozen=True, slots=True)
class CheckIn:
    """One check-in of one person. What they answered is in the vault."""

    id: UUID
    person_id: UUID
    day: date
    opened_at: datetime
    closes_at: datetime
    prompts: Sequence[str]  # prompt ids
    answered_at: datetime | None
    reach_out_at: datetime | None


_CHECKIN = (
    checkin.c.id,
    checkin.c.person_id,
    checkin.c.day,
    checkin.c.opened_at,
    checkin.c.closes_at,
    checkin.c.prompts,
    checkin.c.answered_at,
    checkin.c.reach_out_at,
)


def seed_prompts(work: Work) -> None:
    """The first prompts of a new program."""
    if work.tx.scalar(select(func.count()).select_from(prompt)):
        return
    rows = [{"id": work.new_id(), "text": text, "position": position} for position, text in enumerate(DEFAULT_PROMPTS)]
    work.tx.execute(insert(prompt), rows)


def prompts(tx: Tx) -> list[Prompt]:
    """The prompts in use, in the coordinator's order."""
    query = select(prompt.c.id, prompt.c.text).where(prompt.c.retired_at.is_(None))
    return [Prompt(*row) for row in tx.execute(query.order_by(prompt.c.position, prompt.c.id))]


def replace_prompts(work: Work, texts: Sequence[str]) -> None:
    """Retire the prompts that are gone and add the new ones; earlier check-ins keep theirs."""
    current = {item.text: item.id for item in prompts(work.tx)}
    for text, prompt_id in current.items():
        if text not in texts:
            work.tx.execute(update(prompt).where(prompt.c.id == prompt_id).values(retired_at=work.now))
    for position, text in enumerate(texts):
        if text in current:
            work.tx.execute(update(prompt).where(prompt.c.id == current[text]).values(position=position))
        else:
            row = {"id": work.new_id(), "text": text, "position": position}
            work.tx.execute(insert(prompt).values(row))


def prompt_texts(tx: Tx, prompt_ids: Sequence[str]) -> list[Prompt]:
    """The prompts with these ids, in their order, retired ones too."""
    rows = tx.execute(select(prompt.c.id, prompt.c.text).where(prompt.c.id.in_([UUID(text) for text in prompt_ids])))
    by_id = {str(row.id): Prompt(*row) for row in rows}
    return [by_id[text] for text in prompt_ids if text in by_id]


# Schedule ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Schedule:
    """Somebody who gets check-ins, with the rhythm of the cohort that sets it."""

    person_id: UUID
    zone: str
    cohort_id: UUID
    cycle: Cycle
    snoozed_until: date | None


def schedules(tx: Tx, person_ids: Sequence[UUID] | None = None, due: datetime | None = None) -> list[Schedule]:
    """Those who get check-ins: matched mentees until they complete, and mentors who turned them on.

    A mentee place sets the rhythm before a mentor's, then the cohort's name does, so that somebody in
    several cohorts has one cycle. Who declined gets none. ``due``: only those whose next check-in is due by then.

    What counts is what every account of the person sees, so that the schedule tells none of them of anything earlier.
    """
    partly = _some_see_part(tx, person_ids)  # else the same answer takes a fifth longer
    chosen = pauses.wants_checkins(seen_by_all=partly)
    wants = or_(
        and_(membership.c.role == inline_word("mentee"), func.coalesce(chosen, 1) == 1, ~holds_one()),
        and_(membership.c.role == inline_word("mentor"), chosen == 1),
    )
    linked = select(account.c.person_id).where(account.c.link == inline_word("confirmed"), account.c.active)
    query = (
        select(
            person.c.id,
            person.c.zone,
            cohort.c.id,
            cohort.c.checkin_weekday,
            cohort.c.checkin_at,
            cohort.c.checkin_weeks,
            pauses.snoozed_until(seen_by_all=partly),
        )
        .join_from(membership, person)
        .join(cohort, cohort.c.id == membership.c.cohort_id)
        .where(membership.c.until.is_(None), wants, person.c.id.in_(linked))
        .where(person.c.id.not_in(consent.declined(seen_by_all=partly)))
        .order_by(person.c.id, case((membership.c.role == inline_word("mentee"), 0), else_=1), cohort.c.key)
    )
    if person_ids is not None:
        query = query.where(in_ids(tx, person.c.id, person_ids))
    if due is not None:
        query = query.join(checkin_schedule, checkin_schedule.c.person_id == person.c.id)
        query = query.where(checkin_schedule.c.next_at <= due)
    by_person: dict[UUID, Schedule] = {}
    for person_id, zone, cohort_id, weekday, at, weeks, snoozed in tx.execute(query):
        schedule = Schedule(person_id, zone, cohort_id, Cycle(weekday, at, weeks), snoozed)
        by_person.setdefault(person_id, schedule)
    return list(by_person.values())


def _some_see_part(tx: Tx, person_ids: Sequence[UUID] | None) -> bool:
    """Whether an account of these people sees nothing from before a time."""
    asked = true() if person_ids is None else in_ids(tx, account.c.person_id, person_ids)
    return bool(tx.scalar(select(exists().where(account.c.sees_from.is_not(None), asked))))


def set_next(work: Work, planned: Sequence[tuple[UUID, datetime]]) -> None:
    """Set when these people's next check-ins come."""
    put(work.tx, checkin_schedule, *({"person_id": person_id, "next_at": at} for person_id, at in planned))


def drop_next(work: Work, person_ids: Sequence[UUID]) -> None:
    """Plan no next check-in for these people."""
    work.tx.execute(delete(checkin_schedule).where(in_ids(work.tx, checkin_schedule.c.person_id, person_ids)))


def next_at(tx: Tx, person_id: UUID) -> datetime | None:
    """When somebody's next check-in comes; None where none is planned."""
    time: datetime | None = tx.scalar(
        select(checkin_schedule.c.next_at).where(checkin_schedule.c.person_id == person_id)
    )
    return time


def people_due(tx: Tx, until: datetime) -> list[UUID]:
    """The people whose next check-in comes until then."""
    query = select(checkin_schedule.c.person_id).where(checkin_schedule.c.next_at <= until)
    return list(tx.scalars(query))


# Check-ins --------------------------------------------------------------------------------------


def open_checkins(work: Work, rows: Sequence[tuple[UUID, date, Sequence[str]]], closes_at: datetime) -> list[CheckIn]:
    """Open a check-in for each (person, local day, ids of prompts) that has none on that day."""
    values: list[dict[str, Any]] = [
        {
            "id": work.new_id(),
            "person_id": person_id,
            "day": day,
            "opened_at": work.now,
            "closes_at": closes_at,
            "prompts": chosen,
        }
        for person_id, day, chosen in rows
    ]
    if insert_new(work.tx, checkin, values) == len(values):
        return [CheckIn(**row, answered_at=None, reach_out_at=None) for row in values]
    made = {row["id"] for row in values}
    return [checkin for checkin in opened_at(work.tx, work.now) if checkin.id in made]


def is_shown(view: AccountView | None) -> ColumnElement[bool]:
    """Whether an account sees that there was a check-in: it was opened for it, or answered with it.

    ``view`` None: whether any account that its person has now sees it.
    """
    if view is not None:
        own = exists().where(vault_item.c.checkin_id == checkin.c.id, vault_item.c.account_id == view.account_id)
        return true() if view.since is None else or_(view.is_after(checkin.c.opened_at), own)
    asked = account.alias("asked")
    answered = exists().where(vault_item.c.checkin_id == checkin.c.id, vault_item.c.account_id == asked.c.id)
    return exists().where(
        asked.c.person_id == checkin.c.person_id,
        asked.c.link == inline_word("confirmed"),
        or_(asked.c.sees_from.is_(None), asked.c.sees_from < checkin.c.opened_at, answered),
    )


_GET = select(*_CHECKIN).where(checkin.c.id == bindparam("id"))


def get(tx: Tx, checkin_id: UUID) -> CheckIn | None:
    """The check-in of an id, if there is one."""
    row = tx.execute(_GET, {"id": checkin_id}).one_or_none()
    return CheckIn(*row) if row else None


def find_shown(tx: Tx, checkin_id: UUID, view: AccountView) -> CheckIn | None:
    """A check-in that an account sees, as the account sees it."""
    row = tx.execute(_GET if view.since is None else _GET.where(is_shown(view)), {"id": checkin_id}).one_or_none()
    return _as_seen(CheckIn(*row), view) if row else None


def _as_seen(item: CheckIn, view: AccountView | None) -> CheckIn:
    """A check-in without the wish to be contacted, where that is from before the account sees anything."""
    since = view.since if view is not None else None
    unseen = since is not None and item.reach_out_at is not None and item.reach_out_at <= since
    return replace(item, reach_out_at=None) if unseen else item


def open_of(tx: Tx, person_id: UUID, now: datetime, view: AccountView | None = None) -> CheckIn | None:
    """The person's check-in that takes answers now, as an account sees it; ``view`` None: whichever account."""
    row = tx.execute(
        select(*_CHECKIN)
        .where(checkin.c.person_id == person_id, checkin.c.closes_at > now, is_shown(view))
        .order_by(checkin.c.opened_at.desc(), checkin.c.id)
        .limit(1)
    ).one_or_none()
    return _as_seen(CheckIn(*row), view) if row else None


def opened_at(tx: Tx, instant: datetime, *, answered: bool | None = None) -> list[CheckIn]:
    """The check-ins that were opened in one go.

    ``answered``: only those that are, or are not, and that an account which their person has now sees
    """
    query = select(*_CHECKIN).where(checkin.c.opened_at == instant)
    if answered is not None:
        said = checkin.c.answered_at.is_not(None) if answered else checkin.c.answered_at.is_(None)
        query = query.where(said, is_shown(None))
    return [CheckIn(*row) for row in tx.execute(query.order_by(checkin.c.id))]


def set_answered(work: Work, checkin_id: UUID, answered: bool) -> None:
    """Note whether something is written for a check-in, and since when."""
    values = {"answered_at": work.now if answered else None}
    work.tx.execute(update(checkin).where(checkin.c.id == checkin_id).values(values))


def asked_to_reach_out(tx: Tx, person_ids: Collection[UUID], now: datetime) -> list[CheckIn]:
    """The open check-ins in which these people asked their mentor to reach out."""
    query = select(*_CHECKIN).where(checkin.c.reach_out_at.is_not(None), checkin.c.closes_at > now)
    rows = tx.execute(query.where(in_ids(tx, checkin.c.person_id, person_ids)).order_by(checkin.c.id))
    return [CheckIn(*row) for row in rows]


def ask_mentor(work: Work, checkin_id: UUID, view: AccountView) -> bool:
    """Note that the mentor was asked to reach out; True the first time, as far as this account sees."""
    unasked = or_(checkin.c.reach_out_at.is_(None), ~view.is_after(checkin.c.reach_out_at))
    first = update(checkin).where(checkin.c.id == checkin_id, unasked)
    return work.tx.execute(first.values(reach_out_at=work.now)).rowcount == 1
