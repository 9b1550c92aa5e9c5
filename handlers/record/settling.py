"""How disputes end: the record stands, or a correction of it was recorded, or its author takes the dispute back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from handlers.core.actions import Action, action
from handlers.core.calls import Call, Refused
from handlers.core.cards import Bullets, Button, Card, Text, buttons, say
from handlers.core.forms import ChoiceField, Fields, Form, FormErrors, options_of
from handlers.core.requests import Reply, notice
from handlers.core.router import router
from handlers.meetings.meetings_actions import OpenAttendance
from handlers.people.recipients import leads
from handlers.record.deciding import correctors, is_request, is_undecided, may_decide, outcome_of
from handlers.record.dispute_access import readable, readers
from handlers.record.record_actions import (
    ChooseUndo,
    OpenCorrection,
    OpenCredit,
    OpenPolicyMove,
    OpenTransfer,
    ShowActivity,
)
from program.record.corrections import Change, change_since, rules_of_meetings
from program.record.disputable import now_words
from program.record.wording import RecordLine
from storage.core.work import Work
from storage.meetings import meetings
from storage.outbox import deliveries, kinds
from storage.people import people
from storage.record import disputes, enrolments, ledger, policies
from storage.record.disputes import Dispute
from storage.record.ledger import Line

OUTCOMES = {
    "corrected": "The record was wrong. It is corrected",
    "stands": "The record stands",
    "withdrawn": "Withdrawn by the mentee",
}
CHOICES = {"corrected": "The record is wrong: correct it", "stands": OUTCOMES["stands"]}
BY_COORDINATORS = frozenset({"credit", "waiver", "leave", "transfer", "policy"})  # kinds that they alone change
NEXT = {
    True: "If it is wrong: You'll correct the record next. Saving it settles the dispute.",
    False: "If it is wrong: You'll correct the record next. Then settle the dispute.",
}
UNDECIDED = "No one has decided it yet, so there is nothing to correct. If it's wrong, it can be declined."
DECIDE_FIRST = "If it is wrong: Decline it first. Then settle the dispute."
BY_OTHERS = "If it is wrong: Leave the dispute open. A coordinator can correct the record."


@action("disputes.settle")
class OpenSettling(Action):
    """Open the form that settles a dispute."""

    dispute_id: UUID


@action("disputes.settled")
class SettleDispute(Action):
    """Settle a dispute with the chosen outcome."""

    dispute_id: UUID


@dataclass(frozen=True, slots=True)
class Settling:
    """The chosen outcome of a dispute."""

    outcome: str


def _outcome_fields(choices: Mapping[str, str] = CHOICES, hint: str = "") -> Fields[Settling]:
    choice = ChoiceField("outcome", "Outcome", options_of(choices), hint=hint, needed="Choose the outcome.")
    return Fields(Settling, choice)


def close(call: Call, dispute: Dispute, outcome: str) -> None:
    """Settle a dispute and tell the mentee.

    Raises:
        Refused: it was already settled.
    """
    if not disputes.settle(call.work, dispute.id, outcome):
        raise Refused("This dispute is already settled.")
    verified = "self" if outcome == "withdrawn" else "coordinator" if call.me.coordinator else "mentor"
    line = Line("dispute", "settled", call.work.now, call.my_id, verified, target_id=dispute.line_id, code=outcome)
    ledger.add(call.work, dispute.person_id, line)
    deliveries.refresh(call.work, dispute.id, kinds.DISPUTE, kinds.DISPUTE_OWN)
    if outcome != "withdrawn":
        deliveries.to_person(call.work, kinds.DISPUTE_OWN, dispute.person_id, dispute.id, tag="settled")


# The correction ----------------------------------------------------------------------------------


def correct_button(work: Work, line: RecordLine, dispute: Dispute, reader_id: UUID) -> Button | None:
    """The way to the form that corrects a disputed line; who may take it is asked there.

    To what nobody has decided yet, the way to decide it. None where neither is this reader's.
    """
    if is_request(line) and is_undecided(work, line):
        return Button("Decide it", ShowActivity(line.id)) if may_decide(work, line, reader_id) else None
    if not may_correct(work, line, reader_id) or (is_request(line) and outcome_of(work, line) == "withdrawn"):
        return None
    person_id = dispute.person_id
    match line.kind:
        case "attendance" if line.meeting_id is not None:
            way: Action = OpenAttendance(line.meeting_id, dispute.id)
        case "attendance":
            way = OpenCredit(person_id)
        case "activity" | "makeup":
            way = OpenCorrection(line.id, dispute.id)
        case "credit" | "waiver" | "leave":
            way = ChooseUndo(person_id, dispute.id)
        case "transfer":
            way = OpenTransfer(person_id)
        case "policy":
            way = OpenPolicyMove(person_id)
        case _:
            return None
    return Button("Correct it", way, opens_form=True)


def may_correct(work: Work, line: RecordLine, reader_id: UUID) -> bool:
    """Whether this person may correct the line: as its kind and the policy say, and only where they lead.

    The mentee's mentors now do not lead the meetings of their earlier cohorts.
    """
    if reader_id in {coordinator.id for coordinator in people.coordinators(work.tx)}:
        return True
    if line.kind in BY_COORDINATORS or _is_imported(line):
        return False
    if is_request(line):
        return reader_id in correctors(work, line)
    rules = enrolments.policy_of(work.tx, line.person_id).corrections
    mentors_may = rules is None or rules.approver != "coordinator"
    meeting = meetings.find(work.tx, line.meeting_id) if line.meeting_id else None
    return mentors_may and meeting is not None and leads(work, meeting.cohort_id, reader_id)


def _is_imported(line: RecordLine) -> bool:
    return line.kind == "attendance" and line.meeting_id is None


def _names_what_it_corrects(line: RecordLine) -> bool:
    """Whether correcting this line settles the dispute at once. A credit names no line, a move may be another one."""
    return line.kind not in ("transfer", "policy") and not _is_imported(line)


def change_of(work: Work, dispute: Dispute) -> Change | None:
    """What changed the disputed record since the dispute was opened; None: it says what was disputed."""
    lines = ledger.of_person(work.tx, dispute.person_id)
    about = next((line for line in lines if line.id == dispute.about_id), None)
    opened = next((line for line in lines if line.id == dispute.line_id), None)
    if about is None or opened is None:
        return None
    change = change_since(lines, about, opened, rules_of_meetings(enrolments.policy_of(work.tx, dispute.person_id)))
    if change is None and _was_cancelled(work, about, dispute.opened_at):
        return Change(about, exact=False, cancelled=True)
    return change


def _was_cancelled(work: Work, line: RecordLine, since: datetime) -> bool:
    """Whether the meeting of a line about attendance was cancelled after this time."""
    meeting = meetings.find(work.tx, line.meeting_id) if line.kind == "attendance" and line.meeting_id else None
    return meeting is not None and meeting.cancelled_at is not None and meeting.cancelled_at >= since


def settle_corrected(call: Call, person_id: UUID) -> list[Dispute]:
    """Settle somebody's disputes that a correction answers, as far as the asker may read them; those it settled."""
    answered = [
        dispute
        for dispute in disputes.open_of(call.work.tx, person_id)
        if call.my_id in readers(call.work, dispute) and _is_answered(call.work, dispute)
    ]
    for dispute in answered:
        close(call, dispute, "corrected")
    return answered


