"""Attendance: one tap by the mentee, one tap by the mentor. Nobody is ever assumed absent."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast
from uuid import UUID

from handlers.core.cards import (
    Block,
    Bold,
    Button,
    Card,
    ChoiceField,
    Cmd,
    Field,
    Form,
    Note,
    NumberField,
    Table,
    TextField,
    When,
    action,
    buttons,
    options_of,
    say,
)
from handlers.core.requests import Reply, notice
from handlers.core.router import LEADS, Call, FieldReader, FormErrors, Refused, router
from handlers.meetings.differences import ask_both
from handlers.meetings.meetings import refresh_meeting
from handlers.meetings.planning import mentors_or_coordinators, tell_cohort
from handlers.people.recipients import in_meetings_cohort, is_coordinator, leads_meeting, only_for
from handlers.record.completion import ask_for_approval
from handlers.record.settling import settle_corrected
from program.core.times import say_day, say_time, to_local, whole_minutes
from program.core.words import counted, listed
from program.meetings.attendance import ESCALATE_AFTER, OPENS_BEFORE, STATUSES, Mark, Status, correction_reasons
from storage.core import drafts
from storage.core.work import Work
from storage.meetings import attendance, meetings, summaries
from storage.meetings.meetings import Expected, Meeting
from storage.outbox import deliveries, due
from storage.outbox.deliveries import Delivery
from storage.outbox.due import Moment
from storage.people import cohorts, people
from storage.record import enrolments, leaves
from storage.record.enrolments import Enrolment

STATUS_OPTIONS = options_of(STATUSES)


@dataclass(frozen=True, slots=True)
class Line:
    """One person of a meeting's roster."""

    person: Expected
    mark: Mark
    away: bool = False  # on leave that day, and nothing says that they came all the same

    @property
    def open(self) -> bool:
        """Whether somebody must still say if they came. Nobody need say it of a mentee on leave."""
        return self.mark.status is None and not self.away


def roster_of(work: Work, meeting: Meeting) -> list[Line]:
    found = attendance.of_meeting(work.tx, meeting.id)
    expected = meetings.expected(work.tx, meeting)
    away = leaves.away_on(work.tx, [one.id for one in expected], meeting.local_start.date())
    lines = [Line(one, found.get(one.id, Mark())) for one in expected]
    return [replace(line, away=line.person.id in away and line.mark == Mark()) for line in lines]


def _open(lines: list[Line]) -> list[Line]:
    return [line for line in lines if line.open]


# "I'm here" -------------------------------------------------------------------------------------


@router.moment(
    "attendance.open",
    "“I'm here” opens",
    late="opens late until the meeting ends; after that it is skipped, and the mentor takes attendance from the list",
)
def open_attendance(work: Work, moment: Moment) -> str | None:
    """Late is fine until the meeting ends; after that the mentor's roster is the way."""
    meeting = _current(work, moment)
    if meeting is None:
        return "cancelled"
    if meeting.ends_at <= work.now:
        return "missed"
    tell_cohort(work, cohorts.get(work.tx, meeting.cohort_id), "attendance.here", meeting.id, moment.version)
    return None


def _current(work: Work, moment: Moment) -> Meeting | None:
    meeting = meetings.find(work.tx, UUID(moment.subject))
    if meeting is None or meeting.cancelled_at is not None or meeting.version != moment.version:
        return None
    return meeting


@router.delivery("attendance.here")
@only_for(in_meetings_cohort)
def here_card(work: Work, item: Delivery) -> Card | None:
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
    here = Button("I'm here", action("attendance.here", meeting.id), style="primary")
    starts = When(meeting.starts_at, meeting.zone, "time")
    return Card(meeting.topic, (say("The PLC meeting starts at ", starts, "."), buttons(here), who))


@router.press("attendance.here")
def here(call: Call) -> Reply:
    meeting = meetings.find(call.work.tx, call.id_at(0))
    if meeting is None:
        raise Refused("I can't find that meeting.")
    if call.my_id not in {one.id for one in meetings.expected(call.work.tx, meeting)}:
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
        return notice("You're marked as here already. Your mentor will confirm it after the meeting.")
    if mark.status is not None:
        return notice(f"Your mentor has marked you already: {STATUSES[mark.status].lower()}.")
    if meeting.settled_at is not None:
        raise Refused("Attendance is closed for this meeting. Tell your mentor that you were there.")
    attendance.add(call.work, meeting, call.my_id, "tapped", "present", call.my_id)
    deliveries.refresh(call.work, meeting.id, "attendance.here", "attendance.roster")
    now = When(call.work.now, call.me.zone, "time")
    return notice("You're marked as here, ", now, ". Your mentor will confirm it after the meeting.")


# The mentor's roster ----------------------------------------------------------------------------


