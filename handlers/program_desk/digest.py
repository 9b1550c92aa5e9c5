"""The coordinator's weekly digest: what needs them first, then figures by cohort, then the week ahead."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from uuid import UUID

from handlers.core.actions import Action, action
from handlers.core.calls import COORDINATORS, Call, coordinators_only
from handlers.core.cards import (
    Block,
    Bold,
    Bullets,
    Button,
    Card,
    Cmd,
    Facts,
    Heading,
    Note,
    Table,
    Text,
    When,
    buttons,
    say,
)
from handlers.core.forms import Form
from handlers.core.paging import more
from handlers.core.requests import Reply
from handlers.core.router import router
from handlers.people.kept_requests import forget_old_requests
from handlers.program_desk import integrity
from handlers.record.progress import MOST_COHORTS, NEED_HELP, cannot_complete, cohorts_of, grouped
from handlers.record.waiting import waiting_blocks
from program.core.times import local_day, next_weekday, to_utc
from program.core.words import counted
from program.record.explain import STATES
from storage.checkins import figures
from storage.core.work import Work
from storage.meetings import attendance, breaks, meetings, summaries
from storage.outbox import deliveries, due, kinds, moments, processed_requests, rate_limits, undelivered
from storage.outbox.deliveries import Delivery
from storage.outbox.due import Moment
from storage.outbox.kinds import REPORTED
from storage.outbox.undelivered import Undelivered
from storage.people import account_links, cohorts, people
from storage.program_desk import downloads
from storage.record import checkpoints, policies, standings
from storage.record.standings import Mentee

AT = time(7, 30)
MONDAY = 0
SHOWN = 10
WEEK = timedelta(days=7)
LOOK_BACK = timedelta(days=30)  # how far open attendance and missing summaries are named


@action("digest.details")
class ShowDetails(Action):
    """Show what a check of all records compares."""


@router.at_start
def plan_digests(work: Work) -> None:
    """Every coordinator has a next digest; a day's tidying is planned."""
    for person in people.coordinators(work.tx):
        _plan_next(work, person.id, person.zone)
    _plan_tidying(work)


def _plan_next(work: Work, person_id: UUID, zone: str) -> None:
    day = next_weekday(local_day(work.now, zone), MONDAY)
    at = to_utc(datetime.combine(day, AT), zone)
    if at <= work.now:
        day += timedelta(days=7)
        at = to_utc(datetime.combine(day, AT), zone)
    due.plan(work, moments.DIGEST_WEEKLY, at, person_id, tag=day.isoformat())


@router.moment(
    moments.DIGEST_WEEKLY,
    "the coordinator's weekly digest",
    late="several missed weeks make one digest with the latest facts",
)
def send_digest(work: Work, moment: Moment) -> str | None:
    """Several missed weeks make one digest: the card is built when it goes out."""
    person = people.get(work.tx, UUID(moment.subject))
    _plan_next(work, person.id, person.zone)
    if not person.coordinator:
        return "cancelled"
    day = local_day(work.now, person.zone)
    checkpoints.make(work.tx, work.now)
    deliveries.to_person(work, kinds.DIGEST, person.id, person.id, tag=day.isoformat())
    return None


def _plan_tidying(work: Work) -> None:
    tomorrow = (work.now + timedelta(days=1)).replace(hour=9, minute=0, second=0, microsecond=0)
    due.plan(work, moments.TIDYING, tomorrow, tag=tomorrow.date().isoformat())


@router.moment(
    moments.TIDYING,
    "old keys, drafts and links are deleted",
    late="is done late, once for all missed days",
)
def tidy(work: Work, _moment: Moment) -> str | None:
    """Delete what is kept for a while only, and plan the next day's tidying."""
    processed_requests.forget_old(work)
    forget_old_requests(work)
    downloads.forget_old(work)
    rate_limits.forget_old(work)
    _plan_tidying(work)
    return None


@router.delivery(kinds.DIGEST, slow=True)
def digest_delivery(work: Work, item: Delivery) -> Card | None:
    """It tells of each failed message that no earlier digest told of, however long ago that was."""
    person = people.get(work.tx, UUID(item.subject))
    if not person.coordinator:
        return None
    since = undelivered.told_before(work.tx, item)
    return digest_card(work, person.zone, undelivered.undelivered(work.tx, since, item.created_at))


