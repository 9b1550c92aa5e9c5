"""Ending a role: a coordinator removes a mentor from a cohort, or ends another coordinator's role."""

from __future__ import annotations

from uuid import UUID

from handlers.core.actions import Action, action
from handlers.core.calls import Call, Refused, coordinators_only
from handlers.core.cards import Block, Bold, Button, Card, buttons, say
from handlers.core.requests import Reply
from handlers.core.router import router
from handlers.people.handover import coordinators_changed, mentors_changed
from program.core.words import shortened
from storage.core import audit_log
from storage.core.database import Tx
from storage.core.work import Work
from storage.people import cohorts, people
from storage.people.people import Person

COMMAND = "command"  # where the audit log says that a coordinator, not settings or roster, changed the role


@action("removals.mentor")
class RemoveMentor(Action):
    """End a mentor's membership of a cohort."""

    person_id: UUID
    cohort_id: UUID


@action("removals.mentor_back")
class RestoreMentor(Action):
    """Undo the removal of a cohort's mentor."""

    person_id: UUID
    cohort_id: UUID


@action("removals.coordinator")
class EndCoordinator(Action):
    """End a coordinator's role."""

    person_id: UUID


@action("removals.coordinator_back")
class RestoreCoordinator(Action):
    """Undo the end of a coordinator's role."""

    person_id: UUID


def removal_buttons(work: Work, person: Person) -> tuple[Block, ...]:
    """The buttons of a person's card that end a role, each asking first; none for those who have no role."""
    here = cohorts.shared_cohorts(work.tx, person.id, ("mentor",))
    items = [
        Button(
            shortened(f"Remove as mentor of {cohort.name}", 70),
            RemoveMentor(person.id, cohort.id),
            style="danger",
            confirm=f"Remove {person.name} as mentor of {cohort.name}?",
        )
        for cohort in here
    ]
    if person.coordinator:
        question = f"End {person.name}'s coordinator role?"
        items.append(Button("End coordinator role", EndCoordinator(person.id), style="danger", confirm=question))
    return (buttons(*items),) if items else ()


def _person(call: Call, person_id: UUID) -> Person:
    """The person, whose role a coordinator ends or restores.

    Raises:
        Refused: the asker is no coordinator, or nobody has this id.
    """
    coordinators_only(call, "remove someone from a role")
    if person_id not in people.named(call.work.tx, [person_id]):
        raise Refused("I can't find that person anymore.")
    return people.get(call.work.tx, person_id)


@router.press(RemoveMentor)
def remove_mentor(call: Call, pressed: RemoveMentor) -> Reply:
    """End a mentor's membership now; reflections that were shared with them as its mentor are closed to them."""
    person = _person(call, pressed.person_id)
    cohort_id = pressed.cohort_id
    here = {cohort.id: cohort.name for cohort in cohorts.shared_cohorts(call.work.tx, person.id, ("mentor",))}
    if cohort_id not in here:
        raise Refused(f"{person.name} is not a mentor of that cohort.")
    cohorts.leave(call.work, cohort_id, person.id, call.my_id)
    audit_log.note(call.work, cohort_id, "mentor.removed", call.my_id, person=str(person.id))
    mentors_changed(call.work, [cohort_id])
    told = say(
        Bold(person.name), f" is no longer a mentor of {here[cohort_id]}. They can no longer open shared reflections."
    )
    undo = buttons(Button("Undo", RestoreMentor(person.id, cohort_id)))
    return Reply(card=Card("", (told, undo)))


@router.press(RestoreMentor)
def mentor_back(call: Call, pressed: RestoreMentor) -> Reply:
    """The same role again. What was shared stays closed until its author shares it again."""
    person = _person(call, pressed.person_id)
    cohort_id = pressed.cohort_id
    if not _was_removed(call.work.tx, cohort_id, person.id):
        raise Refused("I can't undo that anymore.")
    cohorts.join(call.work, cohort_id, person.id, "mentor", call.my_id)
    mentors_changed(call.work, [cohort_id])
    text = f"Undone. {person.name} is a mentor of the cohort again. Mentees have to share reflections again."
    return Reply(replace=Card("", (say(text),)))


def _was_removed(tx: Tx, cohort_id: UUID, person_id: UUID) -> bool:
    """Whether the last change of this membership was a removal as mentor."""
    if any(cohort.id == cohort_id for cohort in cohorts.shared_cohorts(tx, person_id)):
        return False
    mine = [line for line in audit_log.entries(tx, cohort_id) if line.detail.get("person") == str(person_id)]
    removed = [line.at for line in mine if line.what == "mentor.removed"]
    joined = [line.at for line in mine if line.what == "member.joined"]
    return bool(removed) and (not joined or removed[-1] >= joined[-1])


@router.press(EndCoordinator)
def end_coordinator(call: Call, pressed: EndCoordinator) -> Reply:
    """End a coordinator's role now, unless the settings name them or nobody else has it."""
    person = _person(call, pressed.person_id)
    if not person.coordinator:
        raise Refused(f"{person.name} is not a coordinator.")
    if people.SETTINGS in people.named_by(call.work.tx, person.id):
        raise Refused(f"The setting PLC_COORDINATORS names {person.name}. Ask your operator to take them out of it.")
    people.hold_coordinators(call.work.tx)
    if len(people.coordinators(call.work.tx)) <= 1:
        raise Refused("This is the only coordinator, so the role can't be ended. Name another coordinator first.")
    people.end_coordinator(call.work, person.id, COMMAND, call.my_id)
    coordinators_changed(call.work)
    undo = buttons(Button("Undo", RestoreCoordinator(person.id)))
    return Reply(card=Card("", (say(Bold(person.name), " is no longer a coordinator."), undo)))


@router.press(RestoreCoordinator)
def coordinator_back(call: Call, pressed: RestoreCoordinator) -> Reply:
    """The same role again, unless it was ended by something else than this command since."""
    person = _person(call, pressed.person_id)
    lines = [line for line in audit_log.entries(call.work.tx, person.id) if line.what == "coordinator.removed"]
    last = max((line.at for line in lines), default=None)
    by_command = any(line.at == last and line.detail.get("source") == COMMAND for line in lines)
    if person.coordinator or not by_command:
        raise Refused("I can't undo that anymore.")
    people.make_coordinator(call.work, person.id, COMMAND, call.my_id)
    coordinators_changed(call.work)
    return Reply(replace=Card("", (say(f"Undone. {person.name} is a coordinator again."),)))
