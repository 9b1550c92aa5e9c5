"""Meetings: scheduled by form, announced, moved, cancelled, and answered with one tap."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, cast
from uuid import UUID

from handlers.core.actions import untyped
from handlers.core.calls import LEADS, Call, FieldReader, Refused
from handlers.core.cards import (
    Block,
    Bold,
    Bullets,
    Button,
    Buttons,
    Card,
    Cmd,
    Facts,
    Link,
    Note,
    Text,
    When,
    buttons,
    say,
)
from handlers.core.forms import ChoiceField, DateField, Form, FormErrors, NumberField, TextField, TimeField, options_of
from handlers.core.requests import Reply, notice
from handlers.core.router import router
from handlers.meetings.planning import plan_meeting, tell_cohort
from handlers.people.recipients import in_meetings_cohort, only_for
from program.core.times import next_weekday, say_day, say_time, to_local, to_utc, zone_words
from program.core.words import counted, listed
from program.meetings.series import REPEATS, Dates, Repeat, SeriesProblem, series_dates
from storage.core import drafts
from storage.core.work import Work
from storage.meetings import breaks, meetings
from storage.meetings.meetings import Meeting
from storage.outbox import deliveries, kinds, moments
from storage.outbox.deliveries import Delivery
from storage.outbox.due import Moment
from storage.people import cohorts
from storage.people.cohorts import Cohort

LENGTHS = (5, 720)  # minutes


# Scheduling -------------------------------------------------------------------------------------


@router.command(
    "meeting new",
    "Schedule one or more meetings",
    who=LEADS,
    cohort=LEADS,
    help={"mentor": 1, "coordinator": 8},
    teams={"team": 4},
)
def new(call: Call) -> Reply:
    return Reply(form=_form(call, call.cohort, {}))


@router.press("meetings.new")
def new_form(call: Call) -> Reply:
    cohort = led_cohort(call, call.id_at(0))
    values = call.draft("meeting")
    return Reply(form=_form(call, cohort, values or {}))


def led_cohort(call: Call, cohort_id: UUID) -> Cohort:
    cohort = cohorts.find(call.work.tx, cohort_id)
    if cohort is None or not call.leads(cohort_id):
        raise Refused("Only the cohort's mentors and coordinators can do that.")
    return cohort


def _form(call: Call, cohort: Cohort, values: dict[str, Any]) -> Form:
    today = to_local(call.work.now, cohort.zone).date()
    last = meetings.last_meetings(call.work.tx, cohort.id, call.work.now, 1)
    place = values.get("place", last[0].place if last else "")
    minutes = values.get("minutes", last[0].minutes if last else 60)
    at = time.fromisoformat(values["at"]) if "at" in values else last[0].local_start.time() if last else time(15, 30)
    day = date.fromisoformat(values["day"]) if "day" in values else next_weekday(today + timedelta(days=1), 3)
    until = date.fromisoformat(values["until"]) if values.get("until") else None
    return Form(
        "Schedule meetings",
        untyped("meetings.preview", cohort.id),
        opener=untyped("meetings.new", cohort.id),
        submit="Preview dates",
        blocks=(say("For ", Bold(cohort.name), f". Times are in {zone_words(cohort.zone)}."),),
        fields=(
            TextField("topic", "Topic", values.get("topic", ""), max_length=200),
            DateField("day", "First date", day),
            TimeField("at", "Time", at),
            NumberField("minutes", "Length in minutes", minutes, *LENGTHS),
            TextField("place", "Place or link", place, optional=True, max_length=500),
            ChoiceField(
                "repeat",
                "Repeat",
                options_of(REPEATS),
                values.get("repeat", "once"),
            ),
            DateField("until", "Repeat until", until, optional=True, hint="Only for repeating meetings."),
        ),
    )


def _read_form(call: Call) -> dict[str, Any]:
    read = FieldReader(call.values)
    topic = read.text("topic", needed="Enter a topic.", most=200)
    day = read.day("day", needed="Choose the first date.")
    at = read.clock("at", needed="Choose a time.")
    minutes = read.number("minutes", *LENGTHS, needed="Enter how many minutes it lasts.")
    place = read.text("place", most=500)
    repeat = read.choice("repeat", tuple(REPEATS)) or "once"
    until = read.day("until")
    read.check()
    return {
        "topic": " ".join(topic.split()),
        "day": day.isoformat() if day else "",
        "at": at.isoformat("minutes") if at else "",
        "minutes": minutes,
        "place": place,
        "repeat": repeat,
        "until": until.isoformat() if until and repeat != "once" else "",
    }


def _dates(call: Call, cohort: Cohort, values: dict[str, Any]) -> Dates:
    first = datetime.combine(date.fromisoformat(values["day"]), time.fromisoformat(values["at"]))
    if to_utc(first, cohort.zone) <= call.work.now:
        raise FormErrors({"day": "That time is in the past. Choose a later one."})
    until = date.fromisoformat(values["until"]) if values["until"] else None
    off = [stored_break.days for stored_break in breaks.of_cohort(call.work.tx, cohort.id)]
    try:
        return series_dates(first, cast(Repeat, values["repeat"]), until, off)
    except SeriesProblem as problem:
        raise FormErrors({problem.field: str(problem)}) from None


@router.submit("meetings.preview")
def preview(call: Call) -> Reply:
    """Show the dates before anything is scheduled."""
    cohort = led_cohort(call, call.id_at(0))
    values = _read_form(call)
    dates = _dates(call, cohort, values)
    draft = drafts.keep(call.work, call.my_id, "meeting", values)
    start = time.fromisoformat(values["at"])
    lines = tuple((say_day(day.date()),) for day in dates.kept)
    skipped = tuple((f"{say_day(day.date())}: {off.label}",) for day, off in dates.skipped)
    blocks: list[Block] = [
        say(
            Bold(values["topic"]),
            f": {counted(len(lines), 'meeting')} at {say_time(datetime.combine(date.min, start))}, "
            f"{values['minutes']} minutes, {zone_words(cohort.zone)}.",
        ),
        Bullets(lines),
    ]
    if skipped:
        blocks += [say("Skipped, because of a break:"), Bullets(skipped)]
    clashing = _clashing(call, cohort, dates, values["minutes"])
    if clashing:
        there = tuple((Bold(meeting.topic), ", ", when(meeting)) for meeting in clashing)
        blocks += [say(f"{cohort.name} already has a meeting at that time:"), Bullets(there)]
    return Reply(
        form=Form(
            "Are these dates right?",
            untyped("meetings.create", cohort.id, draft),
            opener=untyped("meetings.new", cohort.id, draft),
            submit="Schedule",
            blocks=tuple(blocks),
            back=untyped("meetings.new", cohort.id, draft),
        )
    )


def _clashing(call: Call, cohort: Cohort, dates: Dates, minutes: int) -> list[Meeting]:
    """The cohort's meetings that overlap with these dates."""
    length = timedelta(minutes=minutes)
    starts = [to_utc(day, cohort.zone) for day in dates.kept]
    longest = timedelta(minutes=LENGTHS[1])
    there = meetings.between(call.work.tx, starts[0] - longest, starts[-1] + length, [cohort.id])
    return [
        meeting
        for meeting in there
        if any(meeting.starts_at < start + length and start < meeting.ends_at for start in starts)
    ]


