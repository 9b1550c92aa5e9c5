"""Due moments: what must happen at a time. The database says what is due; any process claims it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select, update

from storage.core.database import Tx, inline_word
from storage.core.work import Work, insert_new
from storage.outbox import moments
from storage.outbox.moments import MomentKind
from storage.outbox.outbox_tables import due_moment

MOST_ATTEMPTS = 6


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that is due."""

    id: UUID
    kind: str
    subject: str
    version: int
    due_at: datetime
    attempts: int


_MOMENT = (
    due_moment.c.id,
    due_moment.c.kind,
    due_moment.c.subject,
    due_moment.c.version,
    due_moment.c.due_at,
    due_moment.c.attempts,
)


def plan(
    work: Work, kind: MomentKind, due_at: datetime, subject: object = "", *, version: int = 0, tag: object = ""
) -> None:
    """Plan a due moment. The same kind, subject, version and tag are planned only once.

    What was planned and cancelled before is planned again; what happened stays done.
    """
    row = {
        "id": work.new_id(),
        "kind": kind.name,
        "subject": str(subject),
        "version": version,
        "due_at": due_at,
        "key": f"{kind.name}:{subject}:{version}:{tag}",
        "state": "waiting",
    }
    if insert_new(work.tx, due_moment, [row]) == 0:
        again = update(due_moment).where(due_moment.c.key == row["key"], due_moment.c.state == "cancelled")
        work.tx.execute(again.values(state="waiting", due_at=due_at, settled_at=None))


def cancel(work: Work, subject: object, kinds: Iterable[MomentKind] | None = None) -> None:
    """Cancel the subject's moments that have not happened yet; all, or those of these kinds."""
    waiting = update(due_moment).where(
        due_moment.c.subject == str(subject), due_moment.c.state == inline_word("waiting")
    )
    if kinds is not None:
        waiting = waiting.where(due_moment.c.kind.in_([kind.name for kind in kinds]))
    work.tx.execute(waiting.values(state="cancelled", settled_at=work.now))


def claim(work: Work) -> Moment | None:
    """The earliest due moment, held until this transaction ends; None when nothing is due."""
    row = work.tx.execute(
        select(*_MOMENT)
        .where(due_moment.c.state == inline_word("waiting"), due_moment.c.due_at <= work.now)
        .order_by(due_moment.c.due_at, due_moment.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).one_or_none()
    return Moment(*row) if row else None


def settle(work: Work, moment: Moment, state: str = "done") -> None:
    """Note how a moment ended."""
    values = {"state": state, "settled_at": work.now}
    work.tx.execute(update(due_moment).where(due_moment.c.id == moment.id).values(values))


def postpone(work: Work, moment: Moment) -> None:
    """Retry a moment whose handler failed, later each time. After :data:`MOST_ATTEMPTS` tries it has failed."""
    attempts = moment.attempts + 1
    if attempts >= MOST_ATTEMPTS:
        settle(work, moment, "failed")
        return
    values = {"attempts": attempts, "due_at": work.now + timedelta(seconds=30 * 4**attempts)}
    work.tx.execute(update(due_moment).where(due_moment.c.id == moment.id).values(values))


def times_until(tx: Tx, until: datetime) -> list[datetime]:
    """The distinct due times of waiting moments, up to ``until``."""
    query = (
        select(due_moment.c.due_at)
        .where(due_moment.c.state == inline_word("waiting"), due_moment.c.due_at <= until)
        .distinct()
        .order_by(due_moment.c.due_at)
    )
    return list(tx.scalars(query))


def next_moment(tx: Tx, besides: Iterable[MomentKind] = ()) -> Moment | None:
    """The next due moment; ``besides``: kinds to leave out, which nobody would notice."""
    row = tx.execute(
        select(*_MOMENT)
        .where(due_moment.c.state == "waiting", due_moment.c.kind.not_in([kind.name for kind in besides]))
        .order_by(due_moment.c.due_at, due_moment.c.id)
        .limit(1)
    ).one_or_none()
    return Moment(*row) if row else None


def failed(tx: Tx) -> int:
    """How many moments have failed, without those that depend on who paused check-ins."""
    return (
        tx.scalar(select(func.count()).where(due_moment.c.state == "failed", due_moment.c.kind.not_in(moments.PRIVATE)))
        or 0
    )