@router.moment(
    "attendance.roster",
    "the meeting ends and the mentor gets the roster",
    late="goes out however late, because attendance stays open without it",
)
def send_roster(work: Work, moment: Moment) -> str | None:
    meeting = _current(work, moment)
    if meeting is None:
        return "cancelled"
    for mentor in mentors_or_coordinators(work, cohorts.get(work.tx, meeting.cohort_id)):
        deliveries.to_person(work, "attendance.roster", mentor.id, meeting.id, moment.version)
    lines = roster_of(work, meeting)
    if lines and not _open(lines):  # everybody is on leave: there is nothing to chase
        meetings.set_settled(work, meeting.id, True)
    refresh_meeting(work, meeting)  # whether somebody comes is no question any more
    return None


@router.moment(
    "attendance.chase",
    "the mentor is reminded of open attendance",
    late="goes out late while attendance is open; it is skipped once the coordinator is asked",
)
def chase(work: Work, moment: Moment) -> str | None:
    meeting = _current(work, moment)
    if meeting is None:
        return "cancelled"
    if work.now >= meeting.ends_at + ESCALATE_AFTER:
        return "missed"
    if meeting.settled_at is None:
        for mentor in mentors_or_coordinators(work, cohorts.get(work.tx, meeting.cohort_id)):
            deliveries.to_person(work, "attendance.chase", mentor.id, meeting.id, moment.version)
    return None


@router.moment(
    "attendance.escalate",
    "the coordinator is asked about open attendance",
    late="goes out late while attendance is open",
)
def escalate(work: Work, moment: Moment) -> str | None:
    meeting = _current(work, moment)
    if meeting is None:
        return "cancelled"
    if meeting.settled_at is None:
        for one in cohorts.coordinators(work.tx):
            deliveries.to_person(work, "attendance.escalate", one.id, meeting.id, moment.version)
    return None


@router.delivery("attendance.roster")
@only_for(leads_meeting)
def roster_delivery(work: Work, item: Delivery) -> Card | None:
    return _roster_message(work, item, "Who came?")


@router.delivery("attendance.chase")
@only_for(leads_meeting)
def chase_delivery(work: Work, item: Delivery) -> Card | None:
    return _roster_message(work, item, "Attendance is still open")


@router.delivery("attendance.escalate")
@only_for(is_coordinator)
def escalate_delivery(work: Work, item: Delivery) -> Card | None:
    return _roster_message(work, item, "Attendance is still not confirmed")


def _roster_message(work: Work, item: Delivery, title: str) -> Card | None:
    meeting = meetings.find(work.tx, UUID(item.subject))
    if meeting is None or (meeting.cancelled_at is not None and item.verb == "post"):
        return None
    if meeting.settled_at is not None and item.verb == "post" and item.kind != "attendance.roster":
        return None
    return roster_card(work, meeting, title)


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
        tuple((_name(line), "on leave" if line.away else _mark_words(line.mark, meeting)) for line in lines),
        caption="",
    )
    still_open = _open(lines)
    tapped = [line for line in still_open if line.mark.tapped]
    if not still_open:
        change = Button("Correct", action("attendance.edit", meeting.id), opens_form=True)
        label = "Edit the summary" if summaries.posted(work.tx, [meeting.id]) else "Write the summary"
        summary = Button(label, action("summaries.open", meeting.id), opens_form=True)
        done = say(Bold(meeting.topic), ", ", when, f", {cohort.name}.")
        return Card("Attendance is complete", (done, table, buttons(summary, change)))
    everyone = Button("Everyone came", action("attendance.all", meeting.id))
    one_by_one = Button("Person by person", action("attendance.edit", meeting.id), opens_form=True)
    items = [replace(everyone, style="primary"), one_by_one]
    if tapped and len(tapped) < len(still_open):
        these = Button(
            f"Confirm the {len(tapped)} who tapped", action("attendance.confirm", meeting.id), style="primary"
        )
        items = [these, everyone, one_by_one]
    intro = say(Bold(meeting.topic), ", ", when, f", {cohort.name}.")
    note = Note(("No tap yet doesn't mean absent. Mark who was there.",))
    return Card(title, (intro, table, buttons(*items), note))


def _name(line: Line) -> str:
    return f"{line.person.name} (visitor)" if line.person.visitor else line.person.name


def _mark_words(mark: Mark, meeting: Meeting) -> str:
    """What is recorded, and when the mentee tapped: “Present, tapped 3:56 PM”."""
    if mark.status is None:
        return _tap_words(mark, meeting) or "no tap yet"
    words = STATUSES[mark.status]
    words += f", {mark.minutes} minutes" if mark.minutes is not None else ""
    words += " (corrected)" if mark.corrected else ""
    return ", ".join(part for part in (words, _tap_words(mark, meeting)) if part)


