"""A Teams bot over HTTP against the fake, with an answer that each test writes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.runtime.port import Platform
from bot.settings import TeamsSettings
from bot.teams import connect
from handlers.core.requests import Reply, Request
from tests.fakes.teams import APP_ID, PASSWORD, TENANT, FakeTeams, TeamsClient
from tests.teams.story import Someone, Story, linked, telling


@dataclass
class Toy:
    """Answers with what the test set, and remembers what it was asked."""

    asked: list[Request] = field(default_factory=list)
    reply: Reply | Exception | Callable[[Request], Reply] = field(default_factory=Reply)

    async def __call__(self, request: Request) -> Reply:
        self.asked.append(request)
        if isinstance(self.reply, Exception):
            raise self.reply
        return self.reply(request) if callable(self.reply) else self.reply


@dataclass
class Bot:
    """The running bot, the fake it talks to, and somebody who talks to it."""

    platform: Platform
    fake: FakeTeams
    toy: Toy
    dana: TeamsClient


Start = Callable[..., Awaitable[Bot]]


@pytest.fixture
async def fake() -> AsyncIterator[FakeTeams]:
    async with FakeTeams() as running:
        yield running


@pytest.fixture
async def start(fake: FakeTeams) -> AsyncIterator[Start]:
    """Start a bot; ``test_client``: without tokens."""
    running: list[tuple[Platform, TestServer]] = []

    async def started(*, test_client: bool = False, timeout: float = 5.0) -> Bot:
        settings = (
            TeamsSettings("", "", "", allow_unauthenticated=True)
            if test_client
            else TeamsSettings(APP_ID, PASSWORD, TENANT, allow_unauthenticated=False)
        )
        fake.require_token = not test_client
        toy = Toy()
        platform = connect(
            settings,
            toy,
            login_url=fake.login_url,
            metadata_url=fake.metadata_url,
            service_url=fake.service_url,
            timeout=timeout,
        )
        app = web.Application()
        platform.add_routes(app)
        server = TestServer(app)
        await platform.start()
        await server.start_server()
        running.append((platform, server))
        client = TeamsClient(fake, str(server.make_url("/api/messages")), signed=not test_client)
        return Bot(platform, fake, toy, client)

    yield started
    for platform, server in running:
        await platform.stop()
        await server.close()


@pytest.fixture
async def bot(start: Start) -> Bot:
    return await start()


@pytest.fixture
async def story(tmp_path: Path) -> AsyncIterator[Story]:
    """A program whose roster is imported; at the end every card that was shown is checked."""
    async with telling(tmp_path) as told:
        yield told
        assert told.check_cards()


@pytest.fixture
async def cohort(story: Story) -> dict[str, Someone]:
    """Everybody by first name, matched and welcomed, each cohort with its channel."""
    return await linked(story)
