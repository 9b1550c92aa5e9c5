"""What waits for a coordinator's decision, with a button to each: leave requests, disputes, approvals of completion."""

from __future__ import annotations

from uuid import UUID

from handlers.core.cards import Block, Bold, Button, Cmd, Text, buttons, say
from handlers.core.paging import more
from handlers.record.completion import to_approve
from handlers.record.dispute_access import readers
from handlers.record.record_actions import AskCompletion, ShowDispute, ShowLeave
from program.core.words import counted, shortened
from storage.core.work import Work
from storage.people import people
from storage.record import disputes, ledger

MOST_BUTTONS = 5  # in a list; the others come up as these are decided


def waiting_blocks(work: Work, about: UUID | None = None, reader_id: UUID | None = None) -> list[Block]:
    """What waits, or nothing.

    ``about``: of this mentee alone. ``reader_id``: leave out disputes that this person may not read.
    """
    return [*_to_approve(work, about), *_leaves(work, about), *_disputes(work, about, reader_id)]


def _to_approve(work: Work, about: UUID | None) -> list[Block]:
    items = [
        Button(shortened(mentee.name, 70), AskCompletion(mentee.id))
        for mentee in to_approve(work, None if about is None else [about])
    ]
    return _listed(("Ready for completion. To approve, send ", Cmd("certificates")), items)


def _leaves(work: Work, about: UUID | None) -> list[Block]:
    waiting = [line for line in ledger.waiting_leaves(work.tx) if about in (None, line.person_id)]
    names = people.named(work.tx, [line.person_id for line in waiting])
    items = [Button(shortened(names[line.person_id], 70), ShowLeave(line.id)) for line in waiting]
    return _listed(("Leave requests to decide",), items)


def _disputes(work: Work, about: UUID | None, reader_id: UUID | None) -> list[Block]:
    """Disputes by number alone: who wrote one is told to its readers when they open it."""
    still_open = [
        dispute
        for dispute in disputes.every_open(work.tx)
        if about in (None, dispute.person_id) and (reader_id is None or reader_id in readers(work, dispute))
    ]
    if not still_open:
        return []
    items = [
        Button(
            f"Open dispute {number}" if len(still_open) > 1 else "Open the dispute",
            ShowDispute(dispute.id),
        )
        for number, dispute in enumerate(still_open, 1)
    ]
    told = say(Bold(counted(len(still_open), "dispute is", "disputes are")), " open.")
    return [told, buttons(*items[:MOST_BUTTONS]), *more(len(items), MOST_BUTTONS)]


def _listed(title: Text, items: list[Button]) -> list[Block]:
    if not items:
        return []
    spans = [Bold(span) if isinstance(span, str) else span for span in title]
    return [say(*spans, Bold(f" ({len(items)})")), buttons(*items[:MOST_BUTTONS]), *more(len(items), MOST_BUTTONS)]