def kinds_of(work: Work, settled: list[Dispute]) -> set[str]:
    """The kinds of the lines that these disputes were about: their outcome tells the mentee of these changes."""
    lines = [ledger.get(work.tx, dispute.about_id) for dispute in settled]
    return {line.kind for line in lines if line is not None}


def about_meetings(work: Work, settled: list[Dispute]) -> set[UUID]:
    """The meetings that these disputes were about: their outcome tells the mentee of the corrected attendance."""
    lines = [ledger.get(work.tx, dispute.about_id) for dispute in settled]
    return {line.meeting_id for line in lines if line is not None and line.kind == "attendance" and line.meeting_id}


def _is_answered(work: Work, dispute: Dispute) -> bool:
    change = change_of(work, dispute)
    return change is not None and change.exact


# Settling ----------------------------------------------------------------------------------------


@router.press(OpenSettling)
def settle_form(call: Call, pressed: OpenSettling) -> Reply:
    """The outcomes that are true: a record that was changed since does not stand."""
    dispute = _to_settle(call, pressed.dispute_id)
    line, change = ledger.get(call.work.tx, dispute.about_id), change_of(call.work, dispute)
    notes: list[Text] = [("I'll tell the mentee the outcome.",)]
    choices, hint = CHOICES, NEXT[line is not None and _names_what_it_corrects(line)]
    if line is None or not may_correct(call.work, line, call.my_id):
        choices, hint = {"stands": OUTCOMES["stands"]}, BY_OTHERS
    elif is_request(line) and is_undecided(call.work, line):
        hint = DECIDE_FIRST
    if change is not None:
        notes.insert(0, (f"Changed since the dispute was opened. {now_sentence(call.work, change)}",))
        choices, hint = {"corrected": OUTCOMES["corrected"]}, ""
        choices |= {} if change.exact else {"stands": OUTCOMES["stands"]}
    return Reply(
        form=Form(
            "Settle the dispute",
            SettleDispute(dispute.id),
            opener=pressed,
            submit="Next" if change is None else "Settle",
            blocks=(Bullets(tuple(notes)),),
            fields=_outcome_fields(choices, hint).shown,
        )
    )


