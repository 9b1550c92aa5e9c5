"""Who may read a dispute, and what its author wrote."""

from __future__ import annotations

from uuid import UUID

from handlers.core.calls import Call, Refused
from handlers.core.cards import Block, Bold, Cmd, say
from storage.core.work import Work
from storage.people import cohorts, people
from storage.record import disputes
from storage.record.disputes import Dispute
from storage.vault.vault import author_of

NOT_THERE = "I can't find that dispute."


def readers(work: Work, dispute: Dispute) -> set[UUID]:
    """The coordinators and, if chosen, those who were the mentee's mentors when it was written.

    The words were meant for them: a later cohort's mentors never come to read them, and who leads no cohort any
    more neither reads nor settles anything.
    """
    allowed = {coordinator.id for coordinator in people.coordinators(work.tx)}
    if dispute.with_mentors:
        allowed |= cohorts.mentors_at(work.tx, dispute.person_id, dispute.opened_at)
    return allowed - {dispute.person_id}


def readable(call: Call, dispute_id: UUID) -> Dispute:
    """A dispute that the asker may read: as its author, from the account that wrote it, or as one of its readers.

    Raises:
        Refused: there is none, or it is for others; the two look alike.
    """
    dispute = disputes.find(call.work.tx, dispute_id)
    if dispute is None or not (wrote(call, dispute) or call.my_id in readers(call.work, dispute)):
        raise Refused(NOT_THERE)
    return dispute


def unsettled(call: Call, dispute_id: UUID) -> Dispute:
    """An open dispute that the asker may read, for a form that corrects attendance.

    Raises:
        Refused: there is none, it is for others, or it was settled.
    """
    dispute = readable(call, dispute_id)
    if dispute.outcome:
        raise Refused(
            "This dispute is already settled, so nothing changed. To correct it, send ", Cmd("attendance"), "."
        )
    return dispute


def text_of(call: Call, dispute: Dispute) -> str:
    """What the mentee wrote, for somebody who may read it."""
    if wrote(call, dispute):
        text = call.vault.open(call.work.tx, dispute.item_id, call.me.account_id)
    else:
        text = call.vault.open_shared(call.work.tx, dispute.item_id)
    return text or "The text is no longer kept."


def disputed_words(call: Call, dispute: Dispute) -> tuple[Block, ...]:
    """What the mentee wrote, above the correction; only in a confidential form."""
    name = people.get(call.work.tx, dispute.person_id).name
    return (say(Bold(name), " wrote:"), say(text_of(call, dispute)))


def wrote(call: Call, dispute: Dispute) -> bool:
    """Whether the asker's account wrote it; an account that replaced that one did not."""
    return dispute.person_id == call.my_id and author_of(call.work.tx, dispute.item_id) == call.me.account_id
