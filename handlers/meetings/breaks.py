"""Breaks: summer, holidays, a snow day by one tap. They stop meetings, reminders and check-ins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from handlers.checkins.schedule import refresh_schedule
from handlers.core.actions import Action, action
from handlers.core.calls import LEADS, Call, Refused, old_form
from handlers.core.cards import Block, Bold, Button, Card, Cmd, Note, buttons, say
from handlers.core.forms import ChoiceField, DateField, Fields, Form, FormErrors, Option, TextField, read_fields
from handlers.core.leading import led_cohort, led_meeting, only_leads
from handlers.core.paging import more
from handlers.core.requests import Reply, notice
from handlers.core.router import router
from handlers.meetings.cancelling import cancel_meetings
from handlers.meetings.meetings_actions import CallSnowDay, RestoreMeetings
from program.core.times import local_day, say_day, to_utc
from program.core.words import counted, listed
from storage.core import drafts
from storage.meetings import breaks, meetings
from storage.meetings.meetings import Meeting
from storage.people import cohorts
from storage.people.cohorts import Cohort

LONGEST = 120  # days
MOST_SHOWN = 20  # breaks
DRAFT = "break"  # the kind of draft
CHANGE = "change breaks"  # what is refused to those who don't lead the cohort


@action("breaks.new")
class OpenNewBreak(Action):
    """Open the form that adds a break, filled from a draft where there is one."""

    cohort_id: UUID
    draft_id: UUID | None = None


@action("breaks.preview")
class PreviewBreak(Action):
    """See which meetings fall into the break before it is added."""

    cohort_id: UUID


@action("breaks.add")
class AddBreak(Action):
    """Add the break of the draft and cancel the meetings that fall into it."""

    cohort_id: UUID
    draft_id: UUID


@action("breaks.remove")
class RemoveBreak(Action):
    """Remove a break; meetings that it cancelled stay cancelled."""

    break_id: UUID


@dataclass(frozen=True, slots=True)
class BreakDays:
    """A break's name and days, both included.

    Raises:
        FormErrors: it ends before it starts, or is too long.
    """

    label: str
    starts: date
    ends: date

    def __post_init__(self) -> None:
        if self.ends < self.starts:
            raise FormErrors({"ends": "The last day is before the first."})
        if (self.ends - self.starts).days >= LONGEST:
            raise FormErrors({"ends": f"A break can last at most {LONGEST} days."})

    def as_draft(self) -> dict[str, str]:
        """The values of a draft."""
        return {"label": self.label, "starts": self.starts.isoformat(), "ends": self.ends.isoformat()}

    @classmethod
    def of_draft(cls, values: Mapping[str, Any]) -> BreakDays:
        """The break that a draft holds."""
        return cls(values["label"], date.fromisoformat(values["starts"]), date.fromisoformat(values["ends"]))


BREAK = Fields(
    BreakDays,
    TextField("label", "Name", max_length=100, hint="Winter break", needed="Enter a name for the break."),
    DateField("starts", "First day", needed="Choose the first day."),
    DateField("ends", "Last day", needed="Choose the last day."),
)


@router.command(
    "breaks",
    "Breaks without meetings and check-ins",
    who=LEADS,
    cohort=LEADS,
    help={"mentor": 6, "coordinator": 7},
    teams={"team": 7},
)
def breaks_command(call: Call) -> Reply:
    """The breaks to come, which leaders of the cohort can remove, and the way to add another."""
    cohort = call.cohort
    today = local_day(call.work.now, cohort.zone)
    stored_breaks = breaks.of_cohort(call.work.tx, cohort.id, today)
    blocks: list[Block] = []
    for stored_break in stored_breaks[:MOST_SHOWN]:
        whose = "the whole program" if stored_break.cohort_id is None else cohort.name
        blocks.append(say(Bold(stored_break.label), f", {_span(stored_break.starts, stored_break.ends)} ({whose})"))
        if stored_break.cohort_id is not None or call.me.coordinator:
            ask = "Remove this break? Meetings that it cancelled stay cancelled."
            blocks.append(buttons(Button("Remove", RemoveBreak(stored_break.id), confirm=ask)))
    blocks += more(len(stored_breaks), MOST_SHOWN)
    if not stored_breaks:
        blocks.append(say("No breaks scheduled."))
    add = Button("Add a break", OpenNewBreak(cohort.id), style="primary", opens_form=True)
    return Reply(card=Card(f"Breaks of {cohort.name}", (*blocks, buttons(add))))


def _span(starts: date, ends: date) -> str:
    return say_day(starts) if starts == ends else f"{say_day(starts)} to {say_day(ends)}"


@router.press(OpenNewBreak)
def open_new_break(call: Call, pressed: OpenNewBreak) -> Reply:
    """Open the form that adds a break, with what was put into it before."""
    cohort = led_cohort(call, pressed.cohort_id, CHANGE)
    values = call.draft(pressed.draft_id, DRAFT)
    fields = BREAK.filled(BreakDays.of_draft(values)) if values else BREAK.shown
    scope = _scope_field(call, cohort, values["scope"] if values else "cohort")
    return Reply(
        form=Form(
            "Add a break",
            PreviewBreak(cohort.id),
            opener=OpenNewBreak(cohort.id),
            submit="See what it changes",
            fields=(*fields, *scope),
        )
    )


def _scope_field(call: Call, cohort: Cohort, scope: str = "cohort") -> tuple[ChoiceField, ...]:
    """Whose break it is, which a coordinator chooses."""
    options = (Option("cohort", cohort.name), Option("program", "The whole program"))
    return (ChoiceField("scope", "For", options, scope),) if call.me.coordinator else ()


def _sent_scope(call: Call, cohort: Cohort) -> str:
    """Whose break it is. A form that did not ask is about the cohort.

    Raises:
        FormErrors: it asked, and the answer is none of the options.
    """
    asked = _scope_field(call, cohort) if "scope" in call.values else ()
    return str(read_fields(asked, call.values).get("scope", "cohort"))


@router.submit(PreviewBreak)
def preview(call: Call, sent: PreviewBreak) -> Reply:
    """Say which meetings fall into the break before it is added."""
    cohort = led_cohort(call, sent.cohort_id, CHANGE)
    days, scope = BREAK.read(call.values), _sent_scope(call, cohort)
    draft = drafts.keep(call.work, call.my_id, DRAFT, {**days.as_draft(), "scope": scope})
    hit = _meetings_in(call, cohort if scope != "program" else None, days.starts, days.ends)
    effect = "No meetings fall in this break. No check-ins are sent on these days."
    if hit:
        on = listed(_days(call, hit, named=scope == "program"))
        effect = f"This cancels {counted(len(hit), 'meeting')}: {on}. I'll tell the cohorts."
    back = OpenNewBreak(cohort.id, draft)
    return Reply(
        form=Form(
            "Add this break?",
            AddBreak(cohort.id, draft),
            opener=back,
            submit="Add it",
            blocks=(say(Bold(days.label), f", {_span(days.starts, days.ends)}."), say(effect)),
            back=back,
        )
    )


def _days(call: Call, hit: list[Meeting], *, named: bool) -> list[str]:
    """The days of these meetings; ``named``: with the cohort of each."""
    names = {cohort.id: f"{cohort.name} on " for cohort in cohorts.all_cohorts(call.work.tx)} if named else {}
    return [names.get(meeting.cohort_id, "") + say_day(meeting.local_start.date()) for meeting in hit]


def _meetings_in(call: Call, cohort: Cohort | None, starts: date, ends: date) -> list[Meeting]:
    """The meetings to come whose local day lies in the break."""
    zone = "UTC"
    first = to_utc(datetime.combine(starts - timedelta(days=1), time()), zone)
    last = to_utc(datetime.combine(ends + timedelta(days=2), time()), zone)
    between = meetings.between(call.work.tx, max(first, call.work.now), last, [cohort.id] if cohort else None)
    return [meeting for meeting in between if starts <= meeting.local_start.date() <= ends]


@router.submit(AddBreak)
def add(call: Call, sent: AddBreak) -> Reply:
    """Add the break of the draft and cancel the meetings that fall into it."""
    cohort = led_cohort(call, sent.cohort_id, CHANGE)
    values = call.draft(sent.draft_id, DRAFT)
    if values is None:
        raise old_form("breaks", "them")
    whole = values["scope"] == "program" and call.me.coordinator
    days = BreakDays.of_draft(values)
    hit = _add(call, None if whole else cohort, days)
    drafts.drop(call.work, sent.draft_id)
    return notice(f"Added {days.label}, {_span(days.starts, days.ends)}. Cancelled: {counted(hit, 'meeting')}.")


def _add(call: Call, cohort: Cohort | None, days: BreakDays, reason: str = "break") -> int:
    """Add the break and cancel what falls into it; how many meetings that were."""
    breaks.add(call.work, cohort.id if cohort else None, days.starts, days.ends, days.label, call.my_id)
    hit = _meetings_in(call, cohort, days.starts, days.ends)
    for cohort_id in dict.fromkeys(meeting.cohort_id for meeting in hit):
        own = [meeting for meeting in hit if meeting.cohort_id == cohort_id]
        cancel_meetings(call.work, own, cohorts.get(call.work.tx, cohort_id), reason, call.my_id)
    _refresh_checkins(call, cohort)
    return len(hit)


def _refresh_checkins(call: Call, cohort: Cohort | None) -> None:
    """Plan check-ins again for the people that a break is about; None: everybody."""
    people = [person.id for person in cohorts.members(call.work.tx, cohort.id)] if cohort else None
    refresh_schedule(call.work, people)


@router.press(RemoveBreak)
def remove(call: Call, pressed: RemoveBreak) -> Reply:
    """Remove a break; meetings that it cancelled stay cancelled."""
    stored_break = breaks.get(call.work.tx, pressed.break_id)
    if stored_break is None:
        raise Refused("This break was already removed.")
    cohort = led_cohort(call, stored_break.cohort_id, CHANGE) if stored_break.cohort_id is not None else None
    if cohort is None and not call.me.coordinator:
        raise Refused(only_leads(CHANGE))
    breaks.remove(call.work, stored_break.id, call.my_id)
    _refresh_checkins(call, cohort)
    return notice(f"Removed {stored_break.label}. Meetings that it cancelled stay cancelled.")


@router.press(CallSnowDay)
def snow_day(call: Call, pressed: CallSnowDay) -> Reply:
    """One tap: the day of this meeting is off for the cohort."""
    meeting = led_meeting(call, pressed.meeting_id, "call a snow day")
    if meeting.cancelled_at is not None or meeting.ends_at <= call.work.now:
        raise Refused("This meeting is over or was already cancelled.")
    cohort = cohorts.get(call.work.tx, meeting.cohort_id)
    day = meeting.local_start.date()
    hit = _add(call, cohort, BreakDays("Snow day", day, day), "weather")
    if hit == 0:  # the meeting has begun, so it was not among those to come
        cancel_meetings(call.work, [meeting], cohort, "weather", call.my_id)
    undo = buttons(Button("Undo", RestoreMeetings((meeting.id,))))
    said = say(f"{say_day(day)} is a snow day. I cancelled the meeting and told the cohort.")
    note = Note(("Undo brings the meeting back. To remove the break too, send ", Cmd("breaks"), "."))
    return Reply(card=Card("", (said, undo, note)))
