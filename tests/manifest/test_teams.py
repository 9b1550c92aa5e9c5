"""The Teams package: Microsoft's schema, the command lists, the icons, and nothing asked for in vain."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import bot.teams
from handlers.core.router import router
from manifest import NOBODY, Publisher, teams_package
from manifest.about import BOT_NAME
from manifest.teams import SCHEMA, SCHEMA_VERSION
from tests.manifest.pictures import read_png

APP_ID = "5c1e7a52-1111-4222-8333-abcdefabcdef"
OFFICE = Publisher(
    "Office of School Counseling", "https://office.example/bot", "https://office.example/privacy", "https://o.example/t"
)
PUBLISHED = Path(__file__).with_name(f"teams-manifest-{SCHEMA_VERSION}.schema.json")


def opened(package: bytes) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(package))


def manifest(publisher: Publisher = NOBODY) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(opened(teams_package(APP_ID, publisher)).read("manifest.json"))
    return loaded


def commands(scope: str) -> list[dict[str, str]]:
    lists = manifest()["bots"][0]["commandLists"]
    offered: list[dict[str, str]] = next(entry["commands"] for entry in lists if entry["scopes"] == [scope])
    return offered


def schema() -> jsonschema.Draft7Validator:
    """Microsoft calls its schema draft 4 and uses ``const``, which came later."""
    published = json.loads(PUBLISHED.read_text(encoding="utf-8"))
    return jsonschema.Draft7Validator(published, format_checker=jsonschema.FormatChecker())


@pytest.mark.parametrize("publisher", [NOBODY, OFFICE])
def test_it_passes_the_schema_that_microsoft_publishes(publisher: Publisher) -> None:
    schema().validate(manifest(publisher))


@pytest.mark.parametrize(
    "wrong",
    [{"manifestVersion": "1.5"}, {"id": "my-bot"}, {"accentColor": "teal"}, {"surprise": 1}, {"bots": [{}, {}]}],
)
def test_the_schema_refuses_what_is_wrong(wrong: dict[str, Any]) -> None:
    assert not schema().is_valid({**manifest(), **wrong})


def test_the_schema_is_the_one_that_the_manifest_names() -> None:
    major, minor = SCHEMA_VERSION.split(".")

    assert (int(major), int(minor)) >= (1, 19)
    assert manifest()["$schema"] == SCHEMA
    assert f"v{SCHEMA_VERSION}/" in SCHEMA


def test_the_package_holds_the_manifest_and_its_two_icons_on_top() -> None:
    package = opened(teams_package(APP_ID))
    icons = manifest()["icons"]

    assert sorted(package.namelist()) == sorted(["manifest.json", icons["color"], icons["outline"]])
    assert package.testzip() is None


def test_the_color_icon_is_192_pixels_square_and_full() -> None:
    picture = read_png(opened(teams_package(APP_ID)).read("color.png"))

    assert (picture.width, picture.height) == (192, 192)
    assert {pixel[3] for pixel in picture.pixels()} == {255}


def test_the_outline_icon_is_32_pixels_square_white_on_nothing() -> None:
    picture = read_png(opened(teams_package(APP_ID)).read("outline.png"))

    assert (picture.width, picture.height) == (32, 32)
    assert {pixel[:3] for pixel in picture.pixels()} == {(255, 255, 255)}
    assert {0, 255} <= {pixel[3] for pixel in picture.pixels()}
    assert picture.lines[0][0][3] == 0


@pytest.mark.parametrize("scope", ["personal", "team"])
def test_the_commands_are_the_bots_own_words_within_the_limits_of_teams(scope: str) -> None:
    offered = commands(scope)

    assert 0 < len(offered) <= 10
    assert [spec.teams[scope] for spec in router.offered_on_teams(scope)] == list(range(1, len(offered) + 1))
    assert len({command["title"] for command in offered}) == len(offered)
    for command in offered:
        assert command["title"] in router.commands
        assert command["description"] == router.commands[command["title"]].summary
        assert len(command["title"]) <= 32
        assert 0 < len(command["description"]) <= 128


@pytest.mark.parametrize("role", ["mentee", "mentor", "coordinator"])
def test_everybody_is_offered_help_and_something_of_their_own(role: str) -> None:
    offered = {command["title"] for scope in ("personal", "team") for command in commands(scope)}

    assert "help" in offered
    assert len(offered & {spec.words for spec in router.help_of(role)}) >= 2


def test_every_offered_command_may_be_used_by_somebody_where_it_is_offered() -> None:
    assert "cohort link" not in {command["title"] for command in commands("personal")}  # it needs a channel
    assert "checkin" not in {command["title"] for command in commands("team")}  # it is a private matter
    assert "privacy" in {command["title"] for command in commands("personal")}


def test_it_asks_for_nothing_that_the_code_does_not_use() -> None:
    said = manifest()
    code = "".join(file.read_text(encoding="utf-8") for file in Path(bot.teams.__file__).parent.rglob("*.py"))

    assert "authorization" not in said  # no resource-specific permission
    assert "webApplicationInfo" not in said  # no sign-in, no Graph
    assert "graph.microsoft.com" not in code
    assert said["validDomains"] == []  # no page of ours is shown inside Teams: forms are cards
    assert not {"staticTabs", "configurableTabs", "composeExtensions", "connectors", "devicePermissions"} & set(said)
    assert said["bots"][0]["scopes"] == ["personal", "team"]
    assert said["bots"][0]["supportsFiles"] is False
    assert said["permissions"] == ["identity", "messageTeamMembers"]


def test_the_bot_and_the_app_share_one_id_and_one_name() -> None:
    said = manifest()

    assert said["id"] == said["bots"][0]["botId"] == APP_ID
    assert said["name"]["short"] == BOT_NAME


def test_the_operator_is_named_with_their_own_pages() -> None:
    assert manifest(OFFICE)["developer"] == {
        "name": "Office of School Counseling",
        "websiteUrl": "https://office.example/bot",
        "privacyUrl": "https://office.example/privacy",
        "termsOfUseUrl": "https://o.example/t",
    }


def test_without_an_operator_the_pages_are_nobodys() -> None:
    links = [value for key, value in manifest()["developer"].items() if key != "name"]

    assert all(link.startswith("https://example.org/") for link in links)


@pytest.mark.parametrize("wrong", ["", "my-bot", "5c1e7a52-1111-4222-8333", f"{{{APP_ID}}}", APP_ID.replace("a", "g")])
def test_what_is_no_app_id_is_refused_in_a_clear_sentence(wrong: str) -> None:
    with pytest.raises(ValueError, match="Application \\(client\\) ID"):
        teams_package(wrong)


def test_an_app_id_may_be_pasted_with_spaces_and_in_capitals() -> None:
    assert teams_package(f"  {APP_ID.upper()}\n") == teams_package(APP_ID)


@pytest.mark.parametrize(
    ("publisher", "said"),
    [
        (replace(OFFICE, name=""), "1 to 32 characters"),
        (replace(OFFICE, name="A" * 33), "1 to 32 characters"),
        (replace(OFFICE, website="http://office.example/"), "no https:// address"),
        (replace(OFFICE, terms="terms.html"), "no https:// address"),
    ],
)
def test_a_publisher_that_teams_would_refuse_is_refused(publisher: Publisher, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        teams_package(APP_ID, publisher)


def test_the_same_app_makes_the_same_package() -> None:
    assert teams_package(APP_ID, OFFICE) == teams_package(APP_ID, OFFICE)
