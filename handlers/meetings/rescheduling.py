"""Meetings to come are moved and cancelled; people are told, reminders follow, and a cancellation can be undone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time
from uuid import UUID

from handlers.core.actions import untyped
from handlers.core.calls import Call, FieldReader, Refused
from handlers.core.cards import Block, Bold, Bullets, Button, Card, Note, When, buttons, say
from handlers.core.forms import (
    ChoiceField,
    DateField,
    Form,
    FormErrors,
    NumberField,
    Option,
    TextField,
    TimeField,
    options_of,
)
from handlers.core.requests import Reply, notice
from handlers.core.router import router
from handlers.meetings.meetings import (
    LENGTHS,
    cohort_for,
    facts,
    later_ones,
    led_cohort,
    refresh_meeting,
    rsvp_buttons,
    when,
    who_comes,
)
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

TOGETHER = "meetings.cancelled"  # in the history of each meeting that was cancelled together with others
CANCEL_REASONS = {
    "weather": "Weather",
    "conflict": "Schedule conflict",
    "illness": "Illness",
    "break": "A break",
    "other": "Another reason",
}


def _upcoming(call: Call) -> tuple[Meeting, Cohort]:
    meeting = meetings.find(call.work.tx, call.id_at(0))
    if meeting is None:
        raise Refused("I can't find that meeting.")
    cohort = led_cohort(call, meeting.cohort_id)
    if meeting.cancelled_at is not None:
        raise Refused("This meeting was cancelled already.")
    if meeting.ends_at <= call.work.now:
        raise Refused("This meeting is over, so you can't change it.")
    return meeting, cohort


def _reach_field(call: Call, meeting: Meeting) -> tuple[ChoiceField, ...]:
    rest = meetings.of_series(call.work.tx, meeting.series_id, meeting.starts_at)
    if len(rest) < 2:
        return ()
    options = (Option("one", "Only this meeting"), Option("rest", f"This and the {len(rest) - 1} after it"))
    return (ChoiceField("reach", "Which meetings", options, "one"),)


def _reached(call: Call, meeting: Meeting) -> list[Meeting]:
    if call.values.get("reach", ("one",))[:1] != ("rest",):
        return [meeting]
    return meetings.of_series(call.work.tx, meeting.series_id, meeting.starts_at)


@router.press("meetings.move")
def move_form(call: Call) -> Reply:
    meeting, _ = _upcoming(call)
    return Reply(
        form=Form(
            "Move the meeting",
            untyped("meetings.moved", meeting.id),
            opener=untyped("meetings.move", meeting.id),
            submit="Move",
            blocks=(say(Bold(meeting.topic), f". Times are in {zone_words(meeting.zone)}."),),
            fields=(
                *_reach_field(call, meeting),
                DateField("day", "New date", meeting.local_start.date()),
                TimeField("at", "New time", meeting.local_start.time()),
                NumberField("minutes", "Length in minutes", meeting.minutes, *LENGTHS),
                TextField("place", "Place or link", meeting.place, optional=True, max_length=500),
            ),
        )
    )


@router.submit("meetings.moved")
def move(call: Call) -> Reply:
    """Reminders follow, people are told, the history stays."""
    meeting, cohort = _upcoming(call)
    read = FieldReader(call.values)
    day = read.day("day", needed="Choose a date.")
    at = read.clock("at", needed="Choose a time.")
    minutes = read.number("minutes", *LENGTHS, needed="Enter how many minutes it lasts.")
    place = read.text("place", most=500)
    read.check()
    start = datetime.combine(day or date.min, at or time())
    if to_utc(start, meeting.zone) <= call.work.now:
        raise FormErrors({"day": "That time is in the past. Choose a later one."})
    shift = start - meeting.local_start
    off = [stored_break.days for stored_break in breaks.of_cohort(call.work.tx, cohort.id)]
    reached = _reached(call, meeting)
    if not shift and all((meeting.minutes, meeting.place) == (minutes, place) for meeting in reached):
        raise FormErrors({"day": "You haven't changed anything. Choose another date, time, length or place."})
    blocked = [meeting for meeting in reached if any(rest.holds((meeting.local_start + shift).date()) for rest in off)]
    if blocked:
        raise FormErrors(
            {"day": f"{say_day((blocked[0].local_start + shift).date())} is during a break. Choose another date."}
        )
    moved = [
        meetings.move(call.work, meeting, meeting.local_start + shift, call.my_id, minutes=minutes, place=place)
        for meeting in reached
    ]
    for later in moved:
        plan_meeting(call.work, later, cohort)
        refresh_meeting(call.work, later)
    refresh_series(call.work, meeting)
    tell_cohort(call.work, cohort, kinds.MEETING_MOVED, meeting.id, f"{moved[0].version}:{len(moved)}")
    done = "Moved" if shift else "Changed"
    return notice(f"{done} {counted(len(moved), 'meeting')}: now ", when(moved[0]), ". I told the cohort.")


def refresh_series(work: Work, meeting: Meeting) -> None:
    """The announcement of a series lists all its dates."""
    for of_series in meetings.of_series(work.tx, meeting.series_id):
        deliveries.refresh(work, of_series.id, kinds.MEETING_ANNOUNCEMENT)


@router.delivery(kinds.MEETING_MOVED)
@only_for(in_meetings_cohort)
def moved_card(work: Work, item: Delivery) -> Card | None:
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
    moves = [line for line in audit_log.of(work.tx, meeting.id) if line.what == "meeting.moved"]
    return to_utc(datetime.fromisoformat(str(moves[-1].detail["was"])), meeting.zone)


@router.press("meetings.cancel")
def cancel_form(call: Call) -> Reply:
    meeting, _ = _upcoming(call)
    return Reply(
        form=Form(
            "Cancel the meeting",
            untyped("meetings.cancelled", meeting.id),
            opener=untyped("meetings.cancel", meeting.id),
            submit="Cancel meeting",
            blocks=(
                say(Bold(meeting.topic), ", ", when(meeting), "."),
                Note(("I'll tell the cohort. A cancelled meeting doesn't count as an absence.",)),
            ),
            fields=(
                *_reach_field(call, meeting),
                ChoiceField(
                    "reason",
                    "Why",
                    options_of(CANCEL_REASONS),
                    "other",
                ),
            ),
        )
    )


@router.submit("meetings.cancelled")
def cancel(call: Call) -> Reply:
    meeting, cohort = _upcoming(call)
    read = FieldReader(call.values)
    reason = read.choice("reason", tuple(CANCEL_REASONS), needed="Choose a reason.")
    read.check()
    reached = _reached(call, meeting)
    cancel_meetings(call.work, reached, cohort, reason, call.my_id)
    refresh_series(call.work, meeting)
    undo = Button("Undo", untyped("meetings.restore", *[meeting.id for meeting in reached[:4]]))
    text = say(f"Cancelled {counted(len(reached), 'meeting')}. I told the cohort.")
    return Reply(card=Card("", (text, buttons(undo)) if len(reached) <= 4 else (text,)))


def cancel_meetings(work: Work, several: Sequence[Meeting], cohort: Cohort, reason: str, by: UUID) -> None:
    """Cancel meetings of one cohort, and tell it in one message."""
    cancelled = [meeting for meeting in several if meetings.cancel(work, meeting, reason, by)]
    for meeting in cancelled:
        plan_meeting(work, meetings.get(work.tx, meeting.id), cohort)
        refresh_meeting(work, meeting)
    if len(cancelled) == 1:
        tell_cohort(work, cohort, kinds.MEETING_CANCELLED, cancelled[0].id, cancelled[0].version)
    elif cancelled:
        ids = [str(meeting.id) for meeting in cancelled]
        audit_log.note_all(work, [(meeting.id, TOGETHER, {"meetings": ids}) for meeting in cancelled], by)
        tell_cohort(work, cohort, kinds.MEETINGS_CANCELLED, cancelled[0].id, cancelled[0].version)


def _together(work: Work, meeting_id: UUID) -> list[UUID]:
    """The meetings that were cancelled last together with this one, itself included; empty: it was alone."""
    notes = [line for line in audit_log.of(work.tx, meeting_id) if line.what == TOGETHER]
    return [UUID(row) for row in notes[-1].detail["meetings"]] if notes else []


def _because(meeting: Meeting) -> str:
    """The reason of a cancellation in parentheses; empty for “another reason”, which says nothing."""
    why = CANCEL_REASONS.get(meeting.cancel_reason, "") if meeting.cancel_reason != "other" else ""
    return f" ({why.lower()})" if why else ""


@router.delivery(kinds.MEETINGS_CANCELLED)
@only_for(in_meetings_cohort)
def several_cancelled_card(work: Work, item: Delivery) -> Card | None:
    ids = _together(work, UUID(item.subject))
    several = [meeting for meeting in (meetings.find(work.tx, each) for each in ids) if meeting is not None]
    off = [meeting for meeting in several if meeting.cancelled_at is not None]
    if not several or (not off and item.verb == "post"):
        return None
    on = [meeting for meeting in several if meeting.cancelled_at is None]
    blocks: list[Block] = []
    if off:
        cohort = cohort_for(work, item, several[0])
        which = f"These meetings of {cohort}" if cohort else "These meetings"
        blocks.append(say(f"{which} are cancelled{_because(off[0])}. They don't count as absences."))
        blocks.append(Bullets(tuple((when(meeting), f": {meeting.topic}") for meeting in off)))
    if on:
        blocks.append(say("These are back on:"))
        blocks.append(Bullets(tuple((when(meeting), f": {meeting.topic}") for meeting in on)))
    coming = meetings.next_meeting(work.tx, [several[0].cohort_id], work.now)
    if coming:
        blocks.append(Note(("The next meeting: ", when(coming))))
    return Card(f"Cancelled: {counted(len(off), 'meeting')}" if off else "No meeting is cancelled", tuple(blocks))


@router.delivery(kinds.MEETING_CANCELLED)
@only_for(in_meetings_cohort)
def cancelled_card(work: Work, item: Delivery) -> Card | None:
    meeting = meetings.find(work.tx, UUID(item.subject))
    if meeting is None:
        return None
    if meeting.cancelled_at is None:
        return Card(f"Back on: {meeting.topic}", (facts(meeting),)) if item.verb == "update" else None
    cohort = cohort_for(work, item, meeting)
    the = f"The meeting of {cohort} on " if cohort else "The meeting of "
    coming = meetings.next_meeting(work.tx, [meeting.cohort_id], work.now)
    after: tuple[Block, ...] = (
        (
            Note(
                ("The next meeting: ", when(coming)),
            ),
        )
        if coming
        else ()
    )
    return Card(
        f"Cancelled: {meeting.topic}",
        (
            say(
                the,
                when(meeting),
                f" is cancelled{_because(meeting)}. It doesn't count as an absence.",
            ),
            *after,
        ),
    )


@router.press("meetings.restore")
def restore(call: Call) -> Reply:
    """Undo a cancellation while the meeting is still to come."""
    restored = 0
    for position in range(len(call.args)):
        meeting = meetings.find(call.work.tx, call.id_at(position))
        if meeting is None or meeting.cancelled_at is None or meeting.starts_at <= call.work.now:
            continue
        cohort = led_cohort(call, meeting.cohort_id)
        back = meetings.restore(call.work, meeting, call.my_id)
        plan_meeting(call.work, back, cohort)
        refresh_meeting(call.work, back)
        refresh_series(call.work, back)
        deliveries.refresh(call.work, back.id, kinds.MEETING_CANCELLED)
        for first in _together(call.work, back.id)[:1]:
            deliveries.refresh(call.work, first, kinds.MEETINGS_CANCELLED)
        restored += 1
    if not restored:
        raise Refused("There is nothing to undo.")
    return Reply(
        replace=Card("", (say(f"Undone. {counted(restored, 'meeting is', 'meetings are')} back on the schedule."),))
    )
