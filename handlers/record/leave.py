"""Leaves of absence: asked by the mentee, granted by the coordinator, from a date, with a reason in a code.

A mentee has one request waiting at a time, and may withdraw it or ask for other dates. Either of the two people ends
a leave from a day on.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

from handlers.checkins.schedule import refresh_schedule
from handlers.core.actions import untyped
from handlers.core.calls import Call, FieldReader, Refused, mentees_only
from handlers.core.cards import Block, Bold, Button, Card, Cmd, Note, buttons, say
from handlers.core.contacts import ask_coordinator
from handlers.core.forms import ChoiceField, DateField, Form, FormErrors, options_of
from handlers.core.requests import Reply, notice
from handlers.core.router import router
from handlers.people.recipients import is_coordinator, only_for
from program.core.times import say_day
from program.record.ledger import Leave
from program.record.policy import LeaveRules
from program.record.stated_days import stated_day
from program.record.wording import RecordLine
from storage.core.work import Work
from storage.outbox import deliveries, kinds
from storage.outbox.deliveries import Delivery
from storage.people import cohorts, people
from storage.record import enrolments, leaves, ledger
from storage.record.ledger import Line

MENTEES = frozenset({"mentee"})

OUTCOMES = {"granted": "approved"}  # in words; the others are words already


@router.command("leave", "Ask for a leave of absence", who=MENTEES, help={"mentee": 13})
def leave_command(call: Call) -> Reply:
    """The leave one is on, with the way back; a request that waits for a decision; else the form that asks for one."""
    mine = leaves.running(call.work.tx, call.my_id, enrolments.today_of(call.work, call.my_id))
    waiting = _waiting_blocks(call)
    if mine is None:
        return Reply(card=Card("", waiting)) if waiting else Reply(form=_form(call))
    another = (
        ()
        if waiting or mine.ends is None
        else (Button("Ask for another leave", untyped("leave.new"), opens_form=True),)
    )
    on_leave = (say(f"{span_words(mine.starts, mine.ends)}."), buttons(back_button(mine.id), *another))
    return Reply(card=Card("You are on leave", (*on_leave, *waiting)))


@router.press("leave.new")
def leave_form(call: Call) -> Reply:
    mentees_only(call)
    waiting = _waiting_blocks(call)
    return Reply(card=Card("", waiting)) if waiting else Reply(form=_form(call))


def _rules(call: Call) -> LeaveRules:
    mentees_only(call)
    enrolled = enrolments.of_person(call.work.tx, call.my_id)
    if enrolled is None or enrolled.policy.leave is None:
        raise Refused(f"The program has no rules for leave. {ask_coordinator(call.work.tx)}")
    return enrolled.policy.leave


# A request that waits for a decision -------------------------------------------------------------


def _waiting_blocks(call: Call) -> tuple[Block, ...]:
    """The asker's requests that nobody decided yet, each with what may be done about it; empty where there is none."""
    lines = [line for line in ledger.of_person(call.work.tx, call.my_id) if line.kind == "leave"]
    decided = {line.target_id for line in lines}
    blocks: list[Block] = []
    for line in lines:
        if line.step == "asked" and line.id not in decided:
            starts, ends = leaves.span(line.detail)
            days = span_words(starts, ends) if ends else f"from {say_day(starts)}"
            withdraw = Button("Withdraw", untyped("leave.withdraw", line.id))
            change = Button("Ask for other dates", untyped("leave.change", line.id), opens_form=True)
            blocks += [say(f"Your leave request ({days}) is waiting for a decision."), buttons(withdraw, change)]
    return tuple(blocks)


def _own_waiting(call: Call) -> RecordLine:
    """The asker's own request that a button or form names, while nobody decided it.

    Raises:
        Refused: there is none, it is somebody else's, or it is decided.
    """
    line = ledger.get(call.work.tx, call.id_at(0))
    if line is None or line.person_id != call.my_id or (line.kind, line.step) != ("leave", "asked"):
        raise Refused("I can't find that leave request.")
    outcome = _outcome(call.work, line)
    if outcome:
        raise Refused(f"That leave request is already {OUTCOMES.get(outcome, outcome)}.")
    return line


