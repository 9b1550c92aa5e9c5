"""What a payload of Slack says of where an act came from: a message, a modal or the home tab."""

from __future__ import annotations

from typing import Any

from bot.slack import listeners
from bot.slack.sent_forms import Origin

Payload = dict[str, Any]


def is_in_view(body: Payload) -> bool:
    """Return whether the press was in a modal or the home tab, not in a message."""
    return (body.get("container") or {}).get("type") == "view" and bool(body.get("view"))


def origin_of_view(view: Payload) -> Origin:
    """Return what the modal remembers of the press that opened it; an empty origin for a view that is not ours."""
    return Origin.load(view.get("private_metadata") or "")


def origin_of_press(body: Payload) -> Origin:
    """The pressed message, so that a form opened from it can change it when it is sent."""
    container = body.get("container") or {}
    return Origin(
        conversation=listeners.pressed_in(body),
        message="" if container.get("is_ephemeral") else str(container.get("message_ts") or ""),
        response=str(body.get("response_url") or ""),
    )


def view_key(body: Payload) -> str:
    """Return a key of the modal as it is; it stays the same until the modal changes."""
    return f"{body['view']['id']}:{body['view'].get('hash', '')}"


def version_of(body: Payload) -> str:
    """New for every act: Slack keeps what was typed into a block whose id it has seen before."""
    return str(body.get("trigger_id", "")).rpartition(".")[2][:12] or "0"
