"""Cancelling meetings to come: the form, what tells the cohort, and undoing it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from handlers.core.actions import Action, action
from handlers.core.calls import Call, Refused
from handlers.core.cards import Block, Bold, Bullets, Button, Card, Note, buttons, say
from handlers.core.forms import ChoiceField, Fields, Form, options_of
from handlers.core.leading import led_cohort
from handlers.core.requests import Reply
from handlers.core.router import router
from handlers.meetings.meetings import cohort_for, facts, refresh_meeting, when
from handlers.meetings.meetings_actions import OpenCancellation, RestoreMeetings
from handlers.meetings.planning import plan_meeting, tell_cohort
from handlers.meetings.rescheduling import reach_field, reached_meetings, refresh_series, upcoming_meeting
from handlers.people.recipients import in_meetings_cohort, only_for
from program.core.words import counted
from storage.core import audit_log
from storage.core.work import Work
from storage.meetings import meetings
from storage.meetings.meetings import Meeting
from storage.outbox import deliveries, kinds
from storage.outbox.deliveries import Delivery
from storage.people.cohorts import Cohort

MOST_UNDONE = 4  # meetings that one button brings back
CANCELLED_BATCH = "meetings.cancelled"  # in the history of each meeting that was cancelled together with others
CANCEL_REASONS = {
    "weather": "Weather",
    "conflict": "Schedule conflict",
    "illness": "Illness",
    "break": "A break",
    "other": "Another reason",
}


@action("meetings.cancelled")
class CancelMeeting(Action):
    """Cancel a meeting, and those after it where the form says so."""

    meeting_id: UUID


@dataclass(frozen=True, slots=True)
class Cancellation:
    """Why a meeting is cancelled."""

    reason: str


CANCELLATION = Fields(
    Cancellation, ChoiceField("reason", "Why", options_of(CANCEL_REASONS), "other", needed="Choose a reason.")
)


@router.press(OpenCancellation)
def open_cancellation(call: Call, pressed: OpenCancellation) -> Reply:
    """Open the form that cancels a meeting."""
    meeting, _ = upcoming_meeting(call, pressed.meeting_id)
    return Reply(
        form=Form(
            "Cancel the meeting",
            CancelMeeting(meeting.id),
            opener=OpenCancellation(meeting.id),
            submit="Cancel meeting",
            blocks=(
                say(Bold(meeting.topic), ", ", when(meeting), "."),
                Note(("I'll tell the cohort. A cancelled meeting doesn't count as an absence.",)),
            ),
            fields=(*reach_field(call, meeting), *CANCELLATION.shown),
        )
    )


@router.submit(CancelMeeting)
def cancel(call: Call, sent: CancelMeeting) -> Reply:
    """Cancel the meetings and tell the cohort; a few can be brought back by one tap."""
    meeting, cohort = upcoming_meeting(call, sent.meeting_id)
    reason = CANCELLATION.read(call.values).reason
    reached = reached_meetings(call, meeting)
    cancel_meetings(call.work, reached, cohort, reason, call.my_id)
    refresh_series(call.work, meeting)
    text = say(f"Cancelled {counted(len(reached), 'meeting')}. I told the cohort.")
    if len(reached) > MOST_UNDONE:
        return Reply(card=Card("", (text,)))
    undo = Button("Undo", RestoreMeetings(tuple(each.id for each in reached)))
    return Reply(card=Card("", (text, buttons(undo))))


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
        audit_log.note_all(work, [(meeting.id, CANCELLED_BATCH, {"meetings": ids}) for meeting in cancelled], by)
        tell_cohort(work, cohort, kinds.MEETINGS_CANCELLED, cancelled[0].id, cancelled[0].version)


def _cancelled_with(work: Work, meeting_id: UUID) -> list[UUID]:
    """The meetings that were cancelled last together with this one, itself included; empty: it was alone."""
    notes = [line for line in audit_log.entries(work.tx, meeting_id) if line.what == CANCELLED_BATCH]
    return [UUID(row) for row in notes[-1].detail["meetings"]] if notes else []


def _because(meeting: Meeting) -> str:
    """The reason of a cancellation in parentheses; empty for “another reason”, which says nothing."""
    why = CANCEL_REASONS.get(meeting.cancel_reason, "") if meeting.cancel_reason != "other" else ""
    return f" ({why.lower()})" if why else ""


@router.delivery(kinds.MEETINGS_CANCELLED)
@only_for(in_meetings_cohort)
def several_cancelled_card(work: Work, item: Delivery) -> Card | None:
    """The meetings that were cancelled together; those that were restored since are back on."""
    ids = _cancelled_with(work, UUID(item.subject))
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
    blocks += _next(work, several[0].cohort_id)
    return Card(f"Cancelled: {counted(len(off), 'meeting')}" if off else "No meeting is cancelled", tuple(blocks))


@router.delivery(kinds.MEETING_CANCELLED)
@only_for(in_meetings_cohort)
def cancelled_card(work: Work, item: Delivery) -> Card | None:
    """A meeting that was cancelled, and the next one; a sent card says later if it is back on."""
    meeting = meetings.find(work.tx, UUID(item.subject))
    if meeting is None:
        return None
    if meeting.cancelled_at is None:
        return Card(f"Back on: {meeting.topic}", (facts(meeting),)) if item.verb == "update" else None
    cohort = cohort_for(work, item, meeting)
    the = f"The meeting of {cohort} on " if cohort else "The meeting of "
    text = say(the, when(meeting), f" is cancelled{_because(meeting)}. It doesn't count as an absence.")
    return Card(f"Cancelled: {meeting.topic}", (text, *_next(work, meeting.cohort_id)))


def _next(work: Work, cohort_id: UUID) -> tuple[Note, ...]:
    """When the cohort meets next, if that is known."""
    coming = meetings.next_meeting(work.tx, [cohort_id], work.now)
    return (Note(("The next meeting: ", when(coming))),) if coming else ()


@router.press(RestoreMeetings)
def restore(call: Call, pressed: RestoreMeetings) -> Reply:
    """Undo a cancellation while the meeting is still to come."""
    restored = 0
    for meeting_id in pressed.meeting_ids:
        meeting = meetings.find(call.work.tx, meeting_id)
        if meeting is None or meeting.cancelled_at is None or meeting.starts_at <= call.work.now:
            continue
        _restore(call, meeting)
        restored += 1
    if not restored:
        raise Refused("There is nothing to undo.")
    text = f"Undone. {counted(restored, 'meeting is', 'meetings are')} back on the schedule."
    return Reply(replace=Card("", (say(text),)))


def _restore(call: Call, meeting: Meeting) -> None:
    cohort = led_cohort(call, meeting.cohort_id)
    back = meetings.restore(call.work, meeting, call.my_id)
    plan_meeting(call.work, back, cohort)
    refresh_meeting(call.work, back)
    refresh_series(call.work, back)
    deliveries.refresh(call.work, back.id, kinds.MEETING_CANCELLED)
    for first in _cancelled_with(call.work, back.id)[:1]:
        deliveries.refresh(call.work, first, kinds.MEETINGS_CANCELLED)
