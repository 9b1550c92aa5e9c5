"""The message to a mentee whose record somebody else changed."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from handlers.core.cards import Button, Card, buttons, say
from handlers.core.command_actions import RunCommand
from handlers.core.router import router
from handlers.record.leave_requests import span_words
from program.core.times import say_day
from program.record.disputable import attendance_in_words
from program.record.wording import RecordLine
from storage.core.work import Work
from storage.outbox import deliveries, kinds
from storage.outbox.deliveries import Delivery
from storage.record import enrolments, leaves, ledger, policies

KINDS = ("transfer", "credit", "waiver", "leave", "policy", "departure")
STEPS = ("made", "granted", "moved", "ended", "withdrawn")  # what somebody else did to the record


def tell(work: Work, line: UUID, person_id: UUID) -> None:
    """Tell a mentee about a line that another person added to their record."""
    deliveries.to_person(work, kinds.RECORD_CHANGED, person_id, line)


@router.delivery(kinds.RECORD_CHANGED)
def changed_card(work: Work, item: Delivery) -> Card | None:
    """Each message tells of the line that it is about, however many came after it."""
    line = ledger.get(work.tx, UUID(item.subject)) or _newest(work, item.person_id)
    if line is None or item.person_id not in (None, line.person_id):
        return None  # a line of somebody else's record is never told
    see = buttons(
        Button("My progress", RunCommand("progress")),
        Button("This is wrong", RunCommand("dispute")),
    )
    return Card("Your record changed", (say(change_sentence(work, line)), see))


def _newest(work: Work, person_id: UUID | None) -> RecordLine | None:
    """The newest change, for a message that an earlier version queued without naming its line."""
    lines = ledger.of_person(work.tx, person_id) if person_id else []
    return next((line for line in reversed(lines) if line.kind in KINDS and line.step in STEPS), None)


def change_sentence(work: Work, line: RecordLine) -> str:
    """Who changed what, for the mentee: "Carol Dietz removed your credit: 3 meetings in year 1."."""
    who = "You" if line.verified == "self" else line.by or "The operator"
    return f"{who} {_what_changed(work, line)}."


def _what_changed(work: Work, line: RecordLine) -> str:
    if line.kind == "attendance":
        return _corrected_attendance(work, line)
    if line.kind == "departure":
        return "put you back in the program"
    if line.step == "withdrawn":
        return _removed(work, line)
    if line.step == "ended":
        return f"ended your leave. Your first day back is {say_day(line.day(_zone(work, line)))}"
    match line.kind:
        case "transfer":
            return f"moved you to {line.detail['to']}, starting {say_day(date.fromisoformat(line.detail['on']))}"
        case "policy":
            return f"changed your requirements to {policies.get(work.tx, line.detail['to']).title}"
        case "leave":
            return f"gave you a leave of absence: {span_words(*leaves.span(line.detail))}"
        case "credit":
            return f"credited you with {_amount(work, line)}"
    return f"waived {_amount(work, line)} for you"


def _zone(work: Work, line: RecordLine) -> str:
    return enrolments.policy_of(work.tx, line.person_id).program.zone


def _corrected_attendance(work: Work, line: RecordLine) -> str:
    """The record before and after: "corrected your attendance at Goals, Thu Sep 10, 2026, from absent to present"."""
    earlier = [
        attendance_in_words(before)
        for before in ledger.of_person(work.tx, line.person_id)
        if (before.kind, before.meeting_id) == ("attendance", line.meeting_id)
        and before.step != "tapped"
        and before.position < line.position
    ]
    day = say_day(line.day(_zone(work, line)))
    before = f"from {earlier[-1]} " if earlier else ""
    return f"corrected your attendance at {line.topic}, {day}, {before}to {attendance_in_words(line)}"


def _removed(work: Work, line: RecordLine) -> str:
    """What a line undoes; it names the credit, the waiver or the leave that it is about."""
    undone = ledger.get(work.tx, line.target_id) if line.target_id else None
    if undone is None:
        return f"removed your {line.kind}"
    if undone.step == "ended":
        return "continued your leave"
    if undone.kind == "leave":
        return f"removed your leave of absence: {span_words(*leaves.span(undone.detail))}"
    return f"removed your {undone.kind}: {_amount(work, undone)}"


def _amount(work: Work, line: RecordLine) -> str:
    """How much of what a credit or a waiver is for: "3 meetings in year 1"."""
    rule = enrolments.policy_of(work.tx, line.person_id).rule(line.code)
    name = rule.name if rule else line.code
    year = f" in year {line.detail['year']}" if line.detail["year"] else ""
    amount = line.detail["amount"]
    if amount is None:
        return f"{name.lower()}{year}"
    if amount != 1:
        return f"{amount} {name.lower()}{year}"
    # Only of our own word do we know the singular; a policy may name a rule as it likes.
    return f"1 meeting{year}" if name.lower() == "meetings" else f"1 under “{name}”{year}"
