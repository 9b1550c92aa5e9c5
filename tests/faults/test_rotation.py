"""Rotation killed half-way, in real processes, and resumed: nothing is unreadable at any moment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bot.cli import keyring
from storage.people import people
from storage.vault import keystore, rotation
from storage.vault.operator_keys import BadKey, new_operator_key, read_operator_keys
from storage.vault.vault import Vault
from tests.bot.test_process import Bot
from tests.world import OPERATOR_KEY, World

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[2]
KEYS = 450  # more than two transactions' worth


PLC_BOT = ("-c", "from bot.cli.commands import main; main()")


def python(folder: Path, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """A Python process in that folder, with these settings and those of its `.env`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PLC_", "SLACK_", "TEAMS_"))}
    environment = {**kept, **settings, "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    command = [sys.executable, *words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=60)


def fill(world: World) -> None:
    """Many people's keys, the ledger's, and one reflection."""
    dana = world.matched("Dana Reyes", "dana@example.org")
    with world.database.write() as tx:
        work = world.work(tx)
        world.vault.ensure_keys(work, [dana.id, *(world.new_id() for _ in range(KEYS - 1))])
        me = people.actor(tx, "paper", "T1", dana.user)
        assert me
        world.vault.save(work, "reflection", "CANARY", person_id=dana.id, account_id=me.account_id, checkin_id=None)


def wrapped(world: World, vault: Vault) -> int:
    """How many data keys the new key wraps by now; everything must open all the time."""
    with world.database.read() as tx:
        survey = rotation.survey(tx, vault)
    assert (survey.unopened_keys, survey.unopened_items, survey.items, survey.ledger_opens) == (0, 0, 1, True)
    assert sum(wrapping.people for wrapping in survey.wrappings) == KEYS
    return next((wrapping.people for wrapping in survey.wrappings if wrapping.fingerprint == vault.fingerprints[0]), 0)


@pytest.mark.timeout(300)
def test_rotation_killed_again_and_again_loses_nothing(world: World, tmp_path: Path) -> None:
    fill(world)
    new = new_operator_key()
    keys = f"{new},{OPERATOR_KEY}"
    both = Vault(read_operator_keys(keys))
    settings = {
        "PLC_DATABASE_URL": world.database.url.render_as_string(hide_password=False),
        "PLC_ENCRYPTION_KEYS": keys,
        "SLACK_BOT_TOKEN": "xoxb-1",
        "SLACK_SIGNING_SECRET": "x",
    }
    dying = ("-m", "tests.faults.dying_rotation")
    progress = []
    for survives in (50, 250, 10, 49):  # in the first batch, in the second, in the one after that, in the last
        died = python(tmp_path, *dying, str(survives), **settings)
        assert died.returncode == -signal.SIGKILL, died.stderr
        progress.append(wrapped(world, both))
        with world.database.read() as tx:
            both.check(tx)
    assert progress == [0, 200, 200, 200], "what was committed stays, what was not is as before"
    before_the_ledger = python(tmp_path, *dying, "250", **settings)
    assert before_the_ledger.returncode == -signal.SIGKILL
    assert wrapped(world, both) == KEYS
    with world.database.read() as tx, pytest.raises(BadKey, match="and the ledger"):
        Vault(read_operator_keys(new)).check(tx)
    ended = python(tmp_path, *PLC_BOT, "keys", "rotate", **settings)
    assert ended.returncode == 0, ended.stderr
    alone = Vault(read_operator_keys(new))
    with world.database.read() as tx:
        alone.check(tx)
        assert rotation.survey(tx, alone).wrappings == [keystore.Wrapping(alone.fingerprints[0], KEYS, True)]
        assert alone.chain_key(tx) == world.product.chain_key
    assert "may be removed" in keyring.check(world.database, both, world.clock).advice[0]


async def test_rotation_while_the_bot_runs(tmp_path: Path) -> None:
    """Refused until the running bot has the new key, then done beside it; afterwards the new key alone will do."""
    new = new_operator_key()
    keys = tmp_path / ".env"
    keys.write_text(f"PLC_ENCRYPTION_KEYS={OPERATOR_KEY}\n", encoding="utf-8")
    bot = Bot(tmp_path)
    await bot.start()
    keys.write_text(f"PLC_ENCRYPTION_KEYS={new},{OPERATOR_KEY}\n", encoding="utf-8")
    refused = python(tmp_path, *PLC_BOT, "keys", "rotate")
    assert refused.returncode == 1
    assert "1 running process does not have the new key" in refused.stderr
    assert await bot.kill(signal.SIGTERM) == 0
    await bot.start()
    rotated = python(tmp_path, *PLC_BOT, "keys", "rotate")
    assert rotated.returncode == 0, rotated.stderr
    await bot.move_clock(24 * 15)  # what it does meanwhile opens and is sealed as before
    assert "may be removed" in " ".join(python(tmp_path, *PLC_BOT, "keys", "check").stdout.split())
    await bot.kill()
    keys.write_text(f"PLC_ENCRYPTION_KEYS={OPERATOR_KEY}\n", encoding="utf-8")
    wrong = python(tmp_path, *PLC_BOT, "run")
    assert wrong.returncode == 1
    assert "lacks a key that earlier reflections are kept under" in wrong.stderr
    keys.write_text(f"PLC_ENCRYPTION_KEYS={new}\n", encoding="utf-8")
    await bot.start()
    assert await bot.kill(signal.SIGTERM) == 0