def _withdraw(call: Call, line: RecordLine) -> None:
    taken_back = Line("leave", "withdrawn", line.happened_at, call.my_id, "self", target_id=line.id, reason=line.reason)
    ledger.add(call.work, call.my_id, taken_back)
    deliveries.refresh(call.work, line.id, kinds.LEAVE_DECIDE)


@router.press("leave.withdraw")
def withdraw(call: Call) -> Reply:
    line = _own_waiting(call)
    _withdraw(call, line)
    told = say(f"Your leave request is withdrawn: {_span(line)}.")
    ask = Button("Ask for a leave", untyped("leave.new"), opens_form=True)
    return Reply(replace=Card("", (told, buttons(ask))))


@router.press("leave.change")
def change_form(call: Call) -> Reply:
    """The form with what was asked for; sending it takes the place of the request that waits."""
    return Reply(form=_form(call, _own_waiting(call)))


# Asking ------------------------------------------------------------------------------------------


def _form(call: Call, earlier: RecordLine | None = None) -> Form:
    """``earlier``: the request that this one takes the place of."""
    rules = _rules(call)
    today = enrolments.today_of(call.work, call.my_id)
    starts, ends = leaves.span(earlier.detail) if earlier else (today, None)
    named = () if earlier is None else (earlier.id,)
    return Form(
        "Leave of absence",
        untyped("leave.asked", *named),
        opener=untyped("leave.change", *named) if earlier else untyped("leave.new"),
        submit="Send request",
        blocks=(
            Note(
                (
                    "This pauses the whole program for you. To pause only check-ins, send ",
                    Cmd("snooze until DATE"),
                    ".",
                )
            ),
        ),
        fields=(
            DateField("starts", "First day", starts),
            DateField("ends", "Last day, if you know it", ends, optional=True),
            ChoiceField("reason", "Why", options_of(rules.reasons), earlier.reason if earlier else ""),
        ),
    )


@router.submit("leave.asked")
def asked(call: Call) -> Reply:
    """Take a request. A second one is not taken while one waits, unless it names that one and takes its place."""
    rules = _rules(call)
    earlier = _own_waiting(call) if call.args else None
    if earlier is None and (waiting := _waiting_blocks(call)):
        return Reply(card=Card("", waiting))
    read = FieldReader(call.values)
    starts = read.day("starts", needed="Choose the first day.")
    ends = read.day("ends")
    reason = read.choice("reason", tuple(rules.reasons), needed="Choose a reason.")
    read.check()
    if starts is None or (ends is not None and ends < starts):
        raise FormErrors({"ends": "The last day must be after the first day."})
    if granted := leaves.overlapping(call.work.tx, call.my_id, starts, ends):
        raise FormErrors({"starts": f"You have leave on these days already: {_spans(granted)}. Choose other days."})
    if earlier is not None:
        _withdraw(call, earlier)
    line_id = ledger.add(call.work, call.my_id, leave_line("asked", starts, ends, reason, call.my_id, "self"))
    for coordinator in people.coordinators(call.work.tx):
        deliveries.to_person(call.work, kinds.LEAVE_DECIDE, coordinator.id, line_id)
    return notice("Request sent. I'll tell you the decision.")


def leave_line(step: str, starts: date, ends: date | None, reason: str, by: UUID, verified: str) -> Line:
    detail = {"starts": starts.isoformat(), "ends": ends.isoformat() if ends else None}
    return Line("leave", step, stated_day(starts), by, verified, reason=reason, detail=detail)


def _outcome(work: Work, line: RecordLine) -> str:
    decided = [later.step for later in ledger.about(work.tx, line.id) if later.kind == "leave"]
    return decided[-1] if decided else ""


def span_words(starts: date, ends: date | None) -> str:
    return say_day(starts) + (f" to {say_day(ends)}" if ends else ", until further notice")


def _spans(granted: list[Leave]) -> str:
    return "; ".join(span_words(leave.starts, leave.ends) for leave in granted)


def _span(line: RecordLine) -> str:
    return span_words(*leaves.span(line.detail))