def now_sentence(work: Work, change: Change) -> str:
    """What the record says now, in a sentence."""
    if change.cancelled:
        return "The meeting was cancelled. It doesn't count as an absence."
    if change.line.kind == "policy":
        return f"The requirements are those of {policies.get(work.tx, change.line.detail['to']).title} now."
    return now_words(change.line, enrolments.policy_of(work.tx, change.line.person_id))


def _to_settle(call: Call, dispute_id: UUID) -> Dispute:
    """An open dispute that the asker may settle.

    Raises:
        Refused: there is none, it is for others, the asker's own, or it was settled.
    """
    dispute = readable(call, dispute_id)
    if dispute.person_id == call.my_id:
        raise Refused("Someone else must settle it. You can withdraw it.")
    if dispute.outcome:
        raise Refused("This dispute is already settled.")
    return dispute


@router.submit(SettleDispute)
def settle(call: Call, sent: SettleDispute) -> Reply:
    """“Corrected” needs a correction, and leads to it where there is none; “stands” needs that there is none."""
    dispute = _to_settle(call, sent.dispute_id)
    outcome = _outcome_fields().read(call.values).outcome
    change = change_of(call.work, dispute)
    if outcome == "stands" and change is not None and change.exact:
        now = now_sentence(call.work, change)
        text = f"The record was changed after the dispute was opened. {now} Choose that it is wrong."
        raise FormErrors({"outcome": text})
    if outcome == "corrected" and change is None:
        return _to_the_correction(call, dispute)
    close(call, dispute, outcome)
    return notice(f"Settled: {OUTCOMES[outcome]}. I told the mentee.")


def _to_the_correction(call: Call, dispute: Dispute) -> Reply:
    line = ledger.get(call.work.tx, dispute.about_id)
    button = correct_button(call.work, line, dispute, call.my_id) if line else None
    if line is None or button is None:
        undecided = line is not None and is_request(line) and is_undecided(call.work, line)
        by_others = "You can't correct this record. A coordinator can. The dispute stays open until then."
        raise Refused(UNDECIDED if undecided else by_others)
    if is_request(line) and is_undecided(call.work, line):
        words = say("No one has decided this yet. Decide it first, then settle the dispute. It stays open until then.")
        return Reply(card=Card("Nothing is decided yet", (words, buttons(replace(button, style="primary")))))
    if _names_what_it_corrects(line):
        return router.presses[button.action.name](replace(call, values={}), button.action.args)
    words = say("Correct the record first, then settle the dispute. It stays open until then.")
    return Reply(card=Card("Nothing is corrected yet", (words, buttons(replace(button, style="primary")))))
