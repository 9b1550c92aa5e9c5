"""Attendance person by person: what a form showed, what its sender changed, and corrections with a reason."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast
from uuid import UUID

from handlers.core.actions import untyped
from handlers.core.calls import Call, FieldReader, Refused
from handlers.core.cards import Block, Bold, Cmd, When, say
from handlers.core.forms import ChoiceField, Field, Form, FormErrors, NumberField, Option, TextField, options_of
from handlers.core.requests import Reply, notice
from handlers.core.router import router
from handlers.meetings.attendance import RosterLine, after_change, led_meeting, open_lines, roster_of, tap_words
from handlers.meetings.differences import ask_both
from handlers.record.changed_notice import tell
from handlers.record.settling import NOT_THERE, about_meetings, disputed_words, settle_corrected, unsettled
from program.core.words import counted
from program.meetings.attendance import STATUSES, Status, Step, correction_reasons
from storage.core import drafts
from storage.meetings import attendance, meetings
from storage.meetings.meetings import Meeting
from storage.people import cohorts, people
from storage.record import enrolments, ledger
from storage.record.disputes import Dispute
from storage.record.enrolments import Enrolment

OTHER_MINUTES = "minutes"  # still partly there, for another time than the one that is saved
Value = Literal["present", "partial", "excused", "absent", "minutes"]
PERSON_FIELD = re.compile(r"p-(?P<person>[A-Za-z0-9_-]{21}[AQgw])-(?P<version>[0-9]{1,4})")
COORDINATOR_ONLY = "Only a coordinator can change this. Ask your coordinator."


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen for somebody, in a form that showed this version of their attendance."""

    version: int
    value: Value

    @property
    def status(self) -> Status:
        return "partial" if self.value == OTHER_MINUTES else cast(Status, self.value)


# The form ---------------------------------------------------------------------------------------


@router.press("attendance.edit")
def edit_form(call: Call) -> Reply:
    """A choice for each person; from a dispute, for the one whose record is disputed."""
    meeting = led_meeting(call)
    if call.work.now < meeting.starts_at:
        raise Refused("The meeting hasn't started yet.")
    lines = roster_of(call.work, meeting)
    if len(call.args) > 1:
        return Reply(form=_one_person_form(call, meeting, lines, unsettled(call, call.id_at(1))))
    return Reply(form=_cohort_form(call, meeting, lines))


def _cohort_form(call: Call, meeting: Meeting, lines: list[RosterLine]) -> Form:
    visitor = TextField("visitor", "A visitor from another cohort", optional=True, hint="Name or email address")
    return Form(
        "Who came?",
        untyped("attendance.save", meeting.id),
        opener=untyped("attendance.edit", meeting.id),
        blocks=(_meeting_line(meeting),),
        fields=(*(_person_field(line, meeting) for line in lines), *_reason_field(call, lines), visitor),
    )


def _one_person_form(call: Call, meeting: Meeting, lines: list[RosterLine], dispute: Dispute) -> Form:
    """The attendance that is disputed, with what the mentee wrote; confidential because of these words.

    Raises:
        Refused: the dispute is about something else, or its reader may not correct this record.
    """
    about = ledger.get(call.work.tx, dispute.about_id)
    line = next((line for line in lines if line.person.id == dispute.person_id), None)
    if about is None or about.meeting_id != meeting.id or line is None:
        raise Refused(NOT_THERE)
    if line.person.id in _not_by_mentors(call, [line]):
        raise Refused(COORDINATOR_ONLY)
    reasons = options_of(_reasons(call, [line]))
    return Form(
        "Correct attendance",
        untyped("attendance.save", meeting.id, dispute.id),
        opener=untyped("attendance.edit", meeting.id, dispute.id),
        blocks=(_meeting_line(meeting), *disputed_words(call, dispute)),
        fields=(_person_field(line, meeting), ChoiceField("reason", "Why", reasons)),
        confidential=True,
    )


