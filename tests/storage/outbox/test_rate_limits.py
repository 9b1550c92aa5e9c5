"""The platforms' pace: next-allowed-at by conversation, tenant and method, for every process."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import insert, select, update

from bot.runtime.delivery import DeliveryLoop
from bot.runtime.dispatch import Product
from bot.runtime.intervals import ONE_PROCESS
from bot.runtime.planner import look
from bot.runtime.port import Address, Outgoing, Sent, Wait
from bot.runtime.threads import DatabaseThreads
from bot.slack.limits import RATE_LIMITS
from handlers.checkins.schedule import refresh_schedule
from storage.checkins.checkins_tables import checkin
from storage.core.database import Tx
from storage.outbox import conversations, deliveries, due, kinds, moments, rate_limits
from storage.outbox.outbox_tables import delivery
from storage.outbox.outbox_tables import rate_limit as rate_limit_table
from storage.outbox.rate_limits import Limit, Rate
from storage.people.people_tables import account, cohort, membership, person
from storage.vault import seals
from tests.world import PLATFORM, TENANT, PaperPort, Person, World

CHECK_INS = 10_000


@pytest.fixture
def dana(world: World) -> Person:
    return world.matched("Dana Reyes", "dana@example.org")


@pytest.fixture
def lee(world: World) -> Person:
    return world.matched("Lee Okafor", "lee@example.org")


def queue(world: World, who: Person, tag: object, *, acted: bool = False) -> None:
    with world.database.write() as tx:
        work = replace(world.work(tx), acted=acted)
        deliveries.to_person(work, kinds.WELCOME, who.id, who.id, tag)


def keep(world: World, *limits: Limit) -> None:
    world.loop.rate_limits = {PLATFORM: limits}


@dataclass
class Watch(PaperPort):
    """Counts calls, and those that a platform would have refused with 429: too soon in a chat, too many a minute."""

    world: World | None = None
    calls: list[tuple[datetime, str]] = field(default_factory=list)
    refused: int = 0
    last: dict[str, datetime] = field(default_factory=dict)
    a_minute: int = 100

    async def post(self, to: Address, message: Outgoing) -> Sent:
        assert self.world is not None
        now, where = self.world.clock.now(), to.conversation or f"D-{to.user}"
        recent = [at for at, _ in self.calls[-self.a_minute :] if at > now - timedelta(minutes=1)]
        too_soon = where in self.last and now - self.last[where] < timedelta(seconds=1)
        if too_soon or len(recent) >= self.a_minute:
            self.refused += 1
            raise Wait(30)
        self.calls.append((now, where))
        self.last[where] = now
        return Sent(where, str(len(self.calls)))


def watched(world: World) -> Watch:
    port = Watch(world=world)
    world.loop = DeliveryLoop(world.product, {PLATFORM: port})
    return port


async def test_one_message_a_second_in_a_conversation_and_others_go_meanwhile(
    world: World, dana: Person, lee: Person
) -> None:
    keep(world, Limit(min_gap=1.0))
    for tag in range(3):
        queue(world, dana, tag)
    queue(world, lee, 0)
    await world.loop.drain()
    assert (len(world.to(dana)), len(world.to(lee))) == (1, 1)
    world.clock.at += timedelta(seconds=0.9)
    await world.loop.drain()
    assert len(world.to(dana)) == 1
    for expected in (2, 3):
        world.clock.at += timedelta(seconds=1)
        await world.loop.drain()
        assert len(world.to(dana)) == expected


async def test_a_tenants_rate_holds_for_all_its_conversations(world: World, dana: Person, lee: Person) -> None:
    keep(world, Limit(rate=Rate(seconds=0.5, burst=2)))
    for tag in range(3):
        queue(world, dana, tag)
        queue(world, lee, tag)
    await world.loop.drain()
    assert len(world.port.messages) == 2
    world.clock.at += timedelta(seconds=0.5)
    await world.loop.drain()
    assert len(world.port.messages) == 3
    world.clock.at += timedelta(seconds=60)
    await world.loop.drain()
    assert len(world.port.messages) == 5, "a rest earns no more than the burst"


async def test_another_process_heeds_what_one_was_told(world: World, dana: Person, lee: Person) -> None:
    queue(world, dana, 0)
    world.port.failures = [Wait(30)]
    await world.loop.drain()
    queue(world, lee, 0)
    threads = DatabaseThreads(world.database)
    product = Product(threads, world.vault, world.product.router, world.clock, world.product.new_id, b"")
    other = DeliveryLoop(product, {PLATFORM: world.port})
    assert await other.drain() == 0
    world.clock.at += timedelta(seconds=31)
    assert await other.drain() == 2
    threads._writers.shutdown()
    threads._readers.shutdown()


async def test_a_message_begins_when_nobody_waits_for_an_answer(world: World, dana: Person) -> None:
    loop = DeliveryLoop(world.product, {PLATFORM: world.port}, replace(ONE_PROCESS, yielding=600.0))
    queue(world, dana, 0)
    with world.product.admission.answering():
        draining = asyncio.create_task(loop.drain())
        while "sending" not in _states(world):
            await asyncio.sleep(0.001)
        for _ in range(50):
            await asyncio.sleep(0)
        assert world.to(dana) == []
    assert await draining == 1
    assert len(world.to(dana)) == 1


def _states(world: World) -> list[str]:
    with world.database.read() as tx:
        return list(tx.scalars(select(delivery.c.state)))


async def test_a_wait_for_changes_holds_back_no_posts(world: World, dana: Person) -> None:
    keep(world, Limit("post", ("post",)), Limit("update", ("update",)), Limit("visit", ("visit",)))
    queue(world, dana, 0)
    await world.loop.drain()
    with world.database.write() as tx:
        deliveries.refresh(world.work(tx), dana.id, kinds.WELCOME)
    world.port.failures = [Wait(60)]
    await world.loop.drain()
    queue(world, dana, 1)
    await world.loop.drain()
    assert len(world.to(dana)) == 2
    assert world.to(dana)[0].updates == 0


async def test_what_follows_an_act_goes_before_a_mass_sending(world: World, dana: Person, lee: Person) -> None:
    keep(world, Limit(rate=Rate(seconds=1, burst=1)))
    for tag in range(30):
        queue(world, lee, tag)
    world.clock.at += timedelta(minutes=1)
    queue(world, dana, "welcome", acted=True)
    await world.loop.drain()
    assert [message.conversation for message in world.port.messages] == [f"D-{dana.user}"]


async def test_one_tenants_flood_delays_no_other(world: World, dana: Person, lee: Person) -> None:
    """Lee moves to another tenant of the platform; Dana's is flooded and slow."""
    with world.database.write() as tx:
        other = conversations.installation_id(world.work(tx), PLATFORM, "T2")
        moved = update(account).where(account.c.person_id == lee.id).values(installation_id=other)
        tx.execute(moved)
        seals.seal_everything(tx)
    keep(world, Limit(rate=Rate(seconds=1, burst=1)))
    for tag in range(200):
        queue(world, dana, tag)
    world.clock.at += timedelta(minutes=1)
    queue(world, lee, "late")
    await world.loop.drain()
    assert Counter(message.conversation for message in world.port.messages) == {f"D-{dana.user}": 1, f"D-{lee.user}": 1}