@router.command(
    "digest", "See the weekly digest now", who=COORDINATORS, reads=True, help={"coordinator": 1}, teams={"personal": 8}
)
def digest_command(call: Call) -> Reply:
    """The same now, with the failed messages of the last week."""
    work = call.work
    return Reply(card=digest_card(work, call.me.zone, undelivered.undelivered(work.tx, work.now - WEEK)))


def digest_card(work: Work, zone: str, failures: Sequence[Undelivered] = ()) -> Card:
    """``failures``: the messages that could not be delivered, as far as this digest is to tell of them."""
    blocks: list[Block] = [Heading("To do")]
    mentees = standings.of_cohorts(work.tx, None, work.now)
    needs = [
        *integrity.for_digest(work),
        *_policies_to_fill_in(work, mentees),
        *waiting_blocks(work),
        *_open_meetings(work),
        *_need_help(work, mentees),
        *_differences(work),
        *_undelivered(work, failures),
        *_unmatched(work),
    ]
    blocks += needs or [
        say("Nothing to do. Attendance is confirmed, summaries are written, and messages are delivered.")
    ]
    blocks += [Heading("By cohort"), *_figures(work, mentees)]
    blocks += [
        say(f"The check-in figures for {month:%B} are ready. To see them, send ", Cmd("figures"), ".")
        for month in _new_figures(work)
    ]
    blocks += [Heading("The week ahead"), *_week_ahead(work, zone)]
    blocks.append(buttons(Button("Details", ShowDetails(), opens_form=True)))
    return Card("Weekly digest", tuple(blocks))


@router.press(ShowDetails)
def details(call: Call, _pressed: ShowDetails) -> Reply:
    """What a check of all records compares, which few people need to see."""
    coordinators_only(call, "see that")
    checkpoint = checkpoints.newest(call.work.tx)
    return Reply(
        form=Form(
            "Details of the records",
            ShowDetails(),
            opener=ShowDetails(),
            submit=None,
            blocks=(
                Facts((("Record check code", (checkpoint.code if checkpoint else "none yet",)),)),
                Note(("For the operator: keep it to show later that nothing was changed in any record.",)),
            ),
        )
    )


def _policies_to_fill_in(work: Work, mentees: list[Mentee]) -> list[Block]:
    """The policies that people are on, or enter on now, and that leave something unset."""
    on = policies.in_use(work.tx)
    names = sorted({*on, policies.of_today(work).name})
    unset = {name: len(policies.get(work.tx, name).unset) for name in names}
    lines: list[Text] = [
        (
            Bold(policies.get(work.tx, name).title),
            f": {counted(count, 'value')} not set, {counted(on.get(name, 0), 'mentee')}",
        )
        for name, count in unset.items()
        if count
    ]
    if not lines:
        return []
    waiting = cannot_complete(mentees) or "Mentees who start now can't complete the program before this is done"
    why = (f"{waiting}. Send ", Cmd("policy"), ".")
    return [*_listed(("Choose or fill in a policy",), lines), Note(why)]


def _open_meetings(work: Work) -> list[Block]:
    """Meetings of the last weeks without complete attendance or without a summary."""
    past = [
        meeting for meeting in meetings.between(work.tx, work.now - LOOK_BACK, work.now) if meeting.ends_at <= work.now
    ]
    written = summaries.posted(work.tx, [meeting.id for meeting in past])
    names = {cohort.id: cohort.name for cohort in cohorts.all_cohorts(work.tx)}
    lines: list[Text] = []
    for meeting in past:
        lacks = []
        if meeting.settled_at is None:
            lacks.append("attendance")
        if meeting.id not in written:
            lacks.append("summary")
        if lacks:
            when = When(meeting.starts_at, meeting.zone, "date")
            lines.append(
                (Bold(names[meeting.cohort_id]), f", {meeting.topic}, ", when, f": needs {' and '.join(lacks)}")
            )
    return _listed(("Meetings that need attendance or a summary",), lines)


