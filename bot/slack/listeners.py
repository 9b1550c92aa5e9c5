"""Slack's payloads as Requests. Nothing here decides anything.

A request's key is Slack's own id of the act, the same in every retry of it:

- an event carries ``event_id``
- a command and a press carry a ``trigger_id``, made once for the act that caused it
- a sent form has a new ``trigger_id`` for every click on its button, so two clicks would be two acts;
  its view's id and hash stay the same until the view changes. What was filled in is no part of the key:
  a form that leads to a next step, or is refused, is not recorded as processed, so that it can be changed
  and sent again, also by Slack's back arrow.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bot.slack import sent_forms, slack_render
from bot.slack.api import Identity
from bot.slack.sent_forms import Origin
from bot.slack.slack_port import PLATFORM, is_chat
from bot.slack.texts import mentioned, typed_text
from handlers.core.requests import (
    AccountKey,
    Arrived,
    BotAdded,
    BotRemoved,
    Command,
    Departed,
    HomeOpened,
    Intent,
    Place,
    PlaceKind,
    Press,
    Request,
    Submit,
    Typed,
)

Payload = Mapping[str, Any]

# What Slack says instead of a channel's name.
_NAMELESS = frozenset({"directmessage", "privategroup"})


def command(body: Payload, identity: Identity) -> Request:
    """Return a slash command as a request. ``identity``: the bot's own, to leave it out of the mentions."""
    who = AccountKey(PLATFORM, body.get("team_id") or identity.team, body["user_id"])
    where = place(body["channel_id"], identity, body.get("channel_name", ""))
    text = body.get("text") or ""
    asked = Command(typed_text(text), _mentions(text, identity))
    return Request(who, where, asked, f"command:{body['trigger_id']}")


def _mentions(text: str, identity: Identity) -> tuple[AccountKey, ...]:
    """The accounts, but for the bot's own, that a text mentions. They are taken to be of the bot's workspace."""
    return tuple(AccountKey(PLATFORM, identity.team, user) for user in mentioned(text) if user != identity.user)


def press(body: Payload, identity: Identity) -> Request:
    """A pressed button, in a message, a modal or the home tab.

    Raises:
        BadAction: when the button is no (longer a) button of ours.
    """
    action = slack_render.pressed(body["actions"][0])
    who = _presser(body, identity)
    where = place(pressed_in(body), identity, (body.get("channel") or {}).get("name", ""))
    # One press makes one trigger; action_ts tells apart the presses of a payload without one.
    key = body.get("trigger_id") or f"{who.user}:{body['actions'][0].get('action_ts')}"
    return Request(who, where, Press(action), f"press:{key}")


def home(body: Payload, identity: Identity) -> Request:
    """Show the home tab again after a press in it."""
    return Request(_presser(body, identity), place("", identity), HomeOpened(), f"home:{body.get('trigger_id')}")


def submission(body: Payload, identity: Identity) -> Request:
    """A sent modal.

    Raises:
        BadAction: when the modal is no (longer a) form of ours.
    """
    view = body["view"]
    values = sent_forms.sent_values(view)
    origin = Origin.load(view.get("private_metadata") or "")
    key = f"form:{view['id']}:{view.get('hash', '')}"
    where = place(origin.conversation, identity)
    return Request(_presser(body, identity), where, Submit(sent_forms.sent_action(view), values), key)


def event(body: Payload, identity: Identity) -> Request | None:
    """An event, or None where it asks nothing of the bot."""
    said = body["event"]
    match said.get("type"):
        case "message":
            return _typed(body, said, identity)
        case "app_mention":
            return _mention(body, said, identity)
        case "app_home_opened" if said.get("tab") == "home":
            return _request(body, said.get("user"), said.get("channel", ""), HomeOpened(), identity)
        case "member_joined_channel" | "member_left_channel":
            return _moved(body, said, identity)
        case "channel_left" | "group_left":
            # Only ever about the bot itself; nobody is named.
            return _request(body, identity.user, said.get("channel", ""), BotRemoved(), identity)
        case _:
            return None


def _typed(body: Payload, said: Payload, identity: Identity) -> Request | None:
    text = typed_text(said.get("text") or "")
    if said.get("channel_type") != "im" or not _by_a_person(said) or not text:
        return None
    asked = Typed(text, _mentions(said.get("text") or "", identity))
    return _request(body, said["user"], said["channel"], asked, identity)


def _mention(body: Payload, said: Payload, identity: Identity) -> Request | None:
    if not _by_a_person(said):
        return None
    words = " ".join((said.get("text") or "").replace(f"<@{identity.user}>", " ").split())
    asked = Command(typed_text(words), _mentions(words, identity))
    return _request(body, said["user"], said["channel"], asked, identity)


def _moved(body: Payload, said: Payload, identity: Identity) -> Request | None:
    joined = said["type"] == "member_joined_channel"
    user: str = said["user"]
    if user != identity.user:
        return _request(body, user, said["channel"], Arrived() if joined else Departed(), identity)
    # The actor is the person who invited the bot, where Slack names them.
    actor = said.get("inviter") or user
    return _request(body, actor, said["channel"], BotAdded() if joined else BotRemoved(), identity)


def _by_a_person(said: Payload) -> bool:
    """Edits, joins, files and the bots' own words carry a subtype or a bot id."""
    return bool(said.get("user")) and not said.get("subtype") and not said.get("bot_id")


def _request(body: Payload, user: str | None, channel: str, intent: Intent, identity: Identity) -> Request | None:
    if not user:
        return None
    who = AccountKey(PLATFORM, _team_of(body, identity), user)
    return Request(who, place(channel, identity), intent, f"event:{body['event_id']}", _time(body["event"]))


def _time(said: Payload) -> datetime | None:
    """When it happened, as Slack says: seconds since 1970, as text."""
    try:
        return datetime.fromtimestamp(float(said["event_ts"]), UTC)
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return None


def _team_of(body: Payload, identity: Identity) -> str:
    """The workspace of the person who caused an event; in shared channels that may be another one.

    An organisation's id (E…) stands for the bot's own workspace only if it is the bot's organisation.
    """
    said = body["event"]
    for name in ("user_team", "source_team", "team"):
        team = said.get(name)
        if isinstance(team, str) and team:
            return identity.team if team == identity.enterprise else team
    return body.get("team_id") or identity.team


def _presser(body: Payload, identity: Identity) -> AccountKey:
    user = body["user"]
    team = user.get("team_id") or (body.get("team") or {}).get("id") or identity.team
    return AccountKey(PLATFORM, identity.team if team == identity.enterprise else team, user["id"])


def pressed_in(body: Payload) -> str:
    """The conversation of a press; inside a modal the one it was opened from; in the home tab none."""
    channel = (body.get("channel") or {}).get("id") or (body.get("container") or {}).get("channel_id")
    if channel:
        return str(channel)
    return Origin.load((body.get("view") or {}).get("private_metadata") or "").conversation


def place(conversation: str, identity: Identity, name: str = "") -> Place:
    """A conversation; no conversation at all is personal too, as the home tab is."""
    kind: PlaceKind = "personal" if not conversation or is_chat(conversation) else "channel"
    return Place(PLATFORM, identity.team, conversation, kind, "" if name in _NAMELESS else name)
