"""Deliveries: one message each, on its way to one conversation.

``queued -> sending -> sent``, or back to ``queued`` with a wait, or ``failed`` with a reason, ``dropped``
when it is no longer true, ``unconfirmed`` when nobody can know whether it arrived. Only the holder of the
claim's token can settle it. The row never holds a rendered card.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, bindparam, case, exists, func, or_, select, update

from storage import pace
from storage.database import Tx
from storage.pace import Limit
from storage.tables import account, conversation, delivery, installation, person
from storage.work import Work, insert_new

LEASE = timedelta(seconds=60)  # how long a claim holds; longer than the call's time-out
SETTLING = timedelta(seconds=30)  # how long after the lease an unknown outcome is looked at


@dataclass(frozen=True, slots=True)
class Delivery:
    id: UUID
    verb: str  # post, update, visit
    kind: str
    subject: str
    person_id: UUID | None
    account_id: UUID | None
    conversation_id: UUID | None
    target_id: UUID | None
    created_at: datetime
    attempts: int
    claim: UUID | None
    installation_id: UUID | None

    @property
    def lane(self) -> UUID | None:
        """What the deliveries of one conversation share: their order is kept, and their pace."""
        return self.conversation_id or self.account_id or self.person_id


LANE: ColumnElement[UUID] = func.coalesce(delivery.c.conversation_id, delivery.c.account_id, delivery.c.person_id)
_DELIVERY = (
    delivery.c.id,
    delivery.c.verb,
    delivery.c.kind,
    delivery.c.subject,
    delivery.c.person_id,
    delivery.c.account_id,
    delivery.c.conversation_id,
    delivery.c.target_id,
    delivery.c.created_at,
    delivery.c.attempts,
    delivery.c.claim,
    delivery.c.installation_id,
)


def _queue(work: Work, **values: Any) -> None:
    row = {
        "id": work.new_id(),
        "state": "queued",
        "created_at": work.now,
        "not_before": work.now,
        "person_id": None,
        "account_id": None,
        "conversation_id": None,
        "target_id": None,
        "priority": 0 if work.acted else 1,
        **values,
    }
    insert_new(work.tx, delivery, [row])


def to_person(work: Work, kind: str, person_id: UUID, subject: object, tag: object = "") -> None:
    """Queue a personal message; the same kind, subject, tag and person are queued only once."""
    key = f"{kind}:{subject}:{tag}:{person_id}"
    _queue(work, verb="post", kind=kind, subject=str(subject), person_id=person_id, key=key)


def to_account(work: Work, kind: str, account_id: UUID, subject: object, tag: object = "") -> None:
    """Queue a message to an account that is nobody's yet."""
    key = f"{kind}:{subject}:{tag}:{account_id}"
    _queue(work, verb="post", kind=kind, subject=str(subject), account_id=account_id, key=key)


def to_channel(work: Work, kind: str, conversation_id: UUID, subject: object, tag: object = "") -> None:
    key = f"{kind}:{subject}:{tag}:{conversation_id}"
    _queue(work, verb="post", kind=kind, subject=str(subject), conversation_id=conversation_id, key=key)


def visit(work: Work, conversation_id: UUID, subject: object) -> None:
    """Have the bot enter a channel and see who is there."""
    key = f"visit:{conversation_id}:{work.now.isoformat()}"
    _queue(work, verb="visit", kind="visit", subject=str(subject), conversation_id=conversation_id, key=key)


def refresh(work: Work, kind: str, subject: object, person_id: UUID | None = None) -> None:
    """Bring the messages of this kind and subject up to date, where they were sent or are being sent.

    At most one update waits for each message; the card is built when it goes out, so the newest wins.
    """
    query = select(*_DELIVERY).where(
        delivery.c.kind == kind,
        delivery.c.subject == str(subject),
        delivery.c.verb == "post",
        delivery.c.state.in_(("sending", "sent")),
    )
    if person_id is not None:
        query = query.where(delivery.c.person_id == person_id)
    for row in work.tx.execute(query).all():
        _queue(
            work,
            verb="update",
            kind=kind,
            subject=row.subject,
            person_id=row.person_id,
            account_id=row.account_id,
            conversation_id=row.conversation_id,
            target_id=row.id,
            key=f"update:{row.id}:{work.new_id()}",
        )