def _tap_words(mark: Mark, meeting: Meeting) -> str:
    """When somebody tapped, in the meeting's zone, and how late that was; empty: there was no tap."""
    if mark.tapped_at is None:
        return ""
    late = whole_minutes(meeting.starts_at, mark.tapped_at)
    words = f"tapped {say_time(to_local(mark.tapped_at, meeting.zone))}"
    return f"{words}, {counted(late, 'minute')} after the start" if late > 0 else words


@router.press("attendance.confirm")
def confirm(call: Call) -> Reply:
    """Those who tapped were there; the others stay open."""
    return _settle_present(call, only_tapped=True)


@router.press("attendance.all")
def everyone_came(call: Call) -> Reply:
    return _settle_present(call, only_tapped=False)


def _settle_present(call: Call, *, only_tapped: bool) -> Reply:
    meeting = _led(call)
    if call.work.now < meeting.starts_at:
        raise Refused("The meeting hasn't started yet.")
    for line in _open(roster_of(call.work, meeting)):
        if line.mark.tapped or not only_tapped:
            attendance.add(call.work, meeting, line.person.id, "confirmed", "present", call.my_id)
    return Reply(replace=_after(call, meeting))


def _led(call: Call) -> Meeting:
    meeting = meetings.find(call.work.tx, call.id_at(0))
    if meeting is None or not call.leads(meeting.cohort_id):
        raise Refused("Only the cohort's mentors and coordinators can confirm attendance.")
    if meeting.cancelled_at is not None:
        raise Refused("This meeting was cancelled. It doesn't count as an absence.")
    return meeting


def _after(call: Call, meeting: Meeting) -> Card:
    """Settle the meeting if nobody is open any more, and bring every message about it up to date."""
    lines = roster_of(call.work, meeting)
    settled = not _open(lines)
    if settled != (meeting.settled_at is not None):
        meetings.set_settled(call.work, meeting.id, settled)
    if settled:
        due.cancel(call.work, meeting.id, ("attendance.chase", "attendance.escalate"))
        ask_for_approval(call.work, [line.person.id for line in lines])
    deliveries.refresh(
        call.work, meeting.id, "attendance.here", "attendance.roster", "attendance.chase", "attendance.escalate"
    )
    return roster_card(call.work, meetings.get(call.work.tx, meeting.id))


@router.command("attendance", "Attendance at the last meetings", who=LEADS, cohort=LEADS)
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
        earlier.append(buttons(Button(label, action("attendance.show", meeting.id))))
    return Reply(card=Card(newest.title, (*newest.blocks, *earlier)))


@router.press("attendance.show")
def show(call: Call) -> Reply:
    return Reply(card=roster_card(call.work, _led(call)))


# Person by person, and corrections --------------------------------------------------------------


@router.press("attendance.edit")
def edit_form(call: Call) -> Reply:
    """A choice for each person; those who tapped are filled in, a settled one can be corrected."""
    meeting = _led(call)
    if call.work.now < meeting.starts_at:
        raise Refused("The meeting hasn't started yet.")
    lines = roster_of(call.work, meeting)
    fields: list[Field] = [_person_field(line, meeting) for line in lines]
    if any(line.mark.status is not None for line in lines):
        options = options_of(_reasons(call, lines))
        hint = "Leave this empty unless you change something that is saved already."
        fields.append(ChoiceField("reason", "Why (only for a correction)", options, optional=True, hint=hint))
    fields.append(TextField("visitor", "A visitor from another cohort", optional=True, hint="Name or email address"))
    return Reply(
        form=Form(
            "Who came?",
            action("attendance.save", meeting.id),
            opener=action("attendance.edit", meeting.id),
            blocks=(say(Bold(meeting.topic), ", ", When(meeting.starts_at, meeting.zone), "."),),
            fields=tuple(fields),
        )
    )


def _person_field(line: Line, meeting: Meeting) -> ChoiceField:
    value = line.mark.status or ("present" if line.mark.tapped else "")
    tapped = _tap_words(line.mark, meeting)
    hint = (
        "On leave that day. Choose only if they came." if line.away else tapped and f"{tapped[:1].upper()}{tapped[1:]}."
    )
    return ChoiceField(_field(line.person.id), _name(line), STATUS_OPTIONS, value, optional=True, hint=hint)


def _field(person_id: UUID) -> str:
    return f"p-{person_id.hex}"


def _reasons(call: Call, lines: list[Line]) -> dict[str, str]:
    """The reasons for a correction that the policies of these people name."""
    return correction_reasons(one.policy for one in _enrolled(call, lines))


def _enrolled(call: Call, lines: list[Line]) -> list[Enrolment]:
    return enrolments.of_people(call.work.tx, [line.person.id for line in lines])


