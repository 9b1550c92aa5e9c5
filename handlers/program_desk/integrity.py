"""The nightly check of the records: what it found goes to the coordinators, and into the digest."""

from __future__ import annotations

from handlers.core.cards import Block, Card, Heading, say
from handlers.core.router import router
from handlers.people.recipients import is_coordinator, only_for
from program.core.words import counted
from storage.core.work import Work
from storage.outbox import deliveries, kinds
from storage.outbox.deliveries import Delivery
from storage.people import people
from storage.record import checkpoints, integrity
from storage.record.verification import Verdict
from storage.vault import seals

WHAT_TO_DO = "Ask the person who runs the bot to run “plc-bot ledger verify”, which names them."
BLOCKED = (
    "Not issued: this person's record was changed outside the program. Ask the person who runs the bot to run "
    "“plc-bot ledger verify”, which says what was changed."
)


def note(work: Work, verdict: Verdict) -> None:
    """Keep the result of a check, make a checkpoint, and tell the coordinators of problems that are new."""
    before = integrity.newest(work.tx)
    made = integrity.add(work, verdict)
    checkpoints.make(work.tx, work.now)
    if made.problems and (before is None or before.problems != made.problems):
        for person in people.coordinators(work.tx):
            deliveries.to_person(work, kinds.INTEGRITY, person.id, person.id, tag=work.now.isoformat())


@router.delivery(kinds.INTEGRITY, slow=True)
@only_for(is_coordinator)
def told(work: Work, _item: Delivery) -> Card | None:
    """Tells a coordinator how many records were changed outside the program."""
    check = integrity.newest(work.tx)
    if check is None or not check.problems:
        return None
    count = counted(check.problems, "record was", "records were")
    return Card("Records need a check", (say(f"{count} changed outside the program. {WHAT_TO_DO}"),))


def for_digest(work: Work) -> list[Block]:
    """What the newest check found; rows that say who is who are looked at each time."""
    check = integrity.newest(work.tx)
    count = max(len(seals.misfits(work.tx)), check.problems if check else 0)
    if not count:
        return []
    return [Heading(f"Records that were changed outside the program ({count})"), say(WHAT_TO_DO)]
