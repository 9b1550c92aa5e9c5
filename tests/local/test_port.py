"""The port's verbs: what the delivery loop and the handlers may expect of this platform."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest

from bot.local import connect
from bot.local.local_port import account
from bot.local.messages import direct
from bot.runtime.port import Address, Outgoing, Permanent, Platform, Port
from handlers.core.cards import Card, Shown
from handlers.core.requests import Place
from tests.local.conftest import Local
from tests.local.toy import COORDINATOR, HOME, MENTEE, MENTOR, Toy, ToyHost

CHANNEL = Place("local", "local", HOME, "channel")
DELIVERY_ID = UUID(int=1)


def to(conversation: str | None = None, user: str | None = None) -> Address:
    return Address("local", "local", conversation, user)


async def test_it_is_a_platform(tmp_path: Path) -> None:
    platform: Platform = connect(tmp_path / "chat.sqlite", Toy().answer, ToyHost())
    port: Port = platform.port
    assert port.platform == "local"
    assert list(tmp_path.iterdir()) == []


async def test_a_delivery_is_posted_once_and_found(local: Local) -> None:
    port = local.workspace.port
    assert await port.find(to(HOME), DELIVERY_ID) is None
    sent = await port.post(to(HOME), Outgoing(Card("Hello"), DELIVERY_ID))
    assert await port.post(to(HOME), Outgoing(Card("Hello"), DELIVERY_ID)) == sent
    assert await port.find(to(HOME), DELIVERY_ID) == sent
    assert (await local.read(MENTEE.user, HOME)).count("Hello</h2>") == 1


async def test_a_message_to_a_person_goes_to_their_direct_conversation(local: Local) -> None:
    sent = await local.workspace.port.post(to(user=MENTEE.user), Outgoing(Card("For Dana"), DELIVERY_ID))
    assert sent.conversation == direct(MENTEE.user)
    assert "For Dana" in await local.read(MENTEE.user, direct(MENTEE.user))


async def test_an_update_shows_the_new_card_and_its_mentions(local: Local) -> None:
    port = local.workspace.port
    sent = await port.post(to(HOME), Outgoing(Card("Before"), DELIVERY_ID))
    await port.update(to(HOME), sent.message, Outgoing(Card("After"), UUID(int=2), Shown()))
    html = await local.read(MENTEE.user, HOME)
    assert "After" in html
    assert "Before" not in html


@pytest.mark.parametrize(
    "address",
    [to("nowhere"), to(direct("nobody")), to(user="nobody"), to()],
    ids=["channel", "direct", "user", "empty"],
)
async def test_an_unknown_place_is_permanent_and_says_why(local: Local, address: Address) -> None:
    with pytest.raises(Permanent, match="local workspace"):
        await local.workspace.port.post(address, Outgoing(Card("x"), DELIVERY_ID))


@pytest.mark.parametrize("message", ["999", "not a number"])
async def test_an_unknown_message_is_permanent(local: Local, message: str) -> None:
    with pytest.raises(Permanent, match="no such message"):
        await local.workspace.port.update(to(HOME), message, Outgoing(Card("x"), DELIVERY_ID))


async def test_a_profile_has_the_address_that_the_id_looks_like(local: Local) -> None:
    port = local.workspace.port
    dana = await port.profile(account(MENTEE.user), CHANNEL)
    assert (dana.name, dana.email, dana.email_confirmed, dana.member) == (MENTEE.name, MENTEE.user, True, True)
    assert dana.zone == "America/Chicago"
    ruth = await port.profile(account(COORDINATOR.user), CHANNEL)
    assert (ruth.email, ruth.email_confirmed, ruth.member) == ("", False, True)
    with pytest.raises(Permanent):
        await port.profile(account("nobody"), CHANNEL)


async def test_a_visit_enters_the_channel_and_lists_its_members(local: Local) -> None:
    visit = await local.workspace.port.visit(CHANNEL)
    assert [member.account.user for member in visit.members] == [MENTEE.user, MENTOR.user]
    assert (visit.name, visit.problem) == ("ozarks-cohort", "")
    assert local.chat.channel(HOME).bot


async def test_a_visit_elsewhere(local: Local) -> None:
    port = local.workspace.port
    assert (await port.visit(Place("local", "local", "nowhere", "channel"))).problem
    personal = await port.visit(Place("local", "local", direct(MENTEE.user), "personal"))
    assert [member.name for member in personal.members] == [MENTEE.name]


async def test_people_are_found_by_their_address(local: Local) -> None:
    profile = await local.workspace.port.find_by_email("local", " Dana@Example.org ")
    assert profile is not None
    assert profile.account.user == MENTEE.user
    assert await local.workspace.port.find_by_email("local", "") is None
    assert await local.workspace.port.find_by_email("local", "nobody@example.org") is None


async def test_the_check_names_what_fails(local: Local, tmp_path: Path) -> None:
    assert [finding.ok for finding in await local.workspace.check()] == [True]
    (tmp_path / "file").write_text("in the way")
    blocked = connect(tmp_path / "file" / "chat.sqlite", Toy().answer, ToyHost())
    (finding,) = await blocked.check()
    assert not finding.ok
    assert "writable" in finding.mend
