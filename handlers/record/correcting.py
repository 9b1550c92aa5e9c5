"""Correcting an activity or make-up that was decided wrongly, with a reason; every step stays in the record."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from handlers.core.actions import untyped
from handlers.core.calls import Call, FieldReader, Refused, coordinators_only
from handlers.core.cards import Bold, Cmd, Note, say
from handlers.core.forms import ChoiceField, Form, FormErrors, NumberField, Option, options_of
from handlers.core.paging import hint
from handlers.core.plain_cards import plain_text
from handlers.core.requests import Reply, notice
from handlers.core.router import router
from handlers.record.completion import ask_for_approval
from handlers.record.deciding import (
    COUNTS,
    approver_of,
    correctors,
    decision_line,
    described,
    is_request,
    last_correction,
    outcome_of,
)
from handlers.record.settling import NOT_THERE, disputed_words, readable, settle_corrected
from program.core.words import shortened
from program.meetings.attendance import correction_reasons
from program.record.wording import RecordLine
from storage.core.work import Work
from storage.outbox import deliveries, kinds
from storage.people import people
from storage.record import enrolments, ledger
from storage.record.disputes import Dispute

MOST_CORRECTED = 50


def _may_correct(work: Work, line: RecordLine) -> bool:
    """Whether something was decided about a line that may have been wrong; what nobody verifies counts at once."""
    outcome = outcome_of(work, line)
    return outcome != "withdrawn" and (outcome != "" or approver_of(work, line) == "nobody")


def _settled(call: Call, line_id: UUID) -> RecordLine:
    """A line that was decided about and that the asker may correct."""
    line = ledger.get(call.work.tx, line_id)
    if line is None or not is_request(line) or call.my_id not in correctors(call.work, line):
        raise Refused("I can't find that entry.")
    if outcome_of(call.work, line) == "withdrawn":
        raise Refused("The mentee withdrew it, so it doesn't count and there is nothing to correct.")
    if not _may_correct(call.work, line):
        raise Refused("No one has decided it yet, so there is nothing to correct. If it's wrong, it can be declined.")
    return line


@router.press("activities.choose")
def choose_form(call: Call) -> Reply:
    """Which of somebody's activities and make-ups to correct, the newest first."""
    coordinators_only(call)
    person = call.person_at(0)
    every = [line for line in ledger.of_person(call.work.tx, person.id) if is_request(line)]
    decided = [line for line in reversed(every) if _may_correct(call.work, line)]
    if not decided:
        raise Refused(f"{person.name} has no decided activities or make-ups, so there is nothing to correct.")
    shown = decided[:MOST_CORRECTED]
    choices = tuple(Option(str(line.id), shortened(plain_text(described(call.work, line)), 75)) for line in shown)
    return Reply(
        form=Form(
            "Correct",
            untyped("activities.chosen", person.id),
            opener=untyped("activities.choose", person.id),
            submit="Next",
            blocks=(say(Bold(person.name), ". To correct attendance, send ", Cmd("attendance"), "."),),
            fields=(ChoiceField("line", "Which entry", choices, hint=hint(len(decided), len(choices), "newest")),),
        )
    )


@router.submit("activities.chosen")
def chosen(call: Call) -> Reply:
    read = FieldReader(call.values)
    line_id = read.uuid("line", needed="Choose the entry.")
    read.check()
    if line_id is None:
        raise FormErrors({"line": "Choose the entry."})
    return Reply(form=_correct_form(call, _settled(call, line_id)))


@router.press("activities.correct")
def correct_form(call: Call) -> Reply:
    """From the decision's message, or from a dispute about it, with what the mentee wrote."""
    line = _settled(call, call.id_at(0))
    dispute = readable(call, call.id_at(1)) if len(call.args) > 1 else None
    if dispute is not None and dispute.about_id != line.id:
        raise Refused(NOT_THERE)
    return Reply(form=_correct_form(call, line, dispute))


def _correct_form(call: Call, line: RecordLine, dispute: Dispute | None = None) -> Form:
    reasons = correction_reasons([enrolments.policy_of(call.work.tx, line.person_id)])
    before = last_correction(call.work, line)
    minutes = before.minutes if before and before.minutes is not None else line.minutes
    return Form(
        "Correct",
        untyped("activities.corrected", line.id),
        opener=untyped("activities.correct", line.id, *((dispute.id,) if dispute else ())),
        submit="Correct",
        blocks=(
            say(Bold(people.get(call.work.tx, line.person_id).name), ": ", *described(call.work, line), "."),
            *(disputed_words(call, dispute) if dispute else ()),
            Note(("The record keeps both entries. I'll tell the mentee.",)),
        ),
        fields=(
            ChoiceField("status", "Correct result", options_of(COUNTS)),
            NumberField("minutes", "Minutes", minutes, 1, 1440),
            ChoiceField("reason", "Why", options_of(reasons)),
        ),
        confidential=dispute is not None,
    )


@router.submit("activities.corrected")
def correct(call: Call) -> Reply:
    line = _settled(call, call.id_at(0))
    read = FieldReader(call.values)
    status = read.choice("status", tuple(COUNTS), needed="Choose the correct result.")
    minutes = read.number("minutes", 1, 1440, needed="Enter the number of minutes.")
    reasons = correction_reasons([enrolments.policy_of(call.work.tx, line.person_id)])
    reason = read.choice("reason", tuple(reasons), needed="Choose a reason.")
    read.check()
    corrected = replace(
        decision_line(call, line, "corrected"),
        status=status,
        minutes=minutes if status == "counts" else None,
        reason=reason,
    )
    line_id = ledger.add(call.work, line.person_id, corrected)
    deliveries.refresh(call.work, line.id, kinds.ACTIVITY_DECIDE, kinds.ACTIVITY_OWN)
    settled = settle_corrected(call, line.person_id)
    if line.id not in {dispute.about_id for dispute in settled}:  # the outcome of that dispute tells it already
        deliveries.to_person(call.work, kinds.ACTIVITY_OWN, line.person_id, line.id, tag=line_id)
    ask_for_approval(call.work, [line.person_id])
    return notice("Corrected. I told the mentee. The record keeps both entries.")
