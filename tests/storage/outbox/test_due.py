"""Due moments: planned once, claimed once, tried again, given up in the open."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from storage.outbox import due, moments
from storage.outbox.moments import MomentKind
from storage.outbox.outbox_tables import due_moment
from tests.world import START, World


def states(world: World, kind: str) -> list[str]:
    with world.database.read() as tx:
        return list(tx.scalars(select(due_moment.c.state).where(due_moment.c.kind == kind)))


def plan(world: World, minutes: int = 0, version: int = 0) -> None:
    with world.database.write() as tx:
        due.plan(world.work(tx), MomentKind("test"), START + timedelta(minutes=minutes), "s", version=version)


def test_planning_twice_plans_once_and_a_cancelled_one_comes_back(world: World) -> None:
    plan(world)
    plan(world)
    assert states(world, "test") == ["waiting"]
    with world.database.write() as tx:
        due.cancel(world.work(tx), "s")
    assert states(world, "test") == ["cancelled"]
    plan(world, minutes=5)
    assert states(world, "test") == ["waiting"]


def test_what_is_done_is_not_planned_again(world: World) -> None:
    plan(world)
    with world.database.write() as tx:
        work = world.work(tx)
        moment = due.claim(work)
        assert moment is not None
        due.settle(work, moment)
        assert due.claim(work) is None
    plan(world)
    assert states(world, "test") == ["done"]


def test_the_earliest_comes_first_and_the_future_waits(world: World) -> None:
    plan(world, minutes=-5, version=1)
    plan(world, minutes=-9, version=2)
    plan(world, minutes=9, version=3)
    with world.database.write() as tx:
        work = world.work(tx)
        claimed = []
        while moment := due.claim(work):
            due.settle(work, moment)
            claimed.append(moment.version)
    assert claimed == [2, 1]


async def test_a_failing_handler_keeps_nothing_back_and_is_given_up_in_the_open(world: World) -> None:
    with world.database.write() as tx:
        due.plan(world.work(tx), moments.MEETING_REMINDER, START, "no-meeting")  # its handler cannot read this subject
        due.plan(world.work(tx), moments.TIDYING, START + timedelta(seconds=1), tag="x")
    await world.pass_time(seconds=2)
    assert "done" in states(world, "tidying")
    assert states(world, "meeting.reminder") == ["waiting"]
    await world.pass_time(days=2)
    assert states(world, "meeting.reminder") == ["failed"]


def test_two_lookers_never_hold_the_same_moment(world: World) -> None:
    plan(world)
    if world.database.sqlite:
        return  # one writer: the second looker waits for the first
    with world.database.write() as first, world.database.write() as second:
        assert due.claim(world.work(first)) is not None
        assert due.claim(world.work(second)) is None