def _meeting_line(meeting: Meeting) -> Block:
    return say(Bold(meeting.topic), ", ", When(meeting.starts_at, meeting.zone), ".")


def _person_field(line: RosterLine, meeting: Meeting) -> ChoiceField:
    """Those who tapped are filled in; a saved status can be changed, and not be emptied."""
    saved = line.mark.status
    value = saved or ("present" if line.mark.tapped else "")
    tapped = tap_words(line.mark, meeting)
    hint = (
        "On leave that day. Choose only if they came." if line.away else tapped and f"{tapped[:1].upper()}{tapped[1:]}."
    )
    name = _field(line.person.id, line.mark.version)
    return ChoiceField(name, line.name, _options(line), value, optional=saved is None, hint=hint)


def _options(line: RosterLine) -> tuple[Option, ...]:
    """The statuses; whoever is saved as partly there can also get other minutes."""
    if line.mark.status != "partial":
        return options_of(STATUSES)
    labels: dict[str, str] = {}
    for code, label in STATUSES.items():
        labels[code] = label
        if code == "partial":
            labels[code] += f", {counted(line.mark.minutes or 0, 'minute')}"
            labels[OTHER_MINUTES] = "Other minutes"
    return options_of(labels)


def _field(person_id: UUID, version: int) -> str:
    """The field's id: who, shortly because a form names each field twice, and what the form showed of them."""
    return f"p-{urlsafe_b64encode(person_id.bytes).decode().rstrip('=')}-{version}"


def _reason_field(call: Call, lines: list[RosterLine]) -> tuple[Field, ...]:
    """Where something is saved that may be corrected: why. A visitor can be added without it."""
    if all(line.mark.status is None for line in lines):
        return ()
    options = options_of(_reasons(call, lines))
    if not open_lines(lines):
        hint = "Needed when you change someone's attendance."
        return (ChoiceField("reason", "Why", options, optional=True, hint=hint),)
    hint = "Leave this empty unless you change something that is saved already."
    return (ChoiceField("reason", "Why (only for a correction)", options, optional=True, hint=hint),)


def _reasons(call: Call, lines: list[RosterLine]) -> dict[str, str]:
    """The reasons for a correction that the policies of these people name."""
    return correction_reasons(enrolment.policy for enrolment in _enrolled(call, lines))


def _enrolled(call: Call, lines: list[RosterLine]) -> list[Enrolment]:
    return enrolments.of_people(call.work.tx, [line.person.id for line in lines])


def _not_by_mentors(call: Call, lines: list[RosterLine]) -> set[UUID]:
    """Those whose policy lets only a coordinator correct, where a mentor asks."""
    if call.me.coordinator:
        return set()
    rules = {enrolment.person_id: enrolment.policy.corrections for enrolment in _enrolled(call, lines)}
    return {person_id for person_id, own in rules.items() if own is not None and own.approver == "coordinator"}


# Saving -----------------------------------------------------------------------------------------


@router.submit("attendance.save")
def save(call: Call) -> Reply:
    """Record what the sender changed; whoever is left open stays open."""
    meeting = led_meeting(call)
    if len(call.args) > 1:
        unsettled(call, call.id_at(1))
    read = FieldReader(call.values)
    lines = roster_of(call.work, meeting)
    reason = read.choice("reason", tuple(_reasons(call, lines)))
    choices = _choices(read, call.values)
    visitor = read.text("visitor", most=200)
    changes, errors = _changes(call, lines, choices, reason)
    read.errors.update(errors)
    read.check()
    guest = _visitor(call, visitor, lines) if visitor else None
    partial = [person_id for person_id, choice in changes.items() if choice.status == "partial"]
    if not partial:
        return _record(call, meeting, changes, {}, reason, guest)
    kept = {str(person_id): [choice.version, choice.value] for person_id, choice in choices.items()}
    values = {"choices": kept, "reason": reason, "dispute": call.args[1:2], "visitor": str(guest.id) if guest else ""}
    draft = drafts.keep(call.work, call.my_id, "attendance", values)
    return Reply(form=_minutes_form(call, meeting, partial, draft))


