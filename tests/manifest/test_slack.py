"""The Slack manifest against Slack's limits and against what the code really calls and listens to."""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from slack_sdk.web.async_client import AsyncWebClient

import bot.local.local_render
import bot.slack
from bot.slack import listeners
from manifest import slack_manifest
from manifest.about import BOT_NAME
from manifest.slack import BOT_EVENTS, COMMAND, EVENTS_PATH, REQUIRED_SCOPES
from tests.manifest.slack_limits import SLACK_MANIFEST

URL = "https://bot.example.org"
FILES = sorted(Path(bot.slack.__file__).parent.glob("*.py"))

# The scopes that each Web API method needs for a bot, where it is used as this bot uses it.
METHODS: dict[str, frozenset[str]] = {
    "apps_connections_open": frozenset(),  # goes by the app-level token, which no manifest gives
    "auth_test": frozenset(),
    "chat_postEphemeral": frozenset({"chat:write"}),
    "chat_postMessage": frozenset({"chat:write"}),
    "chat_update": frozenset({"chat:write"}),
    "conversations_history": frozenset({"im:history"}),  # of direct messages only
    "conversations_info": frozenset({"channels:read", "groups:read"}),
    "conversations_join": frozenset({"channels:join"}),
    "conversations_members": frozenset({"channels:read", "groups:read"}),
    "conversations_open": frozenset({"im:write"}),  # with one person
    "users_info": frozenset({"users:read", "users:read.email"}),  # with the address
    "users_lookupByEmail": frozenset({"users:read.email"}),
    "views_open": frozenset(),
    "views_publish": frozenset(),
    "views_push": frozenset(),
    "views_update": frozenset(),
}

EVENTS: dict[str, frozenset[str]] = {
    "app_home_opened": frozenset(),
    "app_mention": frozenset({"app_mentions:read"}),
    "channel_left": frozenset({"channels:read"}),
    "group_left": frozenset({"groups:read"}),
    "member_joined_channel": frozenset({"channels:read", "groups:read"}),
    "member_left_channel": frozenset({"channels:read", "groups:read"}),
    "message.im": frozenset({"im:history"}),
}


def manifest(*, socket_mode: bool = False) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(slack_manifest(URL, socket_mode=socket_mode))
    return loaded


def nodes() -> Iterator[ast.AST]:
    for file in FILES:
        yield from ast.walk(ast.parse(file.read_text(encoding="utf-8")))


def called_methods() -> set[str]:
    """Every Web API method that is named in the code for Slack."""
    known = {name for name, _ in inspect.getmembers(AsyncWebClient, inspect.iscoroutinefunction)}
    return {node.attr for node in nodes() if isinstance(node, ast.Attribute) and node.attr in known}


def listened_events() -> set[str]:
    """The event types that the listener has a case for."""
    body = ast.parse(inspect.getsource(listeners.event))
    cases = [node for node in ast.walk(body) if isinstance(node, ast.MatchValue)]
    return {str(case.value.value) for case in cases if isinstance(case.value, ast.Constant)}


@pytest.mark.parametrize("socket_mode", [True, False])
def test_slack_can_read_the_manifest(socket_mode: bool) -> None:
    jsonschema.Draft202012Validator(SLACK_MANIFEST).validate(manifest(socket_mode=socket_mode))


def test_it_asks_for_every_scope_that_a_call_or_event_needs_and_for_no_other() -> None:
    needed = {"commands"}
    for method in called_methods():
        needed |= METHODS[method]
    for event in BOT_EVENTS:
        needed |= EVENTS[event]

    assert needed == set(manifest()["oauth_config"]["scopes"]["bot"]) == set(REQUIRED_SCOPES)


def test_every_method_is_called_in_a_way_that_this_test_can_see() -> None:
    assert called_methods() == set(METHODS)
    assert "api_call" not in {node.attr for node in nodes() if isinstance(node, ast.Attribute)}


def test_it_cannot_read_channels() -> None:
    scopes = manifest()["oauth_config"]["scopes"]

    assert scopes.keys() == {"bot"}  # nothing is done in a person's name
    assert not {"channels:history", "groups:history", "mpim:history"} & set(scopes["bot"])
    assert not [event for event in BOT_EVENTS if event.startswith("message.") and event != "message.im"]


def test_it_subscribes_to_every_event_that_is_listened_to_and_to_no_other() -> None:
    events = manifest()["settings"]["event_subscriptions"]["bot_events"]

    assert {event.split(".")[0] for event in events} == listened_events()
    assert set(events) == set(EVENTS)


def test_its_command_is_the_one_that_is_listened_to() -> None:
    commands = manifest()["features"]["slash_commands"]

    assert [command["command"] for command in commands] == [COMMAND] == ["/plc"]


def test_what_bolt_listens_to_is_turned_on_and_nothing_else() -> None:
    app = ast.parse(next(file for file in FILES if file.name == "slack_app.py").read_text(encoding="utf-8"))
    listened = {
        node.attr
        for node in ast.walk(app)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "app"
    } - {"router"}
    said = manifest()

    assert listened == {"command", "action", "view", "event", "error"}
    assert said["settings"]["interactivity"]["is_enabled"] is True
    assert said["features"]["app_home"] == {
        "home_tab_enabled": True,
        "messages_tab_enabled": True,
        "messages_tab_read_only_enabled": False,
    }
    assert said["features"].keys() == {"app_home", "bot_user", "slash_commands"}


def test_people_see_one_name_everywhere() -> None:
    said = manifest()

    assert said["display_information"]["name"] == said["features"]["bot_user"]["display_name"] == "PLC Cohort Bot"
    assert BOT_NAME == bot.slack.BOT_NAME == bot.local.local_render.BOT_NAME == "PLC Cohort Bot"


def test_over_http_slack_sends_everything_to_the_one_address_that_the_bot_has() -> None:
    said = json.loads(slack_manifest(f"{URL}/", socket_mode=False))
    addresses = {
        said["settings"]["event_subscriptions"]["request_url"],
        said["settings"]["interactivity"]["request_url"],
        said["features"]["slash_commands"][0]["url"],
    }

    assert addresses == {URL + EVENTS_PATH} == {"https://bot.example.org/slack/events"}
    assert said["settings"]["socket_mode_enabled"] is False


def test_with_a_socket_slack_is_given_no_address() -> None:
    text = slack_manifest("http://127.0.0.1:3978", socket_mode=True)

    assert json.loads(text)["settings"]["socket_mode_enabled"] is True
    assert "127.0.0.1" not in text
    assert "url" not in text


def test_an_address_that_slack_cannot_reach_is_refused() -> None:
    with pytest.raises(ValueError, match="only to an https:// address"):
        slack_manifest("http://127.0.0.1:3978", socket_mode=False)
