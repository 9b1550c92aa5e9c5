"""Processes killed and frozen: 0 lost, 0 doubled, at every step of planning and delivery."""

from __future__ import annotations

import asyncio
import random
import signal

import psutil
import pytest

from tests.faults.house import EVERYBODY, Bot, House, until
from tests.faults.process import STEPS

pytestmark = pytest.mark.timeout(400)  # a busy machine takes its time; an idle one needs a tenth
MOST_STEPS = 14  # more than planning and delivering one wave take


@pytest.mark.parametrize("step", STEPS)
async def test_killed_at_every_step_of_planning_and_delivery(house: House, step: str) -> None:
    """One wave for each step that is left; the next process, which dies a step later, finishes the one before."""
    house.link()
    deaths = 0
    for count in range(1, MOST_STEPS):
        house.plan_wave()
        bot = await house.bot(fault=(step, count, "SIGKILL"))
        if await _outlives_the_wave(house, bot):
            await bot.kill()
            break
        deaths += 1
    await house.bot()
    await house.all_settled()
    assert deaths >= 2, "both deliveries' calls, or the commits around them, were died at"
    assert house.lost_and_doubled() == (0, 0)
    assert set(house.states().values()) == {"sent"}


async def _outlives_the_wave(house: House, bot: Bot) -> bool:
    await until(lambda: not bot.alive or house.settled())
    return bot.alive


@pytest.mark.parametrize("processes", [1, 3])
async def test_killed_at_random_moments_over_hundreds_of_deliveries(house: House, processes: int) -> None:
    if house.database.sqlite and processes > 1:
        return  # the second one is refused
    house.link()
    for email in EVERYBODY:
        house.queue(email, 30)
    chance = random.Random(11)
    bots = [await house.bot() for _ in range(processes)]
    for _ in range(6):
        await asyncio.sleep(chance.uniform(0.3, 1.5))  # the moment of death is the point of this test
        victim = chance.randrange(processes)
        await bots[victim].kill()
        bots[victim] = await house.bot()
    await house.all_settled()
    assert len(house.states()) == 30 * len(EVERYBODY)
    assert house.lost_and_doubled() == (0, 0)


@pytest.mark.parametrize("step", STEPS[1:])
async def test_frozen_beyond_its_lease_and_woken_again(house: House, step: str) -> None:
    """On SQLite the next process is only let in when the frozen one is gone, so it just goes on."""
    house.link()
    house.queue("dana@example.org", 3)
    house.queue("tom@example.org", 3)
    frozen = await house.bot(fault=(step, 3, "SIGSTOP"))
    await until(lambda: _stopped(frozen.pid))
    if not house.database.sqlite:
        await house.bot()
        await house.all_settled()
    else:
        await asyncio.sleep(5)  # beyond its lease: the clock of the real process cannot be set
    frozen.send(signal.SIGCONT)
    await house.all_settled()
    await asyncio.sleep(0.5)  # what the woken one would still do wrong
    assert house.lost_and_doubled() == (0, 0)
    assert frozen.alive


def _stopped(pid: int) -> bool:
    return bool(psutil.Process(pid).status() == psutil.STATUS_STOPPED)


async def test_a_stop_signal_finishes_what_is_in_flight(house: House) -> None:
    house.link()
    house.queue("dana@example.org", 1)
    house.slack.slow = 0.7
    bot = await house.bot()
    await until(lambda: bool(house.slack.made("chat.postMessage")))
    bot.send(signal.SIGTERM)
    await until(lambda: "bot.stopping" in bot.log)
    house.queue("tom@example.org", 1)
    await bot.gone()
    assert sorted(house.states().values()) == ["queued", "sent"], "nothing new was begun"
    assert "bot.stopped clean=yes" in bot.log
    assert house.lost_and_doubled()[1] == 0


async def test_a_second_stop_signal_stops_at_once(house: House) -> None:
    house.link()
    house.queue("dana@example.org", 1)
    house.slack.slow = 30
    bot = await house.bot(timing={"call": 40, "lease": 60, "stop": 60})
    await until(lambda: "chat.postMessage" in [name for name, _ in house.slack.calls] or not bot.alive)
    bot.send(signal.SIGTERM)
    await until(lambda: "bot.stopping" in bot.log)
    bot.send(signal.SIGTERM)
    await until(lambda: not bot.alive, 5)
    assert list(house.states().values()) == ["sending"], "looked up by the next one, after the lease"


async def test_several_processes_that_start_together_all_come_up(house: House) -> None:
    bots = [await house.bot() for _ in range(1 if house.database.sqlite else 3)]
    for one in bots:
        assert (await one.ready()).startswith("http://")
