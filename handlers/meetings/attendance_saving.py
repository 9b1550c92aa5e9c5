"""Saving attendance person by person: what its sender changed, and corrections with a reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast
from uuid import UUID

from handlers.core.actions import Action, action
from handlers.core.calls import Call, Refused, old_form
from handlers.core.cards import say
from handlers.core.forms import Form, FormErrors, NumberField, read_fields
from handlers.core.requests import Reply, notice
from handlers.core.router import router
from handlers.meetings.attendance import RosterLine, after_change, attended_meeting, open_lines, roster_of
from handlers.meetings.attendance_form import (
    CHOOSE_WHY,
    COORDINATOR_ONLY,
    Choice,
    SaveAttendance,
    SentAttendance,
    not_by_mentors,
    person_field_id,
    read_attendance,
)
from handlers.meetings.differences import ask_both
from handlers.meetings.meetings_actions import OpenAttendance
from handlers.record.changed_notice import tell
from handlers.record.dispute_access import unsettled
from handlers.record.settling import about_meetings, settle_corrected
from program.core.words import counted
from program.meetings.attendance import STATUSES, Mark, Status, Step
from storage.core import drafts
from storage.meetings import attendance, meetings
from storage.meetings.meetings import Meeting
from storage.people import cohorts, people

DRAFT = "attendance"  # the kind of draft


@action("attendance.minutes")
class SaveMinutes(Action):
    """Record the choices of the draft, with the minutes of those who were partly there."""

    meeting_id: UUID
    draft_id: UUID


@router.submit(SaveAttendance)
def save(call: Call, sent: SaveAttendance) -> Reply:
    """Record what the sender changed; people left open stay open."""
    meeting = attended_meeting(call, sent.meeting_id)
    if sent.dispute_id is not None:
        unsettled(call, sent.dispute_id)
    lines = roster_of(call.work, meeting)
    form = read_attendance(call, lines, disputed=sent.dispute_id is not None)
    changes, errors = _changes(call, lines, form.choices, form.reason)
    if errors:
        raise FormErrors(errors)
    guest = _visitor(call, form.visitor, lines) if form.visitor else None
    partial = _partial(changes)
    if not partial:
        return _record(call, meeting, changes, {}, form.reason, guest)
    values = _as_draft(form, guest, sent.dispute_id)
    draft = drafts.keep(call.work, call.my_id, DRAFT, values)
    return Reply(form=_minutes_form(call, meeting, partial, draft, sent.dispute_id))


def _partial(changes: Mapping[UUID, Choice]) -> list[UUID]:
    """The people whose minutes must be entered."""
    return [person_id for person_id, choice in changes.items() if choice.status == "partial"]


def _as_draft(form: SentAttendance, guest: people.Person | None, dispute_id: UUID | None) -> dict[str, object]:
    return {
        "choices": {str(person_id): [choice.version, choice.value] for person_id, choice in form.choices.items()},
        "reason": form.reason,
        "dispute": [str(dispute_id)] if dispute_id is not None else [],
        "visitor": str(guest.id) if guest else "",
    }


def _changes(
    call: Call, lines: list[RosterLine], choices: Mapping[UUID, Choice], reason: str
) -> tuple[dict[UUID, Choice], dict[str, str]]:
    """Those choices that differ from what the form showed and from what is saved, and a sentence for each refused one.

    A record that was changed after the form was opened is changed only by somebody who has seen that.
    """
    changes: dict[UUID, Choice] = {}
    errors: dict[str, str] = {}
    by_coordinator = not_by_mentors(call, lines)
    for line in lines:
        choice, mark = choices.get(line.person.id), line.mark
        if choice is None or choice.value == mark.status_at(choice.version):
            continue
        field = person_field_id(line.person.id, choice.version)
        changes[line.person.id] = choice
        if choice.version != mark.version:
            if choice.value == mark.status and choice.value != "partial":
                del changes[line.person.id]
            else:
                errors[field] = _changed_meanwhile(line)
        elif mark.status is not None and line.person.id in by_coordinator:
            errors[field] = COORDINATOR_ONLY
        elif mark.status is not None and not reason:
            errors["reason" if "reason" in call.values else field] = CHOOSE_WHY
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
    """The visitor that the form before named; None: there is none, or they were added and marked since then.

    Raises:
        Refused: they are no longer a mentee.
    """
    visitor_id = UUID(draft["visitor"]) if draft.get("visitor") else None
    if visitor_id is None or visitor_id in {line.person.id for line in lines}:
        return None
    if not _is_mentee(call, visitor_id):
        raise Refused("The visitor isn't a mentee anymore. Nothing is saved.")
    return people.get(call.work.tx, visitor_id)


# Minutes of those who were partly there -----------------------------------------------------------


def _minutes_form(call: Call, meeting: Meeting, partial: list[UUID], draft_id: UUID, dispute_id: UUID | None) -> Form:
    back = OpenAttendance(meeting.id, dispute_id)
    return Form(
        "How long?",
        SaveMinutes(meeting.id, draft_id),
        opener=back,
        blocks=(say(f"The meeting was {meeting.minutes} minutes long. How long was each person there?"),),
        fields=_minutes_fields(call, meeting, partial),
        back=back,
    )


def _minutes_fields(call: Call, meeting: Meeting, partial: list[UUID]) -> tuple[NumberField, ...]:
    names = people.named(call.work.tx, partial)
    most = max(1, meeting.minutes)
    return tuple(
        NumberField(
            _minutes_field_id(person_id), f"{names[person_id]}, minutes", None, 1, most, needed="Enter the minutes."
        )
        for person_id in partial
    )


def _minutes_field_id(person_id: UUID) -> str:
    return f"m-{person_id.hex}"


@router.submit(SaveMinutes)
def save_minutes(call: Call, sent: SaveMinutes) -> Reply:
    """Record the choices of the form before, as far as the record still allows them, with the minutes."""
    meeting = attended_meeting(call, sent.meeting_id)
    values = call.draft(sent.draft_id, DRAFT)
    if values is None or "choices" not in values:
        raise old_form("attendance", "the list")
    for dispute_id in values.get("dispute") or ():
        unsettled(call, UUID(dispute_id))
    choices = {UUID(person_id): Choice(*choice) for person_id, choice in values["choices"].items()}
    reason = str(values["reason"])
    lines = roster_of(call.work, meeting)
    changes, errors = _changes(call, lines, choices, reason)
    visitor = _visitor_of_draft(call, values, lines)
    if errors:
        raise Refused(" ".join(sorted(set(errors.values()))), " Nothing is saved.")
    minutes = _read_minutes(call, meeting, _partial(changes))
    drafts.drop(call.work, sent.draft_id)
    return _record(call, meeting, changes, minutes, reason, visitor)


def _read_minutes(call: Call, meeting: Meeting, partial: list[UUID]) -> dict[UUID, int]:
    """How many minutes each of these people was there.

    Raises:
        FormErrors: a number is missing, or longer than the meeting.
    """
    answers = read_fields(_minutes_fields(call, meeting, partial), call.values)
    return {person_id: cast(int, answers[_minutes_field_id(person_id)]) for person_id in partial}


# Recording --------------------------------------------------------------------------------------


def _record(
    call: Call,
    meeting: Meeting,
    changes: Mapping[UUID, Choice],
    minutes: Mapping[UUID, int],
    reason: str,
    visitor: people.Person | None,
) -> Reply:
    """Add a line for each change: a confirmation for people who were open, a correction for the others."""
    if visitor is not None:
        meetings.add_visitor(call.work, meeting.id, visitor.id, call.my_id)
        changes = {**changes, visitor.id: Choice(0, "present")}
    marks = {line.person.id: line.mark for line in roster_of(call.work, meeting)}
    changed = {
        person_id: choice
        for person_id, choice in changes.items()
        if (choice.status, minutes.get(person_id)) != (marks[person_id].status, marks[person_id].minutes)
    }
    untold: dict[UUID, UUID] = {}  # lines that no outcome of a dispute tells, with their mentees
    for person_id, choice in changed.items():
        before, new = marks[person_id], choice.status
        line_id = _add_line(call, meeting, person_id, before, new, minutes.get(person_id), reason)
        if before.status is not None and not _settles_dispute(call, meeting, person_id):
            untold[line_id] = person_id
    if changed:
        after_change(call, meeting)
        _tell(call, meeting, untold)
    return _saved(call, meeting, changed=bool(changed))


def _add_line(
    call: Call, meeting: Meeting, person_id: UUID, before: Mark, new: Status, minutes: int | None, reason: str
) -> UUID:
    step: Step = "confirmed" if before.status is None else "corrected"
    why = reason if step == "corrected" else ""
    return attendance.add(call.work, meeting, person_id, step, new, call.my_id, minutes=minutes, reason=why)


def _settles_dispute(call: Call, meeting: Meeting, person_id: UUID) -> bool:
    """Settle the disputes that a correction answers; whether one of them is about this meeting."""
    return meeting.id in about_meetings(call.work, settle_corrected(call, person_id))


def _tell(call: Call, meeting: Meeting, untold: Mapping[UUID, UUID]) -> None:
    """Tell each corrected mentee once.

    That is by the outcome of their dispute, by the question why it differs from their tap, or by a message of its own.
    """
    asked = ask_both(call, meeting)
    for line_id, person_id in untold.items():
        if line_id not in asked:
            tell(call.work, line_id, person_id)


def _saved(call: Call, meeting: Meeting, *, changed: bool) -> Reply:
    still_open = len(open_lines(roster_of(call.work, meetings.get(call.work.tx, meeting.id))))
    waiting = counted(still_open, "person still needs", "people still need")
    rest = f" {waiting} an answer." if still_open else " Attendance is complete." if changed else ""
    return notice(f"{'Saved.' if changed else 'Nothing changed.'}{rest}")
