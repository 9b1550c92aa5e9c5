"""Leaving the program before the end: the coordinator records it with a reason; it can be undone."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from handlers.checkins.schedule import refresh_schedule
from handlers.core.actions import Action, action
from handlers.core.calls import Call, Refused
from handlers.core.cards import Bold, Button, Card, Note, buttons, say
from handlers.core.forms import ChoiceField, Fields, Form, options_of
from handlers.core.requests import Reply
from handlers.core.router import router
from handlers.people.handover import hand_over
from handlers.record.changed_notice import tell
from handlers.record.completion import goodbye
from handlers.record.enrolled import mentee_of
from handlers.record.record_actions import OpenDeparture
from storage.outbox import deliveries, kinds
from storage.people import cohorts
from storage.people.cohorts import Cohort
from storage.people.people import Person
from storage.record import ledger
from storage.record.ledger import Line

REASONS = {
    "position": "Left the position or the profession",
    "moved": "Moved out of the program's area",
    "own_wish": "Chose to leave",
    "other": "Another reason",
}


@action("departures.left")
class RecordDeparture(Action):
    """Remove a mentee from the program."""

    person_id: UUID


@action("departures.undo")
class UndoDeparture(Action):
    """Put a mentee back into the cohorts that they left."""

    person_id: UUID
    line_id: UUID


@dataclass(frozen=True, slots=True)
class Departure:
    """Why somebody leaves, by its code."""

    reason: str


FIELDS = Fields(Departure, ChoiceField("reason", "Why", options_of(REASONS), needed="Choose a reason."))


@router.press(OpenDeparture)
def leave_form(call: Call, pressed: OpenDeparture) -> Reply:
    """Open the form that asks for the reason."""
    person, here = _mentee_with_cohorts(call, pressed.person_id)
    names = " and ".join(cohort.name for cohort in here)
    return Reply(
        form=Form(
            "Remove from program",
            RecordDeparture(person.id),
            opener=OpenDeparture(person.id),
            submit="Remove from program",
            blocks=(
                say(Bold(person.name), f" will leave {names} and the program today, before completing the two years."),
                Note(
                    (
                        "I'll stop sending check-ins and reminders today. The record is kept. You can undo "
                        "this, and the record will show both.",
                    )
                ),
            ),
            fields=FIELDS.shown,
        )
    )


def _mentee_with_cohorts(call: Call, person_id: UUID) -> tuple[Person, list[Cohort]]:
    """A mentee and their cohorts, for a coordinator.

    Raises:
        Refused: the asker is no coordinator, or this person is a mentee in no cohort.
    """
    person, _ = mentee_of(call, person_id)
    here = cohorts.shared_cohorts(call.work.tx, person.id, ("mentee",))
    if not here:
        raise Refused(f"{person.name} is not a mentee in any cohort.")
    return person, here


@router.submit(RecordDeparture)
def left(call: Call, sent: RecordDeparture) -> Reply:
    """Record that the mentee left, end their memberships, and offer the way back."""
    person, here = _mentee_with_cohorts(call, sent.person_id)
    reason = FIELDS.read(call.values).reason
    detail = {"cohorts": [cohort.id.hex for cohort in here], "from": [cohort.name for cohort in here]}
    line = Line("departure", "left", call.work.now, call.my_id, "coordinator", reason=reason, detail=detail)
    line_id = ledger.add(call.work, person.id, line)
    for cohort in here:
        cohorts.leave(call.work, cohort.id, person.id, call.my_id)
    hand_over(call.work, [person.id])
    goodbye(call.work, person.id)
    undo = buttons(Button("Undo", UndoDeparture(person.id, line_id)))
    told = say(Bold(person.name), " has left the program. I offered them a copy of their record.")
    return Reply(card=Card("", (told, undo)))


@router.press(UndoDeparture)
def undo(call: Call, pressed: UndoDeparture) -> Reply:
    """Back into the same cohorts: another line says so."""
    person, _ = mentee_of(call, pressed.person_id)
    line = ledger.get(call.work.tx, pressed.line_id)
    if line is None or line.person_id != person.id or (line.kind, line.step) != ("departure", "left"):
        raise Refused("I can't find that anymore.")
    if cohorts.shared_cohorts(call.work.tx, person.id, ("mentee",)):
        raise Refused(f"{person.name} is back in the program already.")
    back = Line("departure", "withdrawn", call.work.now, call.my_id, "coordinator", target_id=line.id)
    back_id = ledger.add(call.work, person.id, back)
    others = {cohort.id for cohort in cohorts.shared_cohorts(call.work.tx, person.id)}  # where they are a mentor by now
    for cohort_id in (UUID(row) for row in line.detail["cohorts"]):
        if cohort_id not in others:
            cohorts.join(call.work, cohort_id, person.id, "mentee", call.my_id)
    hand_over(call.work, [person.id])
    refresh_schedule(call.work, [person.id])
    deliveries.refresh(call.work, person.id, kinds.COMPLETION_LEFT)
    tell(call.work, back_id, person.id)
    return Reply(replace=Card("", (say(f"Undone. {person.name} is back in the program. The record shows both."),)))
