"""The port's verbs in the local workspace."""

from __future__ import annotations

import asyncio
from uuid import UUID

from bot.local.chat import Chat
from bot.local.host import Host, LocalPerson
from bot.local.hub import Hub
from bot.local.messages import Draft, NoSuchConversation, NoSuchMessage, delivery_origin, direct
from bot.runtime.port import Address, Outgoing, Permanent, Sent, Unreachable, Visit
from handlers.core.requests import AccountKey, Place, Profile

PLATFORM = "local"
TENANT = "local"


def account(user: str) -> AccountKey:
    """Return the user's account in the local workspace."""
    return AccountKey(PLATFORM, TENANT, user)


def profile_of(person: LocalPerson) -> Profile:
    """Everybody here is a full member; an id that looks like an address is their confirmed e-mail."""
    email = person.user if _looks_like_email(person.user) else ""
    return Profile(
        account(person.user),
        person.name,
        email=email,
        email_confirmed=bool(email),
        member=True,
        zone=person.zone or None,
    )


def _looks_like_email(user: str) -> bool:
    name, at, domain = user.partition("@")
    return bool(name and at and domain) and "@" not in domain and not any(char.isspace() for char in user)


class LocalPort:
    """Writes into the chat's file and pokes the open pages."""

    platform: str = PLATFORM

    def __init__(self, chat: Chat, host: Host, hub: Hub) -> None:
        self._chat = chat
        self._host = host
        self._hub = hub

    async def post(self, to: Address, message: Outgoing) -> Sent:
        """Write the card into the chat; the same delivery again returns the message that is already there.

        Raises:
            Permanent: the person or channel is not in the workspace.
            Temporary: another process may have taken the delivery over; nothing was written.
        """
        draft = Draft(
            await self._conversation(to),
            self._host.now(),
            delivery_origin(message.delivery),
            card=message.card,
            shown=message.shown,
        )
        message.check()
        try:
            written = await asyncio.to_thread(self._chat.write, draft)
        except NoSuchConversation as error:
            raise Permanent(str(error)) from None
        self._hub.poke()
        return Sent(written.conversation, str(written.id))

    async def update(self, to: Address, message_id: str, message: Outgoing) -> None:
        """Show another card in a message of the bot.

        Raises:
            Permanent: there is no such message, or its person is not in the workspace.
        """
        conversation = await self._conversation(to)
        try:
            await asyncio.to_thread(self._chat.change_card, conversation, int(message_id), message.card, message.shown)
        except (NoSuchMessage, ValueError):
            raise Permanent(str(NoSuchMessage.__doc__)) from None
        self._hub.poke()

    async def find(self, to: Address, delivery: UUID) -> Sent | None:  # noqa: ARG002 -- ids are unique here
        """Return the message of this delivery, or None if it was not written."""
        message = await asyncio.to_thread(self._chat.by_origin, delivery_origin(delivery))
        return None if message is None else Sent(message.conversation, str(message.id))

    async def profile(self, who: AccountKey, place: Place) -> Profile:  # noqa: ARG002 -- one workspace only
        """Return the profile of the person with this user id.

        Raises:
            Permanent: there is none.
        """
        for person in await self._host.people():
            if person.user == who.user:
                return profile_of(person)
        raise Permanent("This person is not in the local workspace.")

    async def visit(self, place: Place) -> Visit:
        """Put the bot into the channel and return its members, or the problem that there is no such channel."""
        people = {person.user: person for person in await self._host.people()}
        if place.kind == "personal":
            members: tuple[str, ...] = tuple(user for user in people if direct(user) == place.conversation)
            name = ""
        else:
            try:
                channel = await asyncio.to_thread(self._chat.enter, place.conversation)
            except NoSuchConversation as error:
                return Visit(problem=str(error))
            members, name = channel.members, channel.name
            self._hub.poke()
        return Visit(tuple(profile_of(people[user]) for user in members if user in people), name)

    async def find_by_email(self, tenant: str, email: str) -> Profile | None:  # noqa: ARG002 -- one tenant only
        """Return the profile of the person whose user id is this address, in whatever case, or None."""
        wanted = email.strip().casefold()
        for person in await self._host.people():
            profile = profile_of(person)
            if profile.email and profile.email.casefold() == wanted:
                return profile
        return None

    async def _conversation(self, to: Address) -> str:
        people = {person.user for person in await self._host.people()}
        if to.conversation is not None:
            known = {direct(user) for user in people}
            if to.conversation.startswith(direct("")) and to.conversation not in known:
                raise Unreachable("This person is not in the local workspace.")
            return to.conversation
        if to.user not in people:
            raise Unreachable("This person is not in the local workspace.")
        return direct(to.user)
