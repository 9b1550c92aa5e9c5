"""A data key is damaged while the bot is down: the next start says so, and the bot runs."""

from __future__ import annotations

import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import aiohttp
import pytest
from sqlalchemy import select, update

from storage.vault.operator_keys import read_operator_keys
from storage.vault.vault import Vault
from storage.vault.vault_tables import person_key
from tests.bot.test_process import Bot
from tests.faults.deployment import Deployment
from tests.world import OPERATOR_KEY

pytestmark = [pytest.mark.process, pytest.mark.timeout(300)]

DAMAGED_KEY = """
INSERT INTO person_key (person_id, key_id, wrapped_by, wrapped)
SELECT person.id, person.id, ledger_key.wrapped_by, zeroblob(60) FROM data.person, ledger_key LIMIT 1
"""


async def ready(address: str) -> dict[str, str]:
    async with aiohttp.ClientSession() as session, session.get(f"{address.rstrip('/')}/readyz") as answer:
        assert answer.status == 200
        said: dict[str, str] = await answer.json()
        return said


async def test_a_damaged_key_is_told_of_at_the_start_and_the_bot_runs(deployment: Deployment) -> None:
    deployment.link()
    vault = Vault(read_operator_keys(OPERATOR_KEY))
    dana, lee = deployment.person("dana@example.org"), deployment.person("lee@example.org")
    deployment.write(lambda work: vault.ensure_keys(work, [dana, lee]))
    bot = deployment.bot()
    assert "warning" not in await ready(await bot.ready())
    await bot.kill()
    deployment.write(
        lambda work: work.tx.execute(update(person_key).where(person_key.c.person_id == dana).values(wrapped=bytes(60)))
    )
    again = deployment.bot()
    said = await ready(await again.ready())
    assert said["status"] == "ready"
    assert said["warning"] == "1 data key can't be opened: run plc-bot keys check"
    lines = [line for line in again.log.splitlines() if "vault.unopened_keys" in line]
    assert len(lines) == 1
    assert lines[0].split(" ", 1)[1] == 'error vault.unopened_keys keys=1 run="plc-bot keys check"'
    assert "Traceback" not in again.log
    assert str(dana) not in again.log
    assert len(deployment.read(lambda tx: tx.execute(select(person_key)).all())) == 2, "nothing is deleted"
    deployment.queue("dana@example.org")
    await deployment.all_settled()
    assert deployment.lost_and_doubled() == (0, 0)
    await again.kill()


async def test_the_terminal_tells_of_a_damaged_key(tmp_path: Path) -> None:
    bot = Bot(tmp_path)
    await bot.start()
    assert await bot.kill(signal.SIGTERM) == 0
    assert "unopened_keys" not in bot.log.read_text()
    with closing(sqlite3.connect(tmp_path / "var" / "example.keys.sqlite")) as keys:
        keys.execute("ATTACH ? AS data", (str(tmp_path / "var" / "example.sqlite"),))
        keys.execute(DAMAGED_KEY)
        keys.commit()
    await bot.start()
    assert bot._process
    assert bot._process.stdout
    told = (await bot._process.stdout.readline()).decode()
    assert told.startswith("1 data key can't be opened, so 1 person can't read or save what they write in private.")
    assert "`plc-bot keys check` says more." in told
    assert "(plc-bot restore --keys FILE). Where there is none, run plc-bot keys recover." in told
    assert (await ready(bot.address))["warning"] == "1 data key can't be opened: run plc-bot keys check"
    assert await bot.kill(signal.SIGTERM) == 0
    assert 'vault.unopened_keys keys=1 run="plc-bot keys check"' in bot.log.read_text()
    code, said = await bot.command("keys", "check")
    assert (code, "Traceback" in said) == (1, False)
    assert "1 data key can't be opened, although the key that wraps it is available." in said
