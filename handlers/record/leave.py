"""Leaves of absence: asked by the mentee, granted by the coordinator, from a date, with a reason in a code.

Either of them ends a leave from a day on.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

from handlers.checkins.schedule import refresh_turns
from handlers.core.cards import (
    Bold,
    Button,
    Card,
    ChoiceField,
    Cmd,
    DateField,
    Form,
    Note,
    action,
    buttons,
    options_of,
    say,
)
from handlers.core.requests import Reply, notice
from handlers.core.router import Call, FieldReader, FormErrors, Refused, mentees_only, router
from handlers.people.contacts import ask_coordinator
from program.core.times import PROGRAM_ZONE, local_day, midnight, say_day
from program.record.ledger import Leave
from program.record.policy import LeaveRules
from program.record.wording import RecordLine
from storage.core.work import Work
from storage.outbox import deliveries
from storage.outbox.deliveries import Delivery
from storage.people import people
from storage.record import enrolments, leaves, ledger
from storage.record.ledger import Line

MENTEES = frozenset({"mentee"})

OUTCOMES = {"granted": "approved"}  # in words; the others are words already


@router.command("leave", "Ask for a leave of absence", who=MENTEES)
def leave_command(call: Call) -> Reply:
    """The leave one is on, with the way back; else the form that asks for one."""
    mine = leaves.running(call.work.tx, call.my_id, local_day(call.work.now, call.me.zone))
    if mine is None:
        return Reply(form=_form(call))
    items = buttons(back_button(mine.id), Button("Ask for another leave", action("leave.new"), opens_form=True))
    return Reply(card=Card("You are on leave", (say(f"{span_words(mine.starts, mine.ends)}."), items)))


@router.press("leave.new")
def leave_form(call: Call) -> Reply:
    return Reply(form=_form(call))


def _rules(call: Call) -> LeaveRules:
    mentees_only(call)
    found = enrolments.of_person(call.work.tx, call.my_id)
    if found is None or found.policy.leave is None:
        raise Refused(f"The program has no rules for leave. {ask_coordinator(call.work.tx)}")
    return found.policy.leave


def _form(call: Call) -> Form:
    rules = _rules(call)
    return Form(
        "Leave of absence",
        action("leave.asked"),
        opener=action("leave.new"),
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
            DateField("starts", "First day", local_day(call.work.now, call.me.zone)),
            DateField("ends", "Last day, if you know it", None, optional=True),
            ChoiceField("reason", "Why", options_of(rules.reasons)),
        ),
    )


@router.submit("leave.asked")
def asked(call: Call) -> Reply:
    rules = _rules(call)
    read = FieldReader(call.values)
    starts = read.day("starts", needed="Choose the first day.")
    ends = read.day("ends")
    reason = read.choice("reason", tuple(rules.reasons), needed="Choose a reason.")
    read.check()
    if starts is None or (ends is not None and ends < starts):
        raise FormErrors({"ends": "The last day must be after the first day."})
    line_id = ledger.add(call.work, call.my_id, leave_line("asked", starts, ends, reason, call.my_id, "self"))
    for one in people.coordinators(call.work.tx):
        deliveries.to_person(call.work, "leave.decide", one.id, line_id)
    return notice("Request sent. I'll tell you the decision.")


def leave_line(step: str, starts: date, ends: date | None, reason: str, by: UUID, verified: str) -> Line:
    detail = {"starts": starts.isoformat(), "ends": ends.isoformat() if ends else None}
    return Line("leave", step, midnight(starts), by, verified, reason=reason, detail=detail)


def _outcome(work: Work, line: RecordLine) -> str:
    decided = [one.step for one in ledger.about(work.tx, line.id) if one.kind == "leave"]
    return decided[-1] if decided else ""


def span_words(starts: date, ends: date | None) -> str:
    return say_day(starts) + (f" to {say_day(ends)}" if ends else ", until further notice")


def _span(line: RecordLine) -> str:
    return span_words(*leaves.span(line.detail))


@router.delivery("leave.decide")
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
        Button("Approve", action("leave.decide", line.id, "yes"), style="primary"),
        Button("Decline", action("leave.decide", line.id, "no"), confirm="Decline the leave? I'll tell the mentee."),
    )
    return Card("A leave request to decide", (told, items))


@router.press("leave.decide")
def decide(call: Call) -> Reply:
    line = ledger.get(call.work.tx, call.id_at(0))
    if line is None or not call.me.coordinator or line.kind != "leave" or line.step != "asked":
        raise Refused("I can't find that leave request.")
    if _outcome(call.work, line):
        raise Refused("That's already decided.")
    outcome = "granted" if call.args[1:2] == ("yes",) else "declined"
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
    refresh_turns(call.work, [line.person_id])
    deliveries.refresh(call.work, line.id, "leave.decide")
    deliveries.to_person(call.work, "leave.answer", line.person_id, line.id)
    return Reply(replace=_question(call.work, line))


@router.delivery("leave.answer")
def answer_card(work: Work, item: Delivery) -> Card | None:
    line = ledger.get(work.tx, UUID(item.subject))
    outcome = _outcome(work, line) if line else ""
    if line is None or not outcome:
        return None
    if outcome != "granted":
        return Card(f"Your leave is {OUTCOMES.get(outcome, outcome)}", (say(f"{_span(line)}."),))
    granted = next(one for one in ledger.about(work.tx, line.id) if one.step == "granted")
    text = say(f"{_span(line)}. You won't get check-ins during your leave. Everything you did still counts.")
    return Card("Your leave is approved", (text, buttons(back_button(granted.id))))


# Coming back ------------------------------------------------------------------------------------


def back_button(leave_id: UUID, label: str = "I'm back") -> Button:
    return Button(label, action("leave.end", leave_id), opens_form=True)


@router.press("leave.end")
def back_form(call: Call) -> Reply:
    person_id, mine = _ending(call)
    return Reply(
        form=Form(
            "Back from leave",
            action("leave.ended", mine.id),
            opener=action("leave.end", mine.id),
            blocks=(say(Bold(people.get(call.work.tx, person_id).name), f": {span_words(mine.starts, mine.ends)}."),),
            fields=(DateField("day", "First day back", local_day(call.work.now, call.me.zone)),),
        )
    )


def _ending(call: Call) -> tuple[UUID, Leave]:
    """Whose leave it is and what it is: one's own, or anybody's for a coordinator."""
    line = ledger.get(call.work.tx, call.id_at(0))
    if line is None or not (call.me.coordinator or line.person_id == call.my_id):
        raise Refused("I can't find that leave request.")
    mine = next((one for one in leaves.of_person(call.work.tx, line.person_id) if one.id == line.id), None)
    if mine is None:
        raise Refused("That leave was taken back.")
    return line.person_id, mine


@router.submit("leave.ended")
def ended(call: Call) -> Reply:
    """End a leave on the day before the first day back: another line says so, the leave stays recorded."""
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
    ends = day - timedelta(days=1)
    line = leave_line("ended", mine.starts, ends, mine.reason, call.my_id, "self" if own else "coordinator")
    line_id = ledger.add(call.work, person_id, replace(line, target_id=mine.id, happened_at=midnight(day)))
    refresh_turns(call.work, [person_id])
    if not own:
        deliveries.to_person(call.work, "record.changed", person_id, person_id, tag=line_id)
        undo = buttons(Button("Undo", action("records.undo", person_id, line_id)))
        return Reply(card=Card("", (say(f"Saved. The first day back is {say_day(day)}. I'll tell the mentee."), undo)))
    for one in people.coordinators(call.work.tx):
        deliveries.to_person(call.work, "leave.back", one.id, line_id)
    return notice(f"Welcome back! Your first day is {say_day(day)}. I told your coordinator.")


@router.delivery("leave.back")
def back_card(work: Work, item: Delivery) -> Card | None:
    line = ledger.get(work.tx, UUID(item.subject))
    if line is None:
        return None
    day = say_day(local_day(line.happened_at, PROGRAM_ZONE))
    who = Bold(people.get(work.tx, line.person_id).name)
    return Card("Back from leave", (say(who, f" is back from leave. The first day back is {day}."),))
