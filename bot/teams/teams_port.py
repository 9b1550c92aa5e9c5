"""The port on Teams: sends messages to conversations and asks who is in them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from bot.runtime.logs import event
from bot.runtime.port import Address, CannotLook, Outgoing, Permanent, Sent, Temporary, Uncertain, Visit, Wait
from bot.teams.activities import PLATFORM
from bot.teams.connector import Connector
from bot.teams.http_client import Barred, Gone
from bot.teams.protocols import Conversations, TeamsMessage
from bot.teams.teams_render import render, summary
from handlers.core.cards import Card, Shown
from handlers.core.requests import AccountKey, Place, Profile

log = logging.getLogger(__name__)

CHATS = 20_000  # personal chats remembered
_GUEST_MARK = "#ext#"
_ADD_THE_APP = (
    "The bot is not in this team. A team owner can add it: open the team's menu, choose Manage team, "
    "then Apps, and add this app. Then try again."
)


class TeamsPort:
    """The port of one tenant. It never retries a call: the delivery loop does."""

    platform = PLATFORM

    def __init__(
        self,
        conversations: Conversations,
        connector: Connector,
        *,
        app_id: str,
        tenant_id: str,
        service_url: str,
        dialogs: bool,
    ) -> None:
        self._conversations, self._connector = conversations, connector
        self._app_id, self._tenant_id = app_id, tenant_id
        self._service_url, self._dialogs = service_url, dialogs
        self._chats: dict[tuple[str, str], str] = {}
        self._ids: dict[str, str] = {}  # Teams' own ids of people, by their directory ids, which not every client knows

    # Writing -----------------------------------------------------------------------------------

    async def post(self, to: Address, message: Outgoing) -> Sent:
        """Send a message. Raises the port's errors."""
        return await self.write(to, self.message(message.card, message.shown), message.check)

    async def update(self, to: Address, message_id: str, message: Outgoing) -> None:
        """Change a message that was sent. Raises the port's errors."""
        if to.conversation is None:
            raise Permanent("A message can only be changed if its conversation is known.")
        content = self.message(message.card, message.shown)
        await self._conversations.update(self._at(to), to.conversation, message_id, content, bot=self._bot(to))

    async def find(self, _to: Address, _delivery: UUID) -> Sent | None:
        """Refuse to look up a message.

        Raises:
            CannotLook: always. Teams cannot look up a message by its delivery.
        """
        raise CannotLook("Teams cannot look up a message by its delivery.")

    def message(self, card: Card, shown: Shown | None = None) -> TeamsMessage:
        """Return the card as a message."""
        return TeamsMessage(render(card, shown, dialogs=self._dialogs), summary(card, shown))

    async def write(self, to: Address, message: TeamsMessage, check: Callable[[], None] = lambda: None) -> Sent:
        """Send a rendered message. If only the person is known, their chat is opened first.

        A chat that refuses the message may be a chat that the person had earlier, so Teams is asked once for the
        current one. ``check`` is called right before each try. Raises the port's errors.
        """
        conversation = to.conversation or await self._open_chat(to)
        try:
            return await self._send(to, conversation, message, check)
        except (Gone, Barred):
            if not to.user:
                raise
            self.forget_chat(self._tenant(to), self._id_in_teams(to), to.user)
            current = await self._open_chat(to)
            if current == conversation:
                raise
        return await self._send(to, current, message, check)

    async def _send(self, to: Address, conversation: str, message: TeamsMessage, check: Callable[[], None]) -> Sent:
        check()
        sent = await self._conversations.send(self._at(to), conversation, message, bot=self._bot(to))
        return Sent(conversation, sent)

    async def _open_chat(self, to: Address) -> str:
        """The personal chat's id. Teams returns the existing chat, so asking twice does no harm."""
        if not to.user:
            raise Permanent("This delivery names neither a conversation nor a person.")
        person, tenant = self._id_in_teams(to), self._tenant(to)
        known = self._chats.get((tenant, person))
        if known:
            return known
        conversation = await self._conversations.create(self._at(to), bot=self._bot(to), person=person, tenant=tenant)
        if not conversation:
            raise Temporary("Teams opened a chat without saying which.")
        self.remember_chat(tenant, conversation, person)
        return conversation

    def remember_chat(self, tenant: str, conversation: str, *ids: str) -> None:
        """Remember a person's current chat with the bot. ``ids``: all ids that the person has."""
        if len(self._chats) >= CHATS:
            self._chats.clear()
        self._chats.update({(tenant, name): conversation for name in ids if name})

    def forget_chat(self, tenant: str, *ids: str) -> None:
        """Forget the chat, so that Teams is asked for it the next time."""
        for name in ids:
            self._chats.pop((tenant, name), None)

    def _tenant(self, to: Address) -> str:
        return to.reference.get("tenant") or to.tenant

    def _id_in_teams(self, to: Address) -> str:
        """Teams' own id of the person. The reference names who wrote last, who may be somebody else."""
        user = to.user or ""
        theirs = to.reference.get("account") == user
        return (to.reference.get("user") if theirs else None) or self._ids.get(user) or user

    def _at(self, to: Address | Place) -> str:
        return to.reference.get("service_url") or self._service_url

    def _bot(self, to: Address) -> str:
        return to.reference.get("bot") or f"28:{self._app_id}"

    # Asking ------------------------------------------------------------------------------------

    async def profile(self, who: AccountKey, place: Place) -> Profile:
        """Return what Teams tells about a member of this conversation.

        Raises:
            Gone: the account is not a member. Also the port's other errors.
        """
        try:
            member = await self._connector.get(
                self._at(place), "conversations", place.conversation, "members", who.user
            )
            return self._profile(member, who)
        except Gone:
            # A test client lists its people under other ids than those that it sends.
            for member in await self._conversations.members(self._at(place), place.conversation):
                if self._profile(member).account.user == who.user:
                    return self._profile(member, who)
            raise

    async def account(self, mentioned: AccountKey, place: Place) -> AccountKey:
        """Return a mentioned account under its directory id, or as it is if Teams does not tell the id."""
        try:
            member = await self._connector.get(
                self._at(place), "conversations", place.conversation, "members", mentioned.user
            )
        except (Permanent, Temporary, Uncertain, Wait) as error:
            event(log, "teams.mention_unknown", logging.WARNING, error=type(error).__name__)
            return mentioned
        return AccountKey(PLATFORM, mentioned.tenant, self._profile(member).account.user)

    async def visit(self, place: Place) -> Visit:
        """Return who is in the channel, and its name; or what somebody must do so that the bot can enter.

        Raises:
            Temporary, Uncertain, Wait: Teams cannot be asked now.
        """
        try:
            listed = await self._conversations.members(self._at(place), place.conversation)
            members = [self._profile(member) for member in listed]
        except Permanent as error:
            event(log, "teams.visit_refused")
            return Visit(name=place.name, problem=_refused(error))
        return Visit(tuple(members), place.name or await self._name(place))

    async def find_by_email(self, _tenant: str, _email: str) -> Profile | None:
        """Return None: Teams tells a bot of addresses only in conversations that the bot is in."""
        return None

    async def _name(self, place: Place) -> str:
        """The channel's name, "General" for a team's first channel; empty if Teams does not tell it."""
        team = place.reference.get("team")
        if not team:
            return ""
        try:
            listed = await self._connector.get(self._at(place), "teams", team, "conversations")
            for channel in listed.get("conversations") or []:
                if channel.get("id") == place.conversation:
                    return str(channel.get("name") or "General")
        except (Permanent, Temporary, AttributeError, TypeError):
            event(log, "teams.channel_name_unknown")
        return ""

    def _profile(self, member: Mapping[str, Any], who: AccountKey | None = None) -> Profile:
        """The member's profile, under the account ``who`` if it is known already."""
        account = who or AccountKey(
            PLATFORM,
            self._tenant_id or str(member.get("tenantId") or ""),
            str(member.get("aadObjectId") or member.get("objectId") or "").lower() or str(member.get("id") or ""),
        )
        if len(self._ids) >= CHATS:
            self._ids.clear()
        self._ids[account.user] = str(member.get("id") or account.user)
        sign_in = str(member.get("userPrincipalName") or "")
        role = str(member.get("userRole") or "").lower()
        tenant = str(member.get("tenantId") or "").lower()
        ours = not tenant or not self._tenant_id or tenant == self._tenant_id.lower()
        full = role in ("", "user") and _GUEST_MARK not in sign_in.lower() and bool(sign_in) and ours
        address = str(member.get("email") or (sign_in if full else "")).strip().lower()
        return Profile(
            account,
            name=str(member.get("name") or ""),
            email=address,
            email_confirmed=full and bool(address),
            member=full,
            bot=str(member.get("id") or "").startswith("28:"),
        )


def _refused(error: Permanent) -> str:
    text = str(error)
    return text if "credentials" in text else _ADD_THE_APP
