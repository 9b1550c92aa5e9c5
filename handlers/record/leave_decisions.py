"""Leaves of absence, as the coordinator decides about them, and what the mentee is told of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import UUID

from handlers.checkins.schedule import refresh_schedule
from handlers.core.actions import Action, action
from handlers.core.calls import Call, Refused
from handlers.core.cards import Bold, Button, Card, buttons, say
from handlers.core.forms import FormErrors
from handlers.core.requests import Reply
from handlers.core.router import router
from handlers.people.recipients import is_coordinator, only_for
from handlers.record.leave_requests import (
    OUTCOMES,
    is_leave_request,
    leave_outcome,
    requested_days,
    spans_words,
    waiting_requests,
)
from handlers.record.leave_return import back_button
from handlers.record.record_actions import ShowLeave
from program.record.wording import RecordLine
from storage.core.work import Work
from storage.outbox import deliveries, kinds
from storage.outbox.deliveries import Delivery
from storage.people import cohorts, people
from storage.record import enrolments, leaves, ledger
from storage.record.ledger import Line


@action("leave.decide")
class DecideLeave(Action):
    """Approve or decline a request."""

    request_id: UUID
    approve: bool


@router.delivery(kinds.LEAVE_DECIDE)
@only_for(is_coordinator)
def decide_card(work: Work, item: Delivery) -> Card | None:
    """The question, or what was decided; None: the request is not there."""
    line = ledger.get(work.tx, UUID(item.subject))
    return None if line is None else _question(work, line)


def _question(work: Work, line: RecordLine) -> Card:
    """The question to the coordinator, or what was decided."""
    rules = enrolments.policy_of(work.tx, line.person_id).leave
    why = rules.reasons.get(line.reason, line.reason) if rules else line.reason
    told = say(Bold(people.get(work.tx, line.person_id).name), f": {requested_days(line)} ({why}).")
    outcome = leave_outcome(work, line)
    if outcome:
        return Card(f"Leave {OUTCOMES.get(outcome, outcome)}", (told,))
    items = buttons(
        Button("Approve", DecideLeave(line.id, approve=True), style="primary"),
        Button("Decline", DecideLeave(line.id, approve=False), confirm="Decline the leave? I'll tell the mentee."),
    )
    return Card("A leave request to decide", (told, items))


@router.press(ShowLeave)
def show(call: Call, pressed: ShowLeave) -> Reply:
    """A request to decide, from a list of what waits."""
    return Reply(card=_question(call.work, _request(call, pressed.request_id)))


@router.press(DecideLeave)
def decide(call: Call, pressed: DecideLeave) -> Reply:
    """Record the decision and tell the mentee; the question changes to what was decided."""
    line = _request(call, pressed.request_id)
    already = leave_outcome(call.work, line)
    if already:
        withdrawn = "The mentee withdrew this request."
        raise Refused(withdrawn if already == "withdrawn" else "That's already decided.")
    if pressed.approve:
        _refuse_grant(call.work, line)
    outcome, day = "granted" if pressed.approve else "declined", line.happened_at
    settled = Line("leave", outcome, day, call.my_id, "coordinator", target_id=line.id, reason=line.reason)
    ledger.add(call.work, line.person_id, replace(settled, detail=line.detail))
    refresh_schedule(call.work, [line.person_id])
    deliveries.refresh(call.work, line.id, kinds.LEAVE_DECIDE)
    deliveries.to_person(call.work, kinds.LEAVE_ANSWER, line.person_id, line.id)
    return Reply(replace=_question(call.work, line))


def _request(call: Call, request_id: UUID) -> RecordLine:
    """A mentee's request, for a coordinator.

    Raises:
        Refused: there is none, or the asker is no coordinator; the two look alike.
    """
    line = ledger.get(call.work.tx, request_id)
    if line is None or not call.me.coordinator or not is_leave_request(line):
        raise Refused("I can't find that leave request.")
    return line


def _refuse_grant(work: Work, line: RecordLine) -> None:
    """A request may have waited while its mentee left, or got a leave otherwise.

    Raises:
        Refused: the leave cannot be granted; declining it stays possible.
    """
    name = people.get(work.tx, line.person_id).name
    if not cohorts.shared_cohorts(work.tx, line.person_id, ("mentee",)):
        raise Refused(f"{name} isn't in the program now. You can decline this request.")
    granted = leaves.overlapping(work.tx, line.person_id, *leaves.span(line.detail))
    if granted:
        raise Refused(f"{name} has leave on these days already: {spans_words(granted)}. You can decline this request.")


@router.delivery(kinds.LEAVE_ANSWER)
def answer_card(work: Work, item: Delivery) -> Card | None:
    """The decision, for the mentee; None: there is none."""
    line = ledger.get(work.tx, UUID(item.subject))
    outcome = leave_outcome(work, line) if line else ""
    if line is None or not outcome:
        return None
    if outcome != "granted":
        return Card(f"Your leave is {OUTCOMES.get(outcome, outcome)}", (say(f"{requested_days(line)}."),))
    granted = next(later for later in ledger.about(work.tx, line.id) if later.step == "granted")
    text = say(f"{requested_days(line)}. You won't get check-ins during your leave. Everything you did still counts.")
    return Card("Your leave is approved", (text, buttons(back_button(granted.id))))


# A leave that a coordinator gives by hand --------------------------------------------------------


def refuse_double(work: Work, person_id: UUID, starts: date, ends: date | None) -> None:
    """Nobody is given two leaves for the same day: a mentee back from one would still be on the other.

    Raises:
        FormErrors: somebody has a leave on one of these days.
    """
    granted = leaves.overlapping(work.tx, person_id, starts, ends)
    if granted:
        name = people.get(work.tx, person_id).name
        raise FormErrors({"starts": f"{name} has leave on these days already: {spans_words(granted)}."})


def request_first(work: Work, person_id: UUID, starts: date, ends: date | None) -> Card | None:
    """The question of a request that waits for the same days: it is decided before a leave is given by hand."""
    for line in waiting_requests(work, person_id):
        first, last = leaves.span(line.detail)
        if max(starts, first) <= min(ends or leaves.NO_END, last or leaves.NO_END):
            question = _question(work, line)
            note = say("Nothing is saved. This request is for the same days, so decide it first.")
            return replace(question, blocks=(note, *question.blocks))
    return None