def sort(work: Work, platforms: Iterable[str]) -> None:
    """Find out where what was queued since the last time goes: a person's account may have come after it.

    ``platforms``: those that are connected. What goes nowhere stays unsorted and is claimed as such.
    """
    theirs = (
        select(account.c.installation_id)
        .join(installation, installation.c.id == account.c.installation_id)
        .where(
            account.c.person_id == delivery.c.person_id,
            account.c.link == "confirmed",
            account.c.active,
            installation.c.platform.in_(list(platforms)),
        )
        .order_by(account.c.seen_at.desc(), account.c.id)
        .limit(1)
    )
    channel = select(conversation.c.installation_id).where(conversation.c.id == delivery.c.conversation_id)
    stranger = select(account.c.installation_id).where(account.c.id == delivery.c.account_id)
    where = case(
        (delivery.c.conversation_id.is_not(None), channel.scalar_subquery()),
        (delivery.c.account_id.is_not(None), stranger.scalar_subquery()),
        else_=theirs.scalar_subquery(),
    )
    new = (delivery.c.state == "queued", delivery.c.installation_id.is_(None))
    mine = select(delivery.c.id).where(*new).with_for_update(skip_locked=True)
    work.tx.execute(update(delivery).where(*new, delivery.c.id.in_(mine)).values(installation_id=where))


@dataclass(frozen=True, slots=True)
class Share:
    """The deliveries of one installation under one limit; ``installation_id`` None: those that go nowhere."""

    installation_id: UUID | None
    limit: Limit


def claim(
    work: Work,
    most: int,
    share: Share | None = None,
    *,
    busy: Collection[UUID] = (),
    lease: timedelta = LEASE,
) -> list[Delivery]:
    """Take up to ``most`` queued deliveries for this process; each gets a token of its own claim.

    share: only these, at their pace, and the first of each conversation
    busy: conversations with something under way, which keep their order
    """
    if share is not None and share.installation_id is not None:
        most = pace.room(work, share.installation_id, share.limit, most)
    if most <= 0:
        return []
    query = select(*_DELIVERY).where(delivery.c.state == "queued", delivery.c.not_before <= work.now, _ready())
    if share is not None:
        query = query.where(delivery.c.installation_id == share.installation_id, delivery.c.verb.in_(share.limit.verbs))
    if busy:
        query = query.where(LANE.not_in(list(busy)))
    apart = share.limit.apart if share is not None else 0.0
    if apart:
        query = query.where(~pace.held(LANE, work.now))
    order = (delivery.c.priority, delivery.c.not_before, delivery.c.created_at, delivery.c.id)
    found = _read(work.tx, query.order_by(*order).limit(most).with_for_update(skip_locked=True, of=delivery))
    items = _hold(work, _first_of_each_lane(found) if share is not None else found, lease)
    if share is not None and share.installation_id is not None:
        pace.spend(work, share.installation_id, share.limit, len(items))
        if apart:
            lanes = {item.lane for item in items if item.lane is not None}
            pace.hold(work, lanes, work.now + timedelta(seconds=apart))
    return items


def _ready() -> ColumnElement[bool]:
    target = delivery.alias("target")
    busy = delivery.alias("busy")
    return or_(
        delivery.c.verb != "update",
        and_(
            # An update waits until its message is there, and until an earlier update of it is settled.
            exists().where(target.c.id == delivery.c.target_id, target.c.state != "sending"),
            ~exists().where(
                busy.c.target_id == delivery.c.target_id, busy.c.verb == "update", busy.c.state == "sending"
            ),
        ),
    )


def _read(tx: Tx, query: Select[Any]) -> list[Delivery]:
    return [Delivery(*row) for row in tx.execute(query)]


def _first_of_each_lane(found: Sequence[Delivery]) -> list[Delivery]:
    first: dict[UUID | None, Delivery] = {}
    for item in found:
        first.setdefault(item.lane, item)
    return list(first.values())


