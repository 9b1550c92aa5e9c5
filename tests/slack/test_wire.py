"""What lies under the conversations: signatures, repeated requests, the socket's life, the log."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from urllib.parse import urlencode

import aiohttp
import pytest

from bot.slack import BOT_EVENTS, COMMAND, REQUIRED_SCOPES, connect, listeners
from bot.slack.api import Identity
from handlers.core.actions import SentAction
from handlers.core.cards import Button, Card, buttons, say
from handlers.core.forms import Form, TextField
from handlers.core.requests import Reply, notice
from tests.fakes.slack import SCOPES, TEAM, FakeSlack, Fault, HttpWire, sign, words
from tests.slack.conftest import DANA, HOME, Bot, settings_for

IDENTITY = Identity(TEAM, "U00BOT", "B00BOT", "E00ORG")
FORM = Form("Reflection", SentAction.of("r.save"), opener=SentAction.of("r.open"), fields=(TextField("text", "Text"),))


# Signatures ------------------------------------------------------------------------------------


async def test_an_unsigned_or_old_request_is_refused(bot: Bot) -> None:
    assert isinstance(bot.wire, HttpWire)
    body = urlencode(bot.dana.command_payload("help", HOME))
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    wrong = [
        {},
        sign(body, secret="other"),
        sign(body + "&x=1"),
        sign(body, at=int(time.time()) - 3600),
    ]
    async with aiohttp.ClientSession() as session:
        for headers in wrong:
            async with session.post(bot.url, data=body, headers={**form, **headers}) as response:
                assert response.status == 401
        async with session.post(bot.url, data="ssl_check=1", headers=form) as response:
            assert response.status == 401
    assert bot.handlers.asked == []


async def test_slack_verifies_the_address(bot: Bot) -> None:
    assert isinstance(bot.wire, HttpWire)

    answered = await bot.wire.event({"type": "url_verification", "challenge": "abc", "token": "legacy"})

    assert (answered.status, answered.body) == (200, {"challenge": "abc"})


async def test_with_a_socket_there_is_no_address(fake: FakeSlack) -> None:
    app = aiohttp.web.Application()

    connect(settings_for(fake, socket=True), _silent).add_routes(app)

    assert list(app.router.resources()) == []


async def _silent(request: object) -> Reply:
    return Reply()


# Repeated requests -----------------------------------------------------------------------------


async def test_a_repeated_event_is_answered_once(either: Bot) -> None:
    either.handlers.reply = notice("Saved.")
    said = {"type": "message", "channel_type": "im", "channel": either.fake.chat(DANA).id, "user": DANA}
    payload = either.dana.event_payload({**said, "text": "hello", "ts": "1.1", "team": TEAM})

    await either.wire.event(payload)
    answered = await either.wire.event(payload, retry=1)

    assert answered.status == 200
    assert len(either.fake.chat(DANA).messages) == 1


async def test_a_repeated_event_is_answered_if_it_failed_before(bot: Bot) -> None:
    payload = bot.dana.event_payload({"type": "member_joined_channel", "user": DANA, "channel": HOME, "team": TEAM})
    bot.handlers.error = RuntimeError("x")
    await bot.wire.event(payload)
    bot.handlers.error = None
    await bot.wire.event(payload, retry=1)

    first, second = bot.handlers.asked
    assert first.key == second.key


async def test_a_repeated_press_and_command_are_answered_once(either: Bot) -> None:
    either.handlers.reply = notice("Thank you.")
    from bot.slack import slack_render

    blocks = slack_render.message(Card("", (buttons(Button("Go", SentAction.of("x.go"))),)))
    press = either.dana.press_payload("Go", {"ts": "1.1", "blocks": blocks}, HOME)
    command = either.dana.command_payload("help", HOME)

    for _ in range(2):
        await either.wire.interactive(press)
        await either.dana.send_command(command)
    await either.settled()

    assert len(either.fake.notices) == 2


def submission(text: str = "a", view_id: str = "V1", view_hash: str = "1.h", trigger: str = "1.2.3") -> str:
    view = {
        "id": view_id,
        "hash": view_hash,
        "private_metadata": '{"action": "r.save"}',
        "blocks": [
            {"type": "input", "block_id": "text@1", "element": {"type": "plain_text_input", "action_id": "text"}}
        ],
        "state": {"values": {"text@1": {"text": {"type": "plain_text_input", "value": text}}}},
    }
    body = {"user": {"id": DANA, "team_id": TEAM}, "trigger_id": trigger, "view": view}
    return listeners.submission(body, IDENTITY).key


def test_two_clicks_on_one_modal_have_one_key() -> None:
    assert submission(trigger="1.2.3") == submission(trigger="4.5.6")


def test_another_view_or_another_state_of_it_is_another_act() -> None:
    keys = {submission(), submission(view_id="V2"), submission(view_hash="2.h")}

    assert len(keys) == 3


@pytest.mark.parametrize("trigger", ["1.2.3", ""])
def test_a_key_depends_on_no_pressed_value(trigger: str) -> None:
    def pressed(value: str, trigger: str, at: str = "1.1") -> str:
        act = {"type": "button", "action_id": "p", "value": f"checkins.pulse|c1|{value}", "action_ts": at}
        body = {"user": {"id": DANA, "team_id": TEAM}, "trigger_id": trigger, "actions": [act]}
        return listeners.press(body, IDENTITY).key

    assert pressed("2", trigger) == pressed("4", trigger)
    other = pressed("2", "4.5.6") if trigger else pressed("2", "", "2.2")
    assert other != pressed("2", trigger), "another press on the same button is another act"


def test_a_key_depends_on_no_typed_word() -> None:
    assert submission(text="a") == submission(text="b")


def test_an_organisations_id_stands_for_the_bots_own_workspace_only_if_it_is_the_bots() -> None:
    def tenant(team: str) -> str:
        said = {"type": "app_mention", "user": DANA, "channel": HOME, "text": "x", "user_team": team}
        request = listeners.event({"team_id": TEAM, "event_id": "Ev1", "event": said}, IDENTITY)
        assert request is not None
        return request.who.tenant

    assert tenant("E00ORG") == TEAM
    assert tenant("E00OTHER") == "E00OTHER"


# The socket ------------------------------------------------------------------------------------


async def test_a_closed_socket_is_replaced(socket_bot: Bot) -> None:
    await socket_bot.fake.close_sockets()
    await socket_bot.fake.socket_opened()

    await socket_bot.dana.command("help", HOME)

    assert len(socket_bot.handlers.asked) == 1


async def test_a_socket_that_cannot_be_opened_is_tried_anew(socket_bot: Bot) -> None:
    faults = [Fault(error="internal_error", after=False)] * 2
    socket_bot.fake.fail("apps.connections.open", *faults)
    await socket_bot.fake.close_sockets()
    await socket_bot.fake.socket_opened()

    await socket_bot.dana.command("help", HOME)

    assert len(socket_bot.handlers.asked) == 1


# Failures and the log --------------------------------------------------------------------------

CANARY = "canary-7f3a-private-words"


async def test_a_failing_handler_says_sorry_and_nothing_of_the_payload_is_logged(
    either: Bot, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        for name in list(logging.root.manager.loggerDict):
            if name.startswith(("slack", "bot", "aiohttp")):
                caplog.set_level(logging.DEBUG, logger=name)
        either.handlers.error = RuntimeError(CANARY)
        answered = await either.dana.command(f"say {CANARY}", HOME)
        await either.dana.say(CANARY)
        either.handlers.error = None
        either.handlers.reply = Reply(form=FORM)
        await either.dana.command(CANARY, HOME)
        either.handlers.error = RuntimeError(CANARY)
        await either.dana.send(text=CANARY)
        either.handlers.error = None
        either.handlers.reply = notice(CANARY)
        either.fake.fail("chat.postMessage", Fault(error="internal_error"))
        await either.dana.say(f"{CANARY} again")
        await either.dana.event({"type": "unknown_event", "text": CANARY})
        await either.settled()

    assert "Something went wrong and nothing was saved. Please try again." in words(answered.body["blocks"])
    assert CANARY not in caplog.text
    assert "slack.failed what=command error=RuntimeError at=" in caplog.text
    assert f"conftest.__call__:{_line()} " in caplog.text
    assert "user=" not in caplog.text, "who sent it would tell who uses the private forms"


def _line() -> int:
    import inspect

    from tests.slack.conftest import Handlers

    lines, first = inspect.getsourcelines(Handlers.__call__)
    return first + next(number for number, line in enumerate(lines) if "raise self.error" in line)


async def test_a_bad_signature_does_not_log_the_body(bot: Bot, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        for name in list(logging.root.manager.loggerDict):
            if name.startswith("slack_bolt"):
                caplog.set_level(logging.DEBUG, logger=name)
                logging.getLogger(name).disabled = False
        async with aiohttp.ClientSession() as session:
            await session.post(bot.url, data=f"text={CANARY}")

    assert CANARY not in caplog.text


async def test_an_answer_that_cannot_be_brought_is_logged_by_name_only(
    bot: Bot, caplog: pytest.LogCaptureFixture
) -> None:
    answer_now = bot.answers_late()
    bot.handlers.reply = notice(CANARY)
    bot.fake.fail("response_url", Fault(status=500))

    await bot.dana.command("help", HOME)
    answer_now.set()
    await bot.settled()

    assert "slack.failed what=respond error=Permanent" in caplog.text
    assert CANARY not in caplog.text


async def test_an_answer_that_slack_refuses_to_show_is_a_clear_failure(
    bot: Bot, caplog: pytest.LogCaptureFixture
) -> None:
    bot.handlers.reply = Reply(card=Card("x", (say(CANARY), buttons(Button("Go", SentAction.of("x", "a|b"))))))

    answered = await bot.dana.command("help", HOME)

    assert answered.status == 200
    assert "couldn't show you the answer" in answered.body["text"]
    bot.handlers.reply = Reply(card=Card("", (buttons(Button("Go", SentAction.of("x.go"))),)))
    await bot.dana.say("help")
    bot.handlers.reply = Reply(card=Card("x", (say(CANARY), buttons(Button("Go", SentAction.of("x", "a|b"))))))
    chat = bot.fake.chat(DANA)
    await bot.dana.press("Go", chat.messages[-1], chat.id)
    await bot.settled()
    assert "couldn't show you the answer" in words(chat.messages[-1])
    assert CANARY not in caplog.text


async def test_a_slack_out_of_reach_at_start_is_asked_again_later(fake: FakeSlack) -> None:
    fake.fail("auth.test", Fault(status=500))
    platform = connect(settings_for(fake), _silent, timeout=1)

    await platform.start()

    assert (await platform._api.identity()).team == TEAM
    await platform.stop()


async def test_what_is_held_is_finished_before_the_bot_stops(bot: Bot) -> None:
    answer_now = bot.answers_late()
    bot.handlers.reply = notice("Late, but here.")
    await bot.dana.command("help", HOME)

    stopping = asyncio.create_task(bot.platform.stop())
    await asyncio.sleep(0)
    answer_now.set()
    await stopping

    assert words(bot.fake.notices[0]["blocks"]) == "Late, but here."


def test_what_the_manifest_must_name() -> None:
    assert COMMAND == "/plc"
    assert "message.im" in BOT_EVENTS
    assert set(REQUIRED_SCOPES) == set(SCOPES.split(","))
    assert not {"channels:history", "groups:history"} & set(REQUIRED_SCOPES)
    assert json.dumps(BOT_EVENTS)
