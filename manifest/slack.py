"""What Slack is told about the app: the one list of its scopes, events and command.

The listeners in ``bot.slack`` take these from here, and a test compares them with what the code calls.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from handlers.features import router
from manifest.about import BOT_NAME, COLOR, LONG, SHORT

COMMAND = "/plc"
EVENTS_PATH = "/slack/events"

# What the code calls and listens to needs, and nothing more. Reading channels' messages is not among it.
SCOPES: Mapping[str, str] = {
    "app_mentions:read": "being addressed in a channel",
    "channels:join": "entering a cohort's public channel",
    "channels:read": "who is in it, who comes and goes",
    "chat:write": "every message",
    "commands": "/plc",
    "groups:read": "the same for private channels the bot is invited to",
    "im:history": "what people type to the bot, and whether a message arrived",
    "im:write": "opening the chat with a person",
    "users:read": "names, zones, guests, deactivated accounts",
    "users:read.email": "proposing who is who on the roster",
}
REQUIRED_SCOPES = tuple(SCOPES)

BOT_EVENTS = (
    "app_home_opened",
    "app_mention",
    "channel_left",
    "group_left",
    "member_joined_channel",
    "member_left_channel",
    "message.im",
)


def slack_manifest(public_url: str, *, socket_mode: bool) -> str:
    """The manifest as JSON, for "Create an app from a manifest" at Slack.

    Args:
        public_url: where Slack reaches the bot; not used in Socket Mode
        socket_mode: the bot connects to Slack, so that Slack needs no way in

    Raises:
        ValueError: Slack could not send anything to this address.
    """
    if not socket_mode and not public_url.startswith("https://"):
        raise ValueError(
            f"Slack sends events only to an https:// address, and PLC_PUBLIC_URL gives {public_url}. "
            "Set it to the bot's public address, or use Socket Mode, which needs none."
        )
    url = {} if socket_mode else {"request_url": public_url.rstrip("/") + EVENTS_PATH}
    return json.dumps(_manifest(url, socket_mode), indent=2, ensure_ascii=False)


def _manifest(url: Mapping[str, str], socket_mode: bool) -> dict[str, Any]:
    return {
        "_metadata": {"major_version": 1, "minor_version": 1},
        "display_information": {
            "name": BOT_NAME,
            "description": SHORT,
            "long_description": LONG,
            "background_color": COLOR,
        },
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": BOT_NAME, "always_online": True},
            "slash_commands": [_command(url)],
        },
        "oauth_config": {"scopes": {"bot": list(REQUIRED_SCOPES)}},
        "settings": {
            "event_subscriptions": {**url, "bot_events": list(BOT_EVENTS)},
            "interactivity": {"is_enabled": True, **url},
            "org_deploy_enabled": False,
            "socket_mode_enabled": socket_mode,
            "token_rotation_enabled": False,  # the bot takes one token from its settings and renews none
        },
    }


def _command(url: Mapping[str, str]) -> dict[str, Any]:
    return {
        "command": COMMAND,
        "description": "Meetings, attendance and progress of your cohort",
        "usage_hint": _hint(),
        "should_escape": True,  # a mention comes as <@U…|name>: “person” takes one
        **({"url": url["request_url"]} if url else {}),
    }


def _hint() -> str:
    """The first commands of a mentee's help, as Slack shows them while one types."""
    return " | ".join([*(spec.words_for("mentee") for spec in router.help_of("mentee")[:4]), "help"])
