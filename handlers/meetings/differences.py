"""Where the mentee tapped "I'm here" and the mentor recorded something else: both are asked, once."""

from __future__ import annotations

from uuid import UUID

from handlers.core.actions import Action, action
from handlers.core.calls import Call, Refused
from handlers.core.cards import Block, Bold, Button, Card, Note, buttons, say
from handlers.core.requests import Reply
from handlers.core.router import router
from handlers.meetings.meetings import when
from handlers.meetings.meetings_actions import OpenAttendance
from handlers.people.recipients import leads, only_for
from handlers.record.changed_notice import change_sentence
from handlers.record.record_actions import NewDispute
from handlers.record.settling import may_correct
from program.meetings.attendance import STATUSES
from storage.core.work import Work
from storage.meetings import attendance, meetings
from storage.meetings.meetings import Meeting
from storage.outbox import deliveries, kinds
from storage.outbox.deliveries import Delivery
from storage.record import ledger


@action("attendance.agree")
class AgreeWithRecord(Action):
    """The mentee says that the record is right, not their tap."""

    line_id: UUID


@action("attendance.keep")
class KeepRecord(Action):
    """A leader of the cohort says that the record is right, not the mentee's tap."""

    line_id: UUID


def ask_both(call: Call, meeting: Meeting) -> set[UUID]:
    """Both are asked once; what stays open is in the coordinator's digest. The lines that they are asked about."""
    open_differences = attendance.differences(call.work.tx, meeting.starts_at, meeting.id)
    for difference in open_differences:
        deliveries.to_person(call.work, kinds.ATTENDANCE_DIFFERS, difference.person_id, difference.line_id)
        deliveries.to_person(call.work, kinds.ATTENDANCE_DIFFERS_MENTOR, call.my_id, difference.line_id)
    return {difference.line_id for difference in open_differences}


def _difference(work: Work, line_id: UUID) -> attendance.Difference | None:
    line = ledger.get(work.tx, line_id)
    if line is None or line.meeting_id is None:
        return None
    differences = attendance.differences(work.tx, line.happened_at, line.meeting_id)
    return next((difference for difference in differences if difference.line_id == line_id), None)


def _settled(item: Delivery) -> Card | None:
    return Card("Thank you", (say("This is already decided."),)) if item.verb == "update" else None


@router.delivery(kinds.ATTENDANCE_DIFFERS)
def differs_card(work: Work, item: Delivery) -> Card | None:
    """Asks the mentee whether the record is right, which says something else than their tap."""
    difference = _difference(work, UUID(item.subject))
    if difference is None:
        return _settled(item)
    text = _you_tapped(work, difference)
    items = buttons(
        Button("The record is right", AgreeWithRecord(difference.line_id)),
        Button("It is wrong", NewDispute(difference.line_id), opens_form=True),
    )
    return Card("Were you there?", (text, items))


def _you_tapped(work: Work, difference: attendance.Difference) -> Block:
    """What the mentee tapped and what the record says; of a correction also who made it and what was before."""
    line = ledger.get(work.tx, difference.line_id)
    if line is not None and line.step == "corrected":
        return say(change_sentence(work, line), " You tapped “I'm here”.")
    meeting, recorded = meetings.get(work.tx, difference.meeting_id), STATUSES[difference.status].lower()
    return say(Bold(meeting.topic), ", ", when(meeting), f": you tapped “I'm here”, but you were marked {recorded}.")


def _leads(work: Work, item: Delivery, reader_id: UUID) -> bool:
    line = ledger.get(work.tx, UUID(item.subject))
    meeting = meetings.find(work.tx, line.meeting_id) if line and line.meeting_id else None
    return meeting is None or leads(work, meeting.cohort_id, reader_id)


@router.delivery(kinds.ATTENDANCE_DIFFERS_MENTOR)
@only_for(_leads)
def differs_mentor_card(work: Work, item: Delivery) -> Card | None:
    """Asks who recorded it the same, and offers a correction to those who may make one."""
    difference = _difference(work, UUID(item.subject))
    if difference is None:
        return _settled(item)
    meeting, recorded = meetings.get(work.tx, difference.meeting_id), STATUSES[difference.status].lower()
    tapped = (Bold(difference.person), " tapped “I'm here” in ", Bold(meeting.topic), ", ", when(meeting))
    text = say(*tapped, f", but you marked them {recorded}.")
    title, keep_it = "A mentee says they were there", Button("Keep it", KeepRecord(difference.line_id))
    line = ledger.get(work.tx, difference.line_id)
    if line is None or item.person_id is None or not may_correct(work, line, item.person_id):
        return Card(title, (text, buttons(keep_it), Note(("If it is wrong, ask your coordinator to correct it.",))))
    correct = Button("Correct", OpenAttendance(meeting.id), opens_form=True)
    return Card(title, (text, buttons(keep_it, correct)))


@router.press(AgreeWithRecord)
def agree(call: Call, pressed: AgreeWithRecord) -> Reply:
    """The mentee says that the record is right: it stays, and nobody is asked anymore."""
    difference = _difference(call.work, pressed.line_id)
    if difference is None or difference.person_id != call.my_id:
        raise Refused("This is already decided.")
    return _answered(call, difference, "agreed", "self")


@router.press(KeepRecord)
def keep(call: Call, pressed: KeepRecord) -> Reply:
    """A leader of the cohort keeps the record: it stays, and nobody is asked anymore."""
    difference = _difference(call.work, pressed.line_id)
    if difference is None or not call.leads(meetings.get(call.work.tx, difference.meeting_id).cohort_id):
        raise Refused("This is already decided.")
    return _answered(call, difference, "kept", "mentor")


def _answered(call: Call, difference: attendance.Difference, step: str, verified: str) -> Reply:
    attendance.answer(call.work, difference, call.my_id, step, verified)
    deliveries.refresh(call.work, difference.line_id, kinds.ATTENDANCE_DIFFERS, kinds.ATTENDANCE_DIFFERS_MENTOR)
    return Reply(replace=Card("Thank you", (say("The record stays as it is."),)))
