"""Claiming deliveries: which of them go out now, held by one process at a time, and how each try ended."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Update, and_, bindparam, case, exists, func, or_, select, update

from program.core.words import shortened
from storage.core.database import Tx, ids_value, in_ids_parameter, inline_word
from storage.core.work import Work
from storage.outbox import rate_limits
from storage.outbox.deliveries import _DELIVERY, LANE, Delivery
from storage.outbox.outbox_tables import conversation, delivery, installation
from storage.outbox.rate_limits import Limit
from storage.people.people_tables import account

LEASE = timedelta(seconds=60)  # how long a claim holds; longer than the call's time-out


SETTLING = timedelta(seconds=30)  # how long after the lease an unknown outcome is looked at


def sort(work: Work, platforms: Iterable[str]) -> None:
    """Assign an installation to each delivery that has none: a person's account may have been linked since.

    ``platforms``: those that are connected. What goes nowhere stays unsorted and is claimed as such.
    """
    work.tx.execute(_sorting(tuple(platforms)))


@cache
def _sorting(platforms: tuple[str, ...]) -> Update:
    theirs = (
        select(account.c.installation_id)
        .join(installation, installation.c.id == account.c.installation_id)
        .where(
            account.c.person_id == delivery.c.person_id,
            account.c.link == "confirmed",
            account.c.active,
            installation.c.platform.in_(platforms),
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
    new = (delivery.c.state == inline_word("queued"), delivery.c.installation_id.is_(None))
    mine = select(delivery.c.id).where(*new).with_for_update(skip_locked=True)
    return update(delivery).where(*new, delivery.c.id.in_(mine)).values(installation_id=where)


@dataclass(frozen=True, slots=True)
class Quota:
    """The deliveries of one installation under one rate limit; ``installation_id`` None: without destination."""

    installation_id: UUID | None
    limit: Limit


def claim(
    work: Work,
    most: int,
    quota: Quota | None = None,
    *,
    busy: Collection[UUID] = (),
    lease: timedelta = LEASE,
) -> list[Delivery]:
    """Take up to ``most`` queued deliveries for this process; each gets a token of its own claim.

    quota: only these, at their pace, and the first of each conversation
    busy: conversations with something under way, which keep their order
    """
    if quota is not None and quota.installation_id is not None:
        most = rate_limits.available_calls(work, quota.installation_id, quota.limit, most)
    if most <= 0:
        return []
    parameters = {"now": work.now, "most": most, "ids": ids_value(work.tx, busy)}
    if quota is None:
        return _hold(work, _read(work.tx, _claimable(work.tx.dialect.name), parameters), lease)
    nowhere, limit = quota.installation_id is None, quota.limit
    query = _claimable(work.tx.dialect.name, limit.verbs, nowhere=nowhere, min_gap=bool(limit.min_gap))
    parameters |= {} if nowhere else {"installation": quota.installation_id}
    items = _hold(work, _first_of_each_lane(_read(work.tx, query, parameters)), lease)
    if quota.installation_id is not None:
        rate_limits.record_calls(work, quota.installation_id, limit, len(items))
        if limit.min_gap:
            lanes = {item.lane for item in items if item.lane is not None}
            rate_limits.block_until(work, lanes, work.now + timedelta(seconds=limit.min_gap))
    return items


@cache
def _claimable(
    dialect: str, verbs: tuple[str, ...] | None = None, *, nowhere: bool = False, min_gap: bool = False
) -> Select[Any]:
    """The query of a claim. Without ``verbs``: every delivery that may go."""
    where = [
        delivery.c.state == inline_word("queued"),
        delivery.c.not_before <= bindparam("now"),
        _ready(),
        ~in_ids_parameter(dialect, LANE),
    ]
    if verbs is not None:
        there = delivery.c.installation_id
        where.append(there.is_(None) if nowhere else there == bindparam("installation"))
        where.append(delivery.c.verb.in_(verbs))
    if min_gap:
        where.append(~rate_limits.is_blocked(LANE, bindparam("now")))
    order = (delivery.c.priority, delivery.c.not_before, delivery.c.created_at, delivery.c.id)
    query = select(*_DELIVERY).where(*where).order_by(*order).limit(bindparam("most"))
    return query.with_for_update(skip_locked=True, of=delivery)


def _ready() -> ColumnElement[bool]:
    target = delivery.alias("target")
    busy = delivery.alias("busy")
    return or_(
        delivery.c.verb != inline_word("update"),
        and_(
            # An update waits until its message is there, and until an earlier update of it is settled.
            exists().where(target.c.id == delivery.c.target_id, target.c.state != inline_word("sending")),
            ~exists().where(
                busy.c.target_id == delivery.c.target_id,
                busy.c.verb == inline_word("update"),
                busy.c.state == inline_word("sending"),
            ),
        ),
    )


def _read(tx: Tx, query: Select[Any], parameters: Mapping[str, Any]) -> list[Delivery]:
    return [Delivery(*row) for row in tx.execute(query, parameters)]


def _first_of_each_lane(deliveries: Sequence[Delivery]) -> list[Delivery]:
    first: dict[UUID | None, Delivery] = {}
    for item in deliveries:
        first.setdefault(item.lane, item)
    return list(first.values())


_SILENT = (
    select(*_DELIVERY)
    .where(delivery.c.state == "sending", delivery.c.claimed_until < bindparam("before"))
    .order_by(delivery.c.claimed_until, delivery.c.id)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)


def claim_stale(work: Work, most: int, *, lease: timedelta = LEASE, settling: timedelta = SETTLING) -> list[Delivery]:
    """Take over deliveries whose lease expired. Their outcome is unknown and must be looked up."""
    silent = _read(work.tx, _SILENT, {"before": work.now - settling, "most": most})
    return _hold(work, _first_of_each_lane(silent), lease)


_HOLD = (
    update(delivery)
    .where(delivery.c.id == bindparam("held_id"))
    .values(
        state="sending",
        claimed_until=bindparam("until"),
        attempts=delivery.c.attempts + 1,
        claim=bindparam("held_claim"),
    )
)


_HELD = (
    delivery.c.id == bindparam("held_id"),
    delivery.c.claim == bindparam("held_claim"),
    delivery.c.state == inline_word("sending"),
)


_HELD_UNTIL = select(delivery.c.claimed_until).where(*_HELD)


_SETTLE = update(delivery).where(*_HELD)


def _hold(work: Work, deliveries: Sequence[Delivery], lease: timedelta) -> list[Delivery]:
    items = [replace(item, claim=work.new_id(), attempts=item.attempts + 1) for item in deliveries]
    if items:
        until = work.now + lease
        work.tx.execute(
            _HOLD, [{"held_id": delivery.id, "held_claim": delivery.claim, "until": until} for delivery in items]
        )
    return items


def still_held(tx: Tx, item: Delivery, now: datetime, call_seconds: float) -> bool:
    """Whether the lease lasts longer than a call that begins now."""
    until = tx.scalar(_HELD_UNTIL, {"held_id": item.id, "held_claim": item.claim})
    return until is not None and until > now + timedelta(seconds=call_seconds)


def settle(
    work: Work,
    item: Delivery,
    state: str,
    *,
    reason: str = "",
    unreachable: bool = False,
    sent_to: UUID | None = None,
    message: str | None = None,
    wait: float | None = None,
) -> bool:
    """Save the outcome of a claimed delivery; False where another process has claimed it since.

    ``unreachable``: the platform said that it can't reach the recipient. ``wait``: seconds until a next try.
    """
    values: dict[str, Any] = {"state": state, "reason": shortened(reason, 300), "unreachable": unreachable}
    if state == "queued":
        values["not_before"] = work.now + timedelta(seconds=wait or 0)
        values["claim"] = None
    else:
        values["settled_at"] = work.now
    if message is not None:
        values |= {"sent_to": sent_to, "message": message}
    if state == "queued" and item.verb == "update" and _newer_update_waits(work.tx, item):
        values = {"state": "dropped", "reason": "a newer update waits", "settled_at": work.now}
    held = {"held_id": item.id, "held_claim": item.claim}
    return work.tx.execute(_SETTLE, {**held, **values}).rowcount == 1


def hold_back(work: Work, reason: str) -> int:
    """Mark every message that is queued or under way as one that may have arrived; how many they are.

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


_NEXT = select(
    select(func.min(delivery.c.not_before)).where(delivery.c.state == inline_word("queued")).scalar_subquery(),
    select(func.min(delivery.c.claimed_until)).where(delivery.c.state == inline_word("sending")).scalar_subquery(),
)


def next_time(tx: Tx, settling: timedelta = SETTLING) -> datetime | None:
    """When the next queued delivery may go, or the next expired lease is looked at; None: there is neither."""
    queued, silent = tx.execute(_NEXT).one()
    return min((at for at in (queued, silent and silent + settling) if at is not None), default=None)