@router.submit("meetings.create")
def create(call: Call) -> Reply:
    cohort = led_cohort(call, call.id_at(0))
    draft = call.id_at(1)
    values = call.draft("meeting")
    if values is None:
        raise Refused(
            "You sent this form already, or it is too old. Send ", Cmd("meetings"), " to see what is scheduled."
        )
    dates = _dates(call, cohort, values)
    _, made = meetings.create_series(
        call.work,
        cohort.id,
        call.my_id,
        topic=values["topic"],
        starts=dates.kept,
        zone=cohort.zone,
        minutes=values["minutes"],
        place=values["place"],
        repeat=values["repeat"],
        until=date.fromisoformat(values["until"]) if values["until"] else None,
    )
    drafts.drop(call.work, draft)
    for meeting in made:
        plan_meeting(call.work, meeting, cohort)
    tell_cohort(call.work, cohort, kinds.MEETING_ANNOUNCEMENT, made[0].id)
    return notice(f"Scheduled {counted(len(made), 'meeting')} and told the cohort. First meeting: ", when(made[0]), ".")


# Cards ------------------------------------------------------------------------------------------


def when(meeting: Meeting) -> When:
    return When(meeting.starts_at, meeting.zone)


def _place(meeting: Meeting) -> Text:
    place = meeting.place
    if place.startswith(("https://", "http://")) and " " not in place:
        return (Link("Join", place),)
    return (place,) if place else ()


def facts(meeting: Meeting, cohort: str = "") -> Facts:
    """``cohort``: its name, for a reader who follows several."""
    place = _place(meeting)
    rows: list[tuple[str, Text]] = [("Cohort", (cohort,))] if cohort else []
    rows += [("When", (when(meeting),)), ("Length", (f"{meeting.minutes} minutes",))]
    if place:
        rows.append(("Where", place))
    return Facts(tuple(rows))