def claim_stale(work: Work, most: int, *, lease: timedelta = LEASE, settling: timedelta = SETTLING) -> list[Delivery]:
    """Take over deliveries whose sender went silent: their outcome is unknown and must be looked at."""
    silent = (
        select(*_DELIVERY)
        .where(delivery.c.state == "sending", delivery.c.claimed_until < work.now - settling)
        .order_by(delivery.c.claimed_until, delivery.c.id)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    return _hold(work, _first_of_each_lane(_read(work.tx, silent)), lease)


def _hold(work: Work, found: Sequence[Delivery], lease: timedelta) -> list[Delivery]:
    items = [replace(item, claim=work.new_id(), attempts=item.attempts + 1) for item in found]
    if items:
        held = update(delivery).where(delivery.c.id == bindparam("held_id"))
        held = held.values(state="sending", claimed_until=work.now + lease, attempts=delivery.c.attempts + 1)
        work.tx.execute(
            held.values(claim=bindparam("held_claim")),
            [{"held_id": item.id, "held_claim": item.claim} for item in items],
        )
    return items


def still_held(tx: Tx, item: Delivery, now: datetime, call_seconds: float) -> bool:
    """Whether the claim outlasts a call that begins now."""
    query = select(delivery.c.claimed_until).where(
        delivery.c.id == item.id, delivery.c.claim == item.claim, delivery.c.state == "sending"
    )
    until = tx.scalar(query)
    return until is not None and until > now + timedelta(seconds=call_seconds)


def settle(
    work: Work,
    item: Delivery,
    state: str,
    *,
    reason: str = "",
    sent_to: UUID | None = None,
    message: str | None = None,
    wait: float | None = None,
) -> bool:
    """Settle a held delivery; False when another holds it by now. ``wait``: seconds until a next try."""
    values: dict[str, Any] = {"state": state, "reason": reason[:300]}
    if state == "queued":
        values["not_before"] = work.now + timedelta(seconds=wait or 0)
        values["claim"] = None
    else:
        values["settled_at"] = work.now
    if message is not None:
        values |= {"sent_to": sent_to, "message": message}
    held = update(delivery).where(
        delivery.c.id == item.id, delivery.c.claim == item.claim, delivery.c.state == "sending"
    )
    if state == "queued" and item.verb == "update" and _newer_update_waits(work.tx, item):
        values = {"state": "dropped", "reason": "a newer update waits", "settled_at": work.now}
    return work.tx.execute(held.values(values)).rowcount == 1


def hold_back(work: Work, reason: str) -> int:
    """Take every message that is queued or under way for one that may have arrived; how many those are.

    Updates stay: doing one twice is the same as once.
    """
    unsettled = (delivery.c.verb == "post", delivery.c.state.in_(("queued", "sending")))
    held = {"state": "unconfirmed", "claim": None, "settled_at": work.now, "reason": reason}
    return work.tx.execute(update(delivery).where(*unsettled).values(held)).rowcount


def _newer_update_waits(tx: Tx, item: Delivery) -> bool:
    waiting = (
        delivery.c.target_id == item.target_id,
        delivery.c.verb == "update",
        delivery.c.state == "queued",
    )
    return tx.execute(select(delivery.c.id).where(*waiting)).first() is not None


@dataclass(frozen=True, slots=True)
class Message:
    """Where a delivery's message is."""

    state: str
    conversation_id: UUID | None
    message: str | None


def message_of(tx: Tx, delivery_id: UUID) -> Message:
    query = select(delivery.c.state, delivery.c.sent_to, delivery.c.message)
    return Message(*tx.execute(query.where(delivery.c.id == delivery_id)).one())


def next_time(tx: Tx) -> datetime | None:
    """When the next queued delivery may go."""
    earliest: datetime | None = tx.scalar(select(func.min(delivery.c.not_before)).where(delivery.c.state == "queued"))
    return earliest


def depth(tx: Tx) -> dict[tuple[str, str], int]:
    """How many are queued or under way, by platform ("none" while that is unknown) and state."""
    found: dict[tuple[str, str], int] = {}
    for state in ("queued", "sending"):
        query = (
            select(func.coalesce(installation.c.platform, "none"), func.count())
            .join_from(delivery, installation, installation.c.id == delivery.c.installation_id, isouter=True)
            .where(delivery.c.state == state)
            .group_by(installation.c.platform)
        )
        found |= {(platform, state): count for platform, count in tx.execute(query)}
    return found


@dataclass(frozen=True, slots=True)
class Undelivered:
    id: UUID
    kind: str
    state: str  # failed, unconfirmed
    reason: str
    recipient: str
    at: datetime


def undelivered(tx: Tx, since: datetime) -> list[Undelivered]:
    """What could not be delivered, or may not have been, since a time; the newest first.

    A message that could not be changed was delivered all the same; and that a check-in was to be changed
    would tell who answered it.
    """
    rows = tx.execute(
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
        )
        .order_by(delivery.c.settled_at.desc(), delivery.c.id)
    )
    return [Undelivered(*row) for row in rows]
