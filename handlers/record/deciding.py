"""What a mentee logged or asked for waits for a decision: who decides, the question, the outcome.

An activity is verified, a make-up approved; :data:`WAITING` holds what differs between them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from handlers.core.actions import Action, action
from handlers.core.calls import Call, Refused
from handlers.core.cards import Block, Bold, Button, Buttons, Card, Note, Text, buttons, say
from handlers.core.requests import Reply
from handlers.core.router import router
from handlers.meetings.planning import mentors_or_coordinators
from handlers.people.recipients import NO_LONGER
from handlers.record.completion import ask_for_approval
from handlers.record.record_actions import OpenCorrection, ShowActivity
from program.core.times import local_day, say_day
from program.meetings.attendance import correction_reasons
from program.record.policy import Policy
from program.record.wording import RecordLine
from storage.core.work import Work
from storage.meetings import meetings
from storage.outbox import deliveries, kinds
from storage.outbox.deliveries import Delivery
from storage.people import cohorts, people
from storage.record import disputes, enrolments, ledger
from storage.record.ledger import Line

COUNTS = {"counts": "It counts", "does_not_count": "It doesn't count"}


@action("activities.decide")
class DecideEntry(Action):
    """Verify or approve what a mentee entered, or decline it."""

    line_id: UUID
    approve: bool


@action("activities.withdraw")
class WithdrawEntry(Action):
    """Take back one's own entry while it waits."""

    line_id: UUID


@dataclass(frozen=True, slots=True)
class Waiting:
    """One kind of entry that waits for a decision. ``yes``: the step in the ledger that grants it."""

    yes: str
    noun: str
    question: str
    yes_label: str
    approver: Callable[[Policy, RecordLine], str]
    also: Callable[[Work, RecordLine], str]  # what its description adds to the activity


def _verifier(policy: Policy, line: RecordLine) -> str:
    activity = policy.activity(line.code)
    return activity.verified_by if activity else "mentor"


def _makeup_approver(policy: Policy, _line: RecordLine) -> str:
    return policy.makeups.approver if policy.makeups else "coordinator"


def _missed_meeting(work: Work, line: RecordLine) -> str:
    if line.meeting_id is None:
        return ""
    missed = meetings.get(work.tx, line.meeting_id)
    return f", to make up {missed.topic} of {say_day(missed.local_start.date())}"


WAITING = {
    "activity": Waiting("verified", "activity", "An activity to verify", "Verify", _verifier, lambda _work, _line: ""),
    "makeup": Waiting("approved", "make-up", "A make-up to approve", "Approve", _makeup_approver, _missed_meeting),
}


def is_request(line: RecordLine) -> bool:
    """Whether the line is an activity or make-up that a mentee entered."""
    return (line.kind, line.step) in ledger.REQUESTS


# Who decides ------------------------------------------------------------------------------------


def approver_of(work: Work, line: RecordLine) -> str:
    """The role that decides about a line, as its mentee's policy says: mentor, coordinator, both or nobody."""
    return WAITING[line.kind].approver(enrolments.policy_of(work.tx, line.person_id), line)


def deciders(work: Work, person_id: UUID, who: str) -> set[UUID]:
    """Who may settle something of this mentee: their mentors, the coordinators, or both."""
    allowed: set[UUID] = set()
    if "mentor" in who:
        for cohort in cohorts.shared_cohorts(work.tx, person_id, ("mentee",)):
            allowed |= {mentor.id for mentor in mentors_or_coordinators(work, cohort)}
    if "coordinator" in who or not allowed:
        allowed |= {coordinator.id for coordinator in people.coordinators(work.tx)}
    return allowed - {person_id}


def ask(work: Work, person_id: UUID, line_id: UUID, who: str) -> None:
    """Put an entry to those who decide about it. ``who``: their role, as for :func:`deciders`."""
    for decider in deciders(work, person_id, who):
        deliveries.to_person(work, kinds.ACTIVITY_DECIDE, decider, line_id)


def hand_on(work: Work, person_id: UUID) -> None:
    """Somebody's cohort changed: what still waits is put to those who decide now; the others are told."""
    lines = ledger.of_person(work.tx, person_id)
    settled = {line.target_id for line in lines if line.kind in WAITING}
    for line in lines:
        if is_request(line) and line.id not in settled and approver_of(work, line) != "nobody":
            ask(work, person_id, line.id, approver_of(work, line))
            deliveries.refresh(work, line.id, kinds.ACTIVITY_DECIDE)