@router.delivery(kinds.LEAVE_DECIDE)
@only_for(is_coordinator)
def decide_card(work: Work, item: Delivery) -> Card | None:
    line = ledger.get(work.tx, UUID(item.subject))
    return None if line is None else _question(work, line)


def _question(work: Work, line: RecordLine) -> Card:
    """The question to the coordinator, or what was decided."""
    rules = enrolments.policy_of(work.tx, line.person_id).leave
    why = rules.reasons.get(line.reason, line.reason) if rules else line.reason
    told = say(Bold(people.get(work.tx, line.person_id).name), f": {_span(line)} ({why}).")
    outcome = _outcome(work, line)
    if outcome:
        return Card(f"Leave {OUTCOMES.get(outcome, outcome)}", (told,))
    items = buttons(
        Button("Approve", untyped("leave.decide", line.id, "yes"), style="primary"),
        Button("Decline", untyped("leave.decide", line.id, "no"), confirm="Decline the leave? I'll tell the mentee."),
    )
    return Card("A leave request to decide", (told, items))


def refuse_double(work: Work, person_id: UUID, starts: date, ends: date | None) -> None:
    """Nobody is given two leaves for the same day: whoever came back from one would still be on the other.

    Raises:
        FormErrors: somebody has a leave on one of these days.
    """
    granted = leaves.overlapping(work.tx, person_id, starts, ends)
    if granted:
        name = people.get(work.tx, person_id).name
        raise FormErrors({"starts": f"{name} has leave on these days already: {_spans(granted)}."})


def request_first(work: Work, person_id: UUID, starts: date, ends: date | None) -> Card | None:
    """The question of a request that waits for the same days: it is decided before a leave is given by hand."""
    lines = [line for line in ledger.of_person(work.tx, person_id) if line.kind == "leave"]
    decided = {line.target_id for line in lines}
    for line in lines:
        if line.step == "asked" and line.id not in decided:
            first, last = leaves.span(line.detail)
            if max(starts, first) <= min(ends or leaves.NO_END, last or leaves.NO_END):
                question = _question(work, line)
                note = say("Nothing is saved. This request is for the same days, so decide it first.")
                return replace(question, blocks=(note, *question.blocks))
    return None


@router.press("leave.show")
def show(call: Call) -> Reply:
    """A request to decide, from a list of what waits."""
    line = ledger.get(call.work.tx, call.id_at(0))
    if line is None or not call.me.coordinator or line.kind != "leave" or line.step != "asked":
        raise Refused("I can't find that leave request.")
    return Reply(card=_question(call.work, line))


@router.press("leave.decide")
def decide(call: Call) -> Reply:
    line = ledger.get(call.work.tx, call.id_at(0))
    if line is None or not call.me.coordinator or line.kind != "leave" or line.step != "asked":
        raise Refused("I can't find that leave request.")
    already = _outcome(call.work, line)
    if already:
        withdrawn = "The mentee withdrew this request."
        raise Refused(withdrawn if already == "withdrawn" else "That's already decided.")
    outcome = "granted" if call.args[1:2] == ("yes",) else "declined"
    if outcome == "granted":
        _refuse_grant(call.work, line)
    settled = Line(
        "leave",
        outcome,
        line.happened_at,
        call.my_id,
        "coordinator",
        target_id=line.id,
        reason=line.reason,
        detail=line.detail,
    )
    ledger.add(call.work, line.person_id, settled)
    refresh_schedule(call.work, [line.person_id])
    deliveries.refresh(call.work, line.id, kinds.LEAVE_DECIDE)
    deliveries.to_person(call.work, kinds.LEAVE_ANSWER, line.person_id, line.id)
    return Reply(replace=_question(call.work, line))


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
        raise Refused(f"{name} has leave on these days already: {_spans(granted)}. You can decline this request.")


@router.delivery(kinds.LEAVE_ANSWER)
def answer_card(work: Work, item: Delivery) -> Card | None:
    line = ledger.get(work.tx, UUID(item.subject))
    outcome = _outcome(work, line) if line else ""
    if line is None or not outcome:
        return None
    if outcome != "granted":
        return Card(f"Your leave is {OUTCOMES.get(outcome, outcome)}", (say(f"{_span(line)}."),))
    granted = next(later for later in ledger.about(work.tx, line.id) if later.step == "granted")
    text = say(f"{_span(line)}. You won't get check-ins during your leave. Everything you did still counts.")
    return Card("Your leave is approved", (text, buttons(back_button(granted.id))))


