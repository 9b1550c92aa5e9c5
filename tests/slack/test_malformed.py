"""Whatever is posted to Slack's address is answered: what cannot be read by 400, never by a crash."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest

from bot.slack import modals, slack_render
from bot.slack.sent_forms import Origin
from handlers.core.actions import SentAction
from handlers.core.cards import Button, Card, buttons, say
from handlers.core.forms import Form, TextField
from handlers.core.requests import Reply
from tests.fakes.slack import TEAM, HttpWire, sign
from tests.malformed import BODIES, JSON, Body, spoiled
from tests.slack.conftest import DANA, HOME, Bot

FORM_TYPE = "application/x-www-form-urlencoded"
FORM = Form("Reflection", SentAction.of("r.save"), opener=SentAction.of("r.open"), fields=(TextField("text", "Text"),))


async def posted(bot: Bot, data: bytes, headers: dict[str, str]) -> int:
    signed = sign(data.decode("utf-8", "replace"))
    async with (
        aiohttp.ClientSession() as session,
        session.post(bot.url, data=data, headers={**signed, "Content-Type": JSON, **headers}) as answer,
    ):
        return answer.status


@pytest.mark.parametrize("body", BODIES, ids=str)
async def test_a_malformed_body_is_400(bot: Bot, body: Body) -> None:
    assert await posted(bot, body.data, dict(body.headers)) == 400
    assert bot.handlers.asked == []


@pytest.mark.parametrize("body", [body for body in BODIES if not body.headers and body.name != "not UTF-8"], ids=str)
async def test_a_malformed_payload_in_a_form_is_400(bot: Bot, body: Body) -> None:
    data = urlencode({"payload": body.data}).encode()
    assert await posted(bot, data, {"Content-Type": FORM_TYPE}) == 400
    assert bot.handlers.asked == []


@pytest.mark.parametrize("field", ["text", "user_id", "trigger_id"])
async def test_a_command_with_a_nul_is_400(bot: Bot, field: str) -> None:
    payload = bot.dana.command_payload("help", HOME) | {field: "a\0b"}
    assert await posted(bot, urlencode(payload).encode(), {"Content-Type": FORM_TYPE}) == 400


async def test_an_event_without_its_id_is_400(bot: Bot) -> None:
    payload = said(bot)
    del payload["event_id"]
    assert await posted(bot, json.dumps(payload).encode(), {}) == 400
    assert bot.handlers.asked == []


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Slack-Request-Timestamp": "abc"},
        {"X-Slack-Request-Timestamp": ""},
        {"X-Slack-Request-Timestamp": "9" * 5000},
        {"X-Slack-Request-Timestamp": "1e9"},
        {"X-Slack-Request-Timestamp": "\u0661\u0662"},
        {"X-Slack-Signature": "v0=\u00e9"},
        {"X-Slack-Signature": ""},
    ],
    ids=lambda headers: str(headers)[:40].encode("ascii", "replace").decode(),
)
async def test_a_signature_header_that_slack_never_sends_is_400(
    bot: Bot, headers: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    body = json.dumps(said(bot)).encode()
    assert [await posted(bot, body, headers) for _ in range(3)] == [400] * 3
    assert bot.handlers.asked == []
    assert len([record for record in caplog.records if record.levelno >= logging.INFO]) <= 1


# Payloads with a part that is missing, or of another kind ---------------------------------------------


def said(bot: Bot) -> dict[str, Any]:
    said = {"type": "message", "channel_type": "im", "channel": bot.fake.chat(DANA).id, "user": DANA}
    return bot.dana.event_payload({**said, "text": "hello", "ts": "1.1", "team": TEAM})


def mentioned(bot: Bot) -> dict[str, Any]:
    return bot.dana.event_payload({"type": "app_mention", "user": DANA, "channel": HOME, "text": "<@U00BOT> help"})


def joined(bot: Bot) -> dict[str, Any]:
    return bot.dana.event_payload({"type": "member_joined_channel", "user": DANA, "channel": HOME, "team": TEAM})


def opened_home(bot: Bot) -> dict[str, Any]:
    return bot.dana.event_payload({"type": "app_home_opened", "user": DANA, "channel": "D1", "tab": "home"})


def left(bot: Bot) -> dict[str, Any]:
    return bot.dana.event_payload({"type": "channel_left", "channel": HOME})


def pressed(bot: Bot) -> dict[str, Any]:
    blocks = slack_render.message(Card("", (buttons(Button("Go", SentAction.of("x.go"))),)))
    return bot.dana.press_payload("Go", {"ts": "1.1", "blocks": blocks}, HOME)


def pressed_in_view(bot: Bot) -> dict[str, Any]:
    return {**pressed(bot), "container": {"type": "view", "view_id": "V1"}, "view": view()}


def sent(bot: Bot) -> dict[str, Any]:
    return {**pressed(bot), "type": "view_submission", "view": view()}


def view() -> dict[str, Any]:
    shown = modals.form_view(FORM, Origin("r.save", HOME), "1")
    block = next(block for block in shown["blocks"] if block["type"] == "input")
    values = {block["block_id"]: {block["element"]["action_id"]: {"type": "plain_text_input", "value": "a"}}}
    return {**shown, "id": "V1", "hash": "1.h", "state": {"values": values}}


@pytest.mark.parametrize("make", [said, mentioned, joined, opened_home, left])
async def test_a_spoiled_event_is_answered(bot: Bot, make: Callable[[Bot], dict[str, Any]]) -> None:
    bot.handlers.reply = Reply(card=Card("Hello", (say("there"),)))
    assert isinstance(bot.wire, HttpWire)
    failed = []
    for what, payload in spoiled(make(bot)):
        if (await bot.wire.event(payload)).status not in (200, 400, 404):
            failed.append(what)
    assert failed == []


@pytest.mark.parametrize("make", [pressed, pressed_in_view, sent])
async def test_a_spoiled_press_or_form_is_answered(bot: Bot, make: Callable[[Bot], dict[str, Any]]) -> None:
    bot.handlers.reply = Reply(card=Card("Hello", (say("there"),)))
    assert isinstance(bot.wire, HttpWire)
    failed = []
    for what, payload in spoiled(make(bot)):
        if (await bot.wire.interactive(payload)).status not in (200, 400, 404):
            failed.append(what)
    assert failed == []


async def test_a_spoiled_command_is_answered(bot: Bot) -> None:
    bot.handlers.reply = Reply(card=Card("Hello", (say("there"),)))
    assert isinstance(bot.wire, HttpWire)
    failed = []
    for what, payload in spoiled(bot.dana.command_payload("help", HOME)):
        if (await bot.wire.form(urlencode(payload))).status not in (200, 400, 404):
            failed.append(what)
    assert failed == []
