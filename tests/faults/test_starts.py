"""Several processes that start at once on an empty database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from storage.core.core_tables import process, program
from storage.core.database import Database
from storage.core.migrate import head
from storage.vault.vault_tables import ledger_key
from tests.fakes.slack import FakeSlack
from tests.faults.conftest import ON_POSTGRESQL
from tests.faults.deployment import Fleet, small_slack
from tests.faults.process import Orders

pytestmark = [pytest.mark.process, pytest.mark.timeout(400)]  # a busy machine takes its time
PROCESSES = 4
MAKERS = """
SELECT DISTINCT CAST(pg_class.xmin AS text) FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE relkind = 'r' AND nspname IN ('public', 'keys')
"""


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    fake = small_slack()
    await fake.start()
    yield fake
    await fake.stop()


@ON_POSTGRESQL  # SQLite takes one process
@pytest.mark.empty_database
async def test_they_all_come_up_and_one_of_them_migrates(
    database: Database, fleet: Fleet, slack: FakeSlack, tmp_path: Path
) -> None:
    url = database.url.render_as_string(hide_password=False)
    bots = [fleet.bot(Orders(url, str(tmp_path / f"bot-{number}"), slack.api_url)) for number in range(PROCESSES)]
    try:
        addresses = [await bot.ready() for bot in bots]
        assert len(set(addresses)) == PROCESSES
        assert all(bot.alive for bot in bots)
        with database.read() as tx:
            assert tx.scalars(text("SELECT version_num FROM alembic_version")).all() == [head()]
            assert len(tx.scalars(text(MAKERS)).all()) == 1, "one transaction of one process made every table"
            for table, rows in ((program, 1), (ledger_key, 1), (process, PROCESSES)):
                assert tx.scalar(select(func.count()).select_from(table)) == rows
    finally:
        for bot in bots:
            await bot.kill()
