"""Real processes, a real database of each kind, and platforms over HTTP that count what arrives."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.fakes.teams import FakeTeams
from tests.faults.deployment import Deployment, Fleet, small_slack

ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
ON_POSTGRESQL = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
ON_BOTH_AND_BY_THREE = pytest.mark.parametrize(
    ("database_url", "processes"),
    [("sqlite", 1), ("postgresql", 1), ("postgresql", 3)],  # SQLite takes one process
    indirect=["database_url"],
)


@pytest.fixture(scope="session")
def fleet() -> Iterator[Fleet]:
    begun = Fleet()
    yield begun
    begun.end()


@pytest.fixture
async def deployment(tmp_path: Path, database_url: str, fleet: Fleet) -> AsyncIterator[Deployment]:
    slack = small_slack()
    await slack.start()
    async with FakeTeams() as teams:
        made = Deployment(tmp_path, database_url, fleet, slack, teams)
        yield made
        await made.close()
    await slack.stop()
