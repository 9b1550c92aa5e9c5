"""The ``Turn`` protocol over botbuilder's adapter and its turn context."""

from __future__ import annotations

from typing import Any

from botbuilder.core import CloudAdapterBase, InvokeResponse, TurnContext
from botbuilder.schema import Activity

from bot.teams.botbuilder.authentication import BotAuthentication
from bot.teams.botbuilder.sdk_activities import activity_of
from bot.teams.protocols import TeamsMessage, TurnHandler, TurnResult


class BotbuilderTurns:
    """Starts turns on one adapter."""

    def __init__(self, authentication: BotAuthentication) -> None:
        self._adapter = CloudAdapterBase(authentication)

    def start(self, authorization: str, body: dict[str, Any]) -> BotbuilderTurn:
        """Return a turn for the activity.

        Raises:
            Exception: of some type of msrest, if ``body`` is not an activity.
        """
        return BotbuilderTurn(self._adapter, authorization, Activity().deserialize(body))


class BotbuilderTurn:
    """Implements :class:`bot.teams.protocols.Turn`."""

    def __init__(self, adapter: CloudAdapterBase, authorization: str, activity: Activity) -> None:
        self._adapter, self._authorization, self._activity = adapter, authorization, activity
        self._context: TurnContext | None = None

    async def process(self, handle: TurnHandler) -> TurnResult:
        """Authenticate the activity, run ``handle`` and return the HTTP answer. Raises as the protocol says."""

        async def logic(context: TurnContext) -> None:
            self._context = context
            answer = await handle()
            if answer is not None:
                response = InvokeResponse(status=200, body=answer or None)
                await context.send_activity(Activity(type="invokeResponse", value=response))

        response = await self._adapter.process_activity(self._authorization, self._activity, logic)
        return TurnResult(200) if response is None else TurnResult(response.status, response.body)

    async def send(self, message: TeamsMessage) -> None:
        """Write a message to the activity's conversation."""
        await self._running().send_activity(activity_of(message))

    async def update(self, message_id: str, message: TeamsMessage) -> None:
        """Change a message of the activity's conversation."""
        activity = activity_of(message)
        activity.id = message_id
        await self._running().update_activity(activity)

    def _running(self) -> TurnContext:
        if self._context is None:
            raise RuntimeError("A turn sends only while it is processed.")
        return self._context
