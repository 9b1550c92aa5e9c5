"""In the local workspace, over its own HTTP: what is written in confidence is nowhere in plain text.

The workspace's chat is the platform here: what Dana types into it stands there as her own message, and nowhere else.
"""

from __future__ import annotations

import html
import re
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp

from bot.app import App
from bot.local.local_render import path_of
from bot.local.messages import direct
from tests.browser.product import CAROL, DANA, LEE, OZARKS, RUTH, Running, running
from tests.canary.hunt import Captured, listening
from tests.canary.stage import as_json, leaks, stumble, walk
from tests.world import everybody_agrees

COMMANDS = ("progress", "digest", "checkin", "next", "cohort", "reflections", "privacy", "export")


class LocalStage:
    email, mentor, coordinator = DANA, RUTH, CAROL
    platform_files = ".chat.sqlite"

    def __init__(self, product: Running, session: aiohttp.ClientSession) -> None:
        self.product, self.folder = product, product.folder
        self.session = session
        self.answers: list[Any] = []  # to everybody but Dana, and but the two readings

    @property
    def app(self) -> App:
        return self.product.app

    # What a page does ---------------------------------------------------------------------------

    async def _post(self, user: str, verb: str, *, reading: bool = False, **body: object) -> dict[str, Any]:
        address = self.product.address + path_of(user, direct(user), verb)
        async with self.session.post(address, json={"key": str(uuid4()), **body}) as response:
            answer: dict[str, Any] = await response.json()
        if user != DANA and not reading:
            self.answers.append(answer)
        await self._settle()
        return answer

    async def _settle(self) -> None:
        await self.app.scheduler.look()
        await self.app.loop.drain()

    async def _messages(self, user: str, conversation: str = "") -> list[str]:
        address = self.product.address + path_of(user, conversation or direct(user), "sync")
        async with self.session.get(address, params={"since": "0"}) as response:
            said = await response.json()
        return [piece["html"] or "" for piece in said["messages"]]

    async def _press(self, user: str, label: str, about: str = "", *, reading: bool = False) -> dict[str, Any]:
        """The newest button with this label, of a message that says this."""
        button = re.compile(rf'data-press="([^"]+)"[^>]*>{re.escape(label)}</button>')
        for message in reversed(await self._messages(user)):
            pressed = button.search(message)
            if pressed and about in message:
                number = re.search(r'data-id="(\d+)"', message)
                assert number is not None
                action = html.unescape(pressed[1])
                return await self._post(user, "press", reading=reading, action=action, message=number[1])
        raise AssertionError(f"no button {label!r}")

    async def _submit(self, user: str, form: str, **values: str) -> dict[str, Any]:
        """Fill a form; a choice that is not given takes its first option."""
        action = re.search(r'data-action="([^"]+)"', form)
        assert action is not None
        first = re.search(r'(?:<option|<input type="radio" name="[^"]*") value="([^"]+)"', form)
        filled = {name: [value] for name, value in values.items()}
        for name in re.findall(r'data-field="([^"]+)"', form):
            if name not in filled and name in ("record", "mentor") and first:
                filled[name] = [html.unescape(first[1])]
        return await self._post(user, "submit", action=html.unescape(action[1]), values=filled)

    # The ways in --------------------------------------------------------------------------------

    async def taps(self, number: str) -> None:
        await self._press(DANA, number)

    async def writes(self, words: str) -> None:
        form = (await self._press(DANA, "Write or change"))["form"]
        names = re.findall(r'data-field="([^"]+)"', form)
        texts = re.findall(r"<textarea[^>]*>\n?(.*?)</textarea>", form, re.DOTALL)
        held = {name: html.unescape(text).strip() for name, text in zip(names, texts, strict=True)}
        await self._submit(DANA, form, **{**held, names[0]: words})

    async def types(self, words: str) -> None:
        await self._post(DANA, "say", text=words)

    async def keeps(self) -> None:
        await self._press(DANA, "Keep as my reflection")

    async def declines(self) -> None:
        await self._press(DANA, "No", "Should I keep that")

    async def edits(self, words: str) -> None:
        await self.writes(words)

    async def shares(self) -> None:
        await self._post(DANA, "say", text="/plc reflections")
        await self._submit(DANA, (await self._press(DANA, "Share"))["form"])

    async def mentor_reads(self) -> str:
        return str((await self._press(RUTH, "Read it", "shared a reflection", reading=True))["form"])

    async def disputes(self, words: str) -> None:
        form = (await self._post(DANA, "say", text="/plc dispute"))["form"]
        await self._submit(DANA, form, readers="coordinator", text=words)

    async def coordinator_reads(self) -> str:
        return str((await self._press(CAROL, "Read it", "record is disputed", reading=True))["form"])

    async def looks_around(self) -> None:
        await self._pass(days=8)
        for user in (RUTH, CAROL, LEE, DANA):
            for command in COMMANDS:
                await self._post(user, "say", text=f"/plc {command}")
        for user in (RUTH, CAROL, LEE):
            self.answers += [await self._messages(user), await self._messages(user, OZARKS)]

    async def later(self) -> None:
        await self._pass(hours=1)

    async def _pass(self, **span: float) -> None:
        await self.product.go_to(self.app.clock.now() + timedelta(**span))
        await self._settle()

    def traffic(self) -> Captured:
        captured = as_json("answers to others in the workspace", self.answers)
        (file,) = self.folder.glob("*.chat.sqlite")
        with closing(sqlite3.connect(file)) as chat:
            tables = [name for (name,) in chat.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            assert "messages" in tables
            for table in tables:
                kept = chat.execute(f'SELECT * FROM "{table}"')
                names = [column[0] for column in kept.description]
                messages = [dict(zip(names, row, strict=True)) for row in kept]
                captured |= as_json(f"chat {table}", [message for message in messages if message.get("author") != DANA])
        return captured


async def on_stage(product: Running, session: aiohttp.ClientSession) -> LocalStage:
    await product.write(lambda tx: everybody_agrees(product.app.product.work(tx)))
    await product.app.loop.stop()  # from here on the stage says when deliveries go out
    stage = LocalStage(product, session)
    for _ in range(40):
        if any("How are things going?" in message for message in await stage._messages(DANA)):
            return stage
        await stage._pass(hours=6)
    raise AssertionError("no check-in came")


async def test_nothing_written_is_anywhere(tmp_path: Path) -> None:
    with listening() as ear:
        async with running(tmp_path) as product, aiohttp.ClientSession() as session:
            stage = await on_stage(product, session)
            await walk(stage)
            assert await leaks(stage, ear) == []


async def test_nothing_written_leaks_when_it_fails(tmp_path: Path) -> None:
    with listening() as ear:
        async with running(tmp_path) as product, aiohttp.ClientSession() as session:
            stage = await on_stage(product, session)
            await stumble(stage)
            assert await leaks(stage, ear) == []
