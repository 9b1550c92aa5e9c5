"""Whatever is posted to Teams' address is answered: what cannot be read by 400, never by a crash."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import aiohttp
import pytest

from handlers.core.cards import Card, say
from handlers.core.requests import Reply
from tests.fakes.teams import DANA, TEAM, TeamsClient
from tests.malformed import BODIES, JSON, Body, deep, spoiled
from tests.teams.conftest import Bot, Start

PRESSED = {"plc": {"act": "attendance.here|7"}}
FILLED = {"plc": {"act": "r.save", "opener": "r.open", "fields": ["text"], "many": []}, "f_text": "a"}


async def posted(bot: Bot, data: bytes, headers: dict[str, str]) -> int:
    signed = {"Authorization": f"Bearer {bot.fake.token()}"} if bot.dana.signed else {}
    async with (
        aiohttp.ClientSession() as session,
        session.post(bot.dana.url, data=data, headers={**signed, "Content-Type": JSON, **headers}) as answer,
    ):
        return answer.status


@pytest.mark.parametrize("test_client", [False, True])
@pytest.mark.parametrize("body", BODIES, ids=str)
async def test_a_malformed_body_is_400(start: Start, body: Body, test_client: bool) -> None:
    bot = await start(test_client=test_client)
    assert await posted(bot, body.data, dict(body.headers)) == 400
    assert bot.toy.asked == []


async def test_a_deep_value_in_an_activity_is_400(bot: Bot) -> None:
    activity = bot.dana.submits(PRESSED)
    activity["value"]["deep"] = [[]]
    text = aiohttp.payload.JsonPayload(activity)._value.decode()
    data = text.replace("[[]]", deep(100).decode()).encode()

    assert await posted(bot, data, {}) == 400


def said(dana: TeamsClient) -> dict[str, Any]:
    return dana.says("progress")


def mentioned(dana: TeamsClient) -> dict[str, Any]:
    return dana.mentions("progress")


def pressed(dana: TeamsClient) -> dict[str, Any]:
    return dana.presses(PRESSED, card="1")


def submitted(dana: TeamsClient) -> dict[str, Any]:
    return dana.submits(FILLED, card="1")


def fetched(dana: TeamsClient) -> dict[str, Any]:
    return dana.opens_dialog(PRESSED, card="1")


def filled(dana: TeamsClient) -> dict[str, Any]:
    return dana.sends_dialog(FILLED)


def installed(dana: TeamsClient) -> dict[str, Any]:
    return dana.installs()


def came(dana: TeamsClient) -> dict[str, Any]:
    return dana.members("membersAdded", DANA.account(), {"id": TEAM})


@pytest.mark.parametrize("make", [said, mentioned, pressed, submitted, fetched, filled, installed, came])
@pytest.mark.parametrize("test_client", [False, True])
async def test_a_spoiled_activity_is_answered(
    start: Start, make: Callable[[TeamsClient], dict[str, Any]], test_client: bool
) -> None:
    bot = await start(test_client=test_client)
    bot.toy.reply = Reply(card=Card("Hello", (say("there"),)))
    failed = []
    for what, activity in spoiled(make(bot.dana)):
        status, _ = await bot.dana.send(activity)
        if status not in (200, 400, 401, 403, 404, 501):
            failed.append(f"{what}: {status}")
    assert failed == []
