"""The end of a leave: the mentee or a coordinator says which day is the first one back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from uuid import UUID

from handlers.checkins.schedule import refresh_schedule
from handlers.core.actions import Action, action
from handlers.core.calls import Call, Refused
from handlers.core.cards import Bold, Button, Card, buttons, say
from handlers.core.forms import DateField, Fields, Form, FormErrors
from handlers.core.requests import Reply, notice
from handlers.core.router import router
from handlers.people.recipients import is_coordinator, only_for
from handlers.record.leave_requests import leave_line, span_words
from handlers.record.record_actions import UndoEntry
from program.core.times import say_day
from program.record.ledger import Leave
from program.record.stated_days import stated_day
from storage.core.work import Work
from storage.outbox import deliveries, kinds
from storage.outbox.deliveries import Delivery
from storage.people import people
from storage.record import enrolments, leaves, ledger


@action("leave.end")
class OpenReturn(Action):
    """Open the form that ends a leave."""

    leave_id: UUID


@action("leave.ended")
class EndLeave(Action):
    """End a leave on the day before the first day back."""

    leave_id: UUID


@dataclass(frozen=True, slots=True)
class FirstDayBack:
    """The day that the form names."""

    day: date


def _fields(today: date | None = None) -> Fields[FirstDayBack]:
    return Fields(FirstDayBack, DateField("day", "First day back", today, needed="Choose the first day back."))


def back_button(leave_id: UUID, label: str = "I'm back") -> Button:
    """The button that opens the form for the first day back."""
    return Button(label, OpenReturn(leave_id), opens_form=True)


@router.press(OpenReturn)
def back_form(call: Call, pressed: OpenReturn) -> Reply:
    """Open the form for the first day back."""
    person_id, mine = _ending(call, pressed.leave_id)
    return Reply(
        form=Form(
            "Back from leave",
            EndLeave(mine.id),
            opener=OpenReturn(mine.id),
            blocks=(say(Bold(people.get(call.work.tx, person_id).name), f": {span_words(mine.starts, mine.ends)}."),),
            fields=_fields(enrolments.today_of(call.work, person_id)).shown,
        )
    )


def _ending(call: Call, leave_id: UUID) -> tuple[UUID, Leave]:
    """Whose leave it is and what it is: one's own, or anybody's for a coordinator.

    Raises:
        Refused: there is none, it is somebody else's, or it was taken back.
    """
    line = ledger.get(call.work.tx, leave_id)
    if line is None or not (call.me.coordinator or line.person_id == call.my_id):
        raise Refused("I can't find that leave request.")
    mine = next((leave for leave in leaves.of_person(call.work.tx, line.person_id) if leave.id == line.id), None)
    if mine is None:
        raise Refused("That leave was taken back.")
    return line.person_id, mine


@router.submit(EndLeave)
def ended(call: Call, sent: EndLeave) -> Reply:
    """End every leave of that day on the day before the first day back: more lines say so, the leaves stay recorded."""
    person_id, mine = _ending(call, sent.leave_id)
    day = _fields().read(call.values).day
    _check_first_day(mine, day)
    own = person_id == call.my_id
    others = [leave for leave in leaves.overlapping(call.work.tx, person_id, day, day) if leave.id != mine.id]
    lines = [_end(call, person_id, leave, day, own=own) for leave in (mine, *others)]
    refresh_schedule(call.work, [person_id])
    if not own:
        return _tell_mentee(call, person_id, lines, day)
    for coordinator in people.coordinators(call.work.tx):
        deliveries.to_person(call.work, kinds.LEAVE_BACK, coordinator.id, lines[0])
    return notice(f"Welcome back! Your first day is {say_day(day)}. I told your coordinator.")


def _check_first_day(mine: Leave, day: date) -> None:
    """Raises FormErrors where the day is not one of the leave's."""
    if day < mine.starts:
        raise FormErrors({"day": f"The leave starts on {say_day(mine.starts)}. Choose that day or a later one."})
    if mine.ends is not None and day > mine.ends:
        raise FormErrors({"day": f"The leave ends on {say_day(mine.ends)}. Choose that day or an earlier one."})


def _tell_mentee(call: Call, person_id: UUID, lines: list[UUID], day: date) -> Reply:
    """Tell the mentee that a coordinator ended the leave; a single line can be undone at once."""
    deliveries.to_person(call.work, kinds.RECORD_CHANGED, person_id, lines[0])
    saved = say(f"Saved. The first day back is {say_day(day)}. I'll tell the mentee.")
    undo = buttons(Button("Undo", UndoEntry(person_id, lines[0])))
    return Reply(card=Card("", (saved, undo) if len(lines) == 1 else (saved,)))


def _end(call: Call, person_id: UUID, leave: Leave, day: date, *, own: bool) -> UUID:
    """Record that a leave ends before ``day``; the id of the line."""
    ends, verified = day - timedelta(days=1), "self" if own else "coordinator"
    line = leave_line("ended", leave.starts, ends, leave.reason, call.my_id, verified)
    return ledger.add(call.work, person_id, replace(line, target_id=leave.id, happened_at=stated_day(day)))


@router.delivery(kinds.LEAVE_BACK)
@only_for(is_coordinator)
def back_card(work: Work, item: Delivery) -> Card | None:
    """The first day back, for a coordinator; None: the line is not there."""
    line = ledger.get(work.tx, UUID(item.subject))
    if line is None:
        return None
    day = say_day(line.day(enrolments.policy_of(work.tx, line.person_id).program.zone))
    who = Bold(people.get(work.tx, line.person_id).name)
    return Card("Back from leave", (say(who, f" is back from leave. The first day back is {day}."),))
