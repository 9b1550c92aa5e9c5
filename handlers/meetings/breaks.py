"""Breaks: summer, holidays, a snow day by one tap. They stop meetings, reminders and check-ins."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from handlers.checkins.schedule import refresh_schedule
from handlers.core.actions import untyped
from handlers.core.calls import LEADS, Call, FieldReader, Refused
from handlers.core.cards import Block, Bold, Button, Card, Cmd, Note, buttons, say
from handlers.core.forms import ChoiceField, DateField, Form, FormErrors, Option, TextField
from handlers.core.paging import more
from handlers.core.requests import Reply, notice
from handlers.core.router import router
from handlers.meetings.rescheduling import cancel_meetings
from program.core.times import local_day, say_day, to_utc
from program.core.words import counted, listed
from storage.core import drafts
from storage.meetings import breaks, meetings
from storage.meetings.meetings import Meeting
from storage.people import cohorts
from storage.people.cohorts import Cohort

LONGEST = 120  # days
MOST_SHOWN = 20  # breaks


@router.command(
    "breaks",
    "Breaks without meetings and check-ins",
    who=LEADS,
    cohort=LEADS,
    help={"mentor": 6, "coordinator": 7},
    teams={"team": 7},
)
def breaks_command(call: Call) -> Reply:
    cohort = call.cohort
    today = local_day(call.work.now, cohort.zone)
    stored_breaks = breaks.of_cohort(call.work.tx, cohort.id, today)
    blocks: list[Block] = []
    for stored_break in stored_breaks[:MOST_SHOWN]:
        whose = "the whole program" if stored_break.cohort_id is None else cohort.name
        blocks.append(say(Bold(stored_break.label), f", {_span(stored_break.starts, stored_break.ends)} ({whose})"))
        if stored_break.cohort_id is not None or call.me.coordinator:
            ask = "Remove this break? Meetings that it cancelled stay cancelled."
            blocks.append(buttons(Button("Remove", untyped("breaks.remove", stored_break.id), confirm=ask)))
    blocks += more(len(stored_breaks), MOST_SHOWN)
    if not stored_breaks:
        blocks.append(say("No breaks scheduled."))
    add = Button("Add a break", untyped("breaks.new", cohort.id), style="primary", opens_form=True)
    return Reply(card=Card(f"Breaks of {cohort.name}", (*blocks, buttons(add))))


def _span(starts: date, ends: date) -> str:
    return say_day(starts) if starts == ends else f"{say_day(starts)} to {say_day(ends)}"


@router.press("breaks.new")
def new_form(call: Call) -> Reply:
    cohort = _led(call)
    values = call.draft("break")
    values = values or {}
    scope: tuple[ChoiceField, ...] = ()
    if call.me.coordinator:
        options = (Option("cohort", cohort.name), Option("program", "The whole program"))
        scope = (ChoiceField("scope", "For", options, values.get("scope", "cohort")),)
    return Reply(
        form=Form(
            "Add a break",
            untyped("breaks.preview", cohort.id),
            opener=untyped("breaks.new", cohort.id),
            submit="See what it changes",
            fields=(
                TextField("label", "Name", values.get("label", ""), max_length=100, hint="Winter break"),
                DateField("starts", "First day", _day(values.get("starts"))),
                DateField("ends", "Last day", _day(values.get("ends"))),
                *scope,
            ),
        )
    )


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _led(call: Call) -> Cohort:
    cohort = cohorts.find(call.work.tx, call.id_at(0))
    if cohort is None or not call.leads(cohort.id):
        raise Refused("Only the cohort's mentors and coordinators can change breaks.")
    return cohort


@router.submit("breaks.preview")
def preview(call: Call) -> Reply:
    """Say which meetings fall into the break before it is added."""
    cohort = _led(call)
    read = FieldReader(call.values)
    label = read.text("label", needed="Enter a name for the break.", most=100)
    starts = read.day("starts", needed="Choose the first day.")
    ends = read.day("ends", needed="Choose the last day.")
    scope = read.choice("scope", ("cohort", "program")) if call.me.coordinator else "cohort"
    read.check()
    if starts is None or ends is None or ends < starts:
        raise FormErrors({"ends": "The last day is before the first."})
    if (ends - starts).days >= LONGEST:
        raise FormErrors({"ends": f"A break can last at most {LONGEST} days."})
    values = {"label": label, "starts": starts.isoformat(), "ends": ends.isoformat(), "scope": scope}
    draft = drafts.keep(call.work, call.my_id, "break", values)
    hit = _meetings_in(call, cohort if scope != "program" else None, starts, ends)
    blocks: list[Block] = [say(Bold(label), f", {_span(starts, ends)}.")]
    if hit:
        days = listed(_days(call, hit, named=scope == "program"))
        blocks.append(say(f"This cancels {counted(len(hit), 'meeting')}: {days}. I'll tell the cohorts."))
    else:
        blocks.append(say("No meetings fall in this break. No check-ins are sent on these days."))
    back = untyped("breaks.new", cohort.id, draft)
    form = Form(
        "Add this break?",
        untyped("breaks.add", cohort.id, draft),
        opener=back,
        submit="Add it",
        blocks=tuple(blocks),
        back=back,
    )
    return Reply(form=form)


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


@router.submit("breaks.add")
def add(call: Call) -> Reply:
    cohort = _led(call)
    draft = call.id_at(1)
    values = call.draft("break")
    if values is None:
        raise Refused("You sent this form already, or it is too old. Send ", Cmd("breaks"), " to see them.")
    whole = values["scope"] == "program" and call.me.coordinator
    starts, ends = date.fromisoformat(values["starts"]), date.fromisoformat(values["ends"])
    hit = _add(call, None if whole else cohort, starts, ends, values["label"])
    drafts.drop(call.work, draft)
    return notice(f"Added {values['label']}, {_span(starts, ends)}. Cancelled: {counted(hit, 'meeting')}.")


def _add(call: Call, cohort: Cohort | None, starts: date, ends: date, label: str, reason: str = "break") -> int:
    """Add the break and cancel what falls into it; how many meetings that were."""
    breaks.add(call.work, cohort.id if cohort else None, starts, ends, label, call.my_id)
    hit = _meetings_in(call, cohort, starts, ends)
    for cohort_id in dict.fromkeys(meeting.cohort_id for meeting in hit):
        own = [meeting for meeting in hit if meeting.cohort_id == cohort_id]
        cancel_meetings(call.work, own, cohorts.get(call.work.tx, cohort_id), reason, call.my_id)
    people = [person.id for person in cohorts.members(call.work.tx, cohort.id)] if cohort else None
    refresh_schedule(call.work, people)
    return len(hit)


@router.press("breaks.remove")
def remove(call: Call) -> Reply:
    stored_break = breaks.get(call.work.tx, call.id_at(0))
    if stored_break is None:
        raise Refused("This break was already removed.")
    allowed = call.leads(stored_break.cohort_id) if stored_break.cohort_id else call.me.coordinator
    if not allowed:
        raise Refused("Only the cohort's mentors and coordinators can change breaks.")
    breaks.remove(call.work, stored_break.id, call.my_id)
    people = (
        [person.id for person in cohorts.members(call.work.tx, stored_break.cohort_id)]
        if stored_break.cohort_id
        else None
    )
    refresh_schedule(call.work, people)
    return notice(f"Removed {stored_break.label}. Meetings that it cancelled stay cancelled.")


@router.press("breaks.snow")
def snow_day(call: Call) -> Reply:
    """One tap: the day of this meeting is off for the cohort."""
    meeting = meetings.find(call.work.tx, call.id_at(0))
    if meeting is None or not call.leads(meeting.cohort_id):
        raise Refused("Only the cohort's mentors and coordinators can call a snow day.")
    if meeting.cancelled_at is not None or meeting.ends_at <= call.work.now:
        raise Refused("This meeting is over or was already cancelled.")
    cohort = cohorts.get(call.work.tx, meeting.cohort_id)
    day = meeting.local_start.date()
    hit = _add(call, cohort, day, day, "Snow day", "weather")
    if hit == 0:  # the meeting has begun, so it was not among those to come
        cancel_meetings(call.work, [meeting], cohort, "weather", call.my_id)
    undo = buttons(Button("Undo", untyped("meetings.restore", meeting.id)))
    said = say(f"{say_day(day)} is a snow day. I cancelled the meeting and told the cohort.")
    note = Note(("Undo brings the meeting back. To remove the break too, send ", Cmd("breaks"), "."))
    return Reply(card=Card("", (said, undo, note)))
