"""Cohorts and meetings that only their mentors and coordinators may act on."""

from __future__ import annotations

from uuid import UUID

from handlers.core.calls import Call, Refused
from storage.meetings import meetings
from storage.meetings.meetings import Meeting
from storage.people import cohorts
from storage.people.cohorts import Cohort


def led_cohort(call: Call, cohort_id: UUID, to: str = "do that") -> Cohort:
    """The cohort, which the asker leads. ``to``: what they want, as a verb, for the refusal.

    Raises:
        Refused: there is no such cohort, or others lead it; the two look alike.
    """
    cohort = cohorts.find(call.work.tx, cohort_id)
    if cohort is None or not call.leads(cohort.id):
        raise Refused(only_leads(to))
    return cohort


def led_meeting(call: Call, meeting_id: UUID, to: str) -> Meeting:
    """A meeting of a cohort that the asker leads, cancelled or not. ``to``: as in :func:`led_cohort`.

    Raises:
        Refused: there is no such meeting, or others lead its cohort; the two look alike.
    """
    meeting = meetings.find(call.work.tx, meeting_id)
    if meeting is None or not call.leads(meeting.cohort_id):
        raise Refused(only_leads(to))
    return meeting


def only_leads(to: str) -> str:
    """The sentence that refuses to others what a cohort's mentors and coordinators can do."""
    return f"Only the cohort's mentors and coordinators can {to}."
