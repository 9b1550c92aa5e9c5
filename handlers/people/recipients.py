"""Who a message is still for. A role may end while a message waits, or after it was sent and before it changes.

A card is built when its message goes out, so this is where the recipient's role is checked. A person who lost the role
gets no new message, and a message that they have says so in place of what is new.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from uuid import UUID

from handlers.core.cards import Card, say
from storage.core.work import Work
from storage.meetings import meetings
from storage.outbox.deliveries import Delivery
from storage.people import cohorts, people

Builder = Callable[[Work, Delivery], Card | None]
Check = Callable[[Work, Delivery, UUID], bool]  # whether the message is still for this person

NO_LONGER = Card(
    "You no longer get this",
    (say("It isn't about your role or your cohorts anymore, so I've stopped updating it."),),
)


def only_for(still: Check) -> Callable[[Builder], Builder]:
    """Build the card only for a recipient that ``still`` accepts; a channel's message is for everybody there."""

    def decorate(build: Builder) -> Builder:
        @wraps(build)
        def card(work: Work, item: Delivery) -> Card | None:
            if item.person_id is None or still(work, item, item.person_id):
                return build(work, item)
            return NO_LONGER if item.verb == "update" else None

        return card

    return decorate


def is_coordinator(work: Work, _item: Delivery, reader_id: UUID) -> bool:
    """For messages to coordinators."""
    return people.get(work.tx, reader_id).coordinator


def leads(work: Work, cohort_id: UUID, reader_id: UUID) -> bool:
    """Whether somebody is a mentor of the cohort now, or a coordinator."""
    own = cohorts.shared_cohorts(work.tx, reader_id, ("mentor",))
    return any(cohort.id == cohort_id for cohort in own) or people.get(work.tx, reader_id).coordinator


def leads_meeting(work: Work, item: Delivery, reader_id: UUID) -> bool:
    """For messages whose subject is a meeting."""
    meeting = meetings.find(work.tx, UUID(item.subject))
    return meeting is None or leads(work, meeting.cohort_id, reader_id)


def in_cohort(work: Work, item: Delivery, reader_id: UUID) -> bool:
    """For messages to all members of a cohort, whose subject is the cohort."""
    return any(cohort.id == UUID(item.subject) for cohort in cohorts.shared_cohorts(work.tx, reader_id))


def in_meetings_cohort(work: Work, item: Delivery, reader_id: UUID) -> bool:
    """For messages to all members of a cohort without a home channel, whose subject is a meeting."""
    meeting = meetings.find(work.tx, UUID(item.subject))
    own = cohorts.shared_cohorts(work.tx, reader_id)
    return meeting is None or any(cohort.id == meeting.cohort_id for cohort in own)
