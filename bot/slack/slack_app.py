"""Setting Slack up: Bolt with our listeners, its route or its socket, its start and stop."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_sdk.web.async_client import AsyncWebClient

from bot.runtime.logs import Seldom
from bot.runtime.port import Answer, Finding, Permanent, Temporary, Wait
from bot.settings import SlackSettings
from bot.slack import checks, sdk_logs, shapes
from bot.slack.api import TIMEOUT, Api
from bot.slack.asking import Asking, Patience
from bot.slack.errors import called
from bot.slack.events import Events
from bot.slack.limits import RATE_LIMITS
from bot.slack.payloads import Payload
from bot.slack.presses import Presses
from bot.slack.private_answers import PrivateAnswers
from bot.slack.slack_port import Clocks, SlackPort
from bot.slack.slash_commands import SlashCommands
from bot.slack.socket import SocketLine, Watch
from bot.slack.submissions import Submissions
from bot.web.bodies import Malformed, read_text, refusal
from manifest.slack import COMMAND, EVENTS_PATH
from storage.outbox.rate_limits import Limit

Acknowledged = Callable[[float], None]
_TIMESTAMP = re.compile(r"[0-9]{1,12}")  # seconds
_SIGNATURE = re.compile(r"[!-~]{1,100}")  # of one version or another
_ANYTHING = re.compile(r"[\s\S]*")


@dataclass(frozen=True, slots=True)
class Surfaces:
    """What answers each kind of payload."""

    commands: SlashCommands
    presses: Presses
    submissions: Submissions
    events: Events

    @classmethod
    def of(cls, api: Api, port: SlackPort, asking: Asking) -> Surfaces:
        """Return what answers each kind of payload; all of them share one way to answer privately."""
        answers = PrivateAnswers(api, port)
        return cls(
            SlashCommands(api, asking, answers),
            Presses(api, port, asking, answers),
            Submissions(api, asking, answers),
            Events(api, port, asking, answers),
        )


class SlackPlatform:
    """Slack as a :class:`bot.runtime.port.Platform`."""

    rate_limits: Sequence[Limit] = RATE_LIMITS

    def __init__(
        self,
        settings: SlackSettings,
        answer: Answer,
        patience: Patience,
        clocks: Clocks,
        watch: Watch,
        timeout: float,
        acknowledged: Acknowledged,
    ) -> None:
        self._settings = settings
        self._acknowledged = acknowledged
        self._watch, self._seldom = watch, Seldom()
        self._api = Api(settings, timeout)
        self.port = SlackPort(self._api, clocks)
        self._asking = Asking(self.port, answer, patience)
        self._surfaces = Surfaces.of(self._api, self.port, self._asking)
        self._app: AsyncApp | None = None
        self._socket: SocketLine | None = None

    def add_routes(self, app: web.Application) -> None:
        """``POST /slack/events``, unless Slack speaks to the bot through a socket."""
        if self._settings.app_token is None:
            app.router.add_post(EVENTS_PATH, self._events)

    async def start(self) -> None:
        """Connect.

        Raises:
            Permanent: when Slack does not accept the token. Where Slack is only out of reach, the bot
                starts and finds out who it is with the first request.
        """
        try:
            await self._connect()
        except Permanent:
            await self.stop()
            raise

    async def _connect(self) -> None:
        try:
            await self._api.identity()
        except (Wait, Temporary) as error:
            sdk_logs.failed("start", error)
        self._app = _bolt(self._settings, self._api, self._surfaces, self._acknowledged)
        if self._settings.app_token is not None:
            self._socket = SocketLine(self._app, self._api, self._settings.app_token, self._watch)
            await self._socket.start()

    async def stop(self) -> None:
        """Take no more, let what is being answered finish, and close the connections."""
        self._app = None
        await self._asking.finish()
        if self._socket is not None:
            await self._socket.stop()
            self._socket = None
            await self._asking.finish()  # what came through the socket while the others finished
        await self._api.close()

    async def connected(self) -> bool:
        """Whether Slack takes the bot's token now, and holds the socket where there is one."""
        try:
            await called(self._api.client.auth_test())
        except (Permanent, Temporary, Wait):
            return False
        return self._settings.app_token is None or (self._socket is not None and await self._socket.connected())

    async def check(self) -> list[Finding]:
        """Return whether the tokens, scopes and signing secret are right. Nothing is changed at Slack."""
        started = self._app is not None
        try:
            return await checks.findings(self._settings, self._api)
        finally:
            if not started:
                await self._api.close()

    async def _events(self, request: web.Request) -> web.Response:
        if self._app is None:
            return web.Response(status=503)
        try:
            _check_signature_headers(request)
            shapes.read(await read_text(request), request.content_type)
            bolt_request = await to_bolt_request(request)
            answer = await self._app.async_dispatch(bolt_request)
        except Malformed as error:
            self._seldom(sdk_logs.logger, "slack.unreadable", logging.INFO, why=error)
            return refusal()
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            # Bolt could not read it. What goes wrong in our listeners it hands to its error handler instead.
            self._seldom(sdk_logs.logger, "slack.unreadable", logging.INFO, why=type(error).__name__)
            return refusal()
        return await to_aiohttp_response(answer)