def _choices(read: FieldReader, names: Iterable[str]) -> dict[UUID, Choice]:
    """What was chosen for each person of the form.

    Raises:
        Refused: a field is not as our forms write it, or of an older version of the bot.
    """
    choices: dict[UUID, Choice] = {}
    for name in names:
        if not name.startswith("p-"):
            continue
        field = PERSON_FIELD.fullmatch(name)
        if field is None:
            raise Refused("This form is too old. Send ", Cmd("attendance"), " to see the list.")
        value = read.choice(name, (*STATUSES, OTHER_MINUTES))
        if value:
            person_id = UUID(bytes=urlsafe_b64decode(field["person"] + "=="))
            choices[person_id] = Choice(int(field["version"]), cast(Value, value))
    return choices


def _changes(
    call: Call, lines: list[RosterLine], choices: Mapping[UUID, Choice], reason: str
) -> tuple[dict[UUID, Choice], dict[str, str]]:
    """Those choices that differ from what the form showed and from what is saved, and a sentence for each refused one.

    A record that was changed after the form was opened is changed only by somebody who has seen that.
    """
    changes: dict[UUID, Choice] = {}
    errors: dict[str, str] = {}
    by_coordinator = _not_by_mentors(call, lines)
    for line in lines:
        choice, mark = choices.get(line.person.id), line.mark
        if choice is None or choice.value == mark.status_at(choice.version):
            continue
        field = _field(line.person.id, choice.version)
        changes[line.person.id] = choice
        if choice.version != mark.version:
            if choice.value == mark.status and choice.value != "partial":
                del changes[line.person.id]
            else:
                errors[field] = _changed_meanwhile(line)
        elif mark.status is not None and line.person.id in by_coordinator:
            errors[field] = COORDINATOR_ONLY
        elif mark.status is not None and not reason:
            errors["reason" if "reason" in call.values else field] = "Choose why you're changing it."
    return changes, errors


def _changed_meanwhile(line: RosterLine) -> str:
    saved = f" It now says: {STATUSES[line.mark.status].lower()}." if line.mark.status else ""
    return f"{line.name}'s attendance was changed after you opened this form.{saved} Close the form and open it again."


def _visitor(call: Call, text: str, lines: list[RosterLine]) -> people.Person:
    matches = people.search(call.work.tx, text)
    if not matches:
        raise FormErrors({"visitor": "I can't find anyone with that name or email address."})
    if len(matches) > 1:
        raise FormErrors({"visitor": "Several people have that name. Enter the email address."})
    guest = matches[0]
    if guest.id in {line.person.id for line in lines}:
        raise FormErrors({"visitor": f"{guest.name} is on the list already."})
    if not _is_mentee(call, guest.id):
        raise FormErrors({"visitor": f"{guest.name} is not a mentee, so you don't need to mark attendance."})
    return guest


def _is_mentee(call: Call, person_id: UUID) -> bool:
    return bool(cohorts.shared_cohorts(call.work.tx, person_id, ("mentee",)))


def _visitor_of_draft(call: Call, draft: Mapping[str, Any], lines: list[RosterLine]) -> people.Person | None:
    """The visitor whom the form before named; None: there is none, or somebody else added and marked them meanwhile.

    Raises:
        Refused: they are not a mentee any more.
    """
    visitor_id = UUID(draft["visitor"]) if draft.get("visitor") else None
    if visitor_id is None or visitor_id in {line.person.id for line in lines}:
        return None
    if not _is_mentee(call, visitor_id):
        raise Refused("The visitor isn't a mentee anymore. Nothing is saved.")
    return people.get(call.work.tx, visitor_id)


# Minutes of those who were partly there -----------------------------------------------------------


