"""The port's verbs on Slack."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from bot.runtime.port import Address, CannotLook, Outgoing, Permanent, Sent, Visit, Wait
from bot.slack import slack_render
from bot.slack.api import Api, Identity, written_before
from bot.slack.errors import SENTENCES, SlackRefused, SlackUnreachable, called
from handlers.core.requests import AccountKey, Place, Profile
from manifest.about import BOT_NAME

PLATFORM = "slack"
EVENT_TYPE = "plc_delivery"  # of the metadata that carries a delivery's id

REMEMBERED_FOR = 300.0  # seconds that a person's profile is taken as still true
LOOK_BACK = 30 * 24 * 3600.0  # seconds; a delivery older than that is long settled
LOOK_PAGES = 10
PAGE = 200
MEMBERS = 500  # a cohort's channel is far smaller; a larger one is the wrong channel
LONGEST_WAIT = 60.0  # seconds that a visit waits for Slack's rate limit in all

_INVITE = f"Invite me with /invite @{BOT_NAME}, then send the command again."


@dataclass(frozen=True, slots=True)
class Clocks:
    """Time as the port sees it; tests bring their own."""

    now: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


class SlackPort:
    """Slack's Web API as the few verbs of :class:`bot.runtime.port.Port`."""

    platform: str = PLATFORM

    def __init__(self, api: Api, clocks: Clocks | None = None) -> None:
        self._api = api
        self._clocks = clocks or Clocks()
        self._people: dict[str, tuple[float, dict[str, Any]]] = {}
        self._chats: dict[str, str] = {}

    # Writing -----------------------------------------------------------------------------------

    async def post(self, to: Address, message: Outgoing) -> Sent:
        """Write a message that carries the delivery's id, after a look at whether the person's account is active.

        Raises:
            Wait, Temporary, Permanent: nothing was written.
            Uncertain: the connection broke, or Slack failed, so the message may be there.
        """
        conversation = await self._reachable(to)
        message.check()
        with written_before(message.until):
            said = await called(
                self._api.client.chat_postMessage(
                    channel=conversation,
                    text=slack_render.fallback(message.card, message.shown),
                    blocks=slack_render.message(message.card, message.shown),
                    metadata={"event_type": EVENT_TYPE, "event_payload": {"id": str(message.delivery)}},
                    client_msg_id=str(message.delivery),
                    unfurl_links=False,
                    unfurl_media=False,
                ),
                repeatable=False,
            )
        return Sent(said.get("channel") or conversation, said.get("ts") or "")

    async def update(self, to: Address, message_id: str, message: Outgoing) -> None:
        """Change the card of a message.

        Raises:
            Wait, Temporary, Permanent: as the port says. It is never Uncertain, as changing twice is the same.
        """
        await called(
            self._api.client.chat_update(
                channel=await self._conversation(to),
                ts=message_id,
                text=slack_render.fallback(message.card, message.shown),
                blocks=slack_render.message(message.card, message.shown),
            )
        )

    async def _reachable(self, to: Address) -> str:
        """The conversation, after a look at whose it is: Slack takes posts to deactivated people too."""
        conversation = await self._conversation(to)
        user = to.user or await self._partner(conversation)
        if user is not None and (await self._person(user)).get("deleted"):
            raise SlackUnreachable("user_disabled")
        return conversation

    async def _conversation(self, to: Address) -> str:
        if to.conversation:
            return to.conversation
        if to.user is None:
            raise Permanent("There is no conversation to write to.")
        return await self.chat_with(to.user)

    async def chat_with(self, user: str) -> str:
        """The direct message between this person and the bot, opened where it was not."""
        if user not in self._chats:
            said = await called(self._api.client.conversations_open(users=user))
            self._chats[user] = said["channel"]["id"]
        return self._chats[user]

    def remember_chat(self, user: str, conversation: str) -> None:
        """A direct message that a payload showed to be the one between this person and the bot."""
        self._chats[user] = conversation

    async def _partner(self, conversation: str) -> str | None:
        """Who the bot talks to in a direct message; None in a channel."""
        if not is_chat(conversation):
            return None
        for user, chat in self._chats.items():
            if chat == conversation:
                return user
        said = await called(self._api.client.conversations_open(channel=conversation, return_im=True))
        user_id = said.get("channel", {}).get("user")
        if not isinstance(user_id, str):
            return None
        self._chats[user_id] = conversation
        return user_id

    # Looking up --------------------------------------------------------------------------------

    async def find(self, to: Address, delivery: UUID) -> Sent | None:
        """Return the direct message of the last 30 days that carries this delivery id, or None.

        Raises:
            CannotLook: the conversation is a channel, or too long to look through.
            Wait, Temporary, Permanent: Slack cannot be asked, or refuses.
        """
        conversation = await self._conversation(to)
        if not is_chat(conversation):
            raise CannotLook("The bot does not read channels.")
        async for message in self._history(conversation):
            metadata = message.get("metadata") or {}
            carried = (metadata.get("event_payload") or {}).get("id")
            if metadata.get("event_type") == EVENT_TYPE and carried == str(delivery):
                return Sent(conversation, message["ts"])
        return None

    async def _history(self, conversation: str) -> AsyncIterator[dict[str, Any]]:
        cursor: str | None = None
        oldest = f"{self._clocks.now() - LOOK_BACK:.6f}"
        for _ in range(LOOK_PAGES):
            page = await called(
                self._api.client.conversations_history(
                    channel=conversation,
                    cursor=cursor,
                    oldest=oldest,
                    limit=PAGE,
                    include_all_metadata=True,
                )
            )
            for message in page.get("messages", []):
                yield message
            cursor = _next(page)
            if cursor is None:
                return
        raise CannotLook("This conversation is too long to look through.")

    async def profile(self, who: AccountKey, place: Place) -> Profile:  # noqa: ARG002 -- users.info needs no place
        """Return what Slack says of the account now, whatever it said before.

        Raises:
            Wait, Temporary, Permanent: Slack cannot be asked, or does not know the account.
        """
        identity = await self._api.identity()
        return profile_of(await self._ask_person(who.user), identity, who.tenant)

    async def find_by_email(self, tenant: str, email: str) -> Profile | None:
        """Return the full, active member of the bot's own workspace with this address, or None.

        Raises:
            Wait, Temporary, Permanent: Slack cannot be asked, or refuses.
        """
        identity = await self._api.identity()
        if tenant != identity.team:
            return None
        try:
            said = await called(self._api.client.users_lookupByEmail(email=email))
        except SlackRefused as refused:
            if refused.code in ("users_not_found", "user_not_found"):
                return None
            raise
        profile = profile_of(said["user"], identity, identity.team)
        return profile if profile.member and profile.active and not profile.bot else None

    async def _person(self, user: str) -> dict[str, Any]:
        now = self._clocks.monotonic()
        known = self._people.get(user)
        if known is not None and now - known[0] < REMEMBERED_FOR:
            return known[1]
        return await self._ask_person(user)

    async def _ask_person(self, user: str) -> dict[str, Any]:
        """What Slack says of somebody now, whatever it said before."""
        said = await called(self._api.client.users_info(user=user))
        person: dict[str, Any] = said["user"]
        self._people[user] = (self._clocks.monotonic(), person)
        return person

    # Visiting ----------------------------------------------------------------------------------

    async def visit(self, place: Place) -> Visit:
        """Join a public channel and return its members, or the problem that keeps the bot out.

        This waits for Slack's rate limit, up to :data:`LONGEST_WAIT` seconds for one question.

        Raises:
            Wait, Temporary: Slack cannot be asked now.
            Permanent: the address in ``SLACK_API_URL`` does not answer as Slack does.
        """
        try:
            return await self._visit(place.conversation)
        except SlackRefused as refused:
            return Visit(name=place.name, problem=_problem(refused))

    async def _visit(self, conversation: str) -> Visit:
        said = await called(self._api.client.conversations_info(channel=conversation))
        channel = said.get("channel") or {}
        name = channel.get("name") or ""
        problem = _closed(channel)
        if problem:
            return Visit(name=name, problem=problem)
        if not channel.get("is_member"):
            await called(self._api.client.conversations_join(channel=conversation))
        users = await self._members(conversation)
        if len(users) > MEMBERS:
            return Visit(
                name=name,
                problem=f"This channel has more than {MEMBERS} members. Use a channel for one cohort only.",
            )
        return Visit(members=await self._profiles(users), name=name)

    async def _members(self, conversation: str) -> list[str]:
        users: list[str] = []
        cursor: str | None = None
        while len(users) <= MEMBERS:
            page = await self._patiently(partial(self._member_page, conversation, cursor))
            users += page.get("members", [])
            cursor = _next(page)
            if cursor is None:
                break
        return users

    async def _member_page(self, conversation: str, cursor: str | None) -> dict[str, Any]:
        return await called(self._api.client.conversations_members(channel=conversation, cursor=cursor, limit=PAGE))

    async def _profiles(self, users: list[str]) -> tuple[Profile, ...]:
        identity = await self._api.identity()
        people = [await self._patiently(partial(self._person, user)) for user in users if user != identity.user]
        return tuple(profile_of(person, identity, identity.team) for person in people)

    async def _patiently(self, ask: Callable[[], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
        """A visit asks about everybody at once, so it waits where Slack asks to, up to a limit."""
        waited = 0.0
        while True:
            try:
                return await ask()
            except Wait as wait:
                waited += wait.seconds
                if waited > LONGEST_WAIT:
                    raise
                await self._clocks.sleep(wait.seconds)


def is_chat(conversation: str) -> bool:
    """Slack's direct messages begin with D."""
    return conversation.startswith("D")


def profile_of(person: dict[str, Any], identity: Identity, tenant: str) -> Profile:
    """What ``users.info`` says. Only people in the bot's own workspace can be full members."""
    said = person.get("profile") or {}
    teams = {person.get("team_id"), *((person.get("enterprise_user") or {}).get("teams") or [])}
    at_home = identity.team in teams and tenant == identity.team
    guest = any(person.get(flag) for flag in ("is_restricted", "is_ultra_restricted", "is_stranger"))
    bot = bool(person.get("is_bot")) or person.get("id") == "USLACKBOT"
    home = identity.team if at_home else person.get("team_id") or tenant
    return Profile(
        account=AccountKey(PLATFORM, home, person["id"]),
        name=said.get("display_name") or said.get("real_name") or person.get("real_name") or person.get("name", ""),
        email=said.get("email") or "",
        email_confirmed=bool(person.get("is_email_confirmed")),
        member=at_home and not guest and not bot,
        active=not person.get("deleted", False),
        bot=bot,
        zone=_zone(person.get("tz")),
    )


def _zone(name: object) -> str | None:
    if not isinstance(name, str) or not name:
        return None
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # a KeyError is how zoneinfo says that it knows no such zone
        return None
    return name


def _closed(channel: dict[str, Any]) -> str:
    """What somebody must do before the bot can enter this conversation; empty where it can."""
    if channel.get("is_im") or channel.get("is_mpim"):
        return "This is a direct message. Send the command in the cohort's channel."
    if channel.get("is_archived"):
        return SENTENCES["is_archived"]
    if channel.get("is_private") and not channel.get("is_member"):
        return f"I'm not in this private channel. {_INVITE}"
    return ""


def _problem(refused: SlackRefused) -> str:
    if refused.code in ("channel_not_found", "not_in_channel", "method_not_supported_for_channel_type"):
        return f"I can't join this channel. {_INVITE}"
    return str(refused)


def _next(page: dict[str, Any]) -> str | None:
    cursor = (page.get("response_metadata") or {}).get("next_cursor")
    return cursor if isinstance(cursor, str) and cursor else None
