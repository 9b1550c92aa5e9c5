"""Somebody's browser, signed in nowhere: it reads the bot's pages and follows the links that people were given."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from csv import DictReader
from dataclasses import dataclass
from html.parser import HTMLParser

import aiohttp
from openpyxl import load_workbook

from tests.world import ADDRESS


class Page(HTMLParser):
    """A page's words as a person reads them, and what a browser would act on."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.title = ""
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        self._inside = tag

    def handle_data(self, data: str) -> None:
        if self._inside == "style":
            self._inside = ""
            return
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@dataclass(frozen=True)
class Got:
    """What a page or a download answered."""

    status: int
    text: str = ""  # of a page, as it is read
    data: bytes = b""
    name: str = ""  # of a file

    @property
    def csv(self) -> list[dict[str, str]]:
        """The rows of a CSV file."""
        return list(DictReader(io.StringIO(self.data.decode("utf-8-sig"))))

    @property
    def recorded(self) -> set[str]:
        """The mentees that have a line in a workbook's record."""
        head, *rows = load_workbook(io.BytesIO(self.data))["Record"].iter_rows(values_only=True)
        return {str(row[head.index("Mentee")]) for row in rows}


class Visitor:
    """Follows links of the public address to where the bot answers in a test."""

    def __init__(self, session: aiohttp.ClientSession, address: str) -> None:
        self._session, self._address = session, address.rstrip("/")

    async def reads(self, link: str) -> Got:
        """Open a page: ``/verify/CODE`` or a whole link."""
        async with self._session.get(self._here(link)) as answer:
            return Got(answer.status, Page(await answer.text()).text)

    async def downloads(self, link: str) -> Got:
        """Press the page's button."""
        async with self._session.post(self._here(link)) as answer:
            if answer.content_disposition is None:
                return Got(answer.status, Page(await answer.text()).text)
            return Got(answer.status, data=await answer.read(), name=answer.content_disposition.filename or "")

    async def has_once(self, link: str, name: str) -> None:
        """The link gives this PDF once; looking at its page uses nothing up."""
        assert link.startswith((f"{ADDRESS}/download/", f"{self._address}/download/"))
        for _ in range(2):
            assert "Download" in (await self.reads(link)).text
        got = await self.downloads(link)
        assert (got.status, got.name, got.data[:5]) == (200, name, b"%PDF-")
        again = await self.downloads(link)
        assert again.status == 410
        assert "This link no longer works" in again.text

    def _here(self, link: str) -> str:
        return link if link.startswith(self._address) else self._address + link.removeprefix(ADDRESS)


@asynccontextmanager
async def visiting(address: str) -> AsyncIterator[Visitor]:
    async with aiohttp.ClientSession() as session:
        yield Visitor(session, address)
