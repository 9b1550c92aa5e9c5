"""The terminal, as an operator uses it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.cli.commands import cli
from storage.record import policies
from storage.vault.operator_keys import read_operator_keys
from tests.bot.test_settings import NAMES
from tests.world import OPERATOR_KEY, ROSTER


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "roster.csv").write_text(ROSTER, encoding="utf-8")
    return tmp_path


def plc(*words: str) -> Result:
    return CliRunner().invoke(cli, list(words), catch_exceptions=False)


def real(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-1")
    monkeypatch.setenv("SLACK_SIGNING_SECRET", "x")
    monkeypatch.setenv("PLC_ENCRYPTION_KEYS", OPERATOR_KEY)


@pytest.mark.parametrize(
    "words",
    [(), ("run",), ("migrate",), ("roster", "import"), ("people", "list"), ("people", "match"), ("keys", "new"),
     ("policy", "check"), ("manifest", "slack"), ("manifest", "teams"), ("doctor",),
     ("keys", "rotate"), ("keys", "check"), ("person", "forget"), ("person", "hold"), ("person", "release"),
     ("backup",), ("restore",)],
)  # fmt: skip
def test_every_command_has_help(words: tuple[str, ...]) -> None:
    result = plc(*words, "--help")
    assert result.exit_code == 0
    assert "Usage" in result.output


def test_migrate_says_what_it_did(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    real(monkeypatch)
    assert "up to date now" in plc("migrate").output
    assert "was up to date already" in plc("migrate").output
    assert (folder / "var" / "plc.sqlite").exists()


def test_a_roster_is_imported_once(monkeypatch: pytest.MonkeyPatch) -> None:
    real(monkeypatch)
    assert "Nothing was written" in plc("roster", "import", "roster.csv", "--dry-run").output
    result = plc("roster", "import", "roster.csv")
    assert "line 3: Dana Reyes <dana@example.org> is new." in result.output
    assert "Nothing to change" in plc("roster", "import", "roster.csv").output


def test_broken_rows_are_all_named_and_nothing_is_imported(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    real(monkeypatch)
    broken = ROSTER.replace("dana@", "dana").replace("lee@", "lee").replace("sam@", "sam")
    (folder / "broken.csv").write_text(broken, encoding="utf-8")
    result = plc("roster", "import", "broken.csv")
    assert result.exit_code == 1
    assert "Nothing was imported." in result.output
    assert [f"Line {number}:" in result.output for number in (3, 4, 5)] == [True] * 3
    assert "is new." in plc("roster", "import", "roster.csv").output


def test_files_that_cannot_be_read(folder: Path) -> None:
    assert "can't read" in plc("roster", "import", "none.csv").output
    (folder / "latin.csv").write_bytes(b"cohort\xe9")
    assert "not UTF-8" in plc("roster", "import", "latin.csv").output


def test_a_wrong_setting_stops_before_anything_starts(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-1")
    result = plc("run")
    assert result.exit_code == 1
    assert "both are missing" in result.output
    assert not (folder / "var").exists()


def test_people_are_listed_and_matched(monkeypatch: pytest.MonkeyPatch) -> None:
    real(monkeypatch)
    plc("roster", "import", "roster.csv")
    assert "dana@example.org" in plc("people", "list").output
    assert "No one on the roster has the address" in plc("people", "match", "x@example.org", "U1").output
    assert "I don't know the account U1" in plc("people", "match", "dana@example.org", "U1").output


def test_a_new_key_can_be_used() -> None:
    assert len(read_operator_keys(plc("keys", "new").output)) == 1


def test_the_manifests(folder: Path) -> None:
    printed = json.loads(plc("manifest", "slack").output)
    assert printed["features"]["slash_commands"][0]["command"] == "/plc"
    result = plc("manifest", "teams", "--app-id", "00000000-0000-0000-0000-000000000001", "--output", "app.zip")
    assert "Wrote app.zip" in result.output
    assert (folder / "app.zip").read_bytes()[:2] == b"PK"
    wrong = plc("manifest", "teams", "--app-id", "nonsense", "--output", "no.zip")
    assert wrong.exit_code == 1
    assert not (folder / "no.zip").exists()


def test_the_doctor_says_how_to_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    result = plc("doctor")
    assert result.exit_code == 1
    assert "✗ The database has a schema" in result.output
    assert "plc-bot migrate" in result.output
    plc("migrate")
    result = plc("doctor")
    assert "✓ The record is protected against changes" in result.output
    assert "✓ The database schema matches this version" in result.output
    monkeypatch.setenv("PLC_PORT", "x")
    assert "✗ PLC_PORT is wrong" in plc("doctor").output


def test_the_doctor_finds_a_database_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLC_DATABASE_URL", "postgresql://nobody:secretword@127.0.0.1:1/none")
    result = plc("doctor")
    assert "✗ The database opens" in result.output
    assert "secretword" not in result.output


@pytest.mark.parametrize("name", ["example.sqlite", "example.keys.sqlite"])
@pytest.mark.parametrize("size", [100, 13_000])
def test_the_doctor_finds_a_damaged_database(folder: Path, name: str, size: int) -> None:
    plc("migrate")
    file = folder / "var" / name
    file.write_bytes(file.read_bytes()[:size])
    said = " ".join(plc("doctor").output.split())
    assert "is damaged: a file is cut off, or is no database" in said
    assert "that the server runs" not in said


def test_a_database_that_cannot_be_reached_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLC_DATABASE_URL", "postgresql://nobody:secretword@127.0.0.1:1/none")
    result = plc("people", "list")
    assert result.exit_code == 1
    assert "The database can't be used (OperationalError)" in result.output
    assert "secretword" not in result.output


def test_a_policy_is_checked_and_told_in_english(folder: Path) -> None:
    text = policies.shipped(policies.EXAMPLE).text
    (folder / "policy.toml").write_text(text, encoding="utf-8")
    result = plc("policy", "check", "policy.toml")
    assert result.exit_code == 0
    assert "Years 1 and 2 each require:\n- Meetings: at least 8 in the year.\n" in result.output
    (folder / "policy.toml").write_text(text.replace("at_least = 8", "at_least = 0"), encoding="utf-8")
    result = plc("policy", "check", "policy.toml")
    assert result.exit_code == 1
    assert "policy.toml can't be used as a policy.\nLine 59: rule.meetings.at_least must be" in result.output
    assert "can't read" in plc("policy", "check", "nowhere.toml").output
