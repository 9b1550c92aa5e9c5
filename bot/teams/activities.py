"""Activities, as Teams sends them, to Requests. Only translation; nothing is decided here."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from bot.teams.forms import read_values
from handlers.core.cards import Action
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
    """This is no activity that Teams sends."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A request and what its answer needs to know of the activity.

    opener   the press that shows the sent form again
    card     the message whose button was pressed, or opened the form
    form     the button stood in a form
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
    """How this activity wants to be answered; None: not at all."""
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
    """The tenant, which botbuilder's model drops, in small letters. Empty where the client names none."""
    return (_text(body, "channelData", "tenant", "id") or _text(body, "conversation", "tenantId")).lower()


def sent_by_teams(body: Mapping[str, Any], app_id: str) -> bool:
    """Whether the ids are such as Teams gives: the bot's own, and of whoever acts a Teams id and a directory id.

    Other channels of the Bot Framework let a client choose whom an activity comes from. Of who set off an event, and
    of those who came or left, Teams may leave out the directory id, and of an event everything about who set it off.
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
    """Whether these are the ids of a person, who may have no directory id here, or of a bot."""
    if not isinstance(account, Mapping):
        return False
    directory_id = account.get("aadObjectId") or ""
    known = isinstance(directory_id, str) and (not directory_id or bool(_OBJECT_ID.fullmatch(directory_id)))
    return known and _text(account, "id").startswith(("28:", "29:"))


def read_activity(body: Mapping[str, Any], tenant: str) -> list[Incoming]:
    """The requests in an activity: mostly one; none where there is nothing to answer; one per newcomer.

    Raises:
        BadAction: the pressed button is not one of ours.
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
        return [_acted(body, kind, who, place, data)]
    intent = _said(body, place)
    return [Incoming(Request(who, place, intent, _key(body, place)), kind)] if intent else []


# Messages --------------------------------------------------------------------------------------


def _said(body: Mapping[str, Any], place: Place) -> Intent | None:
    words, mentioned, others = _without_marks(body)
    mentions = tuple(_account(other, place.tenant) for other in others)
    if place.kind == "personal":
        return Typed(words, mentions) if words else None
    return Command(words, mentions) if mentioned else None


def _without_marks(body: Mapping[str, Any]) -> tuple[str, bool, list[Mapping[str, Any]]]:
    """The words without the bot's mention and with the others' names, whether the bot is mentioned, and the others.

    The bot is known by its id: another bot may bear its name.
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
    """The data of a pressed button, wherever this kind of activity carries it."""
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


def _acted(body: Mapping[str, Any], kind: Kind, who: AccountKey, place: Place, data: Mapping[str, Any]) -> Incoming:
    ours = _map(data, "plc")
    act = Action.decode(str(ours.get("act") or ""))
    key = _key(body, place)
    form = bool(ours.get("form"))
    # A form that is a card itself is the message that was pressed, not the one that opened it.
    pressed = "" if form and kind == "execute" else str(body.get("replyToId") or "")
    card = str(ours.get("card") or "") or pressed
    if "fields" not in ours:
        return Incoming(Request(who, place, Press(act), key), kind, None, card, form)
    fields, many = _names(ours.get("fields")), _names(ours.get("many"))
    values = read_values(data, fields, many)
    opener = Action.decode(str(ours.get("opener") or ""))
    return Incoming(Request(who, place, Submit(act, values), key), kind, opener, card, form, values)


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
    """The directory's object id is the same in every conversation; a test client may have none."""
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
    """The channel of a thread's conversation id."""
    return conversation.partition(";messageid=")[0]


def _reference(body: Mapping[str, Any], tenant: str) -> dict[str, str]:
    """What writing here later needs, taken anew from every activity: these change over time."""
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
    """The same in each retry of one act, and another one for each press on the same card: Teams gives every
    activity an id of its own. A client that gives none is known by the time that it gives. ``more``: what tells
    apart the people that one activity is about.

    Raises:
        BadActivity: the activity has neither.
    """
    act = _text(body, "id") or _text(body, "timestamp")
    if not act:
        raise BadActivity(BadActivity.__doc__)
    return ":".join(part for part in (place.conversation, act, *more) if part)


def _time(body: Mapping[str, Any]) -> datetime | None:
    """When it happened, as Teams says; None where that is no time with a zone."""
    try:
        at = datetime.fromisoformat(_text(body, "timestamp"))
    except ValueError:
        return None
    return at if at.tzinfo is not None else None


# Reading JSON ----------------------------------------------------------------------------------


def _map(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = value.get(name)
    return found if isinstance(found, Mapping) else {}


def _list(value: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found = value.get(name)
    return [item for item in found if isinstance(item, Mapping)] if isinstance(found, list) else []


def _text(value: Mapping[str, Any], *path: str) -> str:
    for name in path[:-1]:
        value = _map(value, name)
    found = value.get(path[-1])
    return found if isinstance(found, str) else ""
