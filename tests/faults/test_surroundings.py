"""The database goes away, the disk is full: what was confirmed stays, what was due comes once."""

from __future__ import annotations

import asyncio
import resource
from datetime import UTC, datetime, timedelta

import aiohttp
import psutil
import pytest
from sqlalchemy import create_engine, text

from tests.fakes.slack import HttpWire, SlackPerson, words
from tests.faults.conftest import ON_POSTGRESQL, ON_SQLITE
from tests.faults.deployment import EVERYBODY, Bot, Deployment, until

pytestmark = [pytest.mark.process, pytest.mark.timeout(400)]  # a busy machine takes its time


@ON_POSTGRESQL  # a file does not go away
async def test_the_database_goes_away_and_comes_back(deployment: Deployment) -> None:
    deployment.link()
    bots = [deployment.bot(), deployment.bot()]
    for bot in bots:
        await bot.ready()
    for email in EVERYBODY:
        deployment.queue(email, 10)
    deployment.plan_wave()
    name = deployment.database.url.database
    server = create_engine(deployment.database.url.set(drivername="postgresql+psycopg", database="postgres"))
    server = server.execution_options(isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        for _ in range(3):
            connection.execute(text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false"))
            connection.execute(
                text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"), {"name": name}
            )
            await asyncio.sleep(1)
            assert await _ready(bots[0]) == 503
            connection.execute(text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true"))
            await asyncio.sleep(0.5)
    server.dispose()
    deployment.database.close()
    await deployment.all_settled()
    assert deployment.lost_and_doubled() == (0, 0)
    assert len(deployment.states()) == 10 * len(EVERYBODY) + 2
    assert all(bot.alive for bot in bots)
    assert await _ready(bots[0]) == 200


async def _ready(bot: Bot) -> int:
    async with aiohttp.ClientSession() as session, session.get(f"{await bot.ready()}readyz") as answer:
        return answer.status


@ON_SQLITE  # PostgreSQL's own disk is its operator's
async def test_the_disk_is_full_and_then_it_is_not(deployment: Deployment) -> None:
    deployment.link()
    bot = deployment.bot()
    address = await bot.ready()
    largest = max(file.stat().st_size for file in deployment.folder.glob("plc.*"))
    psutil.Process(bot.pid).rlimit(psutil.RLIMIT_FSIZE, (largest + 16_384, resource.RLIM_INFINITY))
    for email in EVERYBODY:
        deployment.queue(email, 30)
    deployment.plan_wave()
    await until(lambda: "OperationalError" in bot.log)
    async with aiohttp.ClientSession() as session:
        dana = SlackPerson(deployment.slack, HttpWire(session, f"{address}slack/events"), "U00DANA")
        answered = await dana.command(f"snooze until {datetime.now(UTC).date() + timedelta(days=14)}", dana._chat)
        said = words(answered.body) + words(deployment.slack.notices)
        assert "nothing was saved" in said or "paused" in said.lower()
    psutil.Process(bot.pid).rlimit(psutil.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    await deployment.all_settled()
    assert deployment.lost_and_doubled() == (0, 0)
    assert len(deployment.states()) == 30 * len(EVERYBODY) + 2
    assert deployment.read(lambda tx: tx.execute(text("PRAGMA integrity_check")).scalar()) == "ok"
