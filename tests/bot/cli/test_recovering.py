"""plc-bot keys recover, as the operator runs it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import make_url, select, text

from bot.cli import recovering
from bot.settings import load
from bot.startup import running_alone
from storage.core import processes
from storage.core.core_tables import audit_entry
from storage.core.database import Database
from storage.core.processes import Process
from storage.outbox import undelivered
from storage.outbox.outbox_tables import delivery
from storage.people import people
from storage.record import verification
from storage.vault.recovery import Damage
from tests.bot.cli.test_restoring import CANARY, alter, attended, folder, in_place, opens, plc, start, vault, write

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
    assert "Kept: everyone's attendance" in said.output
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
        assert [row.kind for row in tx.execute(delivery.select())].count("keys.lost") == 1
        assert verification.verify(tx, vault().chain_key(tx)).problems == []
        assert undelivered.depth(tx) is not None
    assert "nothing to recover" in plc("keys", "recover").output


@pytest.mark.parametrize("then", ["nothing", "forgotten", "written again"])
@pytest.mark.parametrize("empty", [False, True])
def test_no_older_backup_brings_back_what_was_removed(folder: Path, then: str, empty: bool) -> None:
    start()
    hers, his = write("dana@example.org"), write("lee@example.org")
    assert plc("backup", "older.sqlite", "--keys", "older.keys.sqlite").exit_code == 0
    alter("var/plc.keys.sqlite", "DELETE FROM person_key WHERE key_id = (SELECT min(key_id) FROM person_key)")
    assert plc("keys", "recover", answer=f"{NAME}\n").exit_code == 0
    [(gone, kept)] = [pair for pair in ((hers, his), (his, hers)) if opens(pair[0]) is None]
    email = "dana@example.org" if gone == hers else "lee@example.org"
    if then == "forgotten":
        assert plc("person", "forget", email, "--yes").exit_code == 0
    if then == "written again":
        write(email)
    assert plc("forgotten", "export", "list.json").exit_code == 0
    if empty:
        for file in (folder / "var").iterdir():
            file.unlink()
    restored = plc("restore", "older.sqlite", "--keys", "older.keys.sqlite", "--forgotten", "list.json")
    assert restored.exit_code == 0, restored.output
    assert "1 item and 1 data key" in restored.output
    assert (opens(gone), opens(kept)) == (None, CANARY)


# On both databases ------------------------------------------------------------------------------


@pytest.fixture
def used(folder: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """A program that was in use, with a line in Dana's ledger; statements that damage it are run by calling this."""
    monkeypatch.setenv("PLC_DATABASE_URL", database_url)
    assert plc("roster", "import", "roster.csv").exit_code == 0
    write("dana@example.org", "hers")
    write("lee@example.org", "his")
    attended()
    start()

    def damage(*statements: str) -> None:
        database = Database(load().database_url)
        with database.write() as tx:
            for statement in statements:
                tx.execute(text(statement.replace("DANA", "(SELECT id FROM person WHERE name = 'Dana Reyes')")))
        database.close()

    return damage


ZERO = "'\\x00'::bytea"
LOSSES = {
    "keys and ledger": ("DROP TABLE keys.person_key", "DROP TABLE keys.ledger_key"),
    "one row": ("DELETE FROM keys.person_key WHERE person_id = DANA",),
    "one key zeroed": ("UPDATE keys.person_key SET wrapped = ZERO WHERE person_id = DANA",),
    "every row": ("DELETE FROM keys.person_key", "DELETE FROM keys.ledger_key"),
}


@pytest.mark.parametrize("loss", LOSSES)
def test_attendance_stays_whatever_is_lost_of_the_key_store(used: Callable[..., None], loss: str) -> None:
    sqlite = load().sqlite
    used(*(text.replace("ZERO", "zeroblob(60)" if sqlite else ZERO) for text in LOSSES[loss]))
    alone = loss.startswith("one")
    checked = plc("keys", "check")
    assert checked.exit_code == 1
    assert "run plc-bot keys recover" in " ".join(checked.output.split())
    asked = plc("keys", "recover", answer="\n".join((NAME.lower(), "")))
    assert (asked.exit_code, "Nothing was changed." in asked.output) == (1, True)
    assert "Dana Reyes: 1 item" in asked.output
    assert ("Lee Okafor" in asked.output) is not alone
    done = plc("keys", "recover", answer=f"{NAME}\n")
    assert done.exit_code == 0, done.output
    assert f"Removed: {1 if alone else 2} item" in done.output
    start()
    verified = plc("ledger", "verify")
    assert (verified.exit_code, "Checked 1 line of" in verified.output) == (0, True), verified.output
    checked = plc("keys", "check")
    assert checked.exit_code == 0, checked.output
    assert f"Everything opens ({'1 item' if alone else '0 items'})." in checked.output
    with in_place() as database, database.read() as tx:
        ids = tx.scalars(select(delivery.c.subject).where(delivery.c.kind == "keys.lost")).all()
        told = sorted(people.get(tx, UUID(person_id)).name for person_id in ids)
        noted = tx.scalars(select(audit_entry.c.what).where(audit_entry.c.what == "keys.lost")).all()
        assert len(noted) == len(told)
    assert "nothing to recover" in plc("keys", "recover").output