def _minutes_form(call: Call, meeting: Meeting, partial: list[UUID], draft: UUID) -> Form:
    names = people.named(call.work.tx, partial)
    back = untyped("attendance.edit", meeting.id, *call.args[1:2])
    return Form(
        "How long?",
        untyped("attendance.minutes", meeting.id, draft),
        opener=back,
        blocks=(say(f"The meeting was {meeting.minutes} minutes long. How long was each person there?"),),
        fields=tuple(
            NumberField(_minutes_field(person_id), f"{names[person_id]}, minutes", None, 1, max(1, meeting.minutes))
            for person_id in partial
        ),
        back=back,
    )


def _minutes_field(person_id: UUID) -> str:
    return f"m-{person_id.hex}"


@router.submit("attendance.minutes")
def save_minutes(call: Call) -> Reply:
    """Record the choices of the form before, as far as the record still allows them, with the minutes."""
    meeting = led_meeting(call)
    values = call.draft("attendance")
    if values is None or "choices" not in values:
        raise Refused("You sent this form already, or it is too old. Send ", Cmd("attendance"), " to see the list.")
    if values.get("dispute"):
        unsettled(call, UUID(values["dispute"][0]))
    choices = {UUID(person_id): Choice(*choice) for person_id, choice in values["choices"].items()}
    reason = str(values["reason"])
    lines = roster_of(call.work, meeting)
    changes, errors = _changes(call, lines, choices, reason)
    visitor = _visitor_of_draft(call, values, lines)
    if errors:
        raise Refused(" ".join(sorted(set(errors.values()))), " Nothing is saved.")
    read = FieldReader(call.values)
    minutes = {
        person_id: read.number(_minutes_field(person_id), 1, max(1, meeting.minutes), needed="Enter the minutes.")
        for person_id, choice in changes.items()
        if choice.status == "partial"
    }
    read.check()
    drafts.drop(call.work, call.id_at(1))
    return _record(call, meeting, changes, minutes, reason, visitor)


def _record(
    call: Call,
    meeting: Meeting,
    changes: Mapping[UUID, Choice],
    minutes: Mapping[UUID, int | None],
    reason: str,
    visitor: people.Person | None,
) -> Reply:
    """Add a line for each change: a confirmation for whoever was open, a correction for whoever was not.

    A corrected mentee is told once: by the outcome of their dispute, by the question why it differs from their tap,
    or by a message of its own.
    """
    if visitor is not None:
        meetings.add_visitor(call.work, meeting.id, visitor.id, call.my_id)
        changes = {**changes, visitor.id: Choice(0, "present")}
    lines = {line.person.id: line for line in roster_of(call.work, meeting)}
    recorded = False
    untold: dict[UUID, UUID] = {}  # the lines that no outcome of a dispute tells, and whom they are about
    for person_id, choice in changes.items():
        mark, own_minutes = lines[person_id].mark, minutes.get(person_id)
        if (choice.status, own_minutes) == (mark.status, mark.minutes):
            continue
        new = mark.status is None
        step: Step = "confirmed" if new else "corrected"
        line_id = attendance.add(
            call.work,
            meeting,
            person_id,
            step,
            choice.status,
            call.my_id,
            minutes=own_minutes,
            reason="" if new else reason,
        )
        recorded = True
        if not new and meeting.id not in about_meetings(call.work, settle_corrected(call, person_id)):
            untold[line_id] = person_id
    if recorded:
        after_change(call, meeting)
        asked = ask_both(call, meeting)
        for line_id, person_id in untold.items():
            if line_id not in asked:
                tell(call.work, line_id, person_id)
    still_open = len(open_lines(roster_of(call.work, meetings.get(call.work.tx, meeting.id))))
    waiting = counted(still_open, "person still needs", "people still need")
    rest = f" {waiting} an answer." if still_open else " Attendance is complete." if recorded else ""
    return notice(f"{'Saved.' if recorded else 'Nothing changed.'}{rest}")
