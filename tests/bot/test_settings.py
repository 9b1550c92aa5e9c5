"""A wrong or missing setting is named in one clear sentence, and no secret is repeated."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.settings import LOCAL_DATABASE, PROGRAM_DATABASE, Settings, SettingsError, load

SECRET = "s3cret-value"
NAMES = [name.upper() for name in Settings.model_fields]


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


def loaded(monkeypatch: pytest.MonkeyPatch, **values: str) -> Settings:
    for name, value in values.items():
        monkeypatch.setenv(name.upper(), value)
    return load(None)


def refused(monkeypatch: pytest.MonkeyPatch, **values: str) -> str:
    with pytest.raises(SettingsError) as error:
        loaded(monkeypatch, **values)
    assert SECRET not in str(error.value)
    return str(error.value)


def test_nothing_set_is_the_local_workspace() -> None:
    settings = load(None)
    assert settings.local
    assert settings.database_url == LOCAL_DATABASE
    assert settings.public_url == "http://127.0.0.1:3978"


def test_slack_over_socket_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = loaded(monkeypatch, slack_bot_token="xoxb-1", slack_app_token="xapp-1", plc_encryption_keys="k")
    assert settings.slack is not None
    assert settings.slack.app_token == "xapp-1"
    assert settings.database_url == PROGRAM_DATABASE
    assert not settings.local


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"plc_port": "many"}, "PLC_PORT is wrong"),
        ({"plc_host": "0.0.0.0"}, "PLC_HOST must be a loopback address"),
        ({"plc_database_url": "mysql://x"}, "PLC_DATABASE_URL must begin with"),
        ({"plc_coordinators": "carol"}, "'carol', which is not an email address"),
        ({"plc_public_url": "plc.example.org"}, "PLC_PUBLIC_URL must begin with https://"),
        ({"slack_signing_secret": SECRET}, "Set SLACK_BOT_TOKEN too"),
        ({"slack_bot_token": SECRET}, "SLACK_BOT_TOKEN must be the bot token"),
        ({"slack_bot_token": "xoxb-1", "slack_app_token": SECRET}, "SLACK_APP_TOKEN must be the app-level token"),
        ({"slack_bot_token": "xoxb-1"}, "SLACK_APP_TOKEN (for Socket Mode) or SLACK_SIGNING_SECRET"),
        ({"slack_bot_token": "xoxb-1", "slack_app_token": "xapp-1"}, "PLC_ENCRYPTION_KEYS is missing"),
        ({"teams_app_password": SECRET}, "Set TEAMS_APP_ID too"),
        ({"teams_app_id": "1"}, "TEAMS_APP_PASSWORD is missing"),
        ({"teams_app_id": "1", "teams_app_password": SECRET}, "TEAMS_TENANT_ID is missing"),
        ({"teams_allow_unauthenticated": "true", "plc_host": "0.0.0.0"}, "TEAMS_ALLOW_UNAUTHENTICATED is for a test"),
        (
            {"teams_allow_unauthenticated": "true", "plc_public_url": "https://plc.example.org"},
            "TEAMS_ALLOW_UNAUTHENTICATED and PLC_PUBLIC_URL exclude each other",
        ),
        ({"teams_allow_unauthenticated": "true", "teams_app_password": SECRET}, "exclude each other"),
    ],
)
def test_each_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch, values: dict[str, str], sentence: str) -> None:
    assert sentence in refused(monkeypatch, **values)


def test_the_example_file_names_every_setting() -> None:
    text = (Path(__file__).parents[2] / ".env.example").read_text(encoding="utf-8")
    named = [line.split("=")[0] for line in text.splitlines() if line and not line.startswith("#")]
    assert sorted(named) == sorted(NAMES)


def test_a_file_is_read_and_the_environment_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / ".env"
    file.write_text("PLC_PORT=4000\nPLC_COORDINATORS= Carol@Example.org , x@y.z\n", encoding="utf-8")
    assert load(file).plc_port == 4000
    assert load(file).plc_coordinators == ("carol@example.org", "x@y.z")
    monkeypatch.setenv("PLC_PORT", "5000")
    assert load(file).plc_port == 5000


def test_what_the_notice_says_and_the_threshold_are_the_operators(monkeypatch: pytest.MonkeyPatch) -> None:
    privacy_settings = loaded(
        monkeypatch, plc_abuse_reports=" in Kansas:  1-800-922-5330. ", plc_threshold="3"
    ).privacy_settings
    assert privacy_settings.abuse == "in Kansas: 1-800-922-5330"
    assert privacy_settings.threshold == 3
    assert "988" in privacy_settings.crisis


@pytest.mark.parametrize("name", ["plc_abuse_reports", "plc_crisis_help", "plc_public_records"])
def test_a_part_of_the_notice_has_at_most_300_characters(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    assert f"{name.upper()} is wrong" in refused(monkeypatch, **{name: "x" * 301})
    assert loaded(monkeypatch, **{name: "x" * 300})


def test_no_threshold_below_three(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "PLC_THRESHOLD is wrong" in refused(monkeypatch, plc_threshold="2")