def test_a_damaged_key_that_protects_nothing_does_not_stay_for_ever(used: Callable[..., None]) -> None:
    zero = "zeroblob(60)" if load().sqlite else ZERO
    used("DELETE FROM vault_item", f"UPDATE keys.person_key SET wrapped = {zero} WHERE person_id = DANA")
    assert plc("keys", "check").exit_code == 1
    done = plc("keys", "recover", answer=f"{NAME}\n")
    assert done.exit_code == 0, done.output
    assert "1 data key can't be opened and protects nothing" in done.output
    assert "Dana" not in done.output
    assert plc("keys", "check").exit_code == 0


def test_without_its_key_store_every_command_says_a_sentence(used: Callable[..., None]) -> None:
    used("DROP TABLE keys.ledger_key")
    for words in (("run",), ("migrate",), ("ledger", "verify"), ("roster", "import", "roster.csv"), ("people", "list")):
        said = plc(*words)
        assert said.exit_code == 1, words
        assert "Where there is none, run plc-bot keys recover." in " ".join(said.output.split()), words


def test_a_key_of_the_ledger_that_is_gone_is_not_made_anew(used: Callable[..., None]) -> None:
    used("DELETE FROM keys.ledger_key")
    for words in (("ledger", "verify"), ("roster", "import", "roster.csv"), ("keys", "rotate")):
        said = plc(*words)
        assert said.exit_code == 1, words
        assert "The ledger's key is missing" in said.output, words
    assert plc("keys", "recover", answer=f"{NAME}\n").exit_code == 0
    assert plc("ledger", "verify").exit_code == 0


def test_a_process_that_started_meanwhile_stops_it(used: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    """On PostgreSQL, where processes may start while somebody reads what is lost. SQLite has a lock."""
    used("DELETE FROM keys.person_key WHERE person_id = DANA")
    sqlite = load().sqlite
    said = recovering.said

    def said_while_somebody_starts(damage: Damage) -> list[str]:
        with in_place() as database, database.write() as tx:
            processes.announce(tx, Process(uuid4(), "pid 1", datetime.now(UTC), datetime.now(UTC), ()))
        return said(damage)

    monkeypatch.setattr(recovering, "said", said_while_somebody_starts)
    done = plc("keys", "recover", answer=f"{NAME}\n")
    assert done.exit_code == (0 if sqlite else 1), done.output
    assert ("The bot is running. Stop every process first." in done.output) is not sqlite


# Files ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("older", ["plc.keys.sqlite", "plc.sqlite"])
def test_stopped_between_its_two_files_it_is_run_again(folder: Path, older: str) -> None:
    """SQLite commits one file after the other, so a crash can leave either of them as it was."""
    start()
    write("dana@example.org")
    alter("var/plc.keys.sqlite", "UPDATE person_key SET wrapped = zeroblob(60)", "DELETE FROM ledger_key")
    before = (folder / "var" / older).read_bytes()
    assert plc("keys", "recover", answer=f"{NAME}\n").exit_code == 0
    for log in (folder / "var").glob(f"{older}-*"):
        log.unlink()
    (folder / "var" / older).write_bytes(before)
    again = plc("keys", "recover", answer=f"{NAME}\n")
    assert again.exit_code == 0, again.output
    start()
    assert plc("keys", "check").exit_code == 0
    assert plc("ledger", "verify").exit_code == 0
    with in_place() as database, database.read() as tx:
        assert tx.scalars(select(delivery.c.kind).where(delivery.c.kind == "keys.lost")).all() == ["keys.lost"]


def test_beside_a_running_bot_it_is_refused(folder: Path) -> None:
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
