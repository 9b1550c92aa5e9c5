"""Socket Mode, watched: a session that is gone is replaced by a new one, each time after a longer wait.

The SDK reconnects by itself when Slack asks it to. When its session breaks otherwise, it can try the same
used-up address for good, so after a few silent looks the whole client is thrown away.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp

from bot.runtime.logs import event
from bot.runtime.port import Temporary, Wait
from bot.slack import sdk_logs
from bot.slack.api import Api
from bot.slack.errors import called
from bot.slack.sdk_logs import logger, silent


@dataclass(frozen=True, slots=True)
class Watch:
    """Seconds between looks and before a new session; how many bad looks make one."""

    every: float = 5.0
    misses: int = 4
    connect: float = 30.0
    first_wait: float = 1.0
    longest_wait: float = 120.0
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


class SocketLine:
    """One Socket Mode connection at a time, from start to stop."""

    def __init__(self, app: AsyncApp, api: Api, app_token: str, watch: Watch) -> None:
        self._app = app
        self._api = api
        self._app_token = app_token
        self._watch = watch
        self._handler: AsyncSocketModeHandler | None = None
        self._keeper: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Connect; where Slack is only out of reach, go on trying.

        Raises:
            Permanent: when Slack does not accept the app token.
        """
        try:
            await called(self._api.client.apps_connections_open(app_token=self._app_token))
        except (Wait, Temporary) as error:
            sdk_logs.failed("socket.start", error)
        else:
            await self._connect()
        self._keeper = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """Close the connection and stop watching it."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
            self._keeper = None
        await self._disconnect()

    async def connected(self) -> bool:
        """Return whether the connection is open now."""
        return self._handler is not None and await self._handler.client.is_connected()

    async def _connect(self) -> bool:
        handler = AsyncSocketModeHandler(self._app, self._app_token, logger=silent(), web_client=self._api.client)
        self._handler = handler
        connect: Callable[[], Awaitable[None]] = handler.connect_async
        try:
            await asyncio.wait_for(connect(), self._watch.connect)
        except (TimeoutError, OSError) as error:
            sdk_logs.failed("socket.connect", error)
            return False
        event(logger, "slack.socket_connected")
        return True

    async def _disconnect(self) -> None:
        handler, self._handler = self._handler, None
        if handler is None:
            return
        client = handler.client
        close: Callable[[], Awaitable[None]] = handler.close_async
        tasks = [client.message_processor, client.current_session_monitor, client.message_receiver]
        try:
            await close()
        except (OSError, RuntimeError) as error:
            sdk_logs.failed("socket.close", error)
        finally:
            for task in tasks:
                if task is not None:
                    task.cancel()
            await asyncio.gather(*(task for task in tasks if task is not None), return_exceptions=True)
            await client.aiohttp_client_session.close()

    async def _keep(self) -> None:
        wait = self._watch.first_wait
        while True:
            await self._until_gone()
            event(logger, "slack.socket_lost", logging.WARNING, seconds=wait)
            await self._disconnect()
            await self._watch.sleep(wait)
            wait = min(wait * 2, self._watch.longest_wait)
            if await self._connect():
                wait = self._watch.first_wait

    async def _until_gone(self) -> None:
        misses = 0
        while misses < self._watch.misses:
            await self._watch.sleep(self._watch.every)
            misses = 0 if await self.connected() else misses + 1
