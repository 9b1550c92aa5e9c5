"""Reads the PNG files that ``manifest.draw`` writes: 8 bits a channel, with alpha, lines unfiltered."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from manifest.draw import Pixel


@dataclass(frozen=True)
class Picture:
    width: int
    height: int
    lines: list[list[Pixel]]

    def pixels(self) -> Iterator[Pixel]:
        for line in self.lines:
            yield from line


def read_png(data: bytes) -> Picture:
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    chunks = dict(_chunks(data[8:]))
    width, height, depth, kind, *_ = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    assert (depth, kind) == (8, 6)
    raw = zlib.decompress(chunks[b"IDAT"])
    step = 1 + 4 * width
    assert {raw[line * step] for line in range(height)} == {0}
    return Picture(width, height, [_line(raw[line * step + 1 : (line + 1) * step]) for line in range(height)])


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        assert struct.unpack_from(">I", data, at + 8 + length)[0] == zlib.crc32(kind + body)
        yield kind, body
        at += 12 + length


def _line(raw: bytes) -> list[Pixel]:
    return [(raw[at], raw[at + 1], raw[at + 2], raw[at + 3]) for at in range(0, len(raw), 4)]