def _need_help(work: Work, mentees: list[Mentee]) -> list[Block]:
    names = {cohort.id: cohort.name for cohort in cohorts.all_cohorts(work.tx)}
    late = [mentee for mentee in mentees if mentee.standing.state in NEED_HELP]
    lines: list[Text] = [
        (Bold(mentee.name), f", {cohorts_of(mentee, names)}: {STATES[mentee.standing.state]}") for mentee in late
    ]
    return _listed(("Mentees who need help",), lines)


def _differences(work: Work) -> list[Block]:
    differences = attendance.differences(work.tx, work.now - LOOK_BACK)
    lines: list[Text] = [
        (Bold(difference.person), ": tapped “I'm here”, but was marked as not there") for difference in differences
    ]
    return _listed(("Attendance that a mentee and a mentor disagree on",), lines)


def _undelivered(work: Work, failures: Sequence[Undelivered]) -> list[Block]:
    lines: list[Text] = []
    for delivery in failures:
        what = REPORTED[delivery.kind]
        state = delivery.reason or ("it may not have arrived" if delivery.state == "unconfirmed" else "it failed")
        lines.append((Bold(delivery.recipient or "someone"), f": {what}. {state}"))
    stuck = due.failed(work.tx)
    if stuck:
        lines.append((f"{counted(stuck, 'planned event')} failed several times. Ask the operator: the log says why.",))
    return _listed(("Messages I couldn't deliver",), lines)


def _unmatched(work: Work) -> list[Block]:
    missing = account_links.unmatched_people(work.tx)
    if not missing:
        return []
    who = counted(len(missing), "person", "people")
    have = "has" if len(missing) == 1 else "have"
    return [say(Bold(who), f" on the roster {have} no matched account. Send ", Cmd("people"), " to match them.")]


def _listed(title: Text, lines: list[Text]) -> list[Block]:
    """A list under its title with the number of lines; nothing where there is none."""
    if not lines:
        return []
    shown = lines[:SHOWN]
    if len(lines) > SHOWN:
        shown = [*shown, (f"and {len(lines) - SHOWN} more",)]
    spans = [Bold(span) if isinstance(span, str) else span for span in title]
    return [say(*spans, Bold(f" ({len(lines)})")), Bullets(tuple(shown))]


def _figures(work: Work, enrolled: list[Mentee]) -> list[Block]:
    every = cohorts.all_cohorts(work.tx)
    if not every:
        return [say("There are no cohorts yet. Ask the operator to import the roster.")]
    sizes = cohorts.sizes(work.tx)
    rows = []
    by_cohort = grouped(enrolled)
    for cohort in every:
        states = [mentee.standing.state for mentee in by_cohort.get(cohort.id, [])]
        mentees, mentors = sizes.get(cohort.id, (0, 0))
        late = sum(state in NEED_HELP for state in states)
        rows.append((cohort.name, str(mentees), str(mentors), str(late), str(states.count("complete"))))
    columns = ("Cohort", "Mentees", "Mentors", "Need help", "Complete")
    return [Table(columns, tuple(rows[:MOST_COHORTS]), caption=""), *more(len(rows), MOST_COHORTS)]


def _new_figures(work: Work) -> Sequence[date]:
    return figures.made_since(work.tx, work.now - timedelta(days=7))


def _week_ahead(work: Work, zone: str) -> list[Block]:
    names = {cohort.id: cohort.name for cohort in cohorts.all_cohorts(work.tx)}
    coming = meetings.between(work.tx, work.now, work.now + timedelta(days=7))
    lines: list[Text] = [
        (When(meeting.starts_at, zone), f": {names[meeting.cohort_id]}, {meeting.topic}") for meeting in coming[:20]
    ]
    if len(coming) > 20:
        lines.append((f"and {len(coming) - 20} more",))
    today = local_day(work.now, zone)
    off = [
        stored_break
        for stored_break in breaks.of_program(work.tx)
        if stored_break.cohort_id is None
        and stored_break.starts <= today + timedelta(days=7)
        and stored_break.ends >= today
    ]
    blocks: list[Block] = [Bullets(tuple(lines))] if lines else [say("No meetings this week.")]
    blocks += [Note((f"Break: {stored_break.label}",)) for stored_break in off]
    return blocks