# Coming back ------------------------------------------------------------------------------------


def back_button(leave_id: UUID, label: str = "I'm back") -> Button:
    return Button(label, untyped("leave.end", leave_id), opens_form=True)


@router.press("leave.end")
def back_form(call: Call) -> Reply:
    person_id, mine = _ending(call)
    return Reply(
        form=Form(
            "Back from leave",
            untyped("leave.ended", mine.id),
            opener=untyped("leave.end", mine.id),
            blocks=(say(Bold(people.get(call.work.tx, person_id).name), f": {span_words(mine.starts, mine.ends)}."),),
            fields=(DateField("day", "First day back", enrolments.today_of(call.work, person_id)),),
        )
    )


def _ending(call: Call) -> tuple[UUID, Leave]:
    """Whose leave it is and what it is: one's own, or anybody's for a coordinator."""
    line = ledger.get(call.work.tx, call.id_at(0))
    if line is None or not (call.me.coordinator or line.person_id == call.my_id):
        raise Refused("I can't find that leave request.")
    mine = next((leave for leave in leaves.of_person(call.work.tx, line.person_id) if leave.id == line.id), None)
    if mine is None:
        raise Refused("That leave was taken back.")
    return line.person_id, mine


@router.submit("leave.ended")
def ended(call: Call) -> Reply:
    """End every leave of that day on the day before the first day back: more lines say so, the leaves stay recorded."""
    person_id, mine = _ending(call)
    read = FieldReader(call.values)
    day = read.day("day", needed="Choose the first day back.")
    if day is not None and day < mine.starts:
        read.errors["day"] = f"The leave starts on {say_day(mine.starts)}. Choose that day or a later one."
    if day is not None and mine.ends is not None and day > mine.ends:
        read.errors["day"] = f"The leave ends on {say_day(mine.ends)}. Choose that day or an earlier one."
    read.check()
    if day is None:
        raise FormErrors({"day": "Choose the first day back."})
    own = person_id == call.my_id
    others = [leave for leave in leaves.overlapping(call.work.tx, person_id, day, day) if leave.id != mine.id]
    lines = [_end(call, person_id, leave, day, own=own) for leave in (mine, *others)]
    refresh_schedule(call.work, [person_id])
    line_id = lines[0]
    if not own:
        deliveries.to_person(call.work, kinds.RECORD_CHANGED, person_id, line_id)
        saved = say(f"Saved. The first day back is {say_day(day)}. I'll tell the mentee.")
        undo = buttons(Button("Undo", untyped("records.undo", person_id, line_id)))
        return Reply(card=Card("", (saved, undo) if len(lines) == 1 else (saved,)))
    for coordinator in people.coordinators(call.work.tx):
        deliveries.to_person(call.work, kinds.LEAVE_BACK, coordinator.id, line_id)
    return notice(f"Welcome back! Your first day is {say_day(day)}. I told your coordinator.")


def _end(call: Call, person_id: UUID, leave: Leave, day: date, *, own: bool) -> UUID:
    """Record that a leave ends before ``day``; the id of the line."""
    ends, verified = day - timedelta(days=1), "self" if own else "coordinator"
    line = leave_line("ended", leave.starts, ends, leave.reason, call.my_id, verified)
    return ledger.add(call.work, person_id, replace(line, target_id=leave.id, happened_at=stated_day(day)))


@router.delivery(kinds.LEAVE_BACK)
@only_for(is_coordinator)
def back_card(work: Work, item: Delivery) -> Card | None:
    line = ledger.get(work.tx, UUID(item.subject))
    if line is None:
        return None
    day = say_day(line.day(enrolments.policy_of(work.tx, line.person_id).program.zone))
    who = Bold(people.get(work.tx, line.person_id).name)
    return Card("Back from leave", (say(who, f" is back from leave. The first day back is {day}."),))
