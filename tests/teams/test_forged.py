"""Another channel of the Bot Framework, or a client who chooses whom it speaks for, is never taken for Teams."""

from __future__ import annotations

from typing import Any

import pytest

from handlers.core.requests import AccountKey
from tests.fakes.teams import BOT, DANA, TENANT, FakeTeams, SigningKey
from tests.teams.conftest import Bot, Start


@pytest.fixture(scope="module")
def other_key() -> SigningKey:
    """A key of the Bot Framework for other channels than Teams."""
    return SigningKey("direct-line", endorsements=["directline", "webchat"])


@pytest.mark.parametrize("channel", ["directline", "webchat", "emulator", "MSTEAMS", "msteams ", "", None])
async def test_an_activity_of_another_channel_is_refused(bot: Bot, channel: str | None) -> None:
    activity = bot.dana.says("progress") | {"channelId": channel}

    assert (await bot.dana.send(activity))[0] == 403
    assert bot.toy.asked == []


async def test_an_activity_of_no_channel_is_refused(bot: Bot) -> None:
    activity = bot.dana.says("progress")
    del activity["channelId"]

    assert (await bot.dana.send(activity))[0] == 403


@pytest.mark.parametrize("channel", ["msteams", "directline"])
async def test_a_token_under_another_channels_key_is_refused(bot: Bot, other_key: SigningKey, channel: str) -> None:
    bot.fake.keys.append(other_key)
    activity = bot.dana.says("progress") | {"channelId": channel}

    assert (await bot.dana.send(activity, bot.fake.token(key=other_key)))[0] == 403
    assert bot.toy.asked == []


async def test_a_key_that_says_nothing_of_channels_is_refused(bot: Bot) -> None:
    unnamed = SigningKey("unnamed", endorsements=None)
    bot.fake.keys.append(unnamed)

    assert (await bot.dana.send(bot.dana.says("progress"), bot.fake.token(key=unnamed)))[0] == 403


@pytest.mark.parametrize(
    "sender",
    [
        {**DANA.account(), "id": "dl_0123"},
        {**DANA.account(), "id": "28:another-bot"},
        {"id": DANA.id, "name": DANA.name},
        {**DANA.account(), "aadObjectId": "dana"},
        {**DANA.account(), "aadObjectId": [DANA.object_id]},
    ],
    ids=str,
)
async def test_a_sender_without_teams_own_ids_is_refused(bot: Bot, sender: dict[str, Any]) -> None:
    for activity in (bot.dana.says("progress"), bot.dana.presses({"plc": {"act": "attendance.here|7"}})):
        assert (await bot.dana.send(activity | {"from": sender}))[0] == 403
    assert bot.toy.asked == []


STRANGERS = [
    {"id": "dl_1"},
    {"id": "dl_1", "aadObjectId": DANA.object_id},
    {**DANA.account(), "aadObjectId": "dana"},
    {**DANA.account(), "aadObjectId": [DANA.object_id]},
    {"name": "Dana"},
]


@pytest.mark.parametrize("stranger", [*STRANGERS, {"id": "28:another-bot"}], ids=str)
async def test_an_event_of_a_sender_without_teams_own_ids_is_refused(bot: Bot, stranger: dict[str, Any]) -> None:
    for activity in (bot.dana.installs(), bot.dana.members("membersAdded", DANA.account())):
        assert (await bot.dana.send(activity | {"from": stranger}))[0] == 403
    assert bot.toy.asked == []


@pytest.mark.parametrize("stranger", STRANGERS, ids=str)
async def test_an_event_of_somebody_without_teams_own_ids_is_refused(bot: Bot, stranger: dict[str, Any]) -> None:
    assert (await bot.dana.send(bot.dana.members("membersAdded", DANA.account(), stranger)))[0] == 403
    assert (await bot.dana.send(bot.dana.members("membersRemoved", stranger)))[0] == 403
    assert bot.toy.asked == []


@pytest.mark.parametrize("sender", [DANA.account(), {"id": DANA.id}, {"id": BOT}, None], ids=str)
async def test_an_event_as_teams_sends_it_is_taken(bot: Bot, sender: dict[str, Any] | None) -> None:
    for activity in (bot.dana.installs(), bot.dana.members("membersAdded", {"id": BOT}, {"id": DANA.id})):
        assert (await bot.dana.send(activity | {"from": sender}))[0] == 200


async def test_ids_in_capital_letters_are_the_same_account(bot: Bot) -> None:
    loud = {**DANA.account(), "aadObjectId": DANA.object_id.upper()}
    said = bot.dana.says("hi")
    for activity in (
        said,
        bot.dana.says("hi") | {"from": loud, "channelData": {"tenant": {"id": TENANT.upper()}}},
        bot.dana.installs() | {"from": loud},
        bot.dana.members("membersAdded", loud),
    ):
        assert (await bot.dana.send(activity))[0] == 200
    assert len(bot.toy.asked) == 4
    assert {asked.who for asked in bot.toy.asked} == {AccountKey("teams", TENANT, DANA.object_id)}


async def test_an_old_button_of_a_strange_sender_is_refused_without_an_answer(bot: Bot) -> None:
    pressed = bot.dana.presses({"plc": {"act": "?"}}) | {"from": {"id": "dl_0123"}}

    assert (await bot.dana.send(pressed))[0] == 403
    assert bot.fake.messages == {}


@pytest.mark.parametrize("recipient", ["28:another", DANA.id, BOT.removeprefix("28:")])
async def test_an_activity_to_another_bot_is_refused(bot: Bot, recipient: str) -> None:
    for activity in (bot.dana.says("progress"), bot.dana.installs()):
        assert (await bot.dana.send(activity | {"recipient": {"id": recipient}}))[0] == 403
    assert bot.toy.asked == []


async def test_a_service_url_may_differ_by_a_trailing_slash(bot: Bot, fake: FakeTeams) -> None:
    bare = fake.service_url.rstrip("/")

    assert (await bot.dana.send(bot.dana.says("hi"), fake.token(serviceurl=bare)))[0] == 200
    assert (await bot.dana.send(bot.dana.says("hi") | {"serviceUrl": bare}))[0] == 200
    assert [asked.place.reference["service_url"] for asked in bot.toy.asked] == [fake.service_url] * 2
    assert (await bot.dana.send(bot.dana.says("hi") | {"serviceUrl": f"{bare}x/"}))[0] == 401


# The test client that was let in by name --------------------------------------------------------


async def test_a_test_client_on_this_machine_may_be_of_another_channel(start: Start) -> None:
    bot = await start(test_client=True)

    assert (await bot.dana.send(bot.dana.says("hi") | {"channelId": "emulator", "from": {"id": "user-1"}}))[0] == 200
    assert len(bot.toy.asked) == 1


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Origin", "Host"])
async def test_nobody_else_comes_in_through_a_proxy_or_a_page_in_a_browser(start: Start, header: str) -> None:
    bot = await start(test_client=True)

    assert (await bot.dana.send(bot.dana.says("hi"), headers={header: "203.0.113.9"}))[0] == 403
    assert bot.toy.asked == []


async def test_a_flood_of_forged_requests_writes_one_line(bot: Bot, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(50):
        assert (await bot.dana.send(bot.dana.says("hi"), "forged"))[0] == 401

    assert len([record for record in caplog.records if "teams.unauthorized" in record.getMessage()]) == 1
