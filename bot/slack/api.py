"""The bot's line to Slack's Web API: one session, one client, no retries of its own."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import aiohttp
from aiohttp.abc import AbstractStreamWriter
from aiohttp.connector import Connection
from slack_sdk.web.async_client import AsyncWebClient

from bot.runtime.port import Permanent
from bot.settings import SlackSettings
from bot.slack.errors import called
from bot.slack.sdk_logs import silent

TIMEOUT = 10.0  # seconds for a whole call; shorter than any delivery's lease
CONNECT_TIMEOUT = 5.0


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the bot is in its workspace."""

    team: str
    user: str
    bot: str
    enterprise: str


_until: ContextVar[float] = ContextVar("until", default=math.inf)


@contextmanager
def written_before(until: float) -> Iterator[None]:
    """Calls made in here are not written once it is ``until``, by the event loop's clock."""
    before = _until.set(until)
    try:
        yield
    finally:
        _until.reset(before)


class _TimelyRequest(aiohttp.ClientRequest):
    """Looks at the clock right before it writes: between making a call and writing it a process may be frozen."""

    async def write_bytes(
        self, writer: AbstractStreamWriter, conn: Connection, content_length: int | None = None
    ) -> None:
        if asyncio.get_running_loop().time() < _until.get():
            await super().write_bytes(writer, conn, content_length)
        elif conn.protocol is not None:
            conn.protocol.set_exception(aiohttp.ClientConnectionError("It was too late to write."))


class Api:
    """Opened on the first call, so nothing connects before that."""

    def __init__(self, settings: SlackSettings, timeout: float = TIMEOUT) -> None:
        self._settings = settings
        self._timeout = aiohttp.ClientTimeout(total=timeout, sock_connect=min(CONNECT_TIMEOUT, timeout))
        self._session: aiohttp.ClientSession | None = None
        self._client: AsyncWebClient | None = None
        self._identity: Identity | None = None
        self._asking = asyncio.Lock()

    @property
    def session(self) -> aiohttp.ClientSession:
        """The HTTP session; opened at the first use, and again after it was closed."""
        if self._session is None or self._session.closed:
            # Slack keeps idle connections longer than this, so a post never meets one that just closed.
            connector = aiohttp.TCPConnector(keepalive_timeout=10)
            self._session = aiohttp.ClientSession(
                timeout=self._timeout, connector=connector, request_class=_TimelyRequest
            )
            self._client = None
        return self._session

    @property
    def client(self) -> AsyncWebClient:
        """The client of Slack's Web API, which never retries by itself."""
        session = self.session
        if self._client is None:
            self._client = AsyncWebClient(
                token=self._settings.bot_token,
                base_url=self._settings.api_url,
                session=session,
                logger=silent(),
                retry_handlers=[],  # the SDK's own would post a message twice after a dropped connection
            )
        return self._client

    async def identity(self) -> Identity:
        """Who the bot is; asked once.

        Raises:
            Wait, Temporary, Permanent: when Slack does not say.
        """
        async with self._asking:
            if self._identity is None:
                said = await called(self.client.auth_test())
                if not said.get("user_id") or not said.get("team_id"):
                    raise Permanent("Slack did not say which workspace the bot's token is for.")
                self._identity = Identity(
                    team=said["team_id"],
                    user=said["user_id"],
                    bot=said.get("bot_id") or "",
                    enterprise=said.get("enterprise_id") or "",
                )
            return self._identity

    async def close(self) -> None:
        """Close the session. The next call opens another one."""
        if self._session is not None:
            await self._session.close()
        self._session = self._client = None