def cohort_for(work: Work, item: Delivery, meeting: Meeting) -> str:
    """The cohort's name, where a direct message goes to a member of several cohorts; empty elsewhere."""
    own = cohorts.shared_cohorts(work.tx, item.person_id) if item.person_id else []
    return next((cohort.name for cohort in own if cohort.id == meeting.cohort_id), "") if len(own) > 1 else ""


OWN = "own"  # carried by the buttons of a card that only the asker sees


def rsvp_buttons(meeting: Meeting, *more: str) -> Buttons:
    return buttons(
        Button("Coming", untyped("meetings.rsvp", meeting.id, "yes", *more), style="primary"),
        Button("Can't", untyped("meetings.rsvp", meeting.id, "no", *more)),
    )


def who_comes(work: Work, meeting: Meeting) -> tuple[Block, ...]:
    answers = meetings.answers(work.tx, meeting.id)
    lines: list[Block] = []
    if answers.coming:
        lines.append(Note((f"Coming ({len(answers.coming)}): {listed(answers.coming)}",)))
    if answers.not_coming:
        lines.append(Note((f"Can't ({len(answers.not_coming)}): {listed(answers.not_coming)}",)))
    return tuple(lines)


@router.delivery(kinds.MEETING_ANNOUNCEMENT)
@only_for(in_meetings_cohort)
def announcement(work: Work, item: Delivery) -> Card | None:
    """A new series in the channel: its dates, and coming or not to the first."""
    first = meetings.find(work.tx, UUID(item.subject))
    if first is None:
        return None
    rest = meetings.of_series(work.tx, first.series_id)
    if first.cancelled_at is not None:
        return Card(f"Cancelled: {first.topic}", (say("It was scheduled for ", when(first), "."), *later_ones(rest)))
    blocks: list[Block] = [facts(first, cohort_for(work, item, first))]
    if first.ends_at > work.now:
        blocks += [rsvp_buttons(first), *who_comes(work, first)]
    blocks += later_ones([meeting for meeting in rest if meeting.id != first.id])
    return Card(f"PLC meeting: {first.topic}", tuple(blocks))


def later_ones(rest: Sequence[Meeting]) -> list[Block]:
    if not rest:
        return []
    shown: list[Text] = [(When(meeting.starts_at, meeting.zone),) for meeting in rest[:12]]
    if len(rest) > 12:
        shown.append((f"and {len(rest) - 12} more",))
    return [say("Later meetings:"), Bullets(tuple(shown))]


@router.delivery(kinds.MEETING_REMINDER)
@only_for(in_meetings_cohort)
def reminder(work: Work, item: Delivery) -> Card | None:
    meeting = meetings.find(work.tx, UUID(item.subject))
    if meeting is None:
        return None
    if meeting.cancelled_at is not None:
        return Card(f"Cancelled: {meeting.topic}", (say("It was scheduled for ", when(meeting), "."),))
    if item.verb == "post" and meeting.starts_at <= work.now:
        return None
    blocks: tuple[Block, ...] = (facts(meeting, cohort_for(work, item, meeting)),)
    if meeting.ends_at > work.now:
        blocks += (rsvp_buttons(meeting), *who_comes(work, meeting))
    return Card(f"Reminder: {meeting.topic}", blocks)


@router.moment(
    moments.MEETING_REMINDER,
    "the reminder of a meeting",
    late="goes out late until the meeting begins; after that it is skipped",
)
def remind(work: Work, moment: Moment) -> str | None:
    """Late is better than never until the meeting begins; after that it is recorded as missed."""
    meeting = meetings.find(work.tx, UUID(moment.subject))
    if meeting is None or meeting.cancelled_at is not None or meeting.version != moment.version:
        return "cancelled"
    if meeting.starts_at <= work.now:
        return "missed"
    tag = f"{moment.version}:{moment.due_at.isoformat()}"
    tell_cohort(work, cohorts.get(work.tx, meeting.cohort_id), kinds.MEETING_REMINDER, meeting.id, tag)
    return None


def refresh_meeting(work: Work, meeting: Meeting) -> None:
    """Bring the messages about a meeting up to date."""
    deliveries.refresh(
        work, meeting.id, kinds.MEETING_ANNOUNCEMENT, kinds.MEETING_MOVED, kinds.MEETING_REMINDER, kinds.ATTENDANCE_HERE
    )
