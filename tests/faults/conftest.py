"""Real processes, a real database of each kind, and platforms over HTTP that count what arrives."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fakes.teams import FakeTeams
from tests.faults.house import Fleet, House, small_slack


@pytest.fixture
async def fleet() -> AsyncIterator[Fleet]:
    begun = await Fleet.begin()
    yield begun
    await begun.end()


@pytest.fixture
async def house(tmp_path: Path, database_url: str, fleet: Fleet) -> AsyncIterator[House]:
    slack = small_slack()
    await slack.start()
    async with FakeTeams() as teams:
        made = House(tmp_path, database_url, fleet, slack, teams)
        yield made
        await made.close()
    await slack.stop()
