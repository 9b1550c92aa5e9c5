"""The ``Conversations`` protocol over botframework's operations."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Any

from botbuilder.schema import Activity, ChannelAccount, ConversationAccount, ConversationParameters

from bot.runtime.port import Permanent, Temporary, Uncertain, Wait
from bot.teams.activities import CHANNEL
from bot.teams.botbuilder.connector_clients import ConnectorClients
from bot.teams.botbuilder.sdk_activities import activity_of
from bot.teams.protocols import TeamsMessage

MEMBERS_A_PAGE = 200
PAGES = 100  # a bound, should the platform never end its pages


class BotbuilderConversations:
    """Implements :class:`bot.teams.protocols.Conversations`."""

    def __init__(self, clients: ConnectorClients) -> None:
        self._clients = clients

    async def create(self, service_url: str, *, bot: str, person: str, tenant: str) -> str:
        """Open a personal chat and return its id; empty if Teams names none."""
        parameters = ConversationParameters(
            is_group=False,
            bot=ChannelAccount(id=bot),
            members=[ChannelAccount(id=person)],
            tenant_id=tenant,
            channel_data={"tenant": {"id": tenant}},
        )
        operations = self._clients.at(service_url).conversations
        return str(getattr(await _called(operations.create_conversation(parameters)), "id", None) or "")

    async def send(self, service_url: str, conversation: str, message: TeamsMessage, *, bot: str) -> str:
        """Write a message and return its id; empty if Teams names none."""
        activity = _addressed(activity_of(message), service_url, conversation, bot)
        operations = self._clients.at(service_url).conversations
        return str(getattr(await _called(operations.send_to_conversation(conversation, activity)), "id", None) or "")

    async def update(
        self, service_url: str, conversation: str, message_id: str, message: TeamsMessage, *, bot: str
    ) -> None:
        """Change a message."""
        activity = _addressed(activity_of(message), service_url, conversation, bot)
        activity.id = message_id
        operations = self._clients.at(service_url).conversations
        await _called(operations.update_activity(conversation, message_id, activity))

    async def members(self, service_url: str, conversation: str) -> list[Mapping[str, Any]]:
        """Return the members as Teams describes them, from at most 100 pages of 200."""
        members: list[Mapping[str, Any]] = []
        operations = self._clients.at(service_url).conversations
        token: str | None = None
        for _ in range(PAGES):
            page = await _called(
                operations.get_teams_conversation_paged_members(
                    conversation, page_size=MEMBERS_A_PAGE, continuation_token=token, raw=True
                )
            )
            # The SDK's model of a member drops the address, so the JSON is read.
            content = page.response.context["deserialized_data"] or {}
            members += [member for member in content.get("members") or [] if isinstance(member, Mapping)]
            token = content.get("continuationToken")
            if not token:
                break
        return members


def _addressed(activity: Activity, service_url: str, conversation: str, bot: str) -> Activity:
    activity.channel_id = CHANNEL
    activity.service_url = service_url
    activity.from_property = ChannelAccount(id=bot)
    activity.conversation = ConversationAccount(id=conversation)
    return activity


async def _called(operation: Awaitable[Any]) -> Any:
    """The result of an SDK operation, which then raises only the port's errors."""
    try:
        return await operation
    except (Permanent, Temporary, Uncertain, Wait):
        raise
    except Exception as error:
        # The call was answered in a shape that the SDK cannot read.
        raise Uncertain(f"Teams answered something unreadable ({type(error).__name__}).") from None
