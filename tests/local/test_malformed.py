"""Whatever is posted to the workspace is answered: what cannot be read by 400 and a sentence, never by a crash."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from bot.local.act_requests import WENT_WRONG
from bot.local.local_render import path_of
from bot.local.messages import direct
from handlers.core.actions import SentAction
from tests.local.conftest import Local
from tests.local.toy import COORDINATOR, HOME, MENTEE
from tests.malformed import BODIES, JSON, Body, spoiled

DANA = MENTEE.user
ROOM = direct(DANA)
PATHS = (
    *(path_of(DANA, ROOM, verb) for verb in ("say", "press", "submit", "read", "dismiss")),
    *(path_of(DANA, HOME, verb) for verb in ("join", "leave", "people")),
    f"{path_of(DANA)}/channels",
    *(f"{path_of(DANA)}/clock/{move}" for move in ("next", "forward", "reset")),
)
ACTS: dict[str, dict[str, Any]] = {
    path_of(DANA, ROOM, "say"): {"text": "hello"},
    path_of(DANA, ROOM, "press"): {"action": SentAction.of("toy.coming").encode(), "message": 1},
    path_of(DANA, ROOM, "submit"): {
        "action": SentAction.of("toy.save").encode(),
        "values": {"text": ["a"]},
        "message": 1,
    },
    path_of(DANA, ROOM, "read"): {"message": 1},
    path_of(DANA, ROOM, "dismiss"): {"message": 1},
    path_of(DANA, HOME, "people"): {"values": {"users": [COORDINATOR.user]}},
    f"{path_of(DANA)}/channels": {"values": {"name": ["new"]}},
    f"{path_of(DANA)}/clock/forward": {"hours": 1},
}


@pytest.mark.parametrize("path", PATHS)
async def test_a_malformed_body_is_400_and_a_sentence(local: Local, path: str) -> None:
    for body in BODIES:
        headers = {"Content-Type": JSON, "Connection": "close", **body.headers}
        async with local.client.post(path, data=body.data, headers=headers) as answer:
            assert answer.status == 400, body
            if "Content-Encoding" not in body.headers:  # which aiohttp itself may refuse
                assert "Reload the page" in (await answer.json())["problem"]
    assert local.toy.seen == []


@pytest.mark.parametrize("path", ACTS)
async def test_a_spoiled_act_is_answered(local: Local, path: str) -> None:
    failed = []
    for what, body in spoiled({"key": "", **ACTS[path]}):
        if not what.startswith("key"):
            body["key"] = str(uuid4())
        async with local.client.post(path, json=body) as answer:
            text = await answer.text()
            if answer.status >= 500 or WENT_WRONG in text:
                failed.append(what)
    assert failed == []


@pytest.mark.parametrize("number", ["9" * 30, "-" + "9" * 30, "x", "1e3", "٣" * 30])
async def test_a_number_that_is_none_is_answered(local: Local, number: str) -> None:
    for path, name in (("sync", "since"), ("earlier", "before")):
        async with local.client.get(path_of(DANA, ROOM, path), params={name: number}) as answer:
            assert answer.status == 400
    async with local.client.post(path_of(DANA, ROOM, "read"), json={"message": number}) as answer:
        assert answer.status == 400


def test_every_body_has_a_name() -> None:
    assert len({str(body) for body in BODIES}) == len(BODIES)
    assert all(isinstance(body, Body) for body in BODIES)