def test_two_processes_share_one_tenants_rate(world: World, dana: Person, lee: Person) -> None:
    limit = Limit(rate=Rate(seconds=1, burst=4))
    with world.database.write() as tx:
        tenant = conversations.installation_id(world.work(tx), PLATFORM, TENANT)
        assert rate_limits.available_calls(world.work(tx), tenant, limit, 3) == 3  # its row is there from now on
    with world.database.write() as tx:
        work = world.work(tx)
        assert rate_limits.available_calls(work, tenant, limit, 3) == 3
        rate_limits.record_calls(work, tenant, limit, 3)
        if not world.database.sqlite:
            with world.database.write() as second:
                assert rate_limits.available_calls(world.work(second), tenant, limit, 3) == 0, (
                    "the other is just taking its share"
                )
    with world.database.write() as tx:
        assert rate_limits.available_calls(world.work(tx), tenant, limit, 3) == 1


@pytest.mark.timeout(300)
async def test_ten_thousand_checkins_of_one_minute_without_an_avoidable_429(world: World, dana: Person) -> None:
    if not world.database.sqlite:
        return  # the same statements; their meaning on PostgreSQL is tested above
    port = watched(world)
    world.loop.rate_limits = {PLATFORM: RATE_LIMITS}
    with world.database.write() as tx:
        _crowd(world, tx, dana)
    at = _due_at(world)
    world.clock.at = at
    assert await look(world.product) >= 1
    with world.database.read() as tx:
        queued = tx.scalars(select(delivery.c.state).where(delivery.c.kind == "checkin")).all()
        assert len(queued) == len(tx.scalars(select(checkin.c.id)).all()) == CHECK_INS
    # The whole sending would take two hours of the clock; three minutes show the pace.
    while world.clock.at < at + timedelta(minutes=3):
        await world.loop.drain()
        world.clock.at += timedelta(seconds=2)
    assert port.refused == 0
    assert 3 * 85 <= len(port.calls) <= 3 * 100
    assert max(Counter(where for _, where in port.calls).values()) == 1


def _due_at(world: World) -> datetime:
    with world.database.read() as tx:
        coming = due.next_moment(tx, [kind for kind in moments.ALL.values() if kind != moments.CHECKINS_OPEN])
    assert coming is not None
    return coming.due_at


def _crowd(world: World, tx: Tx, like: Person) -> None:
    """Ten thousand mentees of Dana's cohort, each with a linked account."""
    work = world.work(tx)
    tenant = conversations.installation_id(work, PLATFORM, TENANT)
    ozarks = tx.scalar(select(cohort.c.id).where(cohort.c.name == "Ozarks"))
    ids = [work.new_id() for _ in range(CHECK_INS - 1)]
    people = [
        {"id": id_, "name": f"M{n}", "email": f"m{n}@example.org", "zone": "America/Chicago"}
        for n, id_ in enumerate(ids)
    ]
    tx.execute(insert(person), people)
    accounts = [
        {
            "id": work.new_id(),
            "installation_id": tenant,
            "user": f"U{n}",
            "name": "",
            "email": "",
            "member": True,
            "active": True,
            "person_id": id_,
            "link": "confirmed",
            "seen_at": work.now,
        }
        for n, id_ in enumerate(ids)
    ]
    tx.execute(insert(account), accounts)
    row = tx.execute(select(membership).where(membership.c.person_id == like.id)).one()._asdict()
    assert row["cohort_id"] == ozarks
    tx.execute(insert(membership), [{**row, "id": work.new_id(), "person_id": id_} for id_ in ids])
    seals.seal_everything(tx)
    refresh_schedule(work, None)


def test_subjects_of_pace_are_forgotten_after_a_day(world: World) -> None:
    with world.database.write() as tx:
        work = world.work(tx)
        rate_limits.block_until(work, [UUID(int=1)], work.now - timedelta(days=2))
        rate_limits.block_until(work, [UUID(int=2)], work.now)
        rate_limits.forget_old(work)
        assert [row.subject for row in tx.execute(select(rate_limit_table))] == [UUID(int=2)]
