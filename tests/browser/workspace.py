"""The local workspace as people use it: open it as somebody, type, press, fill a form, read what comes."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal

from aiohttp import web
from playwright.async_api import Browser, Locator, Page, ViewportSize, expect

from bot.local import LocalWorkspace
from bot.local.local_render import HOME, path_of
from bot.local.messages import direct

DESKTOP = ViewportSize(width=1280, height=840)
PHONE = ViewportSize(width=390, height=844)
NARROW = ViewportSize(width=360, height=740)
AXE_TAGS = ("wcag2a", "wcag2aa", "wcag21aa", "wcag22aa")
PATIENCE = 30_000  # ms until an expected thing must have appeared; only a failure waits as long
expect.set_options(timeout=PATIENCE)


@dataclass(frozen=True, slots=True)
class Served:
    """A running workspace and its address."""

    workspace: LocalWorkspace
    address: str


@asynccontextmanager
async def serve(workspace: LocalWorkspace) -> AsyncIterator[Served]:
    app = web.Application()
    workspace.add_routes(app)
    await workspace.start()
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield Served(workspace, f"http://127.0.0.1:{runner.addresses[0][1]}")
    finally:
        await runner.cleanup()
        await workspace.stop()


class Windows:
    """Windows that stay open between tests: going elsewhere in one is quicker than opening another."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._free: list[Page] = []
        self._complaints: list[str] = []

    def _complain(self, words: str) -> None:
        self._complaints.append(words)

    async def _open(self) -> Page:
        # A context each: of several tabs in one, the browser draws the foremost alone and lets the others wait.
        context = await self._browser.new_context(viewport=DESKTOP, color_scheme="light", reduced_motion="reduce")
        context.set_default_timeout(PATIENCE)
        page = await context.new_page()
        page.on("pageerror", lambda error: self._complain(str(error)))
        page.on("console", lambda line: self._complain(line.text) if line.type == "error" else None)
        return page

    @asynccontextmanager
    async def take(self, count: int) -> AsyncIterator[list[Page]]:
        """Some windows for a while; whatever their pages complain of fails the test."""
        self._complaints.clear()
        pages = [self._free.pop() if self._free else await self._open() for _ in range(count)]
        try:
            yield pages
        finally:
            for page in pages:
                await page.goto("about:blank")
            self._free += pages
        assert self._complaints == []


@asynccontextmanager
async def window(
    browser: Browser,
    address: str,
    *,
    size: ViewportSize = DESKTOP,
    scheme: Literal["light", "dark"] = "light",
    touch: bool = False,
    expected: str = "",
) -> AsyncIterator[Page]:
    """A fresh window; whatever the page complains of, but for what is ``expected``, fails the test."""
    context = await browser.new_context(
        base_url=address, viewport=size, color_scheme=scheme, has_touch=touch, reduced_motion="reduce"
    )
    context.set_default_timeout(PATIENCE)
    page = await context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
    try:
        yield page
    finally:
        await context.close()
    assert [complaint for complaint in complaints if not expected or expected not in complaint] == []


