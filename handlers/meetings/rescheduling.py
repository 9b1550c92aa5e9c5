"""Moving meetings to come: the form, its checks, and what tells the cohort."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from handlers.core.actions import Action, action
from handlers.core.calls import Call, Refused
from handlers.core.cards import Block, Bold, Card, Note, When, say
from handlers.core.forms import (
    ChoiceField,
    DateField,
    Fields,
    Form,
    FormErrors,
    NumberField,
    Option,
    TextField,
    TimeField,
    read_fields,
)
from handlers.core.leading import led_cohort
from handlers.core.requests import Reply, notice
from handlers.core.router import router
from handlers.meetings.meetings import (
    LENGTHS,
    cohort_for,
    facts,
    later_ones,
    refresh_meeting,
    rsvp_buttons,
    when,
    who_comes,
)
from handlers.meetings.meetings_actions import OpenMove
from handlers.meetings.planning import plan_meeting, tell_cohort
from handlers.people.recipients import in_meetings_cohort, only_for
from program.core.times import say_day, to_utc, zone_words
from program.core.words import counted
from storage.core import audit_log
from storage.core.work import Work
from storage.meetings import breaks, meetings
from storage.meetings.meetings import Meeting
from storage.outbox import deliveries, kinds
from storage.outbox.deliveries import Delivery
from storage.people.cohorts import Cohort


@action("meetings.moved")
class MoveMeeting(Action):
    """Move a meeting, and those after it where the form says so."""

    meeting_id: UUID


@dataclass(frozen=True, slots=True)
class NewTime:
    """When, how long and where a meeting is from now on."""

    day: date
    at: time
    minutes: int
    place: str

    @property
    def start(self) -> datetime:
        """The naive local time."""
        return datetime.combine(self.day, self.at)


NEW_TIME = Fields(
    NewTime,
    DateField("day", "New date", needed="Choose a date."),
    TimeField("at", "New time"),
    NumberField("minutes", "Length in minutes", None, *LENGTHS, needed="Enter how many minutes it lasts."),
    TextField("place", "Place or link", optional=True, max_length=500),
)


def upcoming_meeting(call: Call, meeting_id: UUID) -> tuple[Meeting, Cohort]:
    """A meeting that the asker may change, and its cohort.

    Raises:
        Refused: there is no such meeting, others lead its cohort, or it was cancelled or is over.
    """
    meeting = meetings.find(call.work.tx, meeting_id)
    if meeting is None:
        raise Refused("I can't find that meeting.")
    cohort = led_cohort(call, meeting.cohort_id)
    if meeting.cancelled_at is not None:
        raise Refused("This meeting was cancelled already.")
    if meeting.ends_at <= call.work.now:
        raise Refused("This meeting is over, so you can't change it.")
    return meeting, cohort


def reach_field(call: Call, meeting: Meeting) -> tuple[ChoiceField, ...]:
    """The question whether the later meetings of the series are meant too; nothing where there are none."""
    rest = meetings.of_series(call.work.tx, meeting.series_id, meeting.starts_at)
    if len(rest) < 2:
        return ()
    options = (Option("one", "Only this meeting"), Option("rest", f"This and the {len(rest) - 1} after it"))
    return (ChoiceField("reach", "Which meetings", options, "one"),)


def reached_meetings(call: Call, meeting: Meeting) -> list[Meeting]:
    """The meetings that the form was sent for.

    Raises:
        FormErrors: it asked which meetings are meant, and the answer is none of the options.
    """
    asked = reach_field(call, meeting) if "reach" in call.values else ()
    if read_fields(asked, call.values).get("reach") != "rest":
        return [meeting]
    return meetings.of_series(call.work.tx, meeting.series_id, meeting.starts_at)


@router.press(OpenMove)
def open_move(call: Call, pressed: OpenMove) -> Reply:
    """Open the form that moves a meeting, with its present time and place."""
    meeting, _ = upcoming_meeting(call, pressed.meeting_id)
    start = meeting.local_start
    present = NewTime(start.date(), start.time(), meeting.minutes, meeting.place)
    return Reply(
        form=Form(
            "Move the meeting",
            MoveMeeting(meeting.id),
            opener=OpenMove(meeting.id),
            submit="Move",
            blocks=(say(Bold(meeting.topic), f". Times are in {zone_words(meeting.zone)}."),),
            fields=(*reach_field(call, meeting), *NEW_TIME.filled(present)),
        )
    )


@router.submit(MoveMeeting)
def move(call: Call, sent: MoveMeeting) -> Reply:
    """Reminders follow, people are told, the history stays."""
    meeting, cohort = upcoming_meeting(call, sent.meeting_id)
    new = NEW_TIME.read(call.values)
    shift = new.start - meeting.local_start
    reached = reached_meetings(call, meeting)
    _check(call, cohort, reached, new, shift)
    moved = [
        meetings.move(call.work, each, each.local_start + shift, call.my_id, minutes=new.minutes, place=new.place)
        for each in reached
    ]
    for later in moved:
        plan_meeting(call.work, later, cohort)
        refresh_meeting(call.work, later)
    refresh_series(call.work, meeting)
    tell_cohort(call.work, cohort, kinds.MEETING_MOVED, meeting.id, f"{moved[0].version}:{len(moved)}")
    done = "Moved" if shift else "Changed"
    return notice(f"{done} {counted(len(moved), 'meeting')}: now ", when(moved[0]), ". I told the cohort.")


def _check(call: Call, cohort: Cohort, reached: list[Meeting], new: NewTime, shift: timedelta) -> None:
    """``shift``: how much later the meetings are to be.

    Raises:
        FormErrors: the new time is past or in a break, or nothing would change.
    """
    if to_utc(new.start, reached[0].zone) <= call.work.now:
        raise FormErrors({"day": "That time is in the past. Choose a later one."})
    if not shift and all((meeting.minutes, meeting.place) == (new.minutes, new.place) for meeting in reached):
        raise FormErrors({"day": "You haven't changed anything. Choose another date, time, length or place."})
    off = [stored_break.days for stored_break in breaks.of_cohort(call.work.tx, cohort.id)]
    for day in ((meeting.local_start + shift).date() for meeting in reached):
        if any(rest.holds(day) for rest in off):
            raise FormErrors({"day": f"{say_day(day)} is during a break. Choose another date."})


def refresh_series(work: Work, meeting: Meeting) -> None:
    """The announcement of a series lists all its dates."""
    for of_series in meetings.of_series(work.tx, meeting.series_id):
        deliveries.refresh(work, of_series.id, kinds.MEETING_ANNOUNCEMENT)


@router.delivery(kinds.MEETING_MOVED)
@only_for(in_meetings_cohort)
def moved_card(work: Work, item: Delivery) -> Card | None:
    """The meeting's old and new time, and coming or not."""
    meeting = meetings.find(work.tx, UUID(item.subject))
    if meeting is None:
        return None
    if item.verb == "post" and (meeting.cancelled_at is not None or meeting.ends_at <= work.now):
        return None
    if meeting.cancelled_at is not None:
        return Card(f"Cancelled: {meeting.topic}", (say("It was scheduled for ", when(meeting), "."),))
    blocks: list[Block] = [facts(meeting, cohort_for(work, item, meeting))]
    if meeting.ends_at > work.now:
        blocks += [
            rsvp_buttons(meeting),
            *who_comes(work, meeting),
            Note(("Your answer still counts. You can change it.",)),
        ]
    blocks += later_ones(meetings.of_series(work.tx, meeting.series_id, meeting.ends_at))
    before = _before(work, meeting)
    if before == meeting.starts_at:
        return Card(f"Changed: {meeting.topic}", tuple(blocks))
    was = say("It was scheduled for ", When(before, meeting.zone), ". New time:")
    return Card(f"Moved: {meeting.topic}", (was, *blocks))


def _before(work: Work, meeting: Meeting) -> datetime:
    """When it was planned for before it was moved last: this tells which of a series' meetings it was."""
    moves = [line for line in audit_log.entries(work.tx, meeting.id) if line.what == "meeting.moved"]
    return to_utc(datetime.fromisoformat(str(moves[-1].detail["was"])), meeting.zone)
