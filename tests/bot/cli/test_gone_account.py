"""`plc-bot people match … --earlier-account-gone`, as an operator uses it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import select, update
from typer.testing import CliRunner, Result

from bot.cli.commands import cli
from bot.settings import load
from storage.core.database import Database
from storage.core.work import Work
from storage.outbox.outbox_tables import delivery
from storage.people import account_links, people
from storage.people.people_tables import gone_report
from storage.vault.operator_keys import read_operator_keys
from storage.vault.unlock import unlock
from storage.vault.vault import Vault
from tests.bot.test_settings import NAMES
from tests.world import OPERATOR_KEY, ROSTER

GONE = ("people", "match", "dana@example.org", "U2", "--earlier-account-gone")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Dana has an account, another of hers was seen, and the bot has tried to tell the earlier one."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-1")
    monkeypatch.setenv("SLACK_SIGNING_SECRET", "x")
    monkeypatch.setenv("PLC_ENCRYPTION_KEYS", OPERATOR_KEY)
    (tmp_path / "roster.csv").write_text(ROSTER, encoding="utf-8")
    assert plc("roster", "import", "roster.csv").exit_code == 0
    with in_place() as database, database.write() as tx:
        work = Work(tx, datetime.now(UTC), uuid4)
        dana = people.by_email(tx, "dana@example.org")
        assert dana
        for user in ("U1", "U2"):
            seen = account_links.remember(work, "slack", "T1", user, name=user, email="", member=True, active=True)
            if user == "U1":
                account_links.confirm(work, seen.id, dana.id, None)
    assert "has an account already" in plc("people", "match", "dana@example.org", "U2").output
    return tmp_path


def plc(*words: str, answer: str | None = None) -> Result:
    return CliRunner().invoke(cli, list(words), input=answer, catch_exceptions=False)


@contextmanager
def in_place() -> Iterator[Database]:
    database = Database(load().database_url)
    try:
        with database.write() as tx:
            database.use_key(unlock(tx, Vault(read_operator_keys(OPERATOR_KEY))))
        yield database
    finally:
        database.close()


def fail_notice() -> None:
    with in_place() as database, database.write() as tx:
        values = {"state": "failed", "unreachable": True, "reason": "This person's Slack account is deactivated."}
        tx.execute(update(delivery).where(delivery.c.kind == "identity.replacing").values(values))


def reports() -> int:
    with in_place() as database, database.read() as tx:
        return len(tx.execute(select(gone_report.c.id)).all())


def test_it_shows_what_will_happen_and_asks_for_the_address() -> None:
    fail_notice()
    result = plc(*GONE, answer="Dana@Example.org\n")
    assert result.exit_code == 0
    assert "U1: This person's Slack account is deactivated." in result.output
    assert "I match U2 (U2) on slack to Dana Reyes after" in result.output
    assert "type the person's address" in result.output
    assert "Saved. The running bot matches U2 to Dana Reyes after" in result.output
    assert reports() == 1


@pytest.mark.parametrize("typed", ["", "yes\n", "lee@example.org\n"])
def test_another_answer_changes_nothing(typed: str) -> None:
    fail_notice()
    result = plc(*GONE, answer=typed)
    assert result.exit_code == 1
    assert reports() == 0


def test_before_the_bot_has_tried_it_is_refused_and_nothing_is_asked() -> None:
    result = plc(*GONE, answer="dana@example.org\n")
    assert result.exit_code == 1
    assert "still trying" in result.output
    assert "type the person's address" not in result.output
    assert reports() == 0
