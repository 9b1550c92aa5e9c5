"""Leaves of absence: asked by the mentee, granted by the coordinator, from a date, with a reason in a code."""

from __future__ import annotations

from datetime import date, datetime, time
from uuid import UUID

from handlers.cards import Bold, Button, Card, ChoiceField, Cmd, DateField, Form, Note, Option, action, buttons, say
from handlers.requests import Reply, notice
from handlers.router import Call, FieldReader, FormErrors, Refused, router
from handlers.turns import refresh_turns
from program.policy import LeaveRules
from program.times import PROGRAM_ZONE, local_day, say_day, to_utc
from storage import deliveries, enrolments, ledger, people
from storage.deliveries import Delivery
from storage.ledger import Line, Recorded
from storage.work import Work

MENTEES = frozenset({"mentee"})


@router.command("leave", "Ask for a leave of absence from the program", who=MENTEES)
def leave_command(call: Call) -> Reply:
    return Reply(form=_form(call))


@router.press("leave.new")
def leave_form(call: Call) -> Reply:
    return Reply(form=_form(call))


def _rules(call: Call, person_id: UUID) -> LeaveRules:
    found = enrolments.of_person(call.work.tx, person_id)
    if found is None or found.policy.leave is None:
        raise Refused("The program's policy knows no leave. Please ask your coordinator.")
    return found.policy.leave


def _form(call: Call) -> Form:
    rules = _rules(call, call.my_id)
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
            ChoiceField("reason", "Why", tuple(Option(code, label) for code, label in rules.reasons.items())),
        ),
    )


@router.submit("leave.asked")
def asked(call: Call) -> Reply:
    rules = _rules(call, call.my_id)
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
    happened = to_utc(datetime.combine(starts, time()), PROGRAM_ZONE)
    return Line("leave", step, happened, by, verified, reason=reason, detail=detail)


def _outcome(work: Work, line: Recorded) -> str:
    decided = [one.step for one in ledger.about(work.tx, line.id) if one.kind == "leave"]
    return decided[-1] if decided else ""


def _span(line: Recorded) -> str:
    starts, ends = line.detail["starts"], line.detail["ends"]
    until = f" to {say_day(date.fromisoformat(ends))}" if ends else ", until further notice"
    return say_day(date.fromisoformat(starts)) + until


@router.delivery("leave.decide")
def decide_card(work: Work, item: Delivery) -> Card | None:
    line = ledger.get(work.tx, UUID(item.subject))
    return None if line is None else _question(work, line)


def _question(work: Work, line: Recorded) -> Card:
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
    deliveries.refresh(call.work, "leave.decide", line.id)
    deliveries.to_person(call.work, "leave.answer", line.person_id, line.id)
    return Reply(replace=_question(call.work, line))


@router.delivery("leave.answer")
def answer_card(work: Work, item: Delivery) -> Card | None:
    line = ledger.get(work.tx, UUID(item.subject))
    outcome = _outcome(work, line) if line else ""
    if line is None or not outcome:
        return None
    more = " No check-ins come meanwhile; what you did stays." if outcome == "granted" else ""
    return Card(f"Your leave is {outcome}", (say(f"{_span(line)}.{more}"),))
