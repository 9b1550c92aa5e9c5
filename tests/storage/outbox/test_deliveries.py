"""Deliveries: fenced, settled once, looked up before anything is sent again."""

from __future__ import annotations

import threading
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from bot.runtime.port import CannotLook, Permanent, Temporary, Uncertain, Wait
from storage.outbox import claims, deliveries, kinds, undelivered
from storage.outbox.claims import LEASE, SETTLING
from storage.outbox.deliveries import Delivery
from storage.outbox.outbox_tables import delivery
from tests.world import Person, World


@pytest.fixture
def dana(world: World) -> Person:
    return world.matched("Dana Reyes", "dana@example.org")


def queue(world: World, who: Person, tag: str = "") -> None:
    with world.database.write() as tx:
        deliveries.to_person(world.work(tx), kinds.WELCOME, who.id, who.id, tag)


def claim(world: World) -> list[Delivery]:
    with world.database.write() as tx:
        return claims.claim(world.work(tx), 10)


def rows(world: World) -> list[tuple[str, str]]:
    with world.database.read() as tx:
        return [(row.state, row.reason) for row in tx.execute(select(delivery).order_by(delivery.c.created_at))]


async def after_the_lease(world: World) -> None:
    world.clock.at += LEASE + SETTLING + timedelta(seconds=1)
    await world.loop.drain()


def test_queued_once_claimed_once(world: World, dana: Person) -> None:
    queue(world, dana)
    queue(world, dana)
    assert len(claim(world)) == 1
    assert claim(world) == []


def test_only_the_holder_of_the_claim_settles(world: World, dana: Person) -> None:
    queue(world, dana)
    held = claim(world)[0]
    world.clock.at += LEASE + SETTLING + timedelta(seconds=1)
    with world.database.write() as tx:
        taken_over = claims.claim_stale(world.work(tx), 10)[0]
    with world.database.write() as tx:
        assert claims.settle(world.work(tx), held, "sent") is False
        assert claims.still_held(tx, held, world.clock.at, 1) is False
        assert claims.settle(world.work(tx), taken_over, "sent") is True
    assert rows(world) == [("sent", "")]


async def test_a_sender_killed_after_the_call_sends_nothing_twice(world: World, dana: Person) -> None:
    queue(world, dana)
    world.port.after = [Uncertain()]  # the message arrived, the answer did not
    await world.loop.drain()
    assert len(world.to(dana)) == 1
    assert rows(world)[0][0] == "sending"
    await world.loop.drain()
    assert len(world.to(dana)) == 1  # not before the lease has passed
    await after_the_lease(world)
    assert len(world.to(dana)) == 1
    assert rows(world) == [("sent", "")]


async def test_a_sender_killed_before_the_call_loses_nothing(world: World, dana: Person) -> None:
    queue(world, dana)
    claim(world)  # and the process is gone
    await world.loop.drain()
    assert world.to(dana) == []
    await after_the_lease(world)
    assert len(world.to(dana)) == 1
    assert rows(world) == [("sent", "")]


