"""The chain of one enrolment's ledger lines: each line's mark covers the line and the mark before it.

The mark is a keyed hash (HMAC-SHA-256). Without the key nobody can make a mark that fits, so a changed line,
a gap, a line from another chain, or a cut-off end is found and named.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

MARK_BYTES = 32
START = b"\0" * MARK_BYTES  # what stands before the first line
SHORT = 16  # hexadecimal characters of a head that people compare


@dataclass(frozen=True, slots=True)
class ChainLink:
    """One line as the chain sees it. ``content``: every column that must not change, as plain values."""

    enrolment: UUID
    position: int  # 0, 1, 2 … within the enrolment
    content: Mapping[str, Any]
    mark: bytes


@lru_cache(maxsize=64)
def purpose_key(key: bytes, purpose: str) -> bytes:
    """The key for one purpose, 32 bytes, derived from the database's own key so that no two purposes share one."""
    return hmac.new(key, b"plc-purpose:" + purpose.encode(), hashlib.sha256).digest()


def mac_of(key: bytes, purpose: str, values: Mapping[str, Any]) -> bytes:
    """The MAC of named values (text, numbers, dates, times, UUIDs, bytes, lists, None) for one purpose, 32 bytes."""
    return hmac.new(purpose_key(key, purpose), canonical(values), hashlib.sha256).digest()


def mark_of(key: bytes, before: bytes, enrolment: UUID, position: int, content: Mapping[str, Any]) -> bytes:
    """The mark of a line that follows the mark ``before``."""
    message = before + enrolment.bytes + position.to_bytes(8, "big") + canonical(content)
    return hmac.new(key, message, hashlib.sha256).digest()


def canonical(content: Mapping[str, Any]) -> bytes:
    """The same bytes for the same content, whatever database it came from."""
    return json.dumps({name: _plain(value) for name, value in content.items()}, sort_keys=True).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, datetime) and value.tzinfo is None:  # a local time, whose zone stands beside it
        return value.isoformat(timespec="microseconds")
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, UUID):
        return value.hex
    if isinstance(value, bytes):
        return value.hex()
    return value


def check_chain(key: bytes, enrolment: UUID, links: Sequence[ChainLink]) -> list[str]:
    """What is wrong with one enrolment's lines, in sentences; they come in the order of position."""
    problems = []
    before = START
    for expected, link in enumerate(links):
        if link.position != expected:
            problems.append(f"line {expected} is missing")
            break
        if not hmac.compare_digest(link.mark, mark_of(key, before, enrolment, expected, link.content)):
            problems.append(f"line {expected} was changed, or one before it was replaced")
            break
        before = link.mark
    return problems


def seal_of(key: bytes, heads: Iterable[tuple[UUID, int, bytes]]) -> str:
    """One short seal over the heads (enrolment, position, mark) of a whole program."""
    digest = hmac.new(key, b"program", hashlib.sha256)
    for enrolment, position, mark in sorted(heads):
        digest.update(enrolment.bytes + position.to_bytes(8, "big") + mark)
    return digest.hexdigest()[:SHORT]
