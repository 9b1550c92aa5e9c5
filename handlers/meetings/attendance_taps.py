"""“I'm here”: one tap by the mentee, which the mentor confirms after the meeting."""

from __future__ import annotations

from uuid import UUID

from handlers.core.actions import Action, action
from handlers.core.calls import Call, Refused
from handlers.core.cards import Button, Card, Note, When, buttons, say
from handlers.core.requests import Reply, notice
from handlers.core.router import router
from handlers.meetings.attendance import meeting_of_moment, roster_of
from handlers.meetings.planning import tell_cohort
from handlers.people.recipients import in_meetings_cohort, only_for
from program.core.words import listed
from program.meetings.attendance import OPENS_BEFORE, STATUSES, Mark
from storage.core.work import Work
from storage.meetings import attendance, meetings
from storage.outbox import deliveries, kinds, moments
from storage.outbox.deliveries import Delivery
from storage.outbox.due import Moment
from storage.people import cohorts


@action("attendance.here")
class TapHere(Action):
    """The mentee says that they are at the meeting."""

    meeting_id: UUID


@router.moment(
    moments.ATTENDANCE_OPEN,
    "“I'm here” opens",
    late="opens late until the meeting ends; after that it is skipped, and the mentor takes attendance from the list",
)
def open_attendance(work: Work, moment: Moment) -> str | None:
    """Late is fine until the meeting ends; after that the mentor's roster is the way."""
    meeting = meeting_of_moment(work, moment)
    if meeting is None:
        return "cancelled"
    if meeting.ends_at <= work.now:
        return "missed"
    tell_cohort(work, cohorts.get(work.tx, meeting.cohort_id), kinds.ATTENDANCE_HERE, meeting.id, moment.version)
    return None


@router.delivery(kinds.ATTENDANCE_HERE)
@only_for(in_meetings_cohort)
def here_card(work: Work, item: Delivery) -> Card | None:
    """The button "I'm here" until attendance is complete, with the names of those who tapped."""
    meeting = meetings.find(work.tx, UUID(item.subject))
    if meeting is None:
        return None
    if meeting.cancelled_at is not None:
        return Card(f"Cancelled: {meeting.topic}", (say("It doesn't count as an absence."),))
    lines = roster_of(work, meeting)
    there = [line.person.name for line in lines if line.mark.there]
    who = Note((f"Here ({len(there)}): {listed(there, 60)}" if there else "No taps yet.",))
    if meeting.settled_at is not None:
        return Card(f"{meeting.topic}: attendance is complete", (who,) if there else ())
    here = Button("I'm here", TapHere(meeting.id), style="primary")
    starts = When(meeting.starts_at, meeting.zone, "time")
    return Card(meeting.topic, (say("The PLC meeting starts at ", starts, "."), buttons(here), who))


@router.press(TapHere)
def here(call: Call, pressed: TapHere) -> Reply:
    """Record the mentee's tap, for their mentor to confirm."""
    meeting = meetings.find(call.work.tx, pressed.meeting_id)
    if meeting is None:
        raise Refused("I can't find that meeting.")
    if call.my_id not in {mentee.id for mentee in meetings.expected(call.work.tx, meeting)}:
        if call.is_member(meeting.cohort_id):
            raise Refused("Only mentees need to tap. Thanks for coming!")
        raise Refused(
            "You're not in this cohort, so I didn't mark you as here. If you're visiting, ask its mentor to add you."
        )
    if meeting.cancelled_at is not None:
        raise Refused("This meeting was cancelled. It doesn't count as an absence.")
    if call.work.now < meeting.starts_at - OPENS_BEFORE:
        raise Refused("It's too early. You can tap “I'm here” from 15 minutes before the meeting.")
    mark = attendance.of_meeting(call.work.tx, meeting.id).get(call.my_id, Mark())
    if mark.tapped:
        return notice("You're already marked here. Your mentor will confirm it after the meeting.")
    if mark.status is not None:
        return notice(f"Your mentor has marked you already: {STATUSES[mark.status].lower()}.")
    if meeting.settled_at is not None:
        raise Refused("Attendance is closed for this meeting. Tell your mentor that you were there.")
    attendance.add(call.work, meeting, call.my_id, "tapped", "present", call.my_id)
    deliveries.refresh(call.work, meeting.id, kinds.ATTENDANCE_HERE, kinds.ATTENDANCE_ROSTER)
    now = When(call.work.now, call.me.zone, "time")
    return notice("You're marked as here, ", now, ". Your mentor will confirm it after the meeting.")
