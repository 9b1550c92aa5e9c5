"""How long a cohort keeps what is written in check-ins: off unless somebody sets it, and told to everybody."""

from __future__ import annotations

from datetime import time
from uuid import UUID

from handlers.core.calls import Call
from handlers.core.cards import Bold, Card, Note, When, say
from handlers.core.forms import NumberField
from handlers.core.router import router
from handlers.meetings.planning import plan_daily
from handlers.people.recipients import in_cohort, only_for
from program.core.words import counted
from program.privacy.retention import LONGEST, NOTICE, SHORTEST
from storage.checkins import typed
from storage.core.work import Work
from storage.outbox import deliveries, kinds, moments
from storage.outbox.deliveries import Delivery
from storage.outbox.due import Moment
from storage.people import cohorts, people
from storage.people.cohorts import Cohort
from storage.privacy import retention

LOOK_AT = time(3, 30)  # while nobody writes


def retention_words(months: int | None) -> str:
    """How long check-in answers are kept."""
    if months is None:
        return "kept until the person who wrote it deletes it"
    return f"deleted after {counted(months, 'month')}"


# The cohort's setting ---------------------------------------------------------------------------


def retention_field(cohort: Cohort) -> NumberField:
    """The months after which check-in answers are deleted; empty: never."""
    label = "Delete check-in answers after (months)"
    return NumberField(
        "retention", label, cohort.retention_months, SHORTEST, LONGEST, optional=True, hint="Leave empty to keep them."
    )


def set_retention(call: Call, cohort: Cohort, months: int | None) -> None:
    """Set or lift the limit. A new or shorter one is told first, and deletes nothing for some days."""
    if months == cohort.retention_months:
        return
    shorter = months is not None and (cohort.retention_months is None or months < cohort.retention_months)
    starts = call.work.now + NOTICE if shorter else cohort.retention_from or call.work.now
    values = {"retention_months": months, "retention_from": starts if months is not None else None}
    cohorts.change(call.work, cohort.id, call.my_id, **values)
    for person in cohorts.members(call.work.tx, cohort.id):
        deliveries.to_person(call.work, kinds.RETENTION_TOLD, person.id, cohort.id, tag=call.work.now.isoformat())


@router.delivery(kinds.RETENTION_TOLD)
@only_for(in_cohort)
def told(work: Work, item: Delivery) -> Card | None:
    """Every member hears of the limit as it is now, before it deletes anything."""
    cohort = cohorts.find(work.tx, UUID(item.subject))
    if cohort is None:
        return None
    months, starts = cohort.retention_months, cohort.retention_from
    if months is None or starts is None:
        text = say("I no longer delete old check-in answers in ", Bold(cohort.name), ".")
        return Card("Check-in answers are kept", (text,))
    zone = people.get(work.tx, item.person_id).zone if item.person_id else cohort.zone
    return Card(
        "When check-in answers are deleted",
        (
            say(
                "In ",
                Bold(cohort.name),
                ", reflections and pulses are deleted ",
                Bold(f"{counted(months, 'month')} after they were written"),
                ". The first ones will be deleted on ",
                When(starts, zone, "date"),
                ". Attendance is kept.",
            ),
            Note(("If you're in several cohorts, the one that keeps answers longest decides.",)),
        ),
    )


# The daily look ---------------------------------------------------------------------------------


@router.at_start
def plan_look(work: Work) -> None:
    """Plan the next day's look at what is past its time."""
    plan_daily(work, moments.RETENTION_LOOK, LOOK_AT)


@router.moment(
    moments.RETENTION_LOOK, "old check-in answers are deleted", late="is done late, once for all missed days"
)
def look(work: Work, _moment: Moment) -> str | None:
    """However late this comes, it deletes what is past its time then."""
    plan_look(work)
    retention.delete_expired(work)
    typed.destroy_expired(work)  # where its own moment was lost
    return None
