"""The mentor is asked who came when the meeting ends, and reminded; the coordinator is asked last."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from handlers.core.cards import Card
from handlers.core.router import router
from handlers.meetings.attendance import meeting_of_moment, open_lines, roster_card, roster_of
from handlers.meetings.meetings import refresh_meeting
from handlers.meetings.planning import mentors_or_coordinators
from handlers.people.recipients import is_coordinator, leads_meeting, only_for
from program.meetings.attendance import ESCALATE_AFTER
from storage.core.work import Work
from storage.meetings import meetings
from storage.meetings.meetings import Meeting
from storage.outbox import deliveries, kinds, moments
from storage.outbox.deliveries import Delivery
from storage.outbox.due import Moment
from storage.outbox.kinds import DeliveryKind
from storage.people import cohorts

HANDED_ON = timedelta(days=30)  # how far back open attendance goes to who leads the cohort now
MESSAGES = (kinds.ATTENDANCE_ROSTER, kinds.ATTENDANCE_CHASE, kinds.ATTENDANCE_ESCALATE, kinds.SUMMARY_CHASE)


def hand_on(work: Work, cohort_ids: Collection[UUID]) -> None:
    """Who leads these cohorts changed: open attendance goes to those who lead them now, the others are told."""
    past = [
        meeting
        for meeting in meetings.between(work.tx, work.now - HANDED_ON, work.now, sorted(cohort_ids))
        if meeting.ends_at <= work.now
    ]
    for meeting in past:
        if meeting.settled_at is not None:
            continue
        _to_mentors(work, kinds.ATTENDANCE_ROSTER, meeting, meeting.version)
        if work.now >= meeting.ends_at + ESCALATE_AFTER:
            _to_coordinators(work, meeting, meeting.version)
    deliveries.refresh_all(work, MESSAGES, [meeting.id for meeting in past])


def _to_mentors(work: Work, kind: DeliveryKind, meeting: Meeting, version: int) -> None:
    for mentor in mentors_or_coordinators(work, cohorts.get(work.tx, meeting.cohort_id)):
        deliveries.to_person(work, kind, mentor.id, meeting.id, version)


def _to_coordinators(work: Work, meeting: Meeting, version: int) -> None:
    for coordinator in cohorts.coordinators(work.tx):
        deliveries.to_person(work, kinds.ATTENDANCE_ESCALATE, coordinator.id, meeting.id, version)


@router.moment(
    moments.ATTENDANCE_ROSTER,
    "the meeting ends and the mentor gets the roster",
    late="goes out however late, because attendance stays open without it",
)
def send_roster(work: Work, moment: Moment) -> str | None:
    """Ask the mentors who came; nothing is open where everybody is on leave."""
    meeting = meeting_of_moment(work, moment)
    if meeting is None:
        return "cancelled"
    _to_mentors(work, kinds.ATTENDANCE_ROSTER, meeting, moment.version)
    lines = roster_of(work, meeting)
    if lines and not open_lines(lines):  # everybody is on leave: there is nothing to chase
        meetings.set_settled(work, meeting.id, True)
    refresh_meeting(work, meeting)  # whether somebody comes is no longer a question
    return None


@router.moment(
    moments.ATTENDANCE_CHASE,
    "the mentor is reminded of open attendance",
    late="goes out late while attendance is open; it is skipped once the coordinator is asked",
)
def chase(work: Work, moment: Moment) -> str | None:
    """Remind the mentors of open attendance, until it is the coordinators' turn."""
    meeting = meeting_of_moment(work, moment)
    if meeting is None:
        return "cancelled"
    if work.now >= meeting.ends_at + ESCALATE_AFTER:
        return "missed"
    if meeting.settled_at is None:
        _to_mentors(work, kinds.ATTENDANCE_CHASE, meeting, moment.version)
    return None


@router.moment(
    moments.ATTENDANCE_ESCALATE,
    "the coordinator is asked about open attendance",
    late="goes out late while attendance is open",
)
def escalate(work: Work, moment: Moment) -> str | None:
    """Ask the coordinators about attendance that is still open."""
    meeting = meeting_of_moment(work, moment)
    if meeting is None:
        return "cancelled"
    if meeting.settled_at is None:
        _to_coordinators(work, meeting, moment.version)
    return None


@router.delivery(kinds.ATTENDANCE_ROSTER)
@only_for(leads_meeting)
def roster_delivery(work: Work, item: Delivery) -> Card | None:
    """The roster at the end of a meeting, kept up to date."""
    return _roster_message(work, item, "Who came?")


@router.delivery(kinds.ATTENDANCE_CHASE)
@only_for(leads_meeting)
def chase_delivery(work: Work, item: Delivery) -> Card | None:
    """The roster as a reminder to its mentors, kept up to date."""
    return _roster_message(work, item, "Attendance is still open")


@router.delivery(kinds.ATTENDANCE_ESCALATE)
@only_for(is_coordinator)
def escalate_delivery(work: Work, item: Delivery) -> Card | None:
    """The roster for coordinators, kept up to date."""
    return _roster_message(work, item, "Attendance is still not confirmed")


def _roster_message(work: Work, item: Delivery, title: str) -> Card | None:
    meeting = meetings.find(work.tx, UUID(item.subject))
    if meeting is None or (meeting.cancelled_at is not None and item.verb == "post"):
        return None
    if meeting.settled_at is not None and item.verb == "post" and item.kind != kinds.ATTENDANCE_ROSTER.name:
        return None
    return roster_card(work, meeting, title)
