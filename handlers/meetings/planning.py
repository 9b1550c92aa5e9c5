"""What a meeting makes happen, and how a cohort is told something."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from program.core.times import local_day, to_utc
from program.meetings.attendance import CHASE_AFTER, ESCALATE_AFTER, OPENS_BEFORE
from storage.core import program
from storage.core.work import Work
from storage.meetings import meetings
from storage.meetings.meetings import Meeting
from storage.outbox import deliveries, due, moments
from storage.outbox.kinds import DeliveryKind
from storage.outbox.moments import MomentKind
from storage.people import cohorts
from storage.people.cohorts import Cohort

SUMMARY_CHASE_AFTER = timedelta(hours=24)


def plan_daily(work: Work, kind: MomentKind, at: time) -> None:
    """Plan the next time of what happens every day at a time of the program's zone."""
    zone = program.zone_of(work.tx)
    day = local_day(work.now, zone)
    coming = to_utc(datetime.combine(day, at), zone)
    if coming <= work.now:
        day += timedelta(days=1)
        coming = to_utc(datetime.combine(day, at), zone)
    due.plan(work, kind, coming, tag=day.isoformat())


def plan_meeting(work: Work, meeting: Meeting, cohort: Cohort) -> None:
    """Plan everything a meeting makes happen; what was planned for its earlier version is dropped."""
    due.cancel(work, meeting.id)
    if meeting.cancelled_at is not None:
        return
    _plan_reminders(work, meeting, cohort)
    for kind, at in (
        (moments.ATTENDANCE_OPEN, meeting.starts_at - OPENS_BEFORE),
        (moments.ATTENDANCE_ROSTER, meeting.ends_at),
        (moments.ATTENDANCE_CHASE, meeting.ends_at + CHASE_AFTER),
        (moments.ATTENDANCE_ESCALATE, meeting.ends_at + ESCALATE_AFTER),
        (moments.SUMMARY_CHASE, meeting.ends_at + SUMMARY_CHASE_AFTER),
    ):
        due.plan(work, kind, at, meeting.id, version=meeting.version)


def _plan_reminders(work: Work, meeting: Meeting, cohort: Cohort) -> None:
    for lead in cohort.reminders:
        at = meeting.starts_at - timedelta(minutes=lead)
        if at > work.now:
            due.plan(work, moments.MEETING_REMINDER, at, meeting.id, version=meeting.version, tag=lead)


def replan_reminders(work: Work, cohort: Cohort) -> None:
    """The cohort's reminder times changed."""
    for meeting in meetings.between(work.tx, work.now, work.now + timedelta(days=1000), [cohort.id]):
        due.cancel(work, meeting.id, [moments.MEETING_REMINDER])
        _plan_reminders(work, meeting, cohort)


def tell_cohort(work: Work, cohort: Cohort, kind: DeliveryKind, subject: object, tag: object = "") -> None:
    """Tell the home channel; a cohort without one is told person by person."""
    if cohort.home_id is not None:
        deliveries.to_channel(work, kind, cohort.home_id, subject, tag)
        return
    for person in cohorts.members(work.tx, cohort.id):
        deliveries.to_person(work, kind, person.id, subject, tag)


def mentors_or_coordinators(work: Work, cohort: Cohort) -> list[cohorts.CohortMember]:
    """Who takes a cohort's attendance: its mentors, or the coordinators while it has none."""
    mentors = cohorts.members(work.tx, cohort.id, "mentor")
    return mentors or cohorts.coordinators(work.tx)
