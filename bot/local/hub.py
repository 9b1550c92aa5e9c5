"""Tells open pages that something changed; each then asks for what is new, so a lost poke loses nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class Hub:
    """One event per open page. ``closed`` ends them all, so that the web server can stop at once."""

    def __init__(self) -> None:
        self.closed = False
        self._pages: set[asyncio.Event] = set()

    @contextmanager
    def page(self) -> Iterator[asyncio.Event]:
        """Yield the event of an open page. Every change sets it; the page clears it."""
        event = asyncio.Event()
        self._pages.add(event)
        try:
            yield event
        finally:
            self._pages.discard(event)

    def poke(self) -> None:
        """Tell every open page that something changed."""
        for event in self._pages:
            event.set()

    def open(self) -> None:
        """Let pages connect and stay."""
        self.closed = False

    def close(self) -> None:
        """Tell every open page to end its connection."""
        self.closed = True
        self.poke()
