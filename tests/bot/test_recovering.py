"""plc-bot keys recover, as the operator runs it."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage import deliveries, verification
from storage.tables import delivery
from tests.bot.test_restoring import CANARY, folder, in_place, plc, start, vault, write

__all__ = ["folder"]
NAME = "Counselor mentoring program"


@pytest.fixture
def lost(folder: Path) -> Path:
    """A program that was in use, and whose key store is gone."""
    start()
    write("dana@example.org")
    for file in (folder / "var").glob("plc.keys.sqlite*"):
        file.unlink()
    return folder


def test_the_bot_does_not_start_without_its_key_store_and_says_what_to_do(lost: Path) -> None:
    with pytest.raises(Exception, match="plc-bot keys recover"):
        start()


def test_recovering_shows_whose_words_are_lost_and_asks_for_the_name(lost: Path) -> None:
    said = plc("keys", "recover", answer="yes\n")
    assert said.exit_code == 1
    assert "Dana Reyes: 1 item" in said.output
    assert "What stays: everybody's attendance" in said.output
    assert "Nothing was changed." in said.output
    with pytest.raises(Exception, match="plc-bot keys recover"):
        start()


def test_after_recovering_the_bot_runs_and_the_ledger_verifies(lost: Path) -> None:
    said = plc("keys", "recover", answer=f"{NAME}\n")
    assert said.exit_code == 0, said.output
    assert CANARY not in said.output
    start()
    assert plc("ledger", "verify").exit_code == 0
    assert plc("keys", "check").exit_code == 0
    with in_place() as database, database.read() as tx:
        assert [one.kind for one in tx.execute(delivery.select())].count("keys.lost") == 1
        assert verification.verify(tx, vault().chain_key(tx)).problems == []
        assert deliveries.depth(tx) is not None
    assert "nothing to recover" in plc("keys", "recover").output


def test_beside_a_running_bot_it_is_refused(folder: Path) -> None:
    from sqlalchemy import make_url

    from bot.settings import load
    from bot.startup import running_alone

    start()
    with running_alone(make_url(load().database_url)):
        said = plc("keys", "recover", answer=f"{NAME}\n")
    assert said.exit_code == 1
    assert "Nothing was changed." in said.output


def test_a_damaged_file_is_to_be_moved_away_first(folder: Path) -> None:
    start()
    (folder / "var" / "plc.keys.sqlite").write_bytes(b"no database" * 1000)
    said = plc("keys", "recover", answer=f"{NAME}\n")
    assert said.exit_code == 1
    assert "Move the damaged key store's file away" in said.output