def correctors(work: Work, line: RecordLine) -> set[UUID]:
    """Who may correct this: as the policy says of corrections, else the people who may decide about it."""
    rules = enrolments.policy_of(work.tx, line.person_id).corrections
    return deciders(work, line.person_id, rules.approver if rules else approver_of(work, line))


# What is said of it -----------------------------------------------------------------------------


def outcome_of(work: Work, line: RecordLine) -> str:
    """The last decision about a line; empty while it waits."""
    decided = [later.step for later in ledger.about(work.tx, line.id) if later.kind == line.kind]
    return decided[-1] if decided else ""


def is_undecided(work: Work, line: RecordLine) -> bool:
    """Whether an activity or make-up waits for a decision; what nobody verifies counts at once."""
    return not outcome_of(work, line) and approver_of(work, line) != "nobody"


def may_decide(work: Work, line: RecordLine, person_id: UUID) -> bool:
    """Whether this person decides about an activity or make-up."""
    return person_id in deciders(work, line.person_id, approver_of(work, line))


def described(work: Work, line: RecordLine) -> Text:
    """The activity, its day and minutes; of a make-up also the meeting."""
    policy = enrolments.policy_of(work.tx, line.person_id)
    activity = policy.activity(line.code)
    day = say_day(local_day(line.happened_at, policy.program.zone))
    also = WAITING[line.kind].also(work, line)
    return (f"{activity.name if activity else line.code}, {day}, {line.minutes} minutes{also}",)


def last_correction(work: Work, line: RecordLine) -> RecordLine | None:
    """The newest correction of a line, if there is one."""
    return next((later for later in reversed(ledger.about(work.tx, line.id)) if later.step == "corrected"), None)


def _corrected(work: Work, line: RecordLine) -> list[Block]:
    """What a correction said, for everybody who sees the line."""
    correction = last_correction(work, line)
    if correction is None:
        return []
    counts = correction.minutes is not None and correction.status == "counts"
    minutes = f" with {correction.minutes} minutes" if counts else ""
    reasons = correction_reasons([enrolments.policy_of(work.tx, line.person_id)])
    return [say(f"{COUNTS[correction.status]}{minutes}. {reasons.get(correction.reason, correction.reason)}.")]


def withdraw_button(line_id: UUID, noun: str) -> Buttons:
    """The button that takes an entry back. ``noun``: what it is, in the question before."""
    return buttons(Button("Withdraw", WithdrawEntry(line_id), confirm=f"Withdraw this {noun}?"))


@router.delivery(kinds.ACTIVITY_DECIDE)
def decide_card(work: Work, item: Delivery) -> Card | None:
    """The question, or what was decided, for somebody who may see it; None: it is not for them."""
    line = ledger.get(work.tx, UUID(item.subject))
    if line is None or (item.verb == "post" and _goes_to_others(work, line, item.person_id)):
        return None
    if outcome_of(work, line) and not _may_see(work, line, item.person_id):
        return NO_LONGER if item.verb == "update" else None
    return _question(work, line, item.person_id)


def _may_see(work: Work, line: RecordLine, reader_id: UUID | None) -> bool:
    """Whether somebody may still see what was decided: those who may decide or correct now."""
    return reader_id in deciders(work, line.person_id, approver_of(work, line)) | correctors(work, line)


def _goes_to_others(work: Work, line: RecordLine, reader_id: UUID | None) -> bool:
    """Whether it waits for a decision that is not this reader's."""
    return not outcome_of(work, line) and reader_id not in deciders(work, line.person_id, approver_of(work, line))


