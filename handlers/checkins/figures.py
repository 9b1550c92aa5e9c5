"""Figures about groups, for coordinators: made once a month by the rule of program/checkins/figures.py."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from uuid import UUID

from handlers.checkins.checkins_actions import ShowFigures
from handlers.checkins.schedule import DaysOff
from handlers.core.calls import COORDINATORS, Call, Refused, coordinators_only
from handlers.core.cards import Block, Button, Card, Note, Table, buttons, say
from handlers.core.requests import Reply
from handlers.core.router import router
from program.checkins.figures import Figure, Participation, Rule, figure, groups, participation, reserve
from program.checkins.schedule import next_checkin
from program.core.times import local_day, program_year, to_utc
from storage.checkins import figures
from storage.checkins.figures import StoredFigure
from storage.core import program
from storage.core.work import Work
from storage.outbox import due, moments
from storage.outbox.due import Moment
from storage.vault.vault import Vault

MADE_ON = 10  # day of the next month: by then every check-in of the month has closed
MADE_AT = time(6, 0)
MOODS = {"hard": "mostly hard (1 or 2)", "mixed": "mixed", "well": "mostly good (4 or 5)", "": "not shown"}


# Making them ------------------------------------------------------------------------------------


@router.at_start
def plan_figures(work: Work) -> None:
    """The figures of this month, and of the last one where their time is still to come."""
    this = local_day(work.now, program.zone_of(work.tx)).replace(day=1)
    for month in ((this - timedelta(days=1)).replace(day=1), this):
        if _time_of(work, month) > work.now:
            _plan(work, month)


def _plan(work: Work, month: date) -> None:
    due.plan(work, moments.FIGURES_MONTH, _time_of(work, month), month.isoformat())


def _time_of(work: Work, month: date) -> datetime:
    return to_utc(datetime.combine(_after(month).replace(day=MADE_ON), MADE_AT), program.zone_of(work.tx))


def _after(month: date) -> date:
    return (month + timedelta(days=32)).replace(day=1)


@router.opening_moment(
    moments.FIGURES_MONTH,
    "the figures for a month's check-ins are made",
    late="is done late; each month is made once",
)
def make_figures(work: Work, moment: Moment, vault: Vault) -> str | None:
    """Make a month's figures, unless they are made, and plan the next month's."""
    month = date.fromisoformat(moment.subject)
    _plan(work, _after(month))
    if not figures.made(work.tx, month):
        _make(work, month, vault)
    return None


def _make(work: Work, month: date, vault: Vault) -> None:
    """Everybody counts in one group; each group's figure is made from the groups of this month alone."""
    rule, zone = Rule(work.privacy_settings.threshold), program.zone_of(work.tx)
    since, until = (to_utc(datetime.combine(day, time()), zone) for day in (month, _after(month)))
    members, names = _could_answer(work, since, until)
    by_place = groups(members, rule)
    said, then = _participation(
        work, month, by_place, [person_id for ids in members.values() for person_id in ids], rule
    )
    for place, ids in by_place.items():
        reserved = reserve(said, len(then.intersection(ids)))
        counted = figures.tally(work.tx, vault, ids, since, until)
        name = names.get(place, "All others" if len(by_place) > 1 else "The program")
        figures.save(
            work, StoredFigure(month, place, name, len(ids), figure(counted, len(ids), reserved, rule)), reserved
        )


def _could_answer(work: Work, since: datetime, until: datetime) -> tuple[dict[str, list[UUID]], dict[str, str]]:
    """By cohort, those who would have had a check-in in this time unless they had chosen otherwise; and its name.

    It goes by what everybody may know: who was there, the cohort's rhythm, breaks and leaves.
    """
    members: dict[str, list[UUID]] = {}
    names: dict[str, str] = {}
    counted: set[UUID] = set()
    off = DaysOff(work)
    for mentee in figures.mentees(work.tx, until):
        after = max(mentee.since, since - timedelta(seconds=1))
        at = next_checkin(after, mentee.zone, mentee.cycle, off.of(mentee.id, mentee.cohort_id))
        if at < until and mentee.id not in counted:
            counted.add(mentee.id)
            members.setdefault(str(mentee.cohort_id), []).append(mentee.id)
            names[str(mentee.cohort_id)] = mentee.cohort
    return members, names


