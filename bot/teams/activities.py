"""Payload -> Request: translates the activities that Teams sends. Nothing is decided here."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from bot.teams.forms import read_values
from handlers.core.actions import Action, SentAction
from handlers.core.requests import (
    AccountKey,
    Arrived,
    BotAdded,
    BotRemoved,
    Command,
    Departed,
    Intent,
    Place,
    Press,
    Request,
    Submit,
    Typed,
)

PLATFORM = "teams"
PLAYGROUND_TENANT = "playground"
CHANNEL = "msteams"
_OBJECT_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

Kind = Literal["message", "execute", "fetch", "submit", "event"]
_INVOKES: dict[str, Kind] = {
    "adaptiveCard/action": "execute",
    "task/fetch": "fetch",
    "task/submit": "submit",
}


class BadActivity(ValueError):
    """The activity lacks a part that every activity of Teams has."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A request, and what its answer needs to know about the activity.

    ``kind``: how the activity is answered.
    ``opener``: the press that shows a sent form again.
    ``card``: id of the message whose button was pressed, or whose button opened the form; empty if unknown.
    ``form``: whether the pressed button is part of a form.
    ``values``: what was sent with a form, by field.
    """

    request: Request
    kind: Kind
    opener: Action | None = None
    card: str = ""
    form: bool = False
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def personal(self) -> bool:
        """Whether it comes from the personal chat."""
        return self.request.place.kind == "personal"


def kind_of(body: Mapping[str, Any]) -> Kind | None:
    """Return how this activity is answered; None if it is not answered."""
    match body.get("type"):
        case "message":
            return "message"
        case "invoke":
            return _INVOKES.get(str(body.get("name")))
        case "installationUpdate" | "conversationUpdate":
            return "event"
        case _:
            return None


def tenant_of(body: Mapping[str, Any]) -> str:
    """Return the tenant's id in small letters; empty if the client names none. botbuilder's model drops it."""
    return (_text(body, "channelData", "tenant", "id") or _text(body, "conversation", "tenantId")).lower()


def sent_by_teams(body: Mapping[str, Any], app_id: str) -> bool:
    """Return whether the ids are those of Teams: the bot's own, and the sender's Teams id and directory id.

    Other channels of the Bot Framework let a client choose the sender. In an event Teams may leave out the directory
    ids of people, and may leave out its sender.
    """
    if _text(body, "channelId") != CHANNEL or _text(body, "recipient", "id").lower() != f"28:{app_id}".lower():
        return False
    if kind_of(body) is None:
        return True
    if kind_of(body) == "event":
        accounts: list[object] = [*_list(body, "membersAdded"), *_list(body, "membersRemoved")]
        if body.get("from") and _text(body, "from", "id") != _text(body, "recipient", "id"):
            accounts.append(body["from"])
            if not _text(body, "from", "id").startswith("29:"):
                return False
        return all(map(_has_teams_ids, accounts))
    sender = _map(body, "from")
    return _text(sender, "id").startswith("29:") and bool(_OBJECT_ID.fullmatch(_text(sender, "aadObjectId")))


def _has_teams_ids(account: object) -> bool:
    """Whether these are the ids of a bot, or of a person, whose directory id may be left out."""
    if not isinstance(account, Mapping):
        return False
    directory_id = account.get("aadObjectId") or ""
    known = isinstance(directory_id, str) and (not directory_id or bool(_OBJECT_ID.fullmatch(directory_id)))
    return known and _text(account, "id").startswith(("28:", "29:"))


def read_activity(body: Mapping[str, Any], tenant: str) -> list[Incoming]:
    """Return the activity's requests.

    Mostly that is one. It is none if there is nothing to answer, and one for each person who came or left.

    Raises:
        BadAction: the pressed button is not one of the bot's.
        BadActivity: a part that every activity has is missing.
    """
    kind = kind_of(body)
    if kind is None:
        return []
    if not _text(body, "conversation", "id") or not _text(body, "recipient", "id"):
        raise BadActivity(BadActivity.__doc__)
    place = _place(body, tenant)
    if kind == "event":
        return [
            Incoming(Request(who, place, intent, _key(body, place, type(intent).__name__, who.user), _time(body)), kind)
            for who, intent in _events(body, tenant)
        ]
    if not _text(body, "from", "id"):
        raise BadActivity(BadActivity.__doc__)
    who = _account(body["from"], tenant)
    data = _sent_data(body, kind)
    if data is not None:
        return [_pressed(body, kind, who, place, data)]
    intent = _typed(body, place)
    return [Incoming(Request(who, place, intent, _key(body, place)), kind)] if intent else []


# Messages --------------------------------------------------------------------------------------


def _typed(body: Mapping[str, Any], place: Place) -> Intent | None:
    words, mentioned, others = _without_marks(body)
    mentions = tuple(_account(other, place.tenant) for other in others)
    if place.kind == "personal":
        return Typed(words, mentions) if words else None
    return Command(words, mentions) if mentioned else None


def _without_marks(body: Mapping[str, Any]) -> tuple[str, bool, list[Mapping[str, Any]]]:
    """The text without the bot's mention and with the others' names, whether the bot is mentioned, and the others.

    The bot is recognized by its id, since another bot may have the same name.
    """
    words = str(body.get("text") or "")
    bot, mentioned = _text(body, "recipient", "id"), False
    others: dict[str, Mapping[str, Any]] = {}
    for entity in _list(body, "entities"):
        account, marked = _map(entity, "mentioned"), _text(entity, "text")
        if entity.get("type") != "mention" or not _text(account, "id"):
            continue
        if _text(account, "id") == bot:
            mentioned, spoken = True, " "
        else:
            spoken = _text(account, "name")
            others[_text(account, "id")] = account
        words = words.replace(marked, spoken) if marked else words
    words = words.replace("&nbsp;", " ").replace("\u00a0", " ")
    return words.strip(), mentioned, list(others.values())


# Presses and forms -----------------------------------------------------------------------------


def _sent_data(body: Mapping[str, Any], kind: Kind) -> Mapping[str, Any] | None:
    """The data of a pressed button, from where this kind of activity carries it; None for a message without data."""
    value = body.get("value")
    if not isinstance(value, Mapping):
        return None if kind == "message" else {}
    match kind:
        case "execute":
            value = _map(value, "action")
            return _map(value, "data")
        case "fetch" | "submit":
            return _map(value, "data")
        case _:
            return value


def _pressed(body: Mapping[str, Any], kind: Kind, who: AccountKey, place: Place, data: Mapping[str, Any]) -> Incoming:
    ours = _map(data, "plc")
    action = SentAction.decode(str(ours.get("act") or ""))
    key = _key(body, place)
    form = bool(ours.get("form"))
    # If the form is a card itself, the pressed message is the form, not the message that opened it.
    pressed = "" if form and kind == "execute" else str(body.get("replyToId") or "")
    card = str(ours.get("card") or "") or pressed
    if "fields" not in ours:
        return Incoming(Request(who, place, Press(action), key), kind, None, card, form)
    fields, many = _names(ours.get("fields")), _names(ours.get("many"))
    values = read_values(data, fields, many)
    opener = SentAction.decode(str(ours.get("opener") or ""))
    return Incoming(Request(who, place, Submit(action, values), key), kind, opener, card, form, values)


def _names(sent: object) -> list[str]:
    return [str(name) for name in sent] if isinstance(sent, list) else []


# Coming and going ------------------------------------------------------------------------------


def _events(body: Mapping[str, Any], tenant: str) -> Iterator[tuple[AccountKey, Intent]]:
    bot = _text(body, "recipient", "id")
    actor = _account(_map(body, "from") or _map(body, "recipient"), tenant)
    if body["type"] == "installationUpdate":
        action = str(body.get("action"))
        if action.startswith("add"):
            yield actor, BotAdded()
        elif action.startswith("remove"):
            yield actor, BotRemoved()
        return
    for member in _list(body, "membersAdded"):
        if member.get("id") == bot:
            yield actor, BotAdded()
        elif not _personal(body):
            yield _account(member, tenant), Arrived()
    for member in _list(body, "membersRemoved"):
        if member.get("id") == bot:
            yield actor, BotRemoved()
        elif not _personal(body):
            yield _account(member, tenant), Departed()


# Who and where ---------------------------------------------------------------------------------


def _account(sent: Mapping[str, Any], tenant: str) -> AccountKey:
    """The account, by its directory id, which is the same in every conversation. A test client may have none."""
    return AccountKey(PLATFORM, tenant, _text(sent, "aadObjectId").lower() or _text(sent, "id"))


def _personal(body: Mapping[str, Any]) -> bool:
    return _text(body, "conversation", "conversationType") not in ("channel", "groupChat") and not _map(
        body, "conversation"
    ).get("isGroup")


def _place(body: Mapping[str, Any], tenant: str) -> Place:
    personal = _personal(body)
    conversation = channel_of(_text(body, "conversation", "id"))
    name = (
        _text(body, "channelData", "channel", "name")
        or _text(body, "conversation", "name")
        or _text(body, "channelData", "team", "name")
    )
    return Place(
        PLATFORM,
        tenant,
        conversation,
        "personal" if personal else "channel",
        "" if personal else name,
        _reference(body, tenant),
    )


def channel_of(conversation: str) -> str:
    """Return the channel's id from a thread's conversation id."""
    return conversation.partition(";messageid=")[0]


def _reference(body: Mapping[str, Any], tenant: str) -> dict[str, str]:
    """What a later message to this place needs. It is stored again from every activity, since it changes."""
    service_url = _text(body, "serviceUrl").rstrip("/")
    parts = {
        "service_url": f"{service_url}/" if service_url else "",
        "bot": _text(body, "recipient", "id"),
        "user": _text(body, "from", "id"),
        "account": _text(body, "from", "aadObjectId").lower() or _text(body, "from", "id"),
        "type": _text(body, "conversation", "conversationType"),
        "team": _text(body, "channelData", "team", "id") or _text(body, "channelData", "teamsTeamId"),
        "tenant": tenant_of(body) or tenant,
    }
    return {name: value for name, value in parts.items() if value}


def _key(body: Mapping[str, Any], place: Place, *more: str) -> str:
    """The idempotency key: equal in each retry of an activity, different for each press on the same card.

    It is made of the activity's id, or its time if a client gives no id. ``more`` distinguishes the people that one
    activity is about.

    Raises:
        BadActivity: the activity has neither an id nor a time.
    """
    activity_id = _text(body, "id") or _text(body, "timestamp")
    if not activity_id:
        raise BadActivity(BadActivity.__doc__)
    return ":".join(part for part in (place.conversation, activity_id, *more) if part)


def _time(body: Mapping[str, Any]) -> datetime | None:
    """When it happened, according to Teams; None if that is not a time with a zone."""
    try:
        at = datetime.fromisoformat(_text(body, "timestamp"))
    except ValueError:
        return None
    return at if at.tzinfo is not None else None


# Reading JSON ----------------------------------------------------------------------------------


def _map(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = value.get(name)
    return part if isinstance(part, Mapping) else {}


def _list(value: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    part = value.get(name)
    return [item for item in part if isinstance(item, Mapping)] if isinstance(part, list) else []


def _text(value: Mapping[str, Any], *path: str) -> str:
    for name in path[:-1]:
        value = _map(value, name)
    text = value.get(path[-1])
    return text if isinstance(text, str) else ""
