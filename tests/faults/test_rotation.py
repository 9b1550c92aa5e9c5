"""Rotation killed half-way, in real processes, and resumed: nothing is unreadable at any moment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bot import keyring
from storage import keystore, people, rotation
from storage.database import Database
from storage.vault import BadKey, Vault, new_operator_key, read_operator_keys
from tests.world import OPERATOR_KEY, World

ROOT = Path(__file__).parents[2]
KEYS = 450  # more than two transactions' worth


def process(database: Database, keys: str, *words: str) -> subprocess.CompletedProcess[str]:
    """A Python process with the settings of this database and these keys."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PLC_", "SLACK_", "TEAMS_"))}
    settings = {
        "PLC_DATABASE_URL": database.url.render_as_string(hide_password=False),
        "PLC_ENCRYPTION_KEYS": keys,
        "PYTHONPATH": str(ROOT),
        "SLACK_BOT_TOKEN": "xoxb-1",
        "SLACK_SIGNING_SECRET": "x",
    }
    command = [sys.executable, *words]
    return subprocess.run(command, env={**kept, **settings}, capture_output=True, text=True, check=False, timeout=60)


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
        found = rotation.survey(tx, vault)
    assert (found.unopened_keys, found.unopened_items, found.items, found.ledger_opens) == (0, 0, 1, True)
    assert sum(one.people for one in found.wrappings) == KEYS
    return next((one.people for one in found.wrappings if one.fingerprint == vault.fingerprints[0]), 0)


@pytest.mark.timeout(300)
def test_rotation_killed_again_and_again_loses_nothing(world: World) -> None:
    fill(world)
    new = new_operator_key()
    keys = f"{new},{OPERATOR_KEY}"
    both = Vault(read_operator_keys(keys))
    progress = []
    for survives in (50, 250, 10, 49):  # in the first batch, in the second, in the one after that, in the last
        died = process(world.database, keys, "-m", "tests.faults.dying_rotation", str(survives))
        assert died.returncode == -signal.SIGKILL, died.stderr
        progress.append(wrapped(world, both))
        with world.database.read() as tx:
            both.check(tx)
    assert progress == [0, 200, 200, 200], "what was committed stays, what was not is as before"
    before_the_ledger = process(world.database, keys, "-m", "tests.faults.dying_rotation", "250")
    assert before_the_ledger.returncode == -signal.SIGKILL
    assert wrapped(world, both) == KEYS
    with world.database.read() as tx, pytest.raises(BadKey, match="and the ledger"):
        Vault(read_operator_keys(new)).check(tx)
    ended = process(
        world.database, keys, "-c", "import sys; from bot.cli import main; sys.argv[1:] = ['keys', 'rotate']; main()"
    )
    assert ended.returncode == 0, ended.stderr
    alone = Vault(read_operator_keys(new))
    with world.database.read() as tx:
        alone.check(tx)
        assert rotation.survey(tx, alone).wrappings == [keystore.Wrapping(alone.fingerprints[0], KEYS, True)]
        assert alone.chain_key(tx) == world.product.chain_key
    assert "may be removed" in keyring.check(world.database, both, world.clock).advice[0]
