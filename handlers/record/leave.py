"""Leaves of absence, as a mentee asks for them: from a date, with a reason in a code.

A mentee has one request waiting at a time, and may withdraw it or ask for other dates.
"""

from __future__ import annotations

from uuid import UUID

from handlers.core.actions import Action, action
from handlers.core.calls import MENTEES, Call, Refused, mentees_only
from handlers.core.cards import Block, Button, Card, Cmd, Note, buttons, say
from handlers.core.contacts import ask_coordinator
from handlers.core.forms import Form, FormErrors
from handlers.core.requests import Reply, notice
from handlers.core.router import router
from handlers.record.leave_requests import (
    OUTCOMES,
    LeaveDays,
    is_leave_request,
    leave_fields,
    leave_line,
    leave_outcome,
    requested_days,
    span_words,
    spans_words,
    waiting_requests,
)
from handlers.record.leave_return import back_button
from program.core.times import say_day
from program.record.policy import LeaveRules
from program.record.wording import RecordLine
from storage.outbox import deliveries, kinds
from storage.people import people
from storage.record import enrolments, leaves, ledger
from storage.record.ledger import Line


@action("leave.new")
class OpenLeave(Action):
    """Open the form that asks for a leave."""


@action("leave.withdraw")
class WithdrawLeave(Action):
    """Take back one's own request."""

    request_id: UUID


@action("leave.change")
class ChangeLeave(Action):
    """Open the form that asks for other dates."""

    request_id: UUID


@action("leave.asked")
class AskLeave(Action):
    """Ask for a leave; with a request that waits, take its place."""

    request_id: UUID | None = None


@router.command("leave", "Ask for a leave of absence", who=MENTEES, help={"mentee": 13})
def leave_command(call: Call) -> Reply:
    """The leave one is on, with the way back; a request that waits for a decision; else the form that asks for one."""
    mine = leaves.running(call.work.tx, call.my_id, enrolments.today_of(call.work, call.my_id))
    waiting = _waiting_blocks(call)
    if mine is None:
        return _waiting_or_form(call, waiting)
    another = () if waiting or mine.ends is None else (Button("Ask for another leave", OpenLeave(), opens_form=True),)
    on_leave = (say(f"{span_words(mine.starts, mine.ends)}."), buttons(back_button(mine.id), *another))
    return Reply(card=Card("You are on leave", (*on_leave, *waiting)))


@router.press(OpenLeave)
def leave_form(call: Call, _pressed: OpenLeave) -> Reply:
    """Open the form, or show the request that waits."""
    mentees_only(call)
    return _waiting_or_form(call, _waiting_blocks(call))


def _waiting_or_form(call: Call, waiting: tuple[Block, ...]) -> Reply:
    return Reply(card=Card("", waiting)) if waiting else Reply(form=_form(call))


def _rules(call: Call) -> LeaveRules:
    """What the asker's policy says of leave.

    Raises:
        Refused: it says nothing, or the asker is a mentee of no cohort now.
    """
    mentees_only(call)
    enrolled = enrolments.of_person(call.work.tx, call.my_id)
    if enrolled is None or enrolled.policy.leave is None:
        raise Refused(f"The program has no rules for leave. {ask_coordinator(call.work.tx)}")
    return enrolled.policy.leave


# A request that waits for a decision -------------------------------------------------------------


def _waiting_blocks(call: Call) -> tuple[Block, ...]:
    """The asker's requests that nobody decided yet, each with what may be done about it; empty where there is none."""
    blocks: list[Block] = []
    for line in waiting_requests(call.work, call.my_id):
        starts, ends = leaves.span(line.detail)
        days = span_words(starts, ends) if ends else f"from {say_day(starts)}"
        withdraw = Button("Withdraw", WithdrawLeave(line.id))
        change = Button("Ask for other dates", ChangeLeave(line.id), opens_form=True)
        blocks += [say(f"Your leave request ({days}) is waiting for a decision."), buttons(withdraw, change)]
    return tuple(blocks)


def _own_waiting(call: Call, request_id: UUID) -> RecordLine:
    """The asker's own request of this id, while nobody decided it.

    Raises:
        Refused: there is none, it is somebody else's, or it is decided.
    """
    line = ledger.get(call.work.tx, request_id)
    if line is None or line.person_id != call.my_id or not is_leave_request(line):
        raise Refused("I can't find that leave request.")
    outcome = leave_outcome(call.work, line)
    if outcome:
        raise Refused(f"That leave request is already {OUTCOMES.get(outcome, outcome)}.")
    return line


def _withdraw(call: Call, line: RecordLine) -> None:
    taken_back = Line("leave", "withdrawn", line.happened_at, call.my_id, "self", target_id=line.id, reason=line.reason)
    ledger.add(call.work, call.my_id, taken_back)
    deliveries.refresh(call.work, line.id, kinds.LEAVE_DECIDE)


@router.press(WithdrawLeave)
def withdraw(call: Call, pressed: WithdrawLeave) -> Reply:
    """Take the request back, and offer to ask again."""
    line = _own_waiting(call, pressed.request_id)
    _withdraw(call, line)
    told = say(f"Your leave request is withdrawn: {requested_days(line)}.")
    ask = Button("Ask for a leave", OpenLeave(), opens_form=True)
    return Reply(replace=Card("", (told, buttons(ask))))


@router.press(ChangeLeave)
def change_form(call: Call, pressed: ChangeLeave) -> Reply:
    """The form with what was asked for; sending it takes the place of the request that waits."""
    return Reply(form=_form(call, _own_waiting(call, pressed.request_id)))


# Asking ------------------------------------------------------------------------------------------


def _form(call: Call, earlier: RecordLine | None = None) -> Form:
    """``earlier``: the request that this one takes the place of."""
    rules = _rules(call)
    today = enrolments.today_of(call.work, call.my_id)
    starts, ends = leaves.span(earlier.detail) if earlier else (today, None)
    only_check_ins = (
        "This pauses the whole program for you. To pause only check-ins, send ",
        Cmd("snooze until DATE"),
        ".",
    )
    return Form(
        "Leave of absence",
        AskLeave(earlier.id if earlier else None),
        opener=ChangeLeave(earlier.id) if earlier else OpenLeave(),
        submit="Send request",
        blocks=(Note(only_check_ins),),
        fields=leave_fields(rules.reasons, starts, ends, earlier.reason if earlier else "").shown,
    )


@router.submit(AskLeave)
def asked(call: Call, sent: AskLeave) -> Reply:
    """Take a request. A second one is not taken while one waits, unless it names that one and takes its place."""
    rules = _rules(call)
    earlier = _own_waiting(call, sent.request_id) if sent.request_id else None
    if earlier is None and (waiting := _waiting_blocks(call)):
        return Reply(card=Card("", waiting))
    days = leave_fields(rules.reasons).read(call.values)
    if granted := leaves.overlapping(call.work.tx, call.my_id, days.starts, days.ends):
        raise FormErrors(
            {"starts": f"You have leave on these days already: {spans_words(granted)}. Choose other days."}
        )
    if earlier is not None:
        _withdraw(call, earlier)
    _ask(call, days)
    return notice("Request sent. I'll tell you the decision.")


def _ask(call: Call, days: LeaveDays) -> None:
    """Record the request, and put it to the coordinators."""
    line = leave_line("asked", days.starts, days.ends, days.reason, call.my_id, "self")
    line_id = ledger.add(call.work, call.my_id, line)
    for coordinator in people.coordinators(call.work.tx):
        deliveries.to_person(call.work, kinds.LEAVE_DECIDE, coordinator.id, line_id)
