"""Wires the Teams platform."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from bot.runtime.port import Answer, Finding, Permanent, Port, Temporary
from bot.teams import botbuilder
from bot.teams.auth import CallerCheck, KeysUnreachable, SigningKeys, Tokens
from bot.teams.connector import Connector
from bot.teams.http_client import HttpClient
from bot.teams.listener import Listener
from bot.teams.teams_port import TeamsPort
from storage.outbox.rate_limits import Limit, Rate

if TYPE_CHECKING:
    from bot.settings import TeamsSettings

ROUTE = "/api/messages"

# Microsoft allows an app 50 requests a second in a tenant, and a first message takes two: opening the chat
# and writing. With at most 5 messages at once and 20 a second after them, no second ever holds more.
# One conversation takes 60 messages in 30 seconds.
RATE_LIMITS = (Limit(rate=Rate(seconds=1 / 20, burst=5), min_gap=0.5),)


class Teams:
    """One connected Teams bot: a single tenant, or a test client on this machine."""

    port: Port
    rate_limits = RATE_LIMITS

    def __init__(
        self,
        settings: TeamsSettings,
        answer: Answer,
        *,
        login_url: str,
        metadata_url: str,
        service_url: str,
        timeout: float,
    ) -> None:
        test_client = settings.allow_unauthenticated
        self._test_client = test_client
        self._http = HttpClient(timeout)
        password = "" if test_client else settings.app_password
        self._tokens = Tokens(self._http, settings.app_id, password, settings.tenant_id, login_url)
        self._keys = SigningKeys(self._http, metadata_url)
        connector = Connector(self._http, self._tokens)
        callers = None if test_client else CallerCheck(settings.app_id, self._keys)
        start_turn, conversations = botbuilder.build(connector, callers)
        port = TeamsPort(
            conversations,
            connector,
            app_id=settings.app_id,
            tenant_id=settings.tenant_id,
            service_url=service_url,
            dialogs=not test_client,
        )
        self.port = port
        self._listener = Listener(
            start_turn,
            port,
            answer,
            app_id=settings.app_id,
            tenant_id=settings.tenant_id,
            test_client=test_client,
        )

    def add_routes(self, app: web.Application) -> None:
        """Add the route that Teams posts activities to."""
        app.router.add_post(ROUTE, self._listener.handle)

    async def start(self) -> None:
        """Open the HTTP client."""
        await self._http.start()

    async def stop(self) -> None:
        """Close the HTTP client."""
        await self._http.stop()

    async def connected(self) -> bool:
        """Return whether the bot has an access token, or gets one now."""
        try:
            await self._tokens.headers()
        except (Permanent, Temporary):
            return False
        return True

    async def check(self) -> list[Finding]:
        """Return whether Microsoft gives the bot a token and the signing keys can be read."""
        if self._test_client:
            return [Finding("Teams takes activities without tokens, from this machine only", ok=True)]
        if self._http.started:
            return [await self._check_token(), await self._check_keys()]
        await self._http.start()
        try:
            return [await self._check_token(), await self._check_keys()]
        finally:
            await self._http.stop()

    async def _check_token(self) -> Finding:
        what = "Microsoft gives the Teams bot an access token"
        try:
            self._tokens.forget()
            await self._tokens.token()
        except (Permanent, Temporary) as error:
            return Finding(what, ok=False, mend=str(error))
        return Finding(what, ok=True)

    async def _check_keys(self) -> Finding:
        what = "The Bot Framework's signing keys can be read"
        try:
            await self._keys.refresh()
        except KeysUnreachable:
            mend = "Allow outgoing HTTPS to login.botframework.com. The bot needs it to accept messages."
            return Finding(what, ok=False, mend=mend)
        return Finding(what, ok=True)
