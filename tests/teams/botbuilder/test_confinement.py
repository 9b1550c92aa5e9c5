"""botbuilder is confined to ``bot/teams/botbuilder``: with another implementation of the protocols the bot answers."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from bot.teams.auth import Tokens
from bot.teams.connector import Connector
from bot.teams.http_client import HttpClient
from bot.teams.listener import Listener
from bot.teams.protocols import TeamsMessage, TurnHandler, TurnResult
from bot.teams.sentences import SENT_DIRECTLY
from bot.teams.teams_port import TeamsPort
from handlers.core.cards import Card, say
from handlers.core.requests import Reply, Request
from tests.fakes.teams import APP_ID, CHANNEL, CHAT, DANA, TENANT, FakeTeams, TeamsClient, words_of

NO_SDK = """
import pkgutil, sys
for name in ("botbuilder", "botframework", "msrest"):
    sys.modules[name] = None
import bot.teams
for module in pkgutil.iter_modules(bot.teams.__path__, "bot.teams."):
    __import__(module.name)
print("imported")
"""


@dataclass
class PaperSdk:
    """Both protocols on paper: notes what is written, in place of an SDK."""

    written: list[tuple[str, TeamsMessage]] = field(default_factory=list)

    def start(self, _authorization: str, body: dict[str, Any]) -> PaperTurn:
        return PaperTurn(self, body["conversation"]["id"])

    async def create(self, _service_url: str, *, bot: str, person: str, tenant: str) -> str:
        assert (bot, person, tenant) == (f"28:{APP_ID}", DANA.id, TENANT)
        return CHAT

    async def send(self, _service_url: str, conversation: str, message: TeamsMessage, *, bot: str) -> str:
        assert bot == f"28:{APP_ID}"
        self.written.append((conversation, message))
        return str(len(self.written))

    async def update(
        self, service_url: str, conversation: str, message_id: str, message: TeamsMessage, *, bot: str
    ) -> None:
        raise AssertionError("nothing is changed here")

    async def members(self, service_url: str, conversation: str) -> list[Mapping[str, Any]]:
        raise AssertionError("nobody asks who is there")


@dataclass
class PaperTurn:
    sdk: PaperSdk
    conversation: str

    async def process(self, handle: TurnHandler) -> TurnResult:
        return TurnResult(200, await handle())

    async def send(self, message: TeamsMessage) -> None:
        self.sdk.written.append((self.conversation, message))

    async def update(self, message_id: str, message: TeamsMessage) -> None:
        raise AssertionError("nothing is changed here")


def test_only_the_folder_needs_the_sdk() -> None:
    printed = subprocess.run([sys.executable, "-c", NO_SDK], capture_output=True, text=True, check=False)

    assert (printed.stdout.strip(), printed.stderr) == ("imported", "")


async def test_another_sdk_is_two_protocols(fake: FakeTeams) -> None:
    sdk, http = PaperSdk(), HttpClient(5.0)
    connector = Connector(http, Tokens(http, APP_ID, "", TENANT, fake.login_url))
    port = TeamsPort(sdk, connector, app_id=APP_ID, tenant_id=TENANT, service_url=fake.service_url, dialogs=True)

    async def answer(_request: Request) -> Reply:
        return Reply(card=Card("", (say("Nothing to do."),)))

    listener = Listener(sdk.start, port, answer, app_id=APP_ID, tenant_id=TENANT, test_client=False)
    app = web.Application()
    app.router.add_post("/", listener.handle)
    dana = TeamsClient(fake, "", signed=False)
    async with TestServer(app) as server, ClientSession() as session:
        for activity in (dana.says("progress"), dana.mentions("progress"), dana.presses({"plc": {"act": "a.b"}})):
            async with session.post(server.make_url("/"), json=activity) as response:
                assert response.status == 200

    thread = dana.mentions("")["conversation"]["id"]
    assert thread.startswith(CHANNEL)
    assert [(where, words_of(message.card) if message.card else message.text) for where, message in sdk.written] == [
        (CHAT, "Nothing to do."),
        (CHAT, "Nothing to do."),
        (thread, SENT_DIRECTLY),
        (CHAT, "Nothing to do."),
    ]
