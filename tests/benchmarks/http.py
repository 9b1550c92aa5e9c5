"""As much of HTTP as a benchmark needs: one message at a time on a kept connection, its length said before it."""

from __future__ import annotations

import asyncio
import re
from abc import ABC, abstractmethod

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Messages(asyncio.Protocol, ABC):
    """Puts the pieces that arrive together; :meth:`arrived` gets each whole message."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, content, body = self._buffer.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if content and len(body) >= (int(length[1]) if length else 0):
            self._buffer = b""
            self.arrived(head, body)

    @abstractmethod
    def arrived(self, head: bytes, body: bytes) -> None:
        """A whole message is there: its head, without the empty line after it, and its body."""

    def send(self, message: bytes) -> None:
        assert self._transport is not None
        self._transport.write(message)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
