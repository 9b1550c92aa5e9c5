"""The local workspace: a chat in the browser, for trying the whole product on one machine."""

from __future__ import annotations

import asyncio
from pathlib import Path

from aiohttp import web
from sqlalchemy.exc import SQLAlchemyError

from bot.local.chat import Chat
from bot.local.host import CommandHelp, Host, LocalPerson, NextDue
from bot.local.hub import Hub
from bot.local.local_port import LocalPort
from bot.local.web import Site
from bot.runtime.port import Answer, Finding, Port
from storage.outbox.rate_limits import UNLIMITED

__all__ = ["Chat", "CommandHelp", "Host", "LocalPerson", "LocalWorkspace", "NextDue", "connect"]


class LocalWorkspace:
    """The third platform. ``chat`` is for seeding the example; it is open after :meth:`start`."""

    port: Port
    rate_limits = UNLIMITED

    def __init__(self, chat: Chat, answer: Answer, host: Host) -> None:
        self.chat = chat
        self._hub = Hub()
        self._site = Site(chat, answer, host, self._hub)
        self.port = LocalPort(chat, host, self._hub)

    def add_routes(self, app: web.Application) -> None:
        """Add the workspace's pages and what they call."""
        self._site.add_routes(app)

    async def start(self) -> None:
        """Open the chat's file.

        Raises:
            SQLAlchemyError, OSError: the file cannot be opened.
        """
        await asyncio.to_thread(self.chat.open)
        self._hub.open()

    async def stop(self) -> None:
        """Tell the open pages to end, finish the acts that have begun, and close the chat's file."""
        self._hub.close()
        await self._site.finish()
        await asyncio.to_thread(self.chat.close)

    async def connected(self) -> bool:
        """Return True: there is no connection to lose."""
        return True

    async def check(self) -> list[Finding]:
        """Return whether the chat's file can be opened, as one finding."""
        what = "The local workspace's chat can be opened"
        probe = Chat(self.chat.url)
        try:
            await asyncio.to_thread(probe.open)
        except (SQLAlchemyError, OSError):
            return [Finding(what, ok=False, mend="Make the folder of its SQLite file writable.")]
        finally:
            await asyncio.to_thread(probe.close)
        return [Finding(what, ok=True)]


def connect(database: str | Path, answer: Answer, host: Host) -> LocalWorkspace:
    """The workspace with its own chat in ``database``: a SQLite address or the path of its file."""
    return LocalWorkspace(Chat(database), answer, host)
