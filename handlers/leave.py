"""Leaves of absence: asked by the mentee, granted by the coordinator, from a date, with a reason in a code.

Either of them ends a leave from a day on.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

from handlers.cards import (
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
from handlers.requests import Reply, notice
from handlers.router import Call, FieldReader, FormErrors, Refused, mentees_only, router
from handlers.turns import refresh_turns
from program.policy import LeaveRules
from program.record import Leave
from program.times import PROGRAM_ZONE, local_day, midnight, say_day
from program.wording import RecordLine
from storage import deliveries, enrolments, leaves, ledger, people
from storage.deliveries import Delivery
from storage.ledger import Line
from storage.work import Work

MENTEES = frozenset({"mentee"})


@router.command("leave", "Ask for a leave of absence from the program", who=MENTEES)
def leave_command(call: Call) -> Reply:
    """The leave one is on, with the way back; else the form that asks for one."""
    mine = leaves.running(call.work.tx, call.my_id, local_day(call.work.now, call.me.zone))
    if mine is None:
        return Reply(form=_form(call))
    items = buttons(back_button(mine.id), Button("Ask for another", action("leave.new"), opens_form=True))
    return Reply(card=Card("You are on leave", (say(f"{span_words(mine.starts, mine.ends)}."), items)))


@router.press("leave.new")
def leave_form(call: Call) -> Reply:
    return Reply(form=_form(call))


def _rules(call: Call) -> LeaveRules:
    mentees_only(call)
    found = enrolments.of_person(call.work.tx, call.my_id)
    if found is None or found.policy.leave is None:
        raise Refused("The program's policy knows no leave. Please ask your coordinator.")
    return found.policy.leave


def _form(call: Call) -> Form:
    rules = _rules(call)
    return Form(
        "Leave of absence",
        action("leave.asked"),
        opener=action("leave.new"),
        submit="Ask",
        blocks=(
            Note(
                (
                    "This pauses the two years. To pause check-ins alone, send ",
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
        raise FormErrors({"ends": "The last day is before the first."})
    line_id = ledger.add(call.work, call.my_id, leave_line("asked", starts, ends, reason, call.my_id, "self"))
    for one in people.coordinators(call.work.tx):
        deliveries.to_person(call.work, "leave.decide", one.id, line_id)
    return notice("Asked. The coordinator is told; you hear the answer from me.")


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
        return Card(f"Leave {outcome}", (told,))
    items = buttons(
        Button("Grant", action("leave.decide", line.id, "yes"), style="primary"),
        Button("Decline", action("leave.decide", line.id, "no"), confirm="Decline the leave? The mentee is told."),
    )
    return Card("A leave of absence to decide", (told, items))


@router.press("leave.decide")
def decide(call: Call) -> Reply:
    line = ledger.get(call.work.tx, call.id_at(0))
    if line is None or not call.me.coordinator or line.kind != "leave" or line.step != "asked":
        raise Refused("That is not there.")
    if _outcome(call.work, line):
        raise Refused("That is settled already.")
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
        return Card(f"Your leave is {outcome}", (say(f"{_span(line)}."),))
    granted = next(one for one in ledger.about(work.tx, line.id) if one.step == "granted")
    text = say(f"{_span(line)}. No check-ins come meanwhile; what you did stays.")
    return Card("Your leave is granted", (text, buttons(back_button(granted.id))))


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
        raise Refused("That is not there.")
    mine = next((one for one in leaves.of_person(call.work.tx, line.person_id) if one.id == line.id), None)
    if mine is None:
        raise Refused("That leave was taken back.")
    return line.person_id, mine


@router.submit("leave.ended")
def ended(call: Call) -> Reply:
    """End a leave on the day before the first day back: another line says so, the leave stays recorded."""
    person_id, mine = _ending(call)
    read = FieldReader(call.values)
    day = read.day("day", needed="Choose the day.")
    if day is not None and day < mine.starts:
        read.errors["day"] = f"The leave begins on {say_day(mine.starts)} only."
    if day is not None and mine.ends is not None and day > mine.ends:
        read.errors["day"] = f"The leave ends on {say_day(mine.ends)} anyway."
    read.check()
    if day is None:
        raise FormErrors({"day": "Choose the day."})
    own = person_id == call.my_id
    ends = day - timedelta(days=1)
    line = leave_line("ended", mine.starts, ends, mine.reason, call.my_id, "self" if own else "coordinator")
    line_id = ledger.add(call.work, person_id, replace(line, target_id=mine.id, happened_at=midnight(day)))
    refresh_turns(call.work, [person_id])
    if not own:
        deliveries.to_person(call.work, "record.changed", person_id, person_id, tag=line_id)
        undo = buttons(Button("Undo", action("records.undo", person_id, line_id)))
        return Reply(card=Card("", (say(f"Recorded: the leave ends, {say_day(day)} is the first day back."), undo)))
    for one in people.coordinators(call.work.tx):
        deliveries.to_person(call.work, "leave.back", one.id, line_id)
    return notice(f"Welcome back! Your leave ends, {say_day(day)} is your first day. The coordinator is told.")


@router.delivery("leave.back")
def back_card(work: Work, item: Delivery) -> Card | None:
    line = ledger.get(work.tx, UUID(item.subject))
    if line is None:
        return None
    day = say_day(local_day(line.happened_at, PROGRAM_ZONE))
    who = Bold(people.get(work.tx, line.person_id).name)
    return Card("Back from leave", (say(who, f" is back: {day} is the first day."),))
