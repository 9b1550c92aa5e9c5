"""The workspace over HTTP with the toy product behind it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer

from bot.local import Chat, LocalWorkspace, connect
from bot.local.local_render import path_of
from tests.local.toy import Toy, ToyHost, seed


@dataclass(frozen=True, slots=True)
class Local:
    """What a page does, without a browser."""

    client: TestClient[web.Request, web.Application]
    workspace: LocalWorkspace
    toy: Toy
    host: ToyHost

    @property
    def chat(self) -> Chat:
        return self.workspace.chat

    async def get(self, user: str, conversation: str | None = None, *more: str, **query: str) -> ClientResponse:
        return await self.client.get(path_of(user, conversation, *more), params=query, allow_redirects=False)

    async def sync(self, user: str, conversation: str, since: int = 0) -> dict[str, Any]:
        answer: dict[str, Any] = await (await self.get(user, conversation, "sync", since=str(since))).json()
        return answer

    async def read(self, user: str, conversation: str) -> str:
        """All messages of a conversation as this person's page gets them."""
        pieces = (await self.sync(user, conversation))["messages"]
        return "\n".join(piece["html"] or "" for piece in pieces)

    async def act(
        self, user: str, conversation: str, verb: str, key: UUID | None = None, **body: object
    ) -> dict[str, Any]:
        response = await self.client.post(path_of(user, conversation, verb), json={"key": str(key or uuid4()), **body})
        answer: dict[str, Any] = await response.json()
        return answer

    async def do(self, user: str, *path: str, key: UUID | None = None, **body: object) -> dict[str, Any]:
        """An act that belongs to the person and to no conversation."""
        response = await self.client.post(
            path_of(user) + "".join(f"/{part}" for part in path), json={"key": str(key or uuid4()), **body}
        )
        answer: dict[str, Any] = await response.json()
        return answer


@pytest.fixture
async def local(tmp_path: Path) -> AsyncIterator[Local]:
    toy, host = Toy(), ToyHost()
    workspace = connect(tmp_path / "chat.sqlite", toy.answer, host)
    app = web.Application()
    workspace.add_routes(app)
    await workspace.start()
    seed(workspace.chat)
    host.seed = lambda: seed(workspace.chat)
    async with TestClient(TestServer(app)) as client:
        yield Local(client, workspace, toy, host)
    await workspace.stop()


@pytest.fixture
def chat(tmp_path: Path) -> Iterator[Chat]:
    opened = Chat(tmp_path / "chat.sqlite")
    opened.open()
    yield opened
    opened.close()
