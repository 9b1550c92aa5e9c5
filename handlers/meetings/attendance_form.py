"""The attendance form, person by person: what it shows, and what was sent of it."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Literal, cast
from uuid import UUID

from handlers.core.actions import Action, action
from handlers.core.calls import Call, Refused
from handlers.core.cards import Block, Bold, Cmd, When, say
from handlers.core.forms import ChoiceField, Field, Form, Option, TextField, options_of, read_fields
from handlers.core.requests import Reply
from handlers.core.router import router
from handlers.meetings.attendance import RosterLine, attended_meeting, open_lines, roster_of, tap_words
from handlers.meetings.meetings_actions import OpenAttendance
from handlers.record.dispute_access import NOT_THERE, disputed_words, unsettled
from program.core.words import capitalized, counted
from program.meetings.attendance import STATUSES, Status, correction_reasons
from storage.meetings.meetings import Meeting
from storage.record import enrolments, ledger
from storage.record.disputes import Dispute
from storage.record.enrolments import Enrolment

OTHER_MINUTES = "minutes"  # still partly there, for another time than the one that is saved
Value = Literal["present", "partial", "excused", "absent", "minutes"]
PERSON_FIELD = re.compile(r"p-(?P<person>[A-Za-z0-9_-]{21}[AQgw])-(?P<version>[0-9]{1,4})")
COORDINATOR_ONLY = "Only a coordinator can change this. Ask your coordinator."
CHOOSE_WHY = "Choose why you're changing it."
VISITOR = TextField(
    "visitor", "A visitor from another cohort", optional=True, max_length=200, hint="Name or email address"
)


@action("attendance.save")
class SaveAttendance(Action):
    """Record what was changed in the form; with a dispute, the form shows one mentee alone."""

    meeting_id: UUID
    dispute_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen for somebody, in a form that showed this version of their attendance."""

    version: int
    value: Value

    @property
    def status(self) -> Status:
        """The status that is saved."""
        return "partial" if self.value == OTHER_MINUTES else cast(Status, self.value)


@dataclass(frozen=True, slots=True)
class SentAttendance:
    """The form as it was sent. ``reason``: the code of why something saved is changed; empty: it isn't."""

    choices: dict[UUID, Choice]
    reason: str
    visitor: str


# What it shows ----------------------------------------------------------------------------------


@router.press(OpenAttendance)
def open_attendance_form(call: Call, pressed: OpenAttendance) -> Reply:
    """A choice for each person; from a dispute, for the one whose record is disputed."""
    meeting = attended_meeting(call, pressed.meeting_id)
    if call.work.now < meeting.starts_at:
        raise Refused("The meeting hasn't started yet.")
    lines = roster_of(call.work, meeting)
    if pressed.dispute_id is not None:
        return Reply(form=_one_person_form(call, meeting, lines, unsettled(call, pressed.dispute_id)))
    return Reply(form=_cohort_form(call, meeting, lines))


def _cohort_form(call: Call, meeting: Meeting, lines: list[RosterLine]) -> Form:
    return Form(
        "Who came?",
        SaveAttendance(meeting.id),
        opener=OpenAttendance(meeting.id),
        blocks=(_meeting_line(meeting),),
        fields=(*(_person_field(line, meeting) for line in lines), *_reason_field(call, lines), VISITOR),
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
    if line.person.id in not_by_mentors(call, [line]):
        raise Refused(COORDINATOR_ONLY)
    return Form(
        "Correct attendance",
        SaveAttendance(meeting.id, dispute.id),
        opener=OpenAttendance(meeting.id, dispute.id),
        blocks=(_meeting_line(meeting), *disputed_words(call, dispute)),
        fields=(_person_field(line, meeting), _disputed_reason_field(call, [line])),
        confidential=True,
    )


def _meeting_line(meeting: Meeting) -> Block:
    return say(Bold(meeting.topic), ", ", When(meeting.starts_at, meeting.zone), ".")


def _person_field(line: RosterLine, meeting: Meeting) -> ChoiceField:
    """Those who tapped are filled in; a saved status can be changed, and not be emptied."""
    saved = line.mark.status
    value = saved or ("present" if line.mark.tapped else "")
    tapped = capitalized(tap_words(line.mark, meeting))
    hint = "On leave that day. Choose only if they came." if line.away else tapped and f"{tapped}."
    name = person_field_id(line.person.id, line.mark.version)
    return ChoiceField(name, line.name, _options(line), value, optional=saved is None, hint=hint)


def _options(line: RosterLine) -> tuple[Option, ...]:
    """The statuses; people saved as partly there can also get other minutes."""
    if line.mark.status != "partial":
        return options_of(STATUSES)
    labels: dict[str, str] = {}
    for code, label in STATUSES.items():
        labels[code] = label
        if code == "partial":
            labels[code] += f", {counted(line.mark.minutes or 0, 'minute')}"
            labels[OTHER_MINUTES] = "Other minutes"
    return options_of(labels)


def person_field_id(person_id: UUID, version: int) -> str:
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


def _disputed_reason_field(call: Call, lines: list[RosterLine]) -> ChoiceField:
    """Why disputed attendance is changed."""
    return ChoiceField("reason", "Why", options_of(_reasons(call, lines)), needed=CHOOSE_WHY)


def _reasons(call: Call, lines: list[RosterLine]) -> dict[str, str]:
    """The reasons for a correction that the policies of these people name."""
    return correction_reasons(enrolment.policy for enrolment in _enrolled(call, lines))


def _enrolled(call: Call, lines: list[RosterLine]) -> list[Enrolment]:
    return enrolments.of_people(call.work.tx, [line.person.id for line in lines])


def not_by_mentors(call: Call, lines: list[RosterLine]) -> set[UUID]:
    """Those whose policy lets only a coordinator correct, where a mentor asks."""
    if call.me.coordinator:
        return set()
    rules = {enrolment.person_id: enrolment.policy.corrections for enrolment in _enrolled(call, lines)}
    return {person_id for person_id, own in rules.items() if own is not None and own.approver == "coordinator"}


# What was sent ----------------------------------------------------------------------------------


def read_attendance(call: Call, lines: list[RosterLine], *, disputed: bool) -> SentAttendance:
    """The form as it was sent. ``lines``: the roster as it is now. ``disputed``: the form shows one mentee alone.

    Raises:
        FormErrors: a field cannot be used.
        Refused: a field is not as our forms write it, or of an older version of the bot.
    """
    persons = {name: _person_of(name) for name in call.values if name.startswith("p-")}
    fields: tuple[Field, ...] = (*_reason_field(call, lines), VISITOR)
    if disputed:
        fields = (_disputed_reason_field(call, lines),)
    answers = read_fields((*(_sent_field(name) for name in persons), *fields), call.values)
    choices = {
        person_id: Choice(version, cast(Value, answers[name]))
        for name, (person_id, version) in persons.items()
        if answers[name]
    }
    return SentAttendance(choices, str(answers.get("reason", "")), str(answers.get("visitor", "")))


def _person_of(name: str) -> tuple[UUID, int]:
    """The person a field is about, and the version of their attendance that the form showed."""
    field = PERSON_FIELD.fullmatch(name)
    if field is None:
        raise Refused("This form is too old. Send ", Cmd("attendance"), " to see the list.")
    return UUID(bytes=urlsafe_b64decode(field["person"] + "==")), int(field["version"])


def _sent_field(name: str) -> ChoiceField:
    """The field of somebody whose attendance may have changed since the form was shown."""
    return ChoiceField(name, "", options_of({**STATUSES, OTHER_MINUTES: "Other minutes"}), optional=True)
