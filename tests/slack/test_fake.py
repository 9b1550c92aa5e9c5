"""The fake Slack itself: it refuses what Slack refuses, and fails only when told to."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest

from tests.fakes.slack import BOT_TOKEN, TEAM, FakeSlack, Fault, SlackPerson, SocketWire, sign, words
from tests.fakes.slack_blocks import message_problems, view_problems
from tests.slack.conftest import DANA, HOME

Json = dict[str, Any]


def text(words: str, kind: str = "plain_text") -> Json:
    return {"type": kind, "text": words}


def button(**more: Any) -> Json:
    return {"type": "button", "action_id": "a", "text": text("Go"), **more}


def block(kind: str, **more: Any) -> Json:
    return {"type": kind, **more}


def field(**element: Any) -> Json:
    return block("input", block_id="i", label=text("Label"), element={"action_id": "x", **element})


def modal(*blocks: Json, **more: Any) -> Json:
    return {"type": "modal", "title": text("Title"), "submit": text("Send"), "blocks": list(blocks), **more}


OPTION = {"text": text("One"), "value": "1"}
RICH = block("rich_text", elements=[{"type": "rich_text_section", "elements": [{"type": "text", "text": "x"}]}])


def rich(part: Json) -> Json:
    return block("rich_text", elements=[{"type": "rich_text_section", "elements": [part]}])


def chart(**more: Any) -> Json:
    drawn = {
        "type": "bar",
        "series": [{"name": "n", "data": [{"label": "May", "value": 1}]}],
        "axis_config": {"categories": ["May"]},
    }
    return block("data_visualization", title="t", chart={**drawn, **more})


def test_good_blocks_are_accepted() -> None:
    assert message_problems([block("header", text=text("Hi")), RICH, chart(), block("divider")]) == []


@pytest.mark.parametrize(
    "blocks",
    [
        [],
        [RICH] * 51,
        [block("unheard_of")],
        [field(type="plain_text_input")],
        [block("divider", block_id="b"), block("divider", block_id="b")],
        [block("divider", block_id="b" * 256)],
        [block("header", text=text("x" * 151))],
        [block("header", text=text("x", "mrkdwn"))],
        [block("header", text=text(""))],
        [block("section")],
        [block("section", text=text("x" * 3001))],
        [block("section", fields=[text("x")] * 11)],
        [block("section", fields=[text("x" * 2001)])],
        [block("section", text={**text("x", "mrkdwn"), "emoji": True})],
        [block("context", elements=[])],
        [block("context", elements=[text("x")] * 11)],
        [block("context", elements=["x"])],
        [block("actions", elements=[])],
        [block("actions", elements=[button(action_id=str(n)) for n in range(26)])],
        [block("actions", elements=[button(), button()])],
        [block("actions", elements=[button(text=text("x" * 76))])],
        [block("actions", elements=[button(value="x" * 2001)])],
        [block("actions", elements=[button(url="javascript:x")])],
        [block("actions", elements=[button(style="default")])],
        [block("actions", elements=[button(action_id="a" * 256)])],
        [block("actions", elements=[{"type": "image"}])],
        [
            block(
                "actions",
                elements=[button(confirm={"title": text("x"), "text": text("x" * 301), "confirm": text("y")})],
            )
        ],
        [block("rich_text", elements=[])],
        [block("rich_text", elements=[{"type": "rich_text_list", "elements": []}])],
        [block("rich_text", elements=[{"type": "text", "text": "x"}])],
        [rich({"type": "text", "text": ""})],
        [rich({"type": "text", "text": "x", "emoji": True})],
        [rich({"type": "link", "url": "nowhere"})],
        [rich({"type": "user", "user_id": "dana"})],
        [rich({"type": "date", "timestamp": 1.5, "format": "{date}"})],
        [block("table", rows=[])],
        [block("table", rows=[[{"type": "raw_text", "text": "x"}], []])],
        [block("table", rows=[[{"type": "raw_text", "text": ""}]])],
        [block("table", rows=[[{"type": "raw_text", "text": "x" * 10_001}]])],
        [block("table", rows=[[{"type": "raw_text", "text": "x"}]])] * 2,
        [chart()] * 3,
        [chart(type="donut")],
        [chart(series=[])],
        [chart(axis_config={"categories": ["June"]})],
        [chart(axis_config={"categories": ["x" * 21]})],
        [chart(type="pie", segments=[])],
        [chart(type="pie", segments=[{"label": "a", "value": 0}])],
        [chart(type="pie", segments=[{"label": "a", "value": 1}] * 2)],
        [{**chart(), "title": "x" * 51}],
        [rich({"type": "text", "text": "x" * 11_001})],
    ],
)
def test_what_slack_refuses_in_a_message(blocks: list[Json]) -> None:
    assert message_problems(blocks)


@pytest.mark.parametrize(
    "view",
    [
        "view",
        {"type": "page"},
        modal(),
        modal(RICH, title=text("x" * 25)),
        modal(RICH, submit=text("x" * 25)),
        modal(RICH, private_metadata="x" * 3001),
        modal(RICH, callback_id="x" * 256),
        modal(RICH, hash="1"),
        modal(chart()),
        {**modal(field(type="plain_text_input")), "submit": text("x", "mrkdwn")},
        {name: part for name, part in modal(field(type="plain_text_input")).items() if name != "submit"},
        {"type": "home", "blocks": [field(type="plain_text_input")]},
        modal(field(type="plain_text_input", max_length=3001)),
        modal(field(type="plain_text_input", max_length=2, initial_value="xxx")),
        modal(field(type="plain_text_input", action_id="")),
        modal({**field(type="plain_text_input"), "hint": text("x" * 2001)}),
        modal(field(type="static_select", options=[])),
        modal(field(type="static_select", options=[OPTION] * 101)),
        modal(field(type="static_select", option_groups=[{"label": text("g"), "options": []}])),
        modal(field(type="static_select", options=[{**OPTION, "text": text("x" * 76)}])),
        modal(field(type="static_select", options=[OPTION], initial_option={**OPTION, "value": "2"})),
        modal(field(type="checkboxes", options=[OPTION] * 11)),
        modal(field(type="checkboxes", options=[{**OPTION, "value": "x" * 151}])),
        modal(field(type="datepicker", initial_date="1.12.2026")),
        modal(field(type="timepicker", initial_time="3 PM")),
        modal(field(type="number_input")),
        modal(field(type="slider")),
    ],
    ids=str,
)
def test_what_slack_refuses_in_a_view(view: object) -> None:
    assert view_problems(view)


async def api(fake: FakeSlack, method: str, token: str = BOT_TOKEN, **arguments: Any) -> Json:
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(f"{fake.api_url}{method}", json=arguments) as response,
    ):
        said: Json = await response.json()
        return said


async def test_it_answers_like_slack(fake: FakeSlack) -> None:
    assert (await api(fake, "auth.test"))["team_id"] == TEAM
    assert (await api(fake, "auth.test", token="other"))["error"] == "invalid_auth"
    assert (await api(fake, "no.such"))["error"] == "unknown_method"
    assert (await api(fake, "chat.postMessage", channel="C404", text="x"))["error"] == "channel_not_found"
    assert (await api(fake, "chat.postMessage", channel=HOME))["error"] == "no_text"
    refused = await api(fake, "chat.postMessage", channel=HOME, text="x", blocks=[block("unheard_of")])
    assert (refused["error"], refused["errors"]) == (
        "invalid_blocks",
        ["unheard_of is not a block of a message"],
    )
    fake.revoked = True
    assert (await api(fake, "auth.test"))["error"] == "token_revoked"


async def test_a_message_is_kept_and_its_metadata_shown_on_request(fake: FakeSlack) -> None:
    metadata = {"event_type": "x", "event_payload": {"id": "1"}}
    chat = (await api(fake, "conversations.open", users=DANA))["channel"]["id"]
    await api(fake, "chat.postMessage", channel=chat, text="Hello", metadata=metadata)

    with_it = await api(fake, "conversations.history", channel=chat, include_all_metadata=True)
    without = await api(fake, "conversations.history", channel=chat)

    assert with_it["messages"][0]["metadata"] == metadata
    assert "metadata" not in without["messages"][0]


async def test_a_trigger_is_good_for_one_modal(fake: FakeSlack) -> None:
    trigger = fake.trigger(DANA)

    assert (await api(fake, "views.open", trigger_id=trigger, view=modal(RICH)))["ok"]
    assert (await api(fake, "views.open", trigger_id=trigger, view=modal(RICH)))["error"] == "exchanged_trigger_id"
    late = fake.trigger(DANA)
    fake.expire_triggers()
    assert (await api(fake, "views.open", trigger_id=late, view=modal(RICH)))["error"] == "expired_trigger_id"


async def test_three_modals_stack_and_no_more(fake: FakeSlack) -> None:
    errors = [
        (await api(fake, "views.push", trigger_id=fake.trigger(DANA), view=modal(RICH))).get("error") for _ in range(4)
    ]

    assert errors == [None, None, None, "push_limit_reached"]


async def test_a_fault_happens_once_and_after_the_work(fake: FakeSlack) -> None:
    fake.fail("chat.postMessage", Fault(drop=True), Fault(error="fatal_error", after=False))

    with pytest.raises(aiohttp.ClientError):
        await api(fake, "chat.postMessage", channel=HOME, text="one")
    assert (await api(fake, "chat.postMessage", channel=HOME, text="two"))["error"] == "fatal_error"
    assert (await api(fake, "chat.postMessage", channel=HOME, text="three"))["ok"]

    assert [message["text"] for message in fake.messages(HOME)] == ["one", "three"]


async def test_an_envelope_waits_for_its_acknowledgement(fake: FakeSlack) -> None:
    async with aiohttp.ClientSession() as session, session.ws_connect(f"{fake.base_url}/link") as socket:
        assert (await socket.receive_json())["type"] == "hello"
        sending = asyncio.create_task(SocketWire(fake).command({"text": "x"}))
        envelope = await socket.receive_json()
        await socket.send_json({"envelope_id": envelope["envelope_id"], "payload": {"text": "y"}})
        assert (await sending).body == {"text": "y"}


async def test_a_person_cannot_do_what_the_screen_does_not_offer(fake: FakeSlack) -> None:
    dana = SlackPerson(fake, SocketWire(fake), DANA)
    message = {"ts": "1.1", "blocks": [block("actions", elements=[button()])]}

    with pytest.raises(AssertionError, match="no button 'Stop'"):
        dana.press_payload("Stop", message, HOME)
    await api(fake, "views.open", trigger_id=fake.trigger(DANA), view=modal(field(type="plain_text_input")))
    with pytest.raises(AssertionError, match="no fields"):
        dana.submission_payload(y="1")
    with pytest.raises(AssertionError, match="x is required"):
        dana.submission_payload()


def test_a_signature_depends_on_body_time_and_secret() -> None:
    signatures = {sign(body, secret, at)["X-Slack-Signature"] for body in "ab" for secret in "st" for at in (1, 2)}

    assert len(signatures) == 8
    assert words([{"text": {"text": "Hi"}}]) == "Hi"