async def test_what_arrived_is_known_to_have_arrived_when_it_is_no_longer_true(
    world: World, dana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else no update would ever reach the message."""
    queue(world, dana)
    world.port.after = [Uncertain()]
    await world.loop.drain()
    monkeypatch.setitem(world.product.router.builders, "welcome", lambda work, item: None)
    await after_the_lease(world)
    assert rows(world) == [("sent", "")]


async def test_what_did_not_arrive_is_dropped_when_it_is_no_longer_true(
    world: World, dana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue(world, dana)
    claim(world)  # and the process is gone
    monkeypatch.setitem(world.product.router.builders, "welcome", lambda work, item: None)
    await after_the_lease(world)
    assert world.to(dana) == []
    assert rows(world) == [("dropped", "it was out of date")]


@pytest.mark.parametrize("slow", [False, True])
async def test_only_a_card_about_one_person_is_built_in_the_event_loop(
    world: World, dana: Person, monkeypatch: pytest.MonkeyPatch, *, slow: bool
) -> None:
    """While a card of the whole program is being built, everybody else is answered."""
    here: list[bool] = []

    def builds(*_: object) -> None:
        here.append(threading.current_thread() is threading.main_thread())

    monkeypatch.setitem(world.product.router.builders, "welcome", builds)
    monkeypatch.setattr(world.product.router, "slow_deliveries", {"welcome"} if slow else set())
    queue(world, dana)
    await world.loop.drain()
    assert here == [world.database.sqlite and not slow]


async def test_a_card_that_cannot_be_made_sends_nothing_twice(
    world: World, dana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ValueError

    queue(world, dana)
    world.port.after = [Uncertain()]
    await world.loop.drain()
    with monkeypatch.context() as patched:
        patched.setitem(world.product.router.builders, "welcome", broken)
        await after_the_lease(world)
    world.clock.at += timedelta(hours=1)
    await world.loop.drain()
    assert len(world.to(dana)) == 1
    assert rows(world) == [("sent", "")]


@pytest.mark.parametrize("wrong", [TimeoutError(), KeyError("channel")], ids=["no answer", "a fault of ours"])
async def test_a_look_that_goes_wrong_sends_nothing_twice(
    world: World, dana: Person, monkeypatch: pytest.MonkeyPatch, wrong: Exception
) -> None:
    async def looks(*_: object) -> None:
        raise wrong

    queue(world, dana)
    world.port.after = [Uncertain()]
    await world.loop.drain()
    with monkeypatch.context() as patched:
        patched.setattr(world.port, "find", looks)
        await after_the_lease(world)
    assert rows(world)[0][0] == "sending"
    await after_the_lease(world)
    assert len(world.to(dana)) == 1
    assert rows(world) == [("sent", "")]


async def test_a_post_whose_answer_we_stumble_over_is_looked_up(world: World, dana: Person) -> None:
    queue(world, dana)
    world.port.after = [KeyError("ts")]
    await world.loop.drain()
    assert rows(world)[0][0] == "sending"
    await after_the_lease(world)
    assert len(world.to(dana)) == 1
    assert rows(world) == [("sent", "")]


async def test_what_can_neither_be_looked_up_nor_made_is_given_up_in_the_open(
    world: World, dana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ValueError

    queue(world, dana)
    claim(world)  # and the process is gone
    monkeypatch.setattr("bot.runtime.delivery_call.MOST_TRIES", 3)
    monkeypatch.setitem(world.product.router.builders, "welcome", broken)
    await after_the_lease(world)
    assert rows(world)[0][0] == "sending"
    await after_the_lease(world)
    assert rows(world) == [("unconfirmed", "it may not have arrived")]


async def test_where_nothing_can_be_looked_up_it_is_unconfirmed(
    world: World, dana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def blind(*_: object) -> None:
        raise CannotLook

    monkeypatch.setattr(world.port, "find", blind)
    queue(world, dana)
    world.port.after = [Uncertain()]
    await world.loop.drain()
    await after_the_lease(world)
    assert rows(world) == [("unconfirmed", "it may not have arrived")]
    assert len(world.to(dana)) == 1
    await after_the_lease(world)
    assert len(world.to(dana)) == 1


async def test_waits_are_kept_and_failures_end_with_a_reason(world: World, dana: Person) -> None:
    queue(world, dana, "a")
    world.port.failures = [Wait(30), Temporary("no network")]
    await world.loop.drain()
    assert rows(world) == [("queued", "the platform asked to wait")]
    world.clock.at += timedelta(seconds=29)
    assert await world.loop.drain() == 0
    world.clock.at += timedelta(seconds=2)
    await world.loop.drain()
    assert rows(world) == [("queued", "no network")]
    world.clock.at += timedelta(minutes=1)
    await world.loop.drain()
    assert rows(world) == [("sent", "")]
    queue(world, dana, "b")
    world.port.failures = [Permanent("The account is deactivated.")]
    await world.loop.drain()
    assert rows(world)[1] == ("failed", "The account is deactivated.")
    with world.database.read() as tx:
        assert [delivery.recipient for delivery in undelivered.undelivered(tx, world.clock.at)] == ["Dana Reyes"]


async def test_somebody_without_an_account_is_undeliverable_not_lost(world: World) -> None:
    from storage.people import people

    with world.database.read() as tx:
        lee = people.by_email(tx, "lee@example.org")
    assert lee
    with world.database.write() as tx:
        deliveries.to_person(world.work(tx), kinds.WELCOME, lee.id, lee.id)
    await world.loop.drain()
    assert rows(world) == [("failed", "this person has no matched account yet")]


async def test_one_update_waits_for_each_message_and_the_newest_wins(world: World, dana: Person) -> None:
    queue(world, dana)
    await world.loop.drain()
    for _ in range(5):
        with world.database.write() as tx:
            deliveries.refresh(world.work(tx), dana.id, kinds.WELCOME)
    with world.database.read() as tx:
        waiting = tx.execute(select(delivery).where(delivery.c.verb == "update")).all()
    assert len(waiting) == 1
    await world.loop.drain()
    assert world.to(dana)[0].updates == 1


def test_an_update_waits_until_its_message_is_there(world: World, dana: Person) -> None:
    queue(world, dana)
    held = claim(world)[0]
    with world.database.write() as tx:
        deliveries.refresh(world.work(tx), dana.id, kinds.WELCOME)
    assert claim(world) == []
    with world.database.write() as tx:
        claims.settle(world.work(tx), held, "sent", message="1", sent_to=None)
    assert [delivery.verb for delivery in claim(world)] == ["update"]


def test_two_processes_never_claim_the_same(world: World, dana: Person) -> None:
    for tag in ("a", "b", "c"):
        queue(world, dana, tag)
    if world.database.sqlite:
        return  # one writer: the second claim comes after the first
    with world.database.write() as first, world.database.write() as second:
        mine = {delivery.id for delivery in claims.claim(world.work(first), 2)}
        other = World(world.database, seed=2)
        theirs: set[UUID] = {delivery.id for delivery in claims.claim(other.work(second), 2)}
    assert len(mine) == 2
    assert len(theirs) == 1
    assert not mine & theirs