def _label(words: str) -> re.Pattern[str]:
    """A field's label: these words and no others, but for the mark of an optional field."""
    return re.compile(rf"^\s*{re.escape(words)}(\s+optional)?\s*$")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody at their page."""

    page: Page
    user: str
    address: str = ""  # of the workspace, where the window does not know it

    # Going somewhere -----------------------------------------------------------------------

    @classmethod
    async def open(cls, page: Page, user: str, conversation: str | None = None, address: str = "") -> Person:
        """Be this person, in a channel or (without one) with the bot."""
        person = cls(page, user, address)
        await person.go(conversation)
        return person

    async def go(self, conversation: str | None = None) -> None:
        await self.page.goto(self.address + path_of(self.user, conversation or direct(self.user)))
        await self.settled()

    async def home(self) -> None:
        """Look at the bot's home page."""
        await self.page.goto(self.address + path_of(self.user, HOME))
        await self.settled()

    async def settled(self) -> None:
        """The page is live: from here on it learns of every change."""
        await self.page.wait_for_selector("body[data-live=yes]")

    # Saying and pressing -------------------------------------------------------------------

    async def say(self, text: str) -> None:
        box = self.page.get_by_label("Message to")
        await box.fill(text)
        await box.press("Enter")
        await expect(self.page.locator("#composer-form")).not_to_have_attribute("aria-busy", re.compile(".*"))

    async def command(self, words: str) -> None:
        """``progress`` is typed as ``/plc progress``."""
        await self.say(f"/plc {words}")

    async def asks(self, words: str, title: str) -> Locator:
        """Command, and wait for its answer, however many of the same title came before it."""
        before = await self.messages().filter(has_text=title).count()
        await self.command(words)
        answer = self.messages().filter(has_text=title).nth(before)
        await expect(answer).to_be_visible()
        return answer

    async def press(self, label: str, within: Locator | None = None) -> None:
        """The last button with this label in the messages, or in ``within``."""
        place = within or self.page.locator("#messages")
        await place.get_by_role("button", name=label, exact=True).last.click()

    async def answer_question(self, label: str) -> None:
        """Press a button of the question that a button asks first."""
        await self.page.locator("#ask").get_by_role("button", name=label, exact=True).click()

    # Reading -------------------------------------------------------------------------------

    def messages(self) -> Locator:
        return self.page.locator("#messages .message")

    def message(self, words: str | re.Pattern[str]) -> Locator:
        """The last message with these words."""
        return self.messages().filter(has_text=words).last

    async def reads(self, words: str | re.Pattern[str]) -> Locator:
        """Wait until a message with these words is there."""
        locator = self.message(words)
        await expect(locator).to_be_visible()
        return locator

    async def reads_notice(self, words: str | re.Pattern[str]) -> Locator:
        """Wait for a notice that this person alone sees."""
        locator = self.page.locator("#messages .message.notice").filter(has_text=words).last
        await expect(locator).to_be_visible()
        return locator

    async def hears(self, words: str | re.Pattern[str]) -> None:
        """Wait until the live region has said it."""
        await expect(self.page.locator("#news")).to_contain_text(words)

    # Forms ---------------------------------------------------------------------------------

    def dialog(self, title: str | None = None) -> Locator:
        locator = self.page.get_by_role("dialog")
        return locator.filter(has=self.page.get_by_role("heading", name=title)) if title else locator

    async def fill(self, label: str, value: str) -> None:
        """Type into a text, date, time or number field of the open form."""
        await self.dialog().get_by_label(_label(label)).fill(value)

    async def choose(self, label: str, option: str) -> None:
        """Choose one option (or tick one box) of the field with this label."""
        named = self.page.locator("label, legend").filter(has_text=_label(label))
        field = self.dialog().locator("[data-field]").filter(has=named).first
        if await field.evaluate("(one) => one.matches('fieldset')"):
            await field.get_by_label(option, exact=True).check()
        else:
            await field.locator("select").select_option(label=option)

    async def submit(self, label: str) -> None:
        dialog = self.dialog()
        await dialog.get_by_role("button", name=label, exact=True).click()

    async def closed(self) -> None:
        """Wait until no dialog is open."""
        await expect(self.page.locator("dialog[open]")).to_have_count(0)

    # The clock -----------------------------------------------------------------------------

    async def move_clock(self, label: str = "Go to the next due moment") -> None:
        await self.page.get_by_role("button", name=label, exact=True).click()
        if label == "Start over":
            await self.answer_question("Start over")
        await expect(self.page.locator("#working")).to_be_hidden()

    async def clock(self) -> str:
        return await self.page.locator("#clock").inner_text()

    # How it is built -----------------------------------------------------------------------

    async def fits(self) -> None:
        """Nothing is wider than the window."""
        over = await self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert over <= 0, f"the page is {over} px wider than the window"


async def accessible(page: Page, axe: str) -> None:
    """axe-core finds nothing at WCAG 2.2 AA on what is shown now."""
    await page.evaluate(axe)
    options = {"runOnly": {"type": "tag", "values": list(AXE_TAGS)}, "resultTypes": ["violations"]}
    evaluate: dict[str, Any] = await page.evaluate("(options) => axe.run(document, options)", options)
    told = [
        {
            "rule": violation["id"],
            "help": violation["help"],
            "where": [node["target"] for node in violation["nodes"][:5]],
        }
        for violation in evaluate["violations"]
    ]
    assert told == [], json.dumps(told, indent=1)
