"""The Teams platform put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web
from botbuilder.core import CloudAdapterBase

from bot.runtime.port import Answer, Finding, Permanent, Port, Temporary
from bot.teams.auth import BotAuthentication, KeysUnreachable, SigningKeys, Tokens
from bot.teams.connector import Connectors
from bot.teams.listener import Listener
from bot.teams.port import TeamsPort
from bot.teams.wire import Wire
from storage.outbox.rate_limits import Limit, Rate

if TYPE_CHECKING:
    from bot.settings import TeamsSettings

ROUTE = "/api/messages"

# Microsoft allows an app 50 requests a second in a tenant, and a first message takes two: opening the chat
# and writing. With at most 5 messages at once and 20 a second after them, no second ever holds more.
# One conversation takes 60 messages in 30 seconds.
PACE = (Limit(rate=Rate(seconds=1 / 20, burst=5), apart=0.5),)


class Teams:
    """One connected Teams bot: a single tenant, or a test client on this machine."""

    port: Port
    pace = PACE

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
        open_door = settings.allow_unauthenticated
        self._open_door = open_door
        self._wire = Wire(timeout)
        password = "" if open_door else settings.app_password
        self._tokens = Tokens(self._wire, settings.app_id, password, settings.tenant_id, login_url)
        self._keys = SigningKeys(self._wire, metadata_url)
        connectors = Connectors(self._wire, self._tokens)
        authentication = BotAuthentication(settings.app_id, self._keys, connectors, open_door=open_door)
        port = TeamsPort(
            connectors,
            app_id=settings.app_id,
            tenant_id=settings.tenant_id,
            service_url=service_url,
            dialogs=not open_door,
        )
        self.port = port
        self._listener = Listener(
            CloudAdapterBase(authentication),
            port,
            answer,
            app_id=settings.app_id,
            tenant_id=settings.tenant_id,
            open_door=open_door,
        )

    def add_routes(self, app: web.Application) -> None:
        app.router.add_post(ROUTE, self._listener.handle)

    async def start(self) -> None:
        await self._wire.start()

    async def stop(self) -> None:
        await self._wire.stop()

    async def connected(self) -> bool:
        """Whether Microsoft gives the bot a token; the one at hand serves until shortly before its end."""
        try:
            await self._tokens.headers()
        except (Permanent, Temporary):
            return False
        return True

    async def check(self) -> list[Finding]:
        """Whether a token is given and the Bot Framework's keys can be read."""
        if self._open_door:
            return [Finding("Teams takes activities without tokens, from this machine only", ok=True)]
        if self._wire.started:
            return [await self._check_token(), await self._check_keys()]
        await self._wire.start()
        try:
            return [await self._check_token(), await self._check_keys()]
        finally:
            await self._wire.stop()

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
