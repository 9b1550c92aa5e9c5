"""Attendance of a meeting: its roster, in the mentor's words and with one tap. Nobody is ever assumed absent."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from handlers.core.actions import Action, action
from handlers.core.calls import LEADS, Call, Refused
from handlers.core.cards import Block, Bold, Button, Card, Note, Table, When, buttons, say
from handlers.core.leading import led_meeting
from handlers.core.requests import Reply
from handlers.core.router import router
from handlers.meetings.meetings_actions import OpenAttendance, OpenSummary
from handlers.record.completion import ask_for_approval
from program.core.times import say_day, say_time, to_local, whole_minutes
from program.core.words import counted
from program.meetings.attendance import STATUSES, Mark
from storage.core.work import Work
from storage.meetings import attendance, meetings, summaries
from storage.meetings.meetings import Expected, Meeting
from storage.outbox import deliveries, due, kinds, moments
from storage.outbox.due import Moment
from storage.people import cohorts
from storage.record import leaves


@action("attendance.confirm")
class ConfirmTaps(Action):
    """Confirm that those who tapped were there; the others stay open."""

    meeting_id: UUID


@action("attendance.all")
class ConfirmEveryone(Action):
    """Confirm that everybody whose attendance is open was there."""

    meeting_id: UUID


@action("attendance.show")
class ShowRoster(Action):
    """Show the roster of an earlier meeting."""

    meeting_id: UUID


@dataclass(frozen=True, slots=True)
class RosterLine:
    """One person of a meeting's roster."""

    person: Expected
    mark: Mark
    away: bool = False  # on leave that day, and nothing says that they came all the same

    @property
    def open(self) -> bool:
        """Whether somebody must still say if they came. Nobody need say it of a mentee on leave."""
        return self.mark.status is None and not self.away

    @property
    def name(self) -> str:
        """The person's name, with a word that says whether they are a visitor."""
        return f"{self.person.name} (visitor)" if self.person.visitor else self.person.name


def roster_of(work: Work, meeting: Meeting) -> list[RosterLine]:
    """Everybody who is expected at a meeting, with what is recorded of them."""
    marks = attendance.of_meeting(work.tx, meeting.id)
    expected = meetings.expected(work.tx, meeting)
    away = leaves.away_on(work.tx, [person.id for person in expected], meeting.local_start.date())
    lines = [RosterLine(person, marks.get(person.id, Mark())) for person in expected]
    return [replace(line, away=line.person.id in away and line.mark == Mark()) for line in lines]


def open_lines(lines: list[RosterLine]) -> list[RosterLine]:
    """The lines of people who are not marked yet."""
    return [line for line in lines if line.open]


def meeting_of_moment(work: Work, moment: Moment) -> Meeting | None:
    """The meeting that a due moment is about; None: it was cancelled or moved since the moment was planned."""
    meeting = meetings.find(work.tx, UUID(moment.subject))
    if meeting is None or meeting.cancelled_at is not None or meeting.version != moment.version:
        return None
    return meeting


def roster_card(work: Work, meeting: Meeting, title: str = "Who came?") -> Card:
    """The roster in the mentor's personal chat: who tapped is filled in, the others are open."""
    when = When(meeting.starts_at, meeting.zone)
    cohort = cohorts.get(work.tx, meeting.cohort_id)
    if meeting.cancelled_at is not None:
        return Card(f"Cancelled: {meeting.topic}", (say("It doesn't count as an absence."),))
    lines = roster_of(work, meeting)
    if not lines:
        return Card(title, (say(Bold(meeting.topic), ", ", when, ". The cohort has no mentees yet."),))
    table = Table(
        ("Name", "Attendance"),
        tuple((line.name, "on leave" if line.away else _mark_words(line.mark, meeting)) for line in lines),
        caption="",
    )
    still_open = open_lines(lines)
    tapped = [line for line in still_open if line.mark.tapped]
    if not still_open:
        change = Button("Correct", OpenAttendance(meeting.id), opens_form=True)
        label = "Edit the summary" if summaries.posted(work.tx, [meeting.id]) else "Write the summary"
        summary = Button(label, OpenSummary(meeting.id), opens_form=True)
        done = say(Bold(meeting.topic), ", ", when, f", {cohort.name}.")
        return Card("Attendance is complete", (done, table, buttons(summary, change)))
    everyone = Button(_everyone_label(lines), ConfirmEveryone(meeting.id))
    one_by_one = Button("Person by person", OpenAttendance(meeting.id), opens_form=True)
    items = [replace(everyone, style="primary"), one_by_one]
    if tapped and len(tapped) < len(still_open):
        these = Button(f"Confirm the {len(tapped)} who tapped", ConfirmTaps(meeting.id), style="primary")
        items = [these, everyone, one_by_one]
    intro = say(Bold(meeting.topic), ", ", when, f", {cohort.name}.")
    note = Note(("No tap yet doesn't mean absent. Mark who was there.",))
    return Card(title, (intro, table, buttons(*items), note))


