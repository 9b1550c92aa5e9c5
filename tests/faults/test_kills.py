"""Processes killed and frozen: 0 lost, 0 doubled, at every step of planning and delivery."""

from __future__ import annotations

import asyncio
import random
import signal

import psutil
import pytest

from tests.faults.conftest import ON_BOTH_AND_BY_THREE
from tests.faults.deployment import EVERYBODY, Deployment, until
from tests.faults.process import BATCH, QUICK, STEPS

pytestmark = [pytest.mark.process, pytest.mark.timeout(400)]  # a busy machine takes its time; an idle one needs a tenth
MOST_STEPS = 14  # more than planning and delivering one wave take


@ON_BOTH_AND_BY_THREE
@pytest.mark.parametrize("step", STEPS)
async def test_killed_at_every_step_of_planning_and_delivery(deployment: Deployment, processes: int, step: str) -> None:
    """A wave for each process; those who die a step later finish what those before them left.

    Where there are three at once, each dies a step later than the one before, and the others take over meanwhile.
    However they share the waves, two of them at least come to their step.
    """
    deployment.link()
    deaths = 0
    for first in range(1, MOST_STEPS, processes):
        for _ in range(processes):
            deployment.plan_wave()
        bots = [deployment.bot(fault=(step, first + later, "SIGKILL")) for later in range(processes)]
        await deployment.until(lambda: deployment.settled() or not any(bot.alive for bot in bots))  # noqa: B023 -- of this round
        outlived = [bot for bot in bots if bot.alive]
        deaths += len(bots) - len(outlived)
        for bot in outlived:
            await bot.kill()
        if len(outlived) == processes:
            break
    deployment.bot()
    await deployment.all_settled()
    assert deaths >= 2, "both deliveries' calls, or the commits around them, were died at"
    assert deployment.lost_and_doubled() == (0, 0)
    assert set(deployment.states().values()) == {"sent"}


@ON_BOTH_AND_BY_THREE
async def test_killed_at_random_moments_over_hundreds_of_deliveries(deployment: Deployment, processes: int) -> None:
    deployment.link()
    chance = random.Random(11)
    bots = [deployment.bot() for _ in range(processes)]
    for _ in range(8):
        for email in EVERYBODY:
            deployment.queue(email, 6)
        await asyncio.sleep(chance.uniform(0.2, 1.2))  # the moment of death is the point of this test
        victim = chance.randrange(processes)
        await bots[victim].kill()
        bots[victim] = deployment.bot()
    await deployment.all_settled()
    assert len(deployment.states()) == 8 * 6 * len(EVERYBODY)
    assert deployment.lost_and_doubled() == (0, 0)


@pytest.mark.parametrize(
    ("database_url", "step"),
    [*(("sqlite", step) for step in STEPS[1:]), *(("postgresql", step) for step in (*STEPS, BATCH))],
    indirect=["database_url"],
)
async def test_frozen_beyond_its_lease_and_woken_again(deployment: Deployment, step: str) -> None:
    """On SQLite the next process is only let in when the frozen one is gone, so it just goes on.

    What it left open on PostgreSQL, the server ends, or the other process.
    """
    deployment.link()
    deployment.queue("dana@example.org", 3)
    deployment.queue("tom@example.org", 3)
    frozen = deployment.bot(fault=(step, 1 if step == BATCH else 3, "SIGSTOP"))
    await until(lambda: _stopped(frozen.pid))
    beyond = QUICK.lease if deployment.database.sqlite else QUICK.call  # by its own clock, which nobody can set
    asleep = asyncio.create_task(asyncio.sleep(beyond + QUICK.settling))
    if not deployment.database.sqlite:
        deployment.bot()
        await deployment.all_settled(frozen)
    await asleep
    frozen.send(signal.SIGCONT)
    await deployment.all_settled()
    await asyncio.sleep(0.5)  # what the woken one would still do wrong
    assert deployment.lost_and_doubled() == (0, 0)
    assert frozen.alive, frozen.log


def _stopped(pid: int) -> bool:
    return bool(psutil.Process(pid).status() == psutil.STATUS_STOPPED)


async def test_a_stop_signal_finishes_what_is_in_flight(deployment: Deployment) -> None:
    deployment.link()
    deployment.queue("dana@example.org", 1)
    deployment.slack.slow = 0.7
    bot = deployment.bot()
    await until(lambda: bool(deployment.slack.made("chat.postMessage")))
    bot.send(signal.SIGTERM)
    await until(lambda: "bot.stopping" in bot.log)
    deployment.queue("tom@example.org", 1)
    await bot.gone()
    assert sorted(deployment.states().values()) == ["queued", "sent"], "nothing new was begun"
    assert "bot.stopped clean=yes" in bot.log
    assert deployment.lost_and_doubled()[1] == 0


async def test_a_second_stop_signal_stops_at_once(deployment: Deployment) -> None:
    deployment.link()
    deployment.queue("dana@example.org", 1)
    deployment.slack.slow = 30
    bot = deployment.bot(intervals={"call": 40, "lease": 60, "stop": 60})
    await until(lambda: bool(deployment.slack.made("chat.postMessage")) or not bot.alive)
    bot.send(signal.SIGTERM)
    await until(lambda: "bot.stopping" in bot.log)
    bot.send(signal.SIGTERM)
    await until(lambda: not bot.alive, 5)
    assert list(deployment.states().values()) == ["sending"], "looked up by the next one, after the lease"
