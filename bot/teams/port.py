"""The port's verbs on Teams: writing to conversations and asking who is there."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from botbuilder.schema import (
    Activity,
    Attachment,
    ChannelAccount,
    ConversationAccount,
    ConversationParameters,
)

from bot.runtime.logs import event
from bot.runtime.port import Address, CannotLook, Outgoing, Permanent, Sent, Temporary, Uncertain, Visit, Wait
from bot.teams.activities import CHANNEL, PLATFORM
from bot.teams.connector import Connectors
from bot.teams.page import CARD_TYPE
from bot.teams.render import render, summary
from bot.teams.wire import Barred, Gone
from handlers.core.cards import Card, Shown
from handlers.core.requests import AccountKey, Place, Profile

log = logging.getLogger(__name__)

MEMBERS_A_PAGE = 200
PAGES = 100  # a bound, should the platform never end its pages
CHATS = 20_000  # personal chats remembered
_GUEST_MARK = "#ext#"
_ADD_THE_APP = (
    "The bot is not in this team. A team owner can add it: open the team's menu, choose Manage team, "
    "then Apps, and add this app. Then try again."
)


def card_activity(content: Mapping[str, Any], words: str) -> Activity:
    """A message with one card; ``words`` is what a notification says."""
    return Activity(type="message", summary=words, attachments=[Attachment(content_type=CARD_TYPE, content=content)])


class TeamsPort:
    """One tenant's conversations. Nothing here retries: the delivery loop does."""

    platform = PLATFORM

    def __init__(self, connectors: Connectors, *, app_id: str, tenant_id: str, service_url: str, dialogs: bool) -> None:
        self._connectors = connectors
        self._app_id, self._tenant_id = app_id, tenant_id
        self._service_url, self._dialogs = service_url, dialogs
        self._chats: dict[tuple[str, str], str] = {}
        self._ids: dict[str, str] = {}  # Teams' own ids of people, by the directory's: not every client knows those

    # Writing -----------------------------------------------------------------------------------

    async def post(self, to: Address, message: Outgoing) -> Sent:
        return await self.write(to, self.activity(message.card, message.shown), message.check)

    async def update(self, to: Address, message_id: str, message: Outgoing) -> None:
        if to.conversation is None:
            raise Permanent("A message can only be changed where it is known to stand.")
        activity = self._addressed(to, to.conversation, self.activity(message.card, message.shown))
        activity.id = message_id
        operations = self._connectors.at(self._at(to)).conversations
        await _told(operations.update_activity(to.conversation, message_id, activity))

    async def find(self, _to: Address, _delivery: UUID) -> Sent | None:
        raise CannotLook("Teams has no look-up of a message by what it carries.")

    def activity(self, card: Card, shown: Shown | None = None) -> Activity:
        """The card as a message."""
        return card_activity(render(card, shown, dialogs=self._dialogs), summary(card, shown))

    async def write(self, to: Address, activity: Activity, check: Callable[[], None] = lambda: None) -> Sent:
        """Send a ready activity; a person's chat is opened first where only the person is known.

        A chat that refuses it may be a person's earlier one: Teams is asked once for the one they have now.

        ``check``: called right before the activity goes out
        """
        conversation = to.conversation or await self._open_chat(to)
        try:
            return await self._send(to, conversation, activity, check)
        except (Gone, Barred):
            if not to.user:
                raise
            self.forget_chat(self._tenant(to), self._id_in_teams(to), to.user)
            current = await self._open_chat(to)
            if current == conversation:
                raise
        return await self._send(to, current, activity, check)

    async def _send(self, to: Address, conversation: str, activity: Activity, check: Callable[[], None]) -> Sent:
        operations = self._connectors.at(self._at(to)).conversations
        check()
        sent = await _told(operations.send_to_conversation(conversation, self._addressed(to, conversation, activity)))
        return Sent(conversation, getattr(sent, "id", None) or "")

    async def _open_chat(self, to: Address) -> str:
        """The personal chat's id. Teams answers with the existing one, so asking twice is harmless."""
        if not to.user:
            raise Permanent("This delivery names neither a conversation nor a person.")
        person, tenant = self._id_in_teams(to), self._tenant(to)
        known = self._chats.get((tenant, person))
        if known:
            return known
        parameters = ConversationParameters(
            is_group=False,
            bot=ChannelAccount(id=self._bot(to)),
            members=[ChannelAccount(id=person)],
            tenant_id=tenant,
            channel_data={"tenant": {"id": tenant}},
        )
        operations = self._connectors.at(self._at(to)).conversations
        opened = await _told(operations.create_conversation(parameters))
        conversation = getattr(opened, "id", None)
        if not conversation:
            raise Temporary("Teams opened a chat without saying which.")
        self.remember_chat(tenant, conversation, person)
        return str(conversation)

    def remember_chat(self, tenant: str, conversation: str, *ids: str) -> None:
        """The personal chat that somebody has with the bot now; ``ids``: all that they are known by."""
        if len(self._chats) >= CHATS:
            self._chats.clear()
        self._chats.update({(tenant, name): conversation for name in ids if name})

    def forget_chat(self, tenant: str, *ids: str) -> None:
        """Ask Teams for this person's chat the next time."""
        for name in ids:
            self._chats.pop((tenant, name), None)

    def _tenant(self, to: Address) -> str:
        return to.reference.get("tenant") or to.tenant

    def _id_in_teams(self, to: Address) -> str:
        """Teams' own id of the person. A reference names who acted last in its place, maybe somebody else."""
        user = to.user or ""
        theirs = to.reference.get("account") == user
        return (to.reference.get("user") if theirs else None) or self._ids.get(user) or user

    def _addressed(self, to: Address, conversation: str, activity: Activity) -> Activity:
        activity.channel_id = CHANNEL
        activity.service_url = self._at(to)
        activity.from_property = ChannelAccount(id=self._bot(to))
        activity.conversation = ConversationAccount(id=conversation)
        return activity

    def _at(self, to: Address | Place) -> str:
        return to.reference.get("service_url") or self._service_url

    def _bot(self, to: Address) -> str:
        return to.reference.get("bot") or f"28:{self._app_id}"

    # Asking ------------------------------------------------------------------------------------

    async def profile(self, who: AccountKey, place: Place) -> Profile:
        try:
            member = await self._connectors.get(
                self._at(place), "conversations", place.conversation, "members", who.user
            )
            return self._profile(member, who)
        except Gone:
            # A test client knows its people by other ids than the one they act under.
            for member in await self._members(place):
                if self._profile(member).account.user == who.user:
                    return self._profile(member, who)
            raise

    async def account(self, mentioned: AccountKey, place: Place) -> AccountKey:
        """An account that a message mentions by Teams' own id, by the directory's id where Teams tells it."""
        try:
            member = await self._connectors.get(
                self._at(place), "conversations", place.conversation, "members", mentioned.user
            )
        except (Permanent, Temporary, Uncertain, Wait) as error:
            event(log, "teams.mention_unknown", logging.WARNING, error=type(error).__name__)
            return mentioned
        found = self._profile(member).account
        return AccountKey(PLATFORM, mentioned.tenant, found.user)

    async def visit(self, place: Place) -> Visit:
        try:
            members = [self._profile(member) for member in await self._members(place)]
        except Permanent as error:
            event(log, "teams.visit_refused")
            return Visit(name=place.name, problem=_refused(error))
        return Visit(tuple(members), place.name or await self._name(place))

    async def find_by_email(self, _tenant: str, _email: str) -> Profile | None:
        """Teams tells a bot of addresses only in conversations it is in."""
        return None

    async def _members(self, place: Place) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = []
        operations = self._connectors.at(self._at(place)).conversations
        token: str | None = None
        for _ in range(PAGES):
            page = await _told(
                operations.get_teams_conversation_paged_members(
                    place.conversation, page_size=MEMBERS_A_PAGE, continuation_token=token, raw=True
                )
            )
            read = page.response.context["deserialized_data"] or {}
            found += [member for member in read.get("members") or [] if isinstance(member, Mapping)]
            token = read.get("continuationToken")
            if not token:
                break
        return found

    async def _name(self, place: Place) -> str:
        """The channel's name, or the team's for its first channel; none where it cannot be told."""
        team = place.reference.get("team")
        if not team:
            return ""
        try:
            listed = await self._connectors.get(self._at(place), "teams", team, "conversations")
            for channel in listed.get("conversations") or []:
                if channel.get("id") == place.conversation:
                    return str(channel.get("name") or "General")
        except (Permanent, Temporary, AttributeError, TypeError):
            event(log, "teams.channel_name_unknown")
        return ""

    def _profile(self, member: Mapping[str, Any], who: AccountKey | None = None) -> Profile:
        """``who`` is kept where given: the account as the asker is known."""
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


async def _told(call: Any) -> Any:
    """botframework's operation, failing only as the port may."""
    try:
        return await call
    except (Permanent, Temporary, Uncertain, Wait):
        raise
    except Exception as error:
        # The call was answered in a shape that the SDK cannot read.
        raise Uncertain(f"Teams answered something unreadable ({type(error).__name__}).") from None


def _refused(error: Permanent) -> str:
    text = str(error)
    return text if "credentials" in text else _ADD_THE_APP