def _everyone_label(lines: list[RosterLine]) -> str:
    """What pressing it says: people who are marked already stay as marked."""
    if all(line.mark.status is None for line in lines):
        return "Everyone came"
    left = len(open_lines(lines))
    return f"The other {left} came" if left > 1 else "The last person came"


def _mark_words(mark: Mark, meeting: Meeting) -> str:
    """What is recorded, and when the mentee tapped: “Present, tapped 3:56 PM”."""
    if mark.status is None:
        return tap_words(mark, meeting) or "no tap yet"
    words = STATUSES[mark.status]
    words += f", {mark.minutes} minutes" if mark.minutes is not None else ""
    words += " (corrected)" if mark.corrected else ""
    return ", ".join(part for part in (words, tap_words(mark, meeting)) if part)


def tap_words(mark: Mark, meeting: Meeting) -> str:
    """When somebody tapped, in the meeting's zone, and how late that was; empty: there was no tap."""
    if mark.tapped_at is None:
        return ""
    late = whole_minutes(meeting.starts_at, mark.tapped_at)
    words = f"tapped {say_time(to_local(mark.tapped_at, meeting.zone))}"
    return f"{words}, {counted(late, 'minute')} after the start" if late > 0 else words


@router.press(ConfirmTaps)
def confirm(call: Call, pressed: ConfirmTaps) -> Reply:
    """Those who tapped were there; the others stay open."""
    return _settle_present(call, pressed.meeting_id, only_tapped=True)


@router.press(ConfirmEveryone)
def everyone_came(call: Call, pressed: ConfirmEveryone) -> Reply:
    """Everybody was there whose attendance is open."""
    return _settle_present(call, pressed.meeting_id, only_tapped=False)


def _settle_present(call: Call, meeting_id: UUID, *, only_tapped: bool) -> Reply:
    meeting = attended_meeting(call, meeting_id)
    if call.work.now < meeting.starts_at:
        raise Refused("The meeting hasn't started yet.")
    for line in open_lines(roster_of(call.work, meeting)):
        if line.mark.tapped or not only_tapped:
            attendance.add(call.work, meeting, line.person.id, "confirmed", "present", call.my_id)
    return Reply(replace=after_change(call, meeting))


def attended_meeting(call: Call, meeting_id: UUID) -> Meeting:
    """A meeting whose attendance the asker may confirm.

    Raises:
        Refused: others lead its cohort, or it was cancelled.
    """
    meeting = led_meeting(call, meeting_id, "confirm attendance")
    if meeting.cancelled_at is not None:
        raise Refused("This meeting was cancelled. It doesn't count as an absence.")
    return meeting


def after_change(call: Call, meeting: Meeting) -> Card:
    """Settle the meeting if everybody is marked, and bring every message about it up to date."""
    lines = roster_of(call.work, meeting)
    settled = not open_lines(lines)
    if settled != (meeting.settled_at is not None):
        meetings.set_settled(call.work, meeting.id, settled)
    if settled:
        due.cancel(call.work, meeting.id, (moments.ATTENDANCE_CHASE, moments.ATTENDANCE_ESCALATE))
        ask_for_approval(call.work, [line.person.id for line in lines])
    deliveries.refresh(
        call.work,
        meeting.id,
        kinds.ATTENDANCE_HERE,
        kinds.ATTENDANCE_ROSTER,
        kinds.ATTENDANCE_CHASE,
        kinds.ATTENDANCE_ESCALATE,
    )
    return roster_card(call.work, meetings.get(call.work.tx, meeting.id))


@router.command(
    "attendance",
    "Attendance at the last meetings",
    who=LEADS,
    cohort=LEADS,
    help={"mentor": 3, "coordinator": 10},
    teams={"personal": 6, "team": 5},
)
def attendance_command(call: Call) -> Reply:
    """The roster of the last meeting, and the ones before it."""
    cohort = call.cohort
    last = meetings.last_meetings(call.work.tx, cohort.id, call.work.now, 5)
    if not last:
        return Reply(card=Card("No meetings yet", (say("After a meeting, its attendance list will be here."),)))
    newest = roster_card(call.work, last[0])
    earlier: list[Block] = []
    for meeting in last[1:]:
        state = "complete" if meeting.settled_at else "open"
        label = f"{say_day(meeting.local_start.date())} ({state})"
        earlier.append(buttons(Button(label, ShowRoster(meeting.id))))
    return Reply(card=Card(newest.title, (*newest.blocks, *earlier)))


@router.press(ShowRoster)
def show(call: Call, pressed: ShowRoster) -> Reply:
    """Show the roster of an earlier meeting."""
    return Reply(card=roster_card(call.work, attended_meeting(call, pressed.meeting_id)))
