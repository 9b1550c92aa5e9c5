"""What was sent before "Yes, that's me" is answered after it, or asked for again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from handlers.core.forms import ChoiceField
from handlers.core.requests import AccountKey, Profile, Reply
from storage.core.core_tables import draft
from storage.meetings import attendance
from storage.meetings.meetings_tables import meeting
from storage.people.people_tables import account
from tests.handlers.people.elsewhere import TENANT, Elsewhere
from tests.handlers.test_story import HOME, linked, scheduled
from tests.world import Person, Posted, World, said

OPEN = datetime(2026, 9, 10, 20, 20, tzinfo=UTC)  # attendance of the meeting has opened


@pytest.fixture
def dana(world: World) -> Person:
    """Somebody of the roster whose account is not linked yet."""
    return world.account("Dana Reyes", "dana@example.org")


def kept(world: World) -> list[dict[str, Any]]:
    with world.database.read() as tx:
        return list(tx.scalars(select(draft.c["values"]).where(draft.c.kind == "command")))


def present(world: World) -> int:
    """How many people the first meeting counts as present."""
    with world.database.read() as tx:
        first = tx.scalars(select(meeting.c.id).order_by(meeting.c.starts_at)).first()
        assert first is not None
        return len(attendance.of_meeting(tx, first))


async def test_a_tap_before_yes_counts_after_it(world: World, ruth: Person, dana: Person) -> None:
    await linked(world, ruth)
    await scheduled(world, ruth)
    await world.go_to(OPEN)
    question = await dana.presses(world.in_channel(HOME)[-1], "I'm here", HOME)
    assert "Is this you?" in said(question)
    assert present(world) == 0
    answer = said(await dana.presses(question, "Yes, that's me"))
    assert "Good to meet you, Dana Reyes" in answer
    assert "here" in answer
    assert "Send it again" not in answer
    assert present(world) == 1
    assert kept(world) == []


async def test_a_tap_of_another_cohort_is_refused_like_any_and_the_link_stays(world: World, ruth: Person) -> None:
    await linked(world, ruth)
    await scheduled(world, ruth)
    await world.go_to(OPEN)
    jordan = world.account("Jordan Blake", "jordan@example.org")
    question = await jordan.presses(world.in_channel(HOME)[-1], "I'm here", HOME)
    assert "not in this cohort" in said(await jordan.presses(question, "Yes, that's me"))
    assert present(world) == 0
    with world.database.read() as tx:
        assert tx.scalar(select(account.c.link).where(account.c.user == jordan.user)) == "confirmed"


async def test_check_ins_turned_off_before_yes_are_off_after_it(world: World, dana: Person) -> None:
    question = await dana.sends("checkins off")
    assert "Check-ins are off" in said(await dana.presses(question, "Yes, that's me"))
    with world.database.read() as tx:
        assert tx.scalar(select(account.c.checkins).where(account.c.user == dana.user)) is False


@pytest.mark.parametrize("text", ["snooze until Dec 25", "person Lee Okafor", "a long day with many visitors"])
@pytest.mark.parametrize("way", ["types", "sends"])
async def test_what_cannot_be_kept_is_asked_for_again(world: World, dana: Person, text: str, way: str) -> None:
    question = await getattr(dana, way)(text)
    assert not any(word in str(kept(world)) for word in ("Dec", "Lee", "long"))
    assert "Send it again." in said(await dana.presses(question, "Yes, that's me"))


@pytest.mark.parametrize("text", ["help", "hello", "Hi!"])
async def test_nothing_is_asked_for_again_after_a_greeting(world: World, dana: Person, text: str) -> None:
    assert "again" not in said(await dana.presses(await dana.types(text), "Yes, that's me"))


async def test_what_can_be_kept_is_answered_though_something_else_came_after_it(world: World, dana: Person) -> None:
    question = await dana.sends("checkins off")
    await dana.types("snooze until Dec 25")
    answer = said(await dana.presses(question, "Yes, that's me"))
    assert "Check-ins are off" in answer
    assert "Send the rest again." in answer


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("checkins.pulse", (str(uuid4()), "2")),
        ("consent.decline", ("1",)),
        ("disputes.withdraw", (str(uuid4()),)),
        ("attendance.here", ("I cry every day about it",)),
        ("command.run", ("a word; drop",)),
        ("no.such", ()),
        ("identity.keep", (str(uuid4()),)),
    ],
)
async def test_no_private_or_forged_press_is_kept(world: World, dana: Person, name: str, args: tuple[str, ...]) -> None:
    await dana.does_press(name, *args)
    assert [(row["command"], row["press"]) for row in kept(world)] == [("", "")]
    with world.database.read() as tx:
        assert tx.scalar(select(func.count()).select_from(draft)) == 1


@pytest.mark.parametrize("text", ["help", "hello", "progress", "next"])
async def test_whoever_only_asks_is_not_told_that_nothing_was_saved(world: World, carol: Person, text: str) -> None:
    nobody = world.account("Ollie Nobody", "ollie@example.com")
    for answer in (await nobody.sends(text), await nobody.types(text)):
        assert said(answer) == (
            "I can't match you to the roster yet. Ask your coordinator, Carol Dietz, to match your account."
        )
    assert "so I didn't save anything" in said(await nobody.does_press("attendance.here", str(uuid4())))


async def test_yes_after_the_coordinator_matched_somebody_else_says_what_happened(
    world: World, carol: Person, dana: Person
) -> None:
    question = await dana.sends("progress")
    other = world.account("Mallory Quinn", "mallory@example.org")
    await other.sends("help")
    form = (await carol.presses(await carol.sends("people"), "Match someone")).form
    assert form is not None
    persons, accounts = (getattr(field, "options", ()) for field in form.fields)
    person_id = next(option.value for option in persons if "Dana" in option.label)
    account_id = next(option.value for option in accounts if "Mallory" in option.label)
    await carol.fills(form, person=person_id, account=account_id)
    first = said(await dana.presses(question, "Yes, that's me"))
    assert "so I didn't link your account" in first
    for text in (first, said(await dana.presses(question, "Yes, that's me"))):
        assert "settled" not in text
        assert "Ask your coordinator, Carol Dietz" in text
    assert "Is this you?" not in said(await dana.sends("help")), "nobody is asked about somebody else's place"


# Nothing is lost in silence ---------------------------------------------------------------------


async def asked_by_a_tap(world: World, ruth: Person, dana: Person) -> Reply:
    """The question, after a tap on attendance."""
    await linked(world, ruth)
    await scheduled(world, ruth)
    await world.go_to(OPEN)
    return await dana.presses(world.in_channel(HOME)[-1], "I'm here", HOME)


async def test_a_tap_counts_where_a_coordinator_matches_the_account_before_yes(
    world: World, ruth: Person, carol: Person, dana: Person
) -> None:
    question = await asked_by_a_tap(world, ruth, dana)
    form = (await carol.presses(await carol.sends("people"), "Match someone")).form
    assert form is not None
    chosen = {
        field.id: next(option.value for option in field.options if "Dana Reyes" in option.label)
        for field in form.fields
        if isinstance(field, ChoiceField)
    }
    await carol.fills(form, **chosen)
    assert "Good to meet you, Dana Reyes" in said(await dana.presses(question, "Yes, that's me"))
    assert present(world) == 1
    assert "already decided" in said(await dana.presses(question, "Yes, that's me"))
    assert present(world) == 1


async def matched_by(carol: Person, person: str, account: str) -> None:
    """The coordinator matches an account to somebody of the roster."""
    form = (await carol.presses(await carol.sends("people"), "Match someone")).form
    assert form is not None
    persons, accounts = (field for field in form.fields if isinstance(field, ChoiceField))
    chosen = {
        field.id: next(option.value for option in field.options if name in option.label)
        for field, name in ((persons, person), (accounts, account))
    }
    await carol.fills(form, **chosen)


def offered(world: World, dana: Person) -> Posted:
    return next(posted for posted in world.to(dana) if "I know who you are now" in posted.text)


async def test_whoever_never_says_yes_answers_with_one_tap_what_they_sent_before_a_coordinator_matched_them(
    world: World, ruth: Person, carol: Person, dana: Person
) -> None:
    await asked_by_a_tap(world, ruth, dana)
    await matched_by(carol, "Dana Reyes", "Dana Reyes")
    offer = offered(world, dana)
    assert "I know who you are now: Dana Reyes. You pressed a button before that." in offer.text
    assert present(world) == 0, "nobody but its person acts for an account"
    assert "not" not in said(await dana.presses(offer, "Answer it now"))
    assert present(world) == 1
    assert "Send it again." in said(await dana.presses(offer, "Answer it now"))
    assert present(world) == 1
    assert kept(world) == []


async def test_a_command_is_offered_by_its_name(world: World, carol: Person, dana: Person) -> None:
    await dana.sends("checkins off")
    await matched_by(carol, "Dana Reyes", "Dana Reyes")
    assert "You sent checkins off before that." in offered(world, dana).text
    assert "Check-ins are off" in said(await dana.presses(offered(world, dana), "Answer it now"))


@pytest.mark.parametrize("person", ["Dana Reyes", "Lee Okafor"])
async def test_what_was_not_kept_or_was_sent_as_somebody_else_is_asked_for_again_after_matching(
    world: World, carol: Person, dana: Person, person: str
) -> None:
    await dana.sends("snooze until Dec 25" if person == "Dana Reyes" else "checkins off")
    await matched_by(carol, person, "Dana Reyes")
    assert offered(world, dana).text == (
        f"I know who you are now: {person}. I couldn't keep what you sent before that. Send it again."
    )


async def test_nothing_is_offered_to_whoever_sent_nothing(world: World, carol: Person, dana: Person) -> None:
    await dana.sends("help")
    await matched_by(carol, "Dana Reyes", "Dana Reyes")
    assert "before that" not in "".join(posted.text for posted in world.to(dana))


async def test_what_was_sent_before_a_mistaken_no_is_asked_for_again(world: World, ruth: Person, dana: Person) -> None:
    question = await asked_by_a_tap(world, ruth, dana)
    declined = (await dana.presses(question, "No")).replace
    assert declined is not None
    again = (await dana.presses(declined, "That was a mistake")).replace
    assert again is not None
    assert "I couldn't keep what you sent before that." in said(await dana.presses(again, "Yes, that's me"))
    assert (present(world), kept(world)) == (0, [])


async def test_what_was_sent_more_than_a_day_before_yes_is_asked_for_again(
    world: World, ruth: Person, dana: Person
) -> None:
    question = await asked_by_a_tap(world, ruth, dana)
    await world.pass_time(hours=25)
    assert "I couldn't keep what you sent before that." in said(await dana.presses(question, "Yes, that's me"))


async def test_each_account_has_its_own_request(world: World, dana: Person) -> None:
    elsewhere = Elsewhere(world, "U-elsewhere")
    key = AccountKey(world.platform, TENANT, elsewhere.user)
    world.port.profiles[elsewhere.user] = Profile(
        key, "Dana Reyes", email="dana@example.org", email_confirmed=True, member=True
    )
    here, there = await dana.sends("checkins off"), await elsewhere.sends("progress")
    assert "Check-ins are off" in said(await dana.presses(here, "Yes, that's me"))
    assert "Your progress" in said(await elsewhere.presses(there, "Yes, that's me"))
