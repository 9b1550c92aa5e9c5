"""Slack's and Teams' side of a benchmark: answers at once, checks nothing, counts.

The fakes of the other tests check every block and keep every message, which would be measured too. This one
is a process of its own: ``python -m tests.benchmarks.platform``.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from urllib.parse import parse_qs

from tests.benchmarks.http import Messages
from tests.benchmarks.serving import announce
from tests.fakes.slack import BOT_ID, BOT_USER, TEAM

PROGRESS = b"Your progress"  # how the answer to the command begins
_HEAD = re.compile(rb"\w+ (\S+) HTTP/1\.1\r\n")


class Platform:
    """Counts calls by their last part that is a word: ``chat.postMessage``, ``respond``, ``activities``.

    Activities that tell somebody's progress are counted as ``progress`` too.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def answer(self, address: str, body: bytes) -> object:
        path, _, query = address.partition("?")
        asked = body.decode() or query  # Slack's SDK asks some things by GET
        name = next(part for part in path.strip("/").split("/")[::-1] if re.fullmatch(r"[a-z]+(\.[A-Za-z.]+)?", part))
        self.counts[name] += 1
        number = self.counts[name]
        self.counts["progress"] += name == "activities" and PROGRESS in body
        match name:
            case "counts":
                return self.counts
            case "auth.test":
                return {"ok": True, "team_id": TEAM, "user_id": BOT_USER, "bot_id": BOT_ID}
            case "users.info":
                return {"ok": True, "user": _user(_asked(asked, "user"))}
            case "conversations.open":
                return {"ok": True, "channel": {"id": "D" + _asked(asked, "users")[1:]}}
            case "activities":
                return {"id": str(number)}
            case _:
                return {"ok": True, "channel": "C0", "ts": f"1.{number:06d}"}


def _asked(asked: str, name: str) -> str:
    return parse_qs(asked)[name][0]


def _user(user: str) -> dict[str, object]:
    profile = {"real_name": user, "email": f"{user.lower()}@example.org"}
    return {"id": user, "team_id": TEAM, "deleted": False, "is_bot": False, "profile": profile}


class Serving(Messages):
    def __init__(self, platform: Platform) -> None:
        super().__init__()
        self._platform = platform

    def arrived(self, head: bytes, body: bytes) -> None:
        asked = _HEAD.match(head)
        assert asked is not None
        said = json.dumps(self._platform.answer(asked[1].decode(), body)).encode()
        self.send(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(said), said)
        )


async def main() -> None:
    platform = Platform()
    server = await asyncio.get_running_loop().create_server(lambda: Serving(platform), "127.0.0.1", 0)
    announce(server.sockets[0].getsockname()[1])
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