def _check_signature_headers(request: web.Request) -> None:
    """Bolt answers 500 to a time that is no number and to a signature that is not ASCII; a missing one it refuses.

    Raises:
        Malformed: they are none that Slack sends.
    """
    for name, shape in (("X-Slack-Request-Timestamp", _TIMESTAMP), ("X-Slack-Signature", _SIGNATURE)):
        if not all(shape.fullmatch(sent) for sent in request.headers.getall(name, [])):
            raise Malformed(name)


def _bolt(settings: SlackSettings, api: Api, surfaces: Surfaces, acknowledged: Acknowledged) -> AsyncApp:
    async def authorize() -> AuthorizeResult:
        identity = await api.identity()
        return AuthorizeResult(
            enterprise_id=identity.enterprise or None,
            team_id=identity.team,
            bot_user_id=identity.user,
            bot_id=identity.bot,
            bot_token=settings.bot_token,
        )

    app = AsyncApp(
        logger=sdk_logs.silent(),
        name="slack_bolt.app",  # Bolt silences the logger of this name and all below it
        process_before_response=True,
        signing_secret=settings.signing_secret or "",
        client=_tokenless(settings, api),
        authorize=authorize,
        ssl_check_enabled=False,  # it answers before the signature is checked
    )
    _listen(app, surfaces, acknowledged)
    return app


def _tokenless(settings: SlackSettings, api: Api) -> AsyncWebClient:
    """Bolt's own client: it has no token and retries nothing, for every call goes through :class:`Api`."""
    return AsyncWebClient(base_url=settings.api_url, session=api.session, logger=sdk_logs.silent(), retry_handlers=[])


def _listen(app: AsyncApp, surfaces: Surfaces, acknowledged: Acknowledged) -> None:
    async def acknowledge(ack: AsyncAck, listener: Callable[[Payload], Awaitable[Payload]], body: Payload) -> None:
        begun = time.perf_counter()
        answer = await listener(body)
        await (ack(answer) if answer else ack())
        acknowledged(time.perf_counter() - begun)

    async def command(ack: AsyncAck, body: Payload) -> None:
        await acknowledge(ack, surfaces.commands.answer, body)

    async def press(ack: AsyncAck, body: Payload) -> None:
        await acknowledge(ack, surfaces.presses.answer, body)

    async def submission(ack: AsyncAck, body: Payload) -> None:
        await acknowledge(ack, surfaces.submissions.answer, body)

    async def listen(body: Payload) -> None:
        await surfaces.events.answer(body)

    async def failure(error: Exception) -> None:
        sdk_logs.failed("listener", error)

    app.command(COMMAND)(command)
    app.action(_ANYTHING)(press)
    app.view(_ANYTHING)(submission)
    app.event(_ANYTHING)(listen)
    app.error(failure)


def connect(
    settings: SlackSettings,
    answer: Answer,
    *,
    patience: Patience | None = None,
    clocks: Clocks | None = None,
    watch: Watch | None = None,
    timeout: float = TIMEOUT,
    acknowledged: Acknowledged = lambda _seconds: None,
) -> SlackPlatform:
    """Slack for these settings; nothing connects before ``start()``.

    Args:
        settings: tokens and addresses of the Slack app
        answer: what turns a request into a reply
        patience: how long answers may take before Slack is told something
        clocks: the port's clocks
        watch: how a broken Socket Mode session is noticed
        timeout: seconds for one call
        acknowledged: told the seconds that each act waited for its acknowledgement
    """
    return SlackPlatform(
        settings, answer, patience or Patience(), clocks or Clocks(), watch or Watch(), timeout, acknowledged
    )