def _participation(
    work: Work, month: date, by_place: dict[str, list[UUID]], everybody: Sequence[UUID], rule: Rule
) -> tuple[Participation | None, set[UUID]]:
    """What was said last, or is said now, once in each school year; and who keeps the reserve until more is said."""
    year = _school_year(month)
    before = figures.participation_of(work.tx, year)
    if before is not None:
        return before, figures.keeping_the_reserve(work.tx, year)
    sizes = {place: len(ids) for place, ids in by_place.items()}
    today = local_day(work.now, program.zone_of(work.tx))
    counts = (figures.count_declined(work.tx, everybody), figures.count_paused(work.tx, everybody, today))
    said = participation(sizes, *counts, rule)
    if said is not None:
        figures.save_participation(work, year, said, len(everybody))
        return said, set(by_place[said.place])
    return figures.last_participation(work.tx, year), figures.keeping_the_reserve(work.tx, year)


def _school_year(month: date) -> date:
    return date(program_year(month), 7, 1)


# Showing them -----------------------------------------------------------------------------------


@router.command(
    "figures", "See how check-ins are going, by group", who=COORDINATORS, reads=True, help={"coordinator": 2}
)
def figures_command(call: Call) -> Reply:
    """The newest figures."""
    months = figures.months(call.work.tx)
    return Reply(card=figures_card(call.work, months[0] if months else None))


@router.press(ShowFigures)
def earlier(call: Call, pressed: ShowFigures) -> Reply:
    """The figures of an earlier month, for a coordinator."""
    coordinators_only(call, "see figures")
    if pressed.month not in figures.months(call.work.tx):
        raise Refused("There are no figures for that month.")
    return Reply(replace=figures_card(call.work, pressed.month))


def figures_card(work: Work, month: date | None) -> Card:
    """The figures of a month; None: there are none yet."""
    rule = Rule(work.privacy_settings.threshold)
    how = Note(
        (
            f"I show a group with {rule.smallest} or more people, in a month with {rule.threshold} or more answers. "
            "Smaller cohorts are combined. I make the figures once, on the 10th of the next month, and they only say "
            "“at least”, so no one can tell who took part.",
        )
    )
    if month is None:
        return Card("No figures yet", (say("No group had enough people yet."), how))
    shown = figures.of_month(work.tx, month)
    total = sum(group.figure.at_least for group in shown)
    rows = tuple((group.name, _answered(group.figure, group.members), MOODS[group.figure.mood]) for group in shown)
    title = f"Check-ins in {month:%B %Y}"
    blocks: list[Block] = [Table(("Group", "Answered", "Mood"), rows, caption="")]
    if len(shown) > 1 and total:
        blocks.append(say(f"At least {total} people in these groups answered."))
    said = figures.participation_of(work.tx, _school_year(month))
    if said is not None:
        blocks.append(say(_participation_words(said, rule.threshold)))
    older = [earlier_month for earlier_month in figures.months(work.tx) if earlier_month < month]
    if older:
        blocks.append(buttons(Button(f"{older[0]:%B %Y}", ShowFigures(older[0]))))
    return Card(title, (*blocks, how))


def _answered(figure_shown: Figure, members: int) -> str:
    return f"at least {figure_shown.at_least} of {members}" if figure_shown.at_least else "not shown"


def _participation_words(said: Participation, threshold: int) -> str:
    def words(many: bool) -> str:
        return f"at least {threshold}" if many else f"fewer than {threshold}"

    return f"This school year, in the whole program: {words(said.declined)} declined, {words(said.paused)} paused."
