"""Request bodies that no address takes, and payloads of which a part is missing or of another kind."""

from __future__ import annotations

import copy
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

JSON = "application/json"
MISSING = object()
OTHERS: tuple[object, ...] = (MISSING, None, 5, True, "", "x", [], [5], {}, {"a": {"b": 5}})


@dataclass(frozen=True)
class Body:
    """One malformed body with its headers."""

    name: str
    data: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name


def deep(levels: int, opening: bytes = b'{"a":', closing: bytes = b"}") -> bytes:
    return opening * levels + b"1" + closing * levels


BODIES = (
    Body("not JSON", b"{not json"),
    Body("half of it", b'{"type": "mess'),
    Body("a list", b"[]"),
    Body("a list of objects", b'[{"type": "message"}]'),
    Body("null", b"null"),
    Body("a number", b"5"),
    Body("a text", b'"text"'),
    Body("no JSON number", b'{"type": NaN}'),
    Body("a huge number", b'{"type": ' + b"9" * 5000 + b"}"),
    Body("deep", deep(100)),
    Body("very deep", deep(20_000)),
    Body("deep lists", b'{"type":' + deep(20_000, b"[", b"]") + b"}"),
    Body("a lone surrogate", b'{"type": "message", "text": "\\ud800"}'),
    Body("a lone surrogate as a name", b'{"type": "message", "\\udc00": 1}'),
    Body("a NUL", b'{"type": "message", "text": "a\\u0000b"}'),
    Body("not UTF-8", b'{"type": "mess\xff"}'),
    Body("UTF-16", '{"type": "message"}'.encode("utf-16"), {"Content-Type": f"{JSON}; charset=utf-16"}),
    Body("an unknown charset", b'{"type": "message"}', {"Content-Type": f"{JSON}; charset=nonsense"}),
    Body("bad deflate", b"not deflated", {"Content-Encoding": "deflate"}),
    Body("cut deflate", zlib.compress(b'{"type": "message"}' * 50)[:20], {"Content-Encoding": "deflate"}),
    Body("bad gzip", b"not zipped", {"Content-Encoding": "gzip"}),
)


def spoiled(payload: Any) -> Iterator[tuple[str, Any]]:
    """The payload with each of its parts missing or of another kind in turn, and what was done."""
    for path in _paths(payload):
        for other in OTHERS:
            changed = copy.deepcopy(payload)
            inside = changed
            for step in path[:-1]:
                inside = inside[step]
            if other is MISSING:
                del inside[path[-1]]
            else:
                inside[path[-1]] = other
            what = "missing" if other is MISSING else repr(other)
            yield f"{'.'.join(map(str, path))}: {what}", changed


def _paths(value: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inside in steps:
        yield (*before, step)
        yield from _paths(inside, (*before, step))
