"""What a mentee asked of their mentors goes to those who are mentors now, whenever these change."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from handlers.checkins.checkins import ask_again
from handlers.record.deciding import hand_on
from storage.core.work import Work
from storage.people import cohorts
from storage.people.roster import Plan
from storage.record import ledger


def hand_over(work: Work, mentees: Collection[UUID]) -> None:
    """These mentees have other mentors than before: ask those who are mentors now."""
    for person_id in ledger.with_requests(work.tx, mentees):
        hand_on(work, person_id)
    ask_again(work, mentees)


def mentors_changed(work: Work, cohort_ids: Collection[UUID]) -> None:
    """Mentors came to these cohorts or left them."""
    hand_over(work, {mentee.id for cohort_id in cohort_ids for mentee in cohorts.members(work.tx, cohort_id, "mentee")})


def roster_changed(work: Work, plan: Plan) -> None:
    """An imported roster was written."""
    left = {cohort_id for cohort_id, _ in plan.leavings}
    joined = {joining.cohort_id for joining in plan.joinings if joining.role == "mentor"}
    mentors_changed(work, left | joined)
    came = {joining.person_id for joining in plan.joinings if joining.role == "mentee"}
    hand_over(work, came | {person_id for _, person_id in plan.leavings})
