"""What the pages for administrators say of scopes, settings and commands is what the code has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from bot.cli.commands import cli
from bot.settings import Settings
from handlers.core.router import router
from manifest.slack import BOT_EVENTS, SCOPES
from manifest.teams import SCHEMA_VERSION, teams_manifest

DOCS = Path(__file__).parents[2] / "docs"
README = "../README.md"
PAGES = ("for-it.md", "slack-setup.md", "teams-setup.md", "privacy.md", "keys.md", "ledger.md", README)
SET_UP = ("for-it.md", "slack-setup.md", "teams-setup.md")


def page(name: str | Path) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def first_cells(text: str) -> set[str]:
    """What stands in backquotes in the first column of a table."""
    return set(re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE))


def part(text: str, heading: str) -> str:
    return text.split(f"\n## {heading}\n")[1].split("\n## ", maxsplit=1)[0]


def test_every_scope_is_explained_and_no_other() -> None:
    said = part(page("for-it.md"), "Slack: every scope and event")

    assert first_cells(said) == set(SCOPES)
    assert len(SCOPES) == 10
    assert "they are the ten of" in page("slack-setup.md")


@pytest.mark.parametrize("event", BOT_EVENTS)
def test_every_event_is_explained(event: str) -> None:
    assert f"`{event}`" in part(page("for-it.md"), "Slack: every scope and event")


def test_every_permission_in_teams_is_explained() -> None:
    said = part(page("for-it.md"), "Teams: every permission")
    manifest = teams_manifest("00000000-0000-0000-0000-000000000001")

    for scope in manifest["bots"][0]["scopes"]:
        assert f"bot scope `{scope}`" in said
    for permission in manifest["permissions"]:
        assert f"permission `{permission}`" in said
    assert f"The package says {SCHEMA_VERSION}" in page("teams-setup.md")


@pytest.mark.parametrize("name", PAGES)
def test_every_setting_that_is_named_exists(name: str) -> None:
    named = set(re.findall(r"\b(?:PLC|SLACK|TEAMS)_[A-Z_]+\b", page(name)))

    assert named or name not in SET_UP
    assert named <= {field.upper() for field in Settings.model_fields}


def help_for(*words: str) -> str:
    shown = CliRunner().invoke(cli, [*words, "--help"], env={"COLUMNS": "200", "NO_COLOR": "1"})
    assert shown.exit_code == 0, f"plc-bot {' '.join(words)}"
    return shown.output


@pytest.mark.parametrize("name", PAGES)
def test_every_terminal_command_that_is_named_exists(name: str) -> None:
    named = set(re.findall(r"plc-bot((?: [a-z]+)+)", page(name)))

    assert named
    for words in named:
        help_for(*words.split())


def terminal_options() -> set[str]:
    """Every option of every command of the terminal."""

    def of(command: object) -> set[str]:
        own = {
            option
            for parameter in getattr(command, "params", ())
            for option in (*parameter.opts, *parameter.secondary_opts)
        }
        return own.union(*map(of, getattr(command, "commands", {}).values()))

    return of(typer.main.get_command(cli)) | {"--help"}


@pytest.mark.parametrize("name", PAGES)
def test_every_option_that_is_named_exists(name: str) -> None:
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", page(name))) <= terminal_options()


@pytest.mark.parametrize("name", PAGES)
def test_every_command_that_is_named_exists(name: str) -> None:
    for words in re.findall(r"`(?:/plc|@PLC Cohort Bot) ([a-z ]+)`", page(name)):
        assert words in router.commands


@pytest.mark.parametrize("name", PAGES)
def test_every_page_and_file_that_is_named_is_there(name: str) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]*)", page(name)):
        assert not target or (DOCS / name).parent.joinpath(target).exists()
    for file in re.findall(r"`((?:bot|docs|handlers|manifest|program|storage|tests)/[^`: ]*)", page(name)):
        assert (DOCS.parent / file).exists()


@pytest.mark.parametrize("name", PAGES)
def test_every_heading_that_is_linked_is_there(name: str) -> None:
    for target, anchor in re.findall(r"\]\(((?:docs/)?[a-z-]*(?:\.md)?)#([^)]+)\)", page(name)):
        headings = re.findall(r"^#+ (.+)$", page(Path(name).parent.joinpath(target) if target else name), re.MULTILINE)
        assert anchor in {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