def _not_by_mentors(call: Call, lines: list[Line]) -> set[UUID]:
    """Those whose policy lets only a coordinator correct, where a mentor asks."""
    if call.me.coordinator:
        return set()
    rules = {one.person_id: one.policy.corrections for one in _enrolled(call, lines)}
    return {person_id for person_id, own in rules.items() if own is not None and own.approver == "coordinator"}


@router.submit("attendance.save")
def save(call: Call) -> Reply:
    """Record what was chosen; whoever is left open stays open."""
    meeting = _led(call)
    read = FieldReader(call.values)
    chosen: dict[UUID, Status] = {}
    lines = roster_of(call.work, meeting)
    reason = read.choice("reason", tuple(_reasons(call, lines)))
    others = _not_by_mentors(call, lines)
    for line in lines:
        status = read.choice(_field(line.person.id), tuple(STATUSES))
        if status and status != line.mark.status:
            chosen[line.person.id] = cast(Status, status)
            if line.mark.status is not None and not reason:
                read.errors["reason"] = "Choose why you're changing it."
            if line.mark.status is not None and line.person.id in others:
                read.errors[_field(line.person.id)] = "Only a coordinator can change this. Ask your coordinator."
    visitor = read.text("visitor", most=200)
    read.check()
    if visitor:
        guest = _visitor(call, visitor, lines)
        meetings.add_visitor(call.work, meeting.id, guest.id, call.my_id)
        chosen[guest.id] = "present"
    partial = [person_id for person_id, status in chosen.items() if status == "partial"]
    if partial:
        values = {"chosen": {str(one): status for one, status in chosen.items()}, "reason": reason}
        draft = drafts.keep(call.work, call.my_id, "attendance", values)
        return Reply(form=_minutes_form(call, meeting, partial, draft))
    return _record(call, meeting, chosen, {}, reason)


def _visitor(call: Call, text: str, lines: list[Line]) -> people.Person:
    found = people.search(call.work.tx, text)
    if not found:
        raise FormErrors({"visitor": "I can't find anyone with that name or email address."})
    if len(found) > 1:
        raise FormErrors({"visitor": "Several people have that name. Enter the email address."})
    if found[0].id in {line.person.id for line in lines}:
        raise FormErrors({"visitor": f"{found[0].name} is on the list already."})
    if not cohorts.shared_cohorts(call.work.tx, found[0].id, ("mentee",)):
        raise FormErrors({"visitor": f"{found[0].name} is not a mentee, so you don't need to mark attendance."})
    return found[0]


def _minutes_form(call: Call, meeting: Meeting, partial: list[UUID], draft: UUID) -> Form:
    names = people.named(call.work.tx, partial)
    return Form(
        "How long?",
        action("attendance.minutes", meeting.id, draft),
        opener=action("attendance.edit", meeting.id),
        blocks=(say(f"The meeting was {meeting.minutes} minutes long. How long was each person there?"),),
        fields=tuple(
            NumberField(_field(one), f"{names[one]}, minutes", None, 1, max(1, meeting.minutes)) for one in partial
        ),
        back=action("attendance.edit", meeting.id),
    )


@router.submit("attendance.minutes")
def save_minutes(call: Call) -> Reply:
    meeting = _led(call)
    draft = call.id_at(1)
    values = call.draft("attendance")
    if values is None:
        raise Refused("You sent this form already, or it is too old. Send ", Cmd("attendance"), " to see the list.")
    chosen = {UUID(one): cast(Status, status) for one, status in values["chosen"].items()}
    read = FieldReader(call.values)
    minutes = {
        one: read.number(_field(one), 1, max(1, meeting.minutes), needed="Enter the minutes.")
        for one, status in chosen.items()
        if status == "partial"
    }
    read.check()
    drafts.drop(call.work, draft)
    return _record(call, meeting, chosen, minutes, str(values["reason"]))


def _record(
    call: Call, meeting: Meeting, chosen: dict[UUID, Status], minutes: dict[UUID, int | None], reason: str
) -> Reply:
    """Add a line for each choice: a confirmation for whoever was open, a correction for whoever was not."""
    lines = {line.person.id: line for line in roster_of(call.work, meeting)}
    recorded = 0
    for person_id, status in chosen.items():
        line = lines.get(person_id)
        if line is None or status == line.mark.status:
            continue
        new = line.mark.status is None
        attendance.add(
            call.work,
            meeting,
            person_id,
            "confirmed" if new else "corrected",
            status,
            call.my_id,
            minutes=minutes.get(person_id),
            reason="" if new else reason,
        )
        recorded += 1
        if not new:
            settle_corrected(call, person_id)
    _after(call, meeting)
    ask_both(call, meeting)
    still_open = len(_open(roster_of(call.work, meetings.get(call.work.tx, meeting.id))))
    rest = (
        f" {counted(still_open, 'person still needs', 'people still need')} an answer."
        if still_open
        else " Attendance is complete."
    )
    return notice(f"Saved.{rest}")
