"""``plc-bot manifest``, as an operator uses it before anything is configured and after."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli.commands import cli
from bot.settings import Settings

APP_ID = "00000000-0000-0000-0000-000000000001"


@pytest.fixture(autouse=True)
def nothing_configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli, ["manifest", *words])
    return done.exit_code, done.output


def test_with_nothing_configured_slack_is_met_by_a_socket() -> None:
    code, output = run("slack")

    assert code == 0
    assert json.loads(output)["settings"]["socket_mode_enabled"] is True


def test_with_a_public_address_slack_is_met_over_http(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLC_PUBLIC_URL", "https://bot.example.org")

    code, output = run("slack")

    assert code == 0
    assert "https://bot.example.org/slack/events" in output


def test_the_operator_may_choose_the_socket_although_there_is_a_public_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PLC_PUBLIC_URL", "https://bot.example.org")

    code, output = run("slack", "--socket-mode")

    assert code == 0
    assert json.loads(output)["settings"]["socket_mode_enabled"] is True


def test_http_without_a_public_address_is_refused_in_one_sentence() -> None:
    code, output = run("slack", "--http")

    assert code == 1
    assert "only to an https:// address" in " ".join(output.split())
    assert "Traceback" not in output


def test_the_teams_package_is_written_and_what_it_lacks_is_said(tmp_path: Path) -> None:
    code, output = run("teams", "--app-id", APP_ID, "--output", "bot.zip")

    assert code == 0
    assert "Wrote bot.zip" in output
    assert "--publisher, --website, --privacy, --terms" in " ".join(output.split())
    assert "manifest.json" in zipfile.ZipFile(tmp_path / "bot.zip").namelist()


def test_an_operator_who_names_their_pages_is_told_of_no_placeholder(tmp_path: Path) -> None:
    pages = ("--website", "https://o.example/", "--privacy", "https://o.example/p", "--terms", "https://o.example/t")

    code, output = run("teams", "--app-id", APP_ID, "--publisher", "Office", *pages)

    assert code == 0
    assert "placeholder" not in output
    said = json.loads(zipfile.ZipFile(tmp_path / "plc-bot-teams.zip").read("manifest.json"))
    assert said["developer"]["privacyUrl"] == "https://o.example/p"


def test_a_wrong_app_id_writes_nothing(tmp_path: Path) -> None:
    code, output = run("teams", "--app-id", "my-bot")

    assert code == 1
    assert "The app id must look like" in output
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_is_named() -> None:
    code, output = run("teams", "--app-id", APP_ID, "--output", "nowhere/bot.zip")

    assert code == 1
    assert "I can't write nowhere/bot.zip" in " ".join(output.split())
