"""What waits for mentors or coordinators goes to those who have the role now, whenever these change."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from uuid import UUID

from handlers.checkins.checkins import ask_again
from handlers.meetings import attendance_reminders
from handlers.record.completion import ask_for_approval, to_approve
from handlers.record.deciding import hand_on
from handlers.record.dispute_access import readers
from storage.core import program
from storage.core.work import Work
from storage.outbox import deliveries, kinds
from storage.people import cohorts, people
from storage.people.roster import Plan
from storage.record import disputes, ledger


def hand_over(work: Work, mentees: Collection[UUID]) -> None:
    """These mentees have other mentors than before: ask those who are mentors now."""
    for person_id in ledger.with_requests(work.tx, mentees):
        hand_on(work, person_id)
    ask_again(work, mentees)


def mentors_changed(work: Work, cohort_ids: Collection[UUID]) -> None:
    """Mentors came to these cohorts or left them."""
    hand_over(work, {mentee.id for cohort_id in cohort_ids for mentee in cohorts.members(work.tx, cohort_id, "mentee")})
    attendance_reminders.hand_on(work, cohort_ids)


def coordinators_changed(work: Work) -> None:
    """Somebody became a coordinator or is none anymore: what waits is put to those who are coordinators now.

    Those who are none anymore are told, on the messages that they have, that these are no longer for them.
    """
    coordinators = people.coordinators(work.tx)
    waiting = ledger.waiting_leaves(work.tx)
    for line in waiting:
        for coordinator in coordinators:
            deliveries.to_person(work, kinds.LEAVE_DECIDE, coordinator.id, line.id)
    deliveries.refresh_all(work, (kinds.LEAVE_DECIDE,), [line.id for line in waiting])
    still_open = disputes.every_open(work.tx)
    for dispute in still_open:
        for reader_id in sorted(readers(work, dispute)):
            deliveries.to_person(work, kinds.DISPUTE, reader_id, dispute.id)
    deliveries.refresh_all(work, (kinds.DISPUTE,), [dispute.id for dispute in still_open])
    complete = [mentee.id for mentee in to_approve(work)]
    ask_for_approval(work, complete)
    deliveries.refresh_all(work, (kinds.COMPLETION_ASK,), complete)
    for person_id in ledger.with_requests(work.tx, None):
        hand_on(work, person_id)
    attendance_reminders.hand_on(work, [cohort.id for cohort in cohorts.all_cohorts(work.tx)])


def ensure_coordinators(work: Work, addresses: Iterable[str]) -> None:
    """Make the people of the settings coordinators; what waits is put to them where this changed who is."""
    before = {coordinator.id for coordinator in people.coordinators(work.tx)}
    people.ensure_coordinators(work, addresses, program.zone_of(work.tx))
    if before != {coordinator.id for coordinator in people.coordinators(work.tx)}:
        coordinators_changed(work)


def roster_changed(work: Work, plan: Plan) -> None:
    """An imported roster was written."""
    if plan.coordinators:
        coordinators_changed(work)
    left = {cohort_id for cohort_id, _ in plan.leavings}
    joined = {joining.cohort_id for joining in plan.joinings if joining.role == "mentor"}
    mentors_changed(work, left | joined)
    came = {joining.person_id for joining in plan.joinings if joining.role == "mentee"}
    hand_over(work, came | {person_id for _, person_id in plan.leavings})
