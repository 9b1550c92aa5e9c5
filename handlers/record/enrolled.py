"""The mentee whose record a coordinator changes."""

from __future__ import annotations

from uuid import UUID

from handlers.core.calls import Call, Refused, coordinators_only
from storage.people.people import Person
from storage.record import enrolments
from storage.record.enrolments import Enrolment


def mentee_of(call: Call, person_id: UUID) -> tuple[Person, Enrolment]:
    """An enrolled person, for a coordinator.

    Raises:
        Refused: the asker is no coordinator, or nobody of this id is enrolled.
    """
    coordinators_only(call)
    person = call.person(person_id)
    enrolment = enrolments.of_person(call.work.tx, person.id)
    if enrolment is None:
        raise Refused(f"{person.name} is not enrolled as a mentee.")
    return person, enrolment
