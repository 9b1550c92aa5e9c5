"""A bot on a small Slack: by signed HTTP, and by Socket Mode."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from bot.settings import SlackSettings
from bot.slack import Clocks, Patience, SlackPlatform, Watch, connect
from handlers.core.requests import Reply, Request
from tests.fakes.slack import (
    APP_TOKEN,
    BOT_TOKEN,
    SIGNING_SECRET,
    FakeSlack,
    HttpWire,
    SlackPerson,
    SocketWire,
    Wire,
)
from tests.slack.story import Story, told

DANA = "U00DANA"
LEE = "U00LEE"
HOME = "C00HOME"


@dataclass
class Handlers:
    """A toy in place of the product's handlers: remembers what was asked, answers what it was told to."""

    asked: list[Request] = field(default_factory=list)
    reply: Reply = field(default_factory=Reply)
    error: Exception | None = None
    gate: asyncio.Event | None = None  # answers wait for it

    async def __call__(self, request: Request) -> Reply:
        self.asked.append(request)
        if self.gate is not None:
            await self.gate.wait()
        if self.error is not None:
            raise self.error
        return self.reply


@dataclass
class Bot:
    fake: FakeSlack
    platform: SlackPlatform
    handlers: Handlers
    wire: Wire
    dana: SlackPerson
    url: str = ""

    def answers_late(self) -> asyncio.Event:
        """From now on answers wait for this event, and the listeners wait for no answer."""
        self.platform._asking.patience = Patience(answer=0, form=0, stop=20)
        self.handlers.gate = asyncio.Event()
        return self.handlers.gate

    async def settled(self) -> None:
        """Until every held answer has gone out."""
        await self.platform._asking.finish()


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
async def story(tmp_path: Path) -> AsyncIterator[Story]:
    """The whole product on a small Slack."""
    async with told(f"sqlite:///{tmp_path / 'plc.sqlite'}") as begun:
        yield begun


@pytest.fixture
async def fake() -> AsyncIterator[FakeSlack]:
    slack = FakeSlack()
    slack.add_user(DANA, "Dana Reyes", "dana@example.org")
    slack.add_user(LEE, "Lee Park", "lee@example.org")
    slack.add_channel(HOME, "plc-north", (DANA, LEE, "U00BOT"))
    await slack.start()
    yield slack
    await slack.stop()


def settings_for(fake: FakeSlack, *, socket: bool = False) -> SlackSettings:
    return SlackSettings(
        bot_token=BOT_TOKEN,
        app_token=APP_TOKEN if socket else None,
        signing_secret=None if socket else SIGNING_SECRET,
        api_url=fake.api_url,
    )


# Long: an answer that no test holds back is always in time, however busy the machine is.
PATIENCE = Patience(answer=20, form=20, stop=20)


async def no_sleep(seconds: float) -> None:
    await asyncio.sleep(0)


@asynccontextmanager
async def by_http(fake: FakeSlack) -> AsyncIterator[Bot]:
    handlers = Handlers()
    platform = connect(settings_for(fake), handlers, patience=PATIENCE, clocks=Clocks(sleep=no_sleep), timeout=2)
    app = web.Application()
    platform.add_routes(app)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    await platform.start()
    async with aiohttp.ClientSession() as session:
        wire = HttpWire(session, url)
        yield Bot(fake, platform, handlers, wire, SlackPerson(fake, wire, DANA), url)
    await platform.stop()
    await runner.cleanup()


@asynccontextmanager
async def by_socket(fake: FakeSlack) -> AsyncIterator[Bot]:
    handlers = Handlers()
    watch = Watch(every=0.01, misses=2, connect=0.2, first_wait=0.01, longest_wait=0.05)
    platform = connect(settings_for(fake, socket=True), handlers, patience=PATIENCE, watch=watch, timeout=20)
    await platform.start()
    await fake.socket_opened()
    wire = SocketWire(fake)
    yield Bot(fake, platform, handlers, wire, SlackPerson(fake, wire, DANA))
    await platform.stop()


@pytest.fixture
async def bot(fake: FakeSlack) -> AsyncIterator[Bot]:
    async with by_http(fake) as running:
        yield running


@pytest.fixture
async def socket_bot(fake: FakeSlack) -> AsyncIterator[Bot]:
    async with by_socket(fake) as running:
        yield running


@pytest.fixture(params=[by_http, by_socket])
async def either(fake: FakeSlack, request: pytest.FixtureRequest) -> AsyncIterator[Bot]:
    """The same conversation by both ways."""
    async with request.param(fake) as running:
        yield running