def _question(work: Work, line: RecordLine, reader_id: UUID | None) -> Card:
    """The question to somebody who decides, or what was decided."""
    waiting = WAITING[line.kind]
    who = people.get(work.tx, line.person_id).name
    outcome = outcome_of(work, line)
    told = say(Bold(who), ": ", *described(work, line), ".")
    if outcome:
        title = f"{waiting.noun.capitalize()} {outcome}"
        if outcome == "withdrawn" or reader_id not in correctors(work, line):
            return Card(title, (told, *_corrected(work, line)))
        correct = Button("Correct", OpenCorrection(line.id), opens_form=True)
        return Card(title, (told, *_corrected(work, line), buttons(correct)))
    if _goes_to_others(work, line, reader_id):
        gone = Note(("I asked the person who decides now. You don't need to do anything.",))
        return Card("Someone else decides this now", (told, gone))
    items = buttons(
        Button(waiting.yes_label, DecideEntry(line.id, approve=True), style="primary"),
        Button("Decline", DecideEntry(line.id, approve=False), confirm="Decline it? I'll tell the mentee."),
    )
    return Card(waiting.question, (told, items))


@router.delivery(kinds.ACTIVITY_OWN)
def own_card(work: Work, item: Delivery) -> Card | None:
    """The mentee's own entry with its outcome; None: it is not there."""
    line = ledger.get(work.tx, UUID(item.subject))
    if line is None:
        return None
    outcome = outcome_of(work, line)
    told = say(*described(work, line), ".")
    noun = WAITING[line.kind].noun
    if outcome:
        return Card(f"Your {noun} is {outcome}", (told, *_corrected(work, line)))
    waits = Note((f"Waiting for your {approver_of(work, line)}.",))
    return Card(f"Your {noun} is saved", (told, waits, withdraw_button(line.id, noun)))


# Deciding ---------------------------------------------------------------------------------------


def _waiting(call: Call, line_id: UUID) -> RecordLine:
    """An entry that waits for a decision.

    Raises:
        Refused: there is none, or it is decided.
    """
    line = ledger.get(call.work.tx, line_id)
    if line is None or not is_request(line):
        raise Refused("I can't find that entry.")
    if outcome_of(call.work, line):
        raise Refused("That's already decided.")
    return line


def _mine_to_decide(call: Call, line_id: UUID) -> RecordLine:
    """An entry that waits for the asker's decision.

    Raises:
        Refused: there is none, it is decided, or somebody else decides it.
    """
    line = _waiting(call, line_id)
    if not may_decide(call.work, line, call.my_id):
        raise Refused("I can't find that entry.")
    return line


@router.press(ShowActivity)
def show(call: Call, pressed: ShowActivity) -> Reply:
    """The question once more, from a dispute about what was entered."""
    return Reply(card=_question(call.work, _mine_to_decide(call, pressed.line_id), call.my_id))


@router.press(DecideEntry)
def decide(call: Call, pressed: DecideEntry) -> Reply:
    """Record the decision and tell the mentee; the question changes to what was decided."""
    line = _mine_to_decide(call, pressed.line_id)
    _settle(call, line, WAITING[line.kind].yes if pressed.approve else "declined")
    return Reply(replace=_question(call.work, line, call.my_id))


@router.press(WithdrawEntry)
def withdraw(call: Call, pressed: WithdrawEntry) -> Reply:
    """Take the entry back; nobody needs to decide it anymore."""
    line = _waiting(call, pressed.line_id)
    if line.person_id != call.my_id:
        raise Refused("I can't find that entry.")
    _settle(call, line, "withdrawn")
    return Reply(replace=Card("Withdrawn", (say("You took it back. No one needs to decide it now."),)))


def decision_line(call: Call, line: RecordLine, outcome: str) -> Line:
    """A line that decides about an entry in the asker's name. ``outcome``: its step."""
    verified = "self" if outcome == "withdrawn" else "coordinator" if call.me.coordinator else "mentor"
    return Line(
        line.kind, outcome, line.happened_at, call.my_id, verified, meeting_id=line.meeting_id, target_id=line.id
    )


def _settle(call: Call, line: RecordLine, outcome: str) -> None:
    ledger.add(call.work, line.person_id, decision_line(call, line, outcome))
    deliveries.refresh(call.work, line.id, kinds.ACTIVITY_DECIDE, kinds.ACTIVITY_OWN)
    for dispute_id in disputes.open_about(call.work.tx, line.id):  # now there is something to correct
        deliveries.refresh(call.work, dispute_id, kinds.DISPUTE)
    if outcome != "withdrawn":
        deliveries.to_person(call.work, kinds.ACTIVITY_OWN, line.person_id, line.id, tag="settled")
        ask_for_approval(call.work, [line.person_id])
