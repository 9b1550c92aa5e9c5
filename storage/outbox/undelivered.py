"""What did not go out, for the digest and the doctor, and how much waits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import func, select

from storage.core.database import Tx
from storage.outbox.deliveries import Delivery
from storage.outbox.kinds import REPORTED
from storage.outbox.outbox_tables import conversation, delivery, installation
from storage.people.people_tables import person


def depth(tx: Tx) -> dict[tuple[str, str], int]:
    """How many reportable deliveries are queued or under way, by platform ("none": not known yet) and state."""
    waiting: dict[tuple[str, str], int] = {}
    for state in ("queued", "sending"):
        query = (
            select(func.coalesce(installation.c.platform, "none"), func.count())
            .join_from(delivery, installation, installation.c.id == delivery.c.installation_id, isouter=True)
            .where(delivery.c.state == state, delivery.c.kind.in_(tuple(REPORTED)))
            .group_by(installation.c.platform)
        )
        waiting |= {(platform, state): count for platform, count in tx.execute(query)}
    return waiting


@dataclass(frozen=True, slots=True)
class Undelivered:
    """A message that did not arrive, as the digest tells of it."""

    id: UUID
    kind: str
    state: str  # failed, unconfirmed
    reason: str
    recipient: str
    at: datetime


def told_before(tx: Tx, item: Delivery) -> datetime:
    """The time until which earlier messages of this kind and subject reported. Undelivered ones do not count."""
    earlier: datetime | None = tx.scalar(
        select(func.max(delivery.c.created_at)).where(
            delivery.c.kind == item.kind,
            delivery.c.subject == item.subject,
            delivery.c.state == "sent",
            delivery.c.verb == "post",
            delivery.c.created_at < item.created_at,
        )
    )
    return earlier or datetime.min.replace(tzinfo=UTC)


def undelivered(tx: Tx, since: datetime, until: datetime | None = None) -> list[Undelivered]:
    """What could not be delivered, or may not have been, since a time (and before another one); the newest first.

    Only of kinds that everybody gets alike; "newest" is by when they were queued, as the time of the last try
    depends on what else went to the same person. A message that could not be changed was delivered all the same.
    """
    query = (
        select(
            delivery.c.id,
            delivery.c.kind,
            delivery.c.state,
            delivery.c.reason,
            func.coalesce(person.c.name, conversation.c.name, ""),
            delivery.c.settled_at,
        )
        .join(person, person.c.id == delivery.c.person_id, isouter=True)
        .join(conversation, conversation.c.id == delivery.c.conversation_id, isouter=True)
        .where(
            delivery.c.state.in_(("failed", "unconfirmed")),
            delivery.c.settled_at >= since,
            delivery.c.verb != "update",
            delivery.c.kind.in_(tuple(REPORTED)),
        )
        .order_by(delivery.c.created_at.desc(), delivery.c.key)
    )
    if until is not None:
        query = query.where(delivery.c.settled_at < until)
    return [Undelivered(*row) for row in tx.execute(query)]
