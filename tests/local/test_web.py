"""Acts of people become requests, and replies become what they see."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestClient, TestServer

from bot.local import LocalPerson, connect
from bot.local.chat import PAGE
from bot.local.local_render import path_of
from bot.local.messages import Draft, direct
from handlers.core.actions import SentAction
from handlers.core.cards import Card
from handlers.core.requests import Arrived, Command, Departed, HomeOpened, Press, Submit, Typed
from tests.local.conftest import Local
from tests.local.toy import COORDINATOR, HOME, MENTEE, MENTOR, PEOPLE, START, TAP, Toy, ToyHost, post, seed

DANA, LEE, RUTH = MENTEE.user, MENTOR.user, COORDINATOR.user
KEY = UUID("00000000-0000-4000-8000-000000000001")


# The home page -----------------------------------------------------------------------------


async def test_the_home_page_is_asked_for_in_the_direct_conversation(local: Local) -> None:
    html = await (await local.get(DANA, "home")).text()
    assert "Your home" in html
    assert 'id="composer"' not in html
    (request,) = local.toy.seen
    assert request.intent == HomeOpened()
    assert (request.place.conversation, request.place.kind) == (direct(DANA), "personal")
    news = await local.sync(DANA, "home")
    assert "Your home" in news["home"]
    assert news["messages"] == []
    assert (await local.sync(DANA, direct(DANA)))["home"] is None


async def test_looking_at_home_reads_no_message(local: Local) -> None:
    await post(local.workspace, direct(DANA), TAP, KEY)
    assert (await local.sync(DANA, "home"))["unread"] == 1
    response = await local.get(DANA, "home", "sync", watched="")
    assert (await response.json())["unread"] == 1


async def test_what_is_pressed_at_home_changes_it_opens_a_form_or_is_answered_in_the_chat(local: Local) -> None:
    async def press(name: str) -> dict[str, object]:
        return await local.act(DANA, "home", "press", action=SentAction.of(name).encode(), message="")

    assert await press("toy.coming") == {}
    assert await local.read(DANA, direct(DANA)) == "", "the page itself shows what became of it"
    assert "form" in await press("toy.steps")
    assert await press("toy.other") == {"go": path_of(DANA, direct(DANA))}
    assert "Pressed toy.other." in await local.read(DANA, direct(DANA))
    assert all(request.place.conversation == direct(DANA) for request in local.toy.seen)


# Commands and typed text -------------------------------------------------------------------


async def test_a_command_in_a_channel_is_answered_to_the_asker_alone(local: Local) -> None:
    assert await local.act(DANA, HOME, "say", KEY, text="/plc  help ") == {}
    (request,) = local.toy.seen
    assert request.intent == Command("help")
    assert request.key == f"local:{KEY}"
    assert (request.who.platform, request.who.tenant, request.who.user) == ("local", "local", DANA)
    assert (request.place.conversation, request.place.kind, request.place.name) == (HOME, "channel", "ozarks-cohort")
    mine = await local.read(DANA, HOME)
    assert "Only you see this" in mine
    assert "/plc help" in mine
    assert "Help" not in await local.read(LEE, HOME)


async def test_other_text_in_a_channel_is_for_the_others(local: Local) -> None:
    await local.act(DANA, HOME, "say", text="See you <b>there</b>")
    assert local.toy.seen == []
    assert "See you &lt;b&gt;there&lt;/b&gt;" in await local.read(LEE, HOME)


async def test_text_typed_to_the_bot_is_typed_and_answered_openly(local: Local) -> None:
    await local.act(DANA, direct(DANA), "say", KEY, text="Good morning")
    (request,) = local.toy.seen
    assert request.intent == Typed("Good morning")
    assert (request.place.conversation, request.place.kind) == (direct(DANA), "personal")
    html = await local.read(DANA, direct(DANA))
    assert html.index("Good morning") < html.index("You typed 12 characters.")
    assert "Only you see this" not in html


async def test_a_command_to_the_bot_works_in_the_direct_conversation_too(local: Local) -> None:
    await local.act(DANA, direct(DANA), "say", text="/plc")
    assert local.toy.seen[0].intent == Command("")


@pytest.mark.parametrize("text", ["/plcx", "/remind me", "", "   ", "x" * 4001, 7])
async def test_what_cannot_be_said_is_told(local: Local, text: object) -> None:
    answer = await local.act(DANA, HOME, "say", text=text)
    assert answer["problem"]
    assert local.toy.seen == []
    assert local.chat.latest(HOME, DANA) == ()


# Retries -----------------------------------------------------------------------------------


async def test_the_same_key_again_changes_nothing(local: Local) -> None:
    for _ in range(3):
        assert await local.act(DANA, direct(DANA), "say", KEY, text="Hello") == {}
    assert len(local.toy.seen) == 1
    assert len(local.chat.latest(direct(DANA), DANA)) == 2


async def test_a_repeat_while_the_first_is_under_way_waits_for_it(local: Local) -> None:
    answers = await asyncio.gather(*(local.act(DANA, HOME, "say", KEY, text="/plc steps") for _ in range(4)))
    assert len(local.toy.seen) == 1
    assert len({json.dumps(answer) for answer in answers}) == 1


async def test_after_a_restart_the_same_key_writes_nothing_twice(tmp_path: Path) -> None:
    for _ in range(2):
        toy = Toy()
        workspace = connect(tmp_path / "chat.sqlite", toy.answer, ToyHost())
        app = web.Application()
        workspace.add_routes(app)
        await workspace.start()
        seed(workspace.chat)
        async with TestClient(TestServer(app)) as client:
            address = path_of(DANA, direct(DANA), "say")
            await client.post(address, json={"key": str(KEY), "text": "Hello"})
            assert len(workspace.chat.latest(direct(DANA), DANA)) == 2
            assert toy.seen[0].key == f"local:{KEY}"
        await workspace.stop()


async def test_what_failed_may_be_tried_again_under_its_key(local: Local, caplog: pytest.LogCaptureFixture) -> None:
    local.toy.fail = True
    answer = await local.act(DANA, HOME, "say", KEY, text="/plc help")
    assert "Something went wrong" in answer["problem"]
    assert "RuntimeError" in caplog.text
    assert "secret" not in caplog.text
    local.toy.fail = False
    assert await local.act(DANA, HOME, "say", KEY, text="/plc help") == {}
    assert len(local.toy.seen) == 2


async def test_an_act_without_a_key_is_refused(local: Local) -> None:
    response = await local.client.post(path_of(DANA, HOME, "say"), json={"text": "x"})
    assert response.status == 400
    assert "Reload the page" in (await response.json())["problem"]
    for body in ("[]", "not json"):
        response = await local.client.post(
            path_of(DANA, HOME, "say"), data=body, headers={"Content-Type": "application/json"}
        )
        assert response.status == 400


# Buttons and forms -------------------------------------------------------------------------


async def test_a_press_replaces_a_card_that_one_person_sees(local: Local) -> None:
    message = await post(local.workspace, direct(DANA), TAP, uuid4())
    await local.act(DANA, direct(DANA), "press", message=message, action="toy.coming")
    assert local.toy.seen[0].intent == Press(SentAction.of("toy.coming"))
    html = await local.read(DANA, direct(DANA))
    assert "You are coming." in html
    assert html.count("<article") == 1


async def test_a_press_replaces_ones_own_notice(local: Local) -> None:
    await local.act(DANA, HOME, "say", text="/plc tap")
    (notice,) = local.chat.latest(HOME, DANA)
    await local.act(DANA, HOME, "press", message=str(notice.id), action="toy.coming")
    assert [message.id for message in local.chat.latest(HOME, DANA)] == [notice.id]


@pytest.mark.parametrize("message", ["shared", "999", None])
async def test_a_shared_card_is_never_replaced_for_one_person(local: Local, message: str | None) -> None:
    shared = await post(local.workspace, HOME, TAP, uuid4())
    await local.act(DANA, HOME, "press", message=shared if message == "shared" else message, action="toy.coming")
    assert "You are coming." in await local.read(DANA, HOME)
    assert "You are coming." not in await local.read(LEE, HOME)
    assert "Are you coming?" in await local.read(LEE, HOME)


async def test_a_form_is_filled_refused_and_sent(local: Local) -> None:
    opened = await local.act(DANA, HOME, "say", text="/plc steps")
    assert "Plan a meeting" in opened["form"]
    wrong = await local.act(
        DANA, HOME, "submit", action="toy.dates", values={"topic": ["wrong"], "notes": [""]}, message=""
    )
    assert wrong == {"errors": {"topic": "Choose another topic.", "whole": "Nothing was saved."}}
    step = await local.act(
        DANA, HOME, "submit", action="toy.dates", values={"topic": ["right"], "notes": [""]}, message=""
    )
    assert "Check the dates" in step["form"]
    sent = local.toy.seen[-1].intent
    assert sent == Submit(SentAction.of("toy.dates"), {"topic": ("right",), "notes": ("",)})
    await local.act(DANA, HOME, "submit", action="toy.done", values={}, message="")
    assert "Saved toy.done." in await local.read(DANA, HOME)


@pytest.mark.parametrize("body", [{}, {"action": ""}, {"action": "x" * 300}, {"action": "a", "message": "b"}])
async def test_a_press_that_is_none_of_ours(local: Local, body: dict[str, str]) -> None:
    assert (await local.act(DANA, HOME, "press", None, **body))["problem"]
    assert local.toy.seen == []


async def test_a_form_without_values_is_refused(local: Local) -> None:
    assert (await local.act(DANA, HOME, "submit", action="toy.done"))["problem"]


# Who may be where --------------------------------------------------------------------------


async def test_who_is_not_in_a_channel_neither_reads_nor_writes(local: Local) -> None:
    await local.act(DANA, HOME, "say", text="Among us")
    assert "Among us" not in await local.read(RUTH, HOME)
    assert "Among us" not in await (await local.get(RUTH, HOME)).text()
    assert (await local.get(RUTH, HOME, "earlier", before="99")).status == 400
    assert (await local.get(RUTH, HOME, "people")).status == 400
    for verb in ("say", "press", "submit", "people", "leave"):
        assert "not in this channel" in (await local.act(RUTH, HOME, verb, text="x"))["problem"]


async def test_nobody_opens_anothers_direct_conversation(local: Local) -> None:
    await local.act(DANA, direct(DANA), "say", text="Between us")
    assert (await local.get(LEE, direct(DANA))).status == 302
    assert (await local.sync(LEE, direct(DANA))) == {"epoch": "", "change": 0}
    assert (await local.act(LEE, direct(DANA), "say", text="x"))["problem"]


async def test_an_unknown_person_is_led_to_the_choice(local: Local) -> None:
    response = await local.get("nobody", HOME)
    assert (response.status, response.headers["Location"]) == (302, path_of("nobody"))
    response = await local.get("nobody")
    assert (response.status, response.headers["Location"]) == (302, "/")
    assert (await local.act("nobody", HOME, "say", text="x"))["problem"]


async def test_an_odd_id_has_a_page(local: Local) -> None:
    response = await local.get(RUTH)
    assert response.headers["Location"] == "/as/U-3%2Fodd%20id/c/direct"
    page = await (await local.get(RUTH, direct(RUTH))).text()
    assert "Ruth Okafor" in page


async def test_joining_and_leaving_are_told_to_the_product(local: Local) -> None:
    await local.act(RUTH, HOME, "join")
    assert RUTH in local.chat.channel(HOME).members
    answer = await local.act(RUTH, HOME, "leave")
    assert answer == {"go": path_of(RUTH, direct(RUTH))}
    assert RUTH not in local.chat.channel(HOME).members
    assert [(type(request.intent), request.who.user) for request in local.toy.seen] == [
        (Arrived, RUTH),
        (Departed, RUTH),
    ]
    assert local.toy.seen[0].place.conversation == HOME


async def test_people_are_added_each_with_their_own_arrival(local: Local) -> None:
    created = await local.do(LEE, "channels", key=KEY, values={"name": ["#New-Cohort"]})
    channel = created["go"].rsplit("/", 1)[1]
    assert local.chat.channel(channel).members == (LEE,)
    assert local.chat.channel(channel).name == "new-cohort"
    answer = await local.act(LEE, channel, "people", KEY, values={"users": [DANA, RUTH, "nobody"]})
    assert answer == {"said": "Added: Dana Reyes, Ruth Okafor."}
    assert local.chat.channel(channel).members == (LEE, DANA, RUTH)
    assert {request.who.user for request in local.toy.seen} == {DANA, RUTH}
    assert len({request.key for request in local.toy.seen}) == 2
    assert all(isinstance(request.intent, Arrived) for request in local.toy.seen)
    assert (await local.act(LEE, channel, "people", values={"users": []}))["problem"]


async def test_a_channel_is_made_once_and_its_name_is_checked(local: Local) -> None:
    first = await local.do(LEE, "channels", key=KEY, values={"name": ["new"]})
    assert await local.do(LEE, "channels", key=KEY, values={"name": ["new"]}) == first
    assert "already there" in (await local.do(LEE, "channels", values={"name": ["new"]}))["errors"]["name"]
    for name in ("", "a b", "-a", "a--b", "x" * 61, "a_b", "<b>"):
        assert "small letters" in (await local.do(LEE, "channels", values={"name": [name]}))["errors"]["name"]


async def test_the_direct_conversation_cannot_be_joined_left_or_filled(local: Local) -> None:
    for verb in ("join", "leave", "people"):
        assert (await local.act(DANA, direct(DANA), verb, values={"users": [LEE]}))["problem"]
    assert (await local.get(DANA, direct(DANA), "people")).status == 404
    assert local.toy.seen == []


# What a page learns ------------------------------------------------------------------------


async def test_a_page_shows_the_last_messages_and_fetches_earlier_ones(local: Local) -> None:
    for number in range(PAGE + 1):
        draft = Draft(HOME, START, f"n{number}", author=LEE, text=f"number {number};")
        local.chat.write(draft)
    page = await (await local.get(DANA, HOME)).text()
    assert "number 0;" not in page
    assert f"number {PAGE};" in page
    first = local.chat.latest(HOME, DANA)[0].id
    earlier = await (await local.get(DANA, HOME, "earlier", before=str(first))).json()
    assert "number 0;" in earlier["messages"][0]["html"]
    assert not earlier["more"]


async def test_a_page_asks_only_for_what_changed(local: Local) -> None:
    message = await post(local.workspace, HOME, Card("First"), uuid4())
    seen = (await local.sync(DANA, HOME))["change"]
    assert (await local.sync(DANA, HOME, seen))["messages"] == []
    await local.act(DANA, HOME, "say", text="/plc help")
    after = await local.sync(DANA, HOME, seen)
    (notice,) = after["messages"]
    assert notice["id"] > int(message)
    await local.act(DANA, HOME, "dismiss", message=notice["id"])
    assert (await local.sync(DANA, HOME, after["change"]))["messages"] == [{"id": notice["id"], "html": None}]


async def test_unread_counts_go_when_the_page_was_seen(local: Local) -> None:
    message = await post(local.workspace, direct(DANA), Card("For Dana"), uuid4())
    news = await local.sync(DANA, HOME)
    assert news["unread"] == 1
    assert "1 unread" in news["conversations"]
    await local.act(DANA, direct(DANA), "read", message=message)
    assert (await local.sync(DANA, HOME))["unread"] == 0
    assert (await local.act(DANA, HOME, "read", message="x"))["problem"]


async def test_times_are_in_the_viewers_zone(local: Local) -> None:
    await post(local.workspace, HOME, Card("Hello"), uuid4())
    assert ">2:30 PM<" in await local.read(DANA, HOME)
    assert ">1:30 PM<" in await local.read(LEE, HOME)
    assert "Thu Nov 12, 2026, 1:30 PM MST" in (await local.sync(LEE, HOME))["clock"]


async def test_an_open_page_is_told_of_changes_and_let_go(local: Local) -> None:
    async with local.client.ws_connect(f"{path_of(DANA)}/live") as socket:
        # The page is listening only once the server's side has been set up.
        while not local.workspace._hub._pages:
            await asyncio.sleep(0)
        await post(local.workspace, HOME, Card("Hello"), uuid4())
        assert await socket.receive_str() == "changed"
        local.workspace._hub.close()
        while (message := await socket.receive()).type is WSMsgType.TEXT:
            pass
        assert message.type in (WSMsgType.CLOSE, WSMsgType.CLOSED)
    local.workspace._hub.open()


async def test_the_first_page_names_everybody_and_says_what_it_is(local: Local) -> None:
    page = await (await local.client.get("/")).text()
    assert all(person.name in page for person in PEOPLE)
    assert "Example — not real people, not DESE policy" in page
    local.host.cast = ()
    assert "The example is being set up" in await (await local.client.get("/")).text()


async def test_hostile_names_are_only_text(local: Local) -> None:
    bad = LocalPerson("<img src=x>@example.org", '"><script>alert(1)</script>', "<b>mentee</b>", "UTC")
    local.host.cast = (*PEOPLE, bad)
    local.chat.add_member(HOME, bad.user)
    await local.act(bad.user, HOME, "say", text="</p><script>alert(2)</script>")
    pages = [
        await (await local.client.get("/")).text(),
        await (await local.get(bad.user, HOME)).text(),
        (await (await local.get(DANA, HOME, "people")).json())["form"],
        await local.read(DANA, HOME),
    ]
    for page in pages:
        assert "<script>" not in page
        assert "<img src=x" not in page
        assert "<b>mentee" not in page


async def test_unknown_files_and_moves_are_not_found(local: Local) -> None:
    assert (await local.client.get("/static/web.py")).status == 404
    assert (await local.client.get("/static/..%2Fweb.py")).status == 404
    response = await local.client.post(f"{path_of(DANA)}/clock/back", json={"key": str(KEY)})
    assert response.status == 404


# The clock ---------------------------------------------------------------------------------


async def test_the_clock_moves_once_for_a_key(local: Local) -> None:
    for _ in range(2):
        answer = await local.do(DANA, "clock", "forward", key=KEY, hours="24")
        assert answer == {"said": "It is now Fri Nov 13, 2026, 2:30 PM CST."}
    assert local.host.time == START + timedelta(days=1)
    for hours in ("0", "-1", "x", "9000"):
        assert (await local.do(DANA, "clock", "forward", hours=hours))["problem"]


async def test_the_next_due_moment_is_said(local: Local) -> None:
    answer = await local.do(LEE, "clock", "next")
    assert answer["said"] == ("Done: the reminder one day before the meeting. It is now Fri Nov 13, 2026, 1:30 PM MST.")
    local.host.due = False
    assert "Nothing is due" in (await local.do(LEE, "clock", "next"))["said"]
    assert "Nothing is due." in (await local.sync(LEE, HOME))["clock"]


async def test_starting_over_empties_the_chat_and_seeds_it_again(local: Local) -> None:
    await local.act(DANA, HOME, "say", text="Soon forgotten")
    before = (await local.sync(DANA, HOME))["epoch"]
    answer = await local.do(DANA, "clock", "reset")
    assert answer["go"] == path_of(DANA)
    assert local.host.resets == 1
    news = await local.sync(DANA, HOME)
    assert news["epoch"] != before
    assert news["messages"] == []


async def test_zones_are_named_as_people_call_them(local: Local) -> None:
    first = await (await local.client.get("/")).text()
    page = await (await local.get(DANA, "home")).text()
    for html in (first, page):
        assert "Central Time" in html
        assert "America/" not in html
