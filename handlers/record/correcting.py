"""Correcting an activity or make-up that was decided wrongly, with a reason; every step stays in the record."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from handlers.core.actions import Action, action
from handlers.core.calls import Call, Refused, coordinators_only
from handlers.core.cards import Bold, Cmd, Note, say
from handlers.core.forms import ChoiceField, Fields, Form, NumberField, Option, options_of
from handlers.core.plain_cards import plain_text
from handlers.core.requests import Reply, notice
from handlers.core.router import router
from handlers.record.completion import ask_for_approval
from handlers.record.deciding import (
    COUNTS,
    correctors,
    decision_line,
    described,
    is_request,
    is_undecided,
    last_correction,
    outcome_of,
)
from handlers.record.dispute_access import NOT_THERE, disputed_words, readable
from handlers.record.entry_choice import entry_fields
from handlers.record.record_actions import ChooseCorrection, OpenCorrection
from handlers.record.settling import UNDECIDED, settle_corrected
from program.core.words import shortened
from program.meetings.attendance import correction_reasons
from program.record.wording import RecordLine
from storage.core.work import Work
from storage.outbox import deliveries, kinds
from storage.people import people
from storage.record import enrolments, ledger
from storage.record.disputes import Dispute

MOST_CORRECTED = 50


@action("activities.chosen")
class CorrectChosen(Action):
    """Open the form that corrects the chosen entry."""

    person_id: UUID


@action("activities.corrected")
class CorrectEntry(Action):
    """Correct a decided activity or make-up."""

    line_id: UUID


@dataclass(frozen=True, slots=True)
class Correction:
    """What is right. ``status`` and ``reason`` are codes."""

    status: str
    minutes: int
    reason: str


def _fields(work: Work, line: RecordLine) -> Fields[Correction]:
    """The fields of the form, with the minutes that the line has now and its policy's reasons."""
    before = last_correction(work, line)
    minutes = before.minutes if before and before.minutes is not None else line.minutes
    reasons = correction_reasons([enrolments.policy_of(work.tx, line.person_id)])
    return Fields(
        Correction,
        ChoiceField("status", "Correct result", options_of(COUNTS), needed="Choose the correct result."),
        NumberField("minutes", "Minutes", minutes, 1, 1440, needed="Enter the number of minutes."),
        ChoiceField("reason", "Why", options_of(reasons), needed="Choose a reason."),
    )


def _may_correct(work: Work, line: RecordLine) -> bool:
    """Whether something was decided about a line that may have been wrong; what nobody verifies counts at once."""
    return outcome_of(work, line) != "withdrawn" and not is_undecided(work, line)


def _settled(call: Call, line_id: UUID) -> RecordLine:
    """A line that was decided about and that the asker may correct.

    Raises:
        Refused: it is for others, or nothing of it can be corrected.
    """
    line = ledger.get(call.work.tx, line_id)
    if line is None or not is_request(line) or call.my_id not in correctors(call.work, line):
        raise Refused("I can't find that entry.")
    if outcome_of(call.work, line) == "withdrawn":
        raise Refused("The mentee withdrew it, so it doesn't count and there is nothing to correct.")
    if not _may_correct(call.work, line):
        raise Refused(UNDECIDED)
    return line


@router.press(ChooseCorrection)
def choose_form(call: Call, pressed: ChooseCorrection) -> Reply:
    """Which of somebody's activities and make-ups to correct, the newest first."""
    coordinators_only(call)
    person = call.person(pressed.person_id)
    every = [line for line in ledger.of_person(call.work.tx, person.id) if is_request(line)]
    decided = [line for line in reversed(every) if _may_correct(call.work, line)]
    if not decided:
        raise Refused(f"{person.name} has no decided activities or make-ups, so there is nothing to correct.")
    shown = decided[:MOST_CORRECTED]
    options = [Option(str(line.id), shortened(plain_text(described(call.work, line)), 75)) for line in shown]
    return Reply(
        form=Form(
            "Correct",
            CorrectChosen(person.id),
            opener=pressed,
            submit="Next",
            blocks=(say(Bold(person.name), ". To correct attendance, send ", Cmd("attendance"), "."),),
            fields=entry_fields(options, len(decided)).shown,
        )
    )


@router.submit(CorrectChosen)
def chosen(call: Call, _sent: CorrectChosen) -> Reply:
    """The form that corrects the chosen entry."""
    return Reply(form=_correct_form(call, _settled(call, entry_fields().read(call.values).line)))


@router.press(OpenCorrection)
def correct_form(call: Call, pressed: OpenCorrection) -> Reply:
    """From the decision's message, or from a dispute about it, with what the mentee wrote."""
    line = _settled(call, pressed.line_id)
    dispute = readable(call, pressed.dispute_id) if pressed.dispute_id else None
    if dispute is not None and dispute.about_id != line.id:
        raise Refused(NOT_THERE)
    return Reply(form=_correct_form(call, line, dispute))


def _correct_form(call: Call, line: RecordLine, dispute: Dispute | None = None) -> Form:
    return Form(
        "Correct",
        CorrectEntry(line.id),
        opener=OpenCorrection(line.id, dispute.id if dispute else None),
        submit="Correct",
        blocks=(
            say(Bold(people.get(call.work.tx, line.person_id).name), ": ", *described(call.work, line), "."),
            *(disputed_words(call, dispute) if dispute else ()),
            Note(("The record keeps both entries. I'll tell the mentee.",)),
        ),
        fields=_fields(call.work, line).shown,
        confidential=dispute is not None,
    )


@router.submit(CorrectEntry)
def correct(call: Call, sent: CorrectEntry) -> Reply:
    """Record the correction, settle the disputes that it answers, and tell the mentee."""
    line = _settled(call, sent.line_id)
    right = _fields(call.work, line).read(call.values)
    corrected = replace(
        decision_line(call, line, "corrected"),
        status=right.status,
        minutes=right.minutes if right.status == "counts" else None,
        reason=right.reason,
    )
    line_id = ledger.add(call.work, line.person_id, corrected)
    deliveries.refresh(call.work, line.id, kinds.ACTIVITY_DECIDE, kinds.ACTIVITY_OWN)
    settled = settle_corrected(call, line.person_id)
    if line.id not in {dispute.about_id for dispute in settled}:  # the outcome of that dispute tells it already
        deliveries.to_person(call.work, kinds.ACTIVITY_OWN, line.person_id, line.id, tag=line_id)
    ask_for_approval(call.work, [line.person_id])
    return notice("Corrected. I told the mentee. The record keeps both entries.")
