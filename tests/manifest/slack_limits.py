"""What Slack's manifest may hold, for the parts that this app uses.

Written by hand from Slack's documentation of the manifest's fields and their limits, as of November 2026.
Slack publishes a schema of its own (github.com/slackapi/manifest-schema), but in no package registry.
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]


def _record(required: tuple[str, ...] = (), **fields: Schema) -> Schema:
    return {"type": "object", "additionalProperties": False, "required": list(required), "properties": fields}


def _text(most: int, least: int = 1, pattern: str = "") -> Schema:
    text: Schema = {"type": "string", "minLength": least, "maxLength": most}
    return {**text, "pattern": pattern} if pattern else text


def _list(items: Schema, most: int) -> Schema:
    return {"type": "array", "items": items, "minItems": 1, "maxItems": most, "uniqueItems": True}


YES_OR_NO: Schema = {"type": "boolean"}
ADDRESS = _text(3000, pattern="^https://")
HANDLE = _text(50)

COMMAND = _record(
    ("command", "description"),
    command=_text(32, 2, "^/[a-z0-9_-]+$"),
    description=_text(2000),
    usage_hint=_text(1000),
    should_escape=YES_OR_NO,
    url=ADDRESS,
)

SLACK_MANIFEST = _record(
    ("display_information", "features", "oauth_config", "settings"),
    _metadata=_record(major_version={"const": 1}, minor_version={"type": "integer"}),
    display_information=_record(
        ("name",),
        name=_text(35),
        description=_text(140),
        long_description=_text(4000, 175),
        background_color=_text(7, 7, "^#[0-9a-f]{6}$"),
    ),
    features=_record(
        ("bot_user",),
        app_home=_record(
            home_tab_enabled=YES_OR_NO, messages_tab_enabled=YES_OR_NO, messages_tab_read_only_enabled=YES_OR_NO
        ),
        bot_user=_record(
            ("display_name",), display_name=_text(80, pattern="^[A-Za-z0-9 ._-]+$"), always_online=YES_OR_NO
        ),
        slash_commands=_list(COMMAND, 50),
    ),
    oauth_config=_record(scopes=_record(bot=_list(HANDLE, 255))),
    settings=_record(
        event_subscriptions=_record(bot_events=_list(HANDLE, 100), request_url=ADDRESS),
        interactivity=_record(("is_enabled",), is_enabled=YES_OR_NO, request_url=ADDRESS),
        org_deploy_enabled=YES_OR_NO,
        socket_mode_enabled=YES_OR_NO,
        token_rotation_enabled=YES_OR_NO,
    ),
)
