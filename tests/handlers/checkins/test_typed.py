"""What is typed into the chat while a check-in is open: done, offered, answered, or kept if its author wants."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from handlers.checkins.checkins import find_answers
from handlers.core.actions import SentAction
from handlers.core.calls import Call
from handlers.core.requests import Press
from program.privacy.privacy_settings import PrivacySettings
from storage.checkins import checkins, consent
from storage.checkins.checkins import CheckIn
from storage.checkins.checkins_tables import checkin
from storage.checkins.reflections import Answers
from storage.outbox.outbox_tables import due_moment
from storage.people import account_links
from storage.people.people_tables import account
from storage.privacy import holds
from storage.schema import metadata
from storage.vault.vault_tables import vault_item
from tests.handlers.checkins.test_reflections import next_checkin
from tests.handlers.people.elsewhere import second_account
from tests.world import Person, World, button, buttons_of, said

SECRET = "CANARY-5512"
OFFER = "Should I keep that as part of your check-in reflection?"
GONE = "I don't have those words"


def kinds(world: World) -> list[str]:
    with world.database.read() as tx:
        return sorted(tx.scalars(select(vault_item.c.kind)))


def typed_words(world: World, person: Person) -> str:
    """What the reflection of somebody's newest check-in holds of what they typed."""
    with world.database.read() as tx:
        rows = tx.execute(select(vault_item).where(vault_item.c.kind == "reflection"))
        texts = [world.vault.open(tx, row.id, row.account_id) or "" for row in rows if row.person_id == person.id]
    return "".join(texts)


@pytest.mark.parametrize(
    "text",
    ["thanks!", "Thank you so much", "ok thanks", "Great, thank you!", "thanks, see you tomorrow", "hello", "ok", "👍"],
)
async def test_small_talk_is_answered_and_never_offered(world: World, dana: Person, text: str) -> None:
    await next_checkin(world, dana)
    reply = await dana.types(text)
    assert reply.card is not None
    assert buttons_of(reply.card) == []
    assert kinds(world) == []


async def test_a_misspelled_command_of_others_is_refused_and_never_offered(world: World, dana: Person) -> None:
    await next_checkin(world, dana)
    reply = await dana.types("attendence")
    assert said(reply).startswith("“attendance” is only for coordinators and mentors")
    assert kinds(world) == []


@pytest.mark.parametrize(("word", "left"), [("yes", ["reflection"]), ("No thanks.", []), ("keep it", ["reflection"])])
async def test_a_typed_yes_or_no_answers_the_question(world: World, dana: Person, word: str, left: list[str]) -> None:
    await next_checkin(world, dana)
    await dana.types("I had a hard week with the schedule")
    await dana.types(word)
    assert kinds(world) == left


async def test_a_typed_yes_to_two_questions_asks_for_the_buttons(world: World, dana: Person) -> None:
    await next_checkin(world, dana)
    await dana.types("I had a hard week with the schedule")
    await dana.types("And nobody came to the second meeting of the day")
    assert "Please use the buttons" in said(await dana.types("yes"))
    assert kinds(world) == ["waiting", "waiting"]


@pytest.mark.parametrize(
    ("text", "button"),
    [("pause until dec 25", "snooze"), ("stop", "checkins"), ("unsubscribe", "checkins"), ("I'm here", "next")],
)
async def test_a_request_in_other_words_is_offered_as_its_command(
    world: World, dana: Person, text: str, button: str
) -> None:
    await next_checkin(world, dana)
    reply = await dana.types(text)
    assert reply.card
    assert button in [shown.label for shown in buttons_of(reply.card)]
    assert kinds(world) == []


async def test_chatter_without_an_open_checkin_is_answered_too(world: World, dana: Person) -> None:
    assert said(await dana.types("thanks!")) == "You’re welcome!"
    assert "One of these may help." in said(await dana.types("what time do we meet?"))
    assert "Did you mean one of these?" in said(await dana.types("progres"))
    assert "I don't know that command." in said(await dana.types("I had a hard day"))
    assert kinds(world) == []


async def test_a_misspelled_command_is_offered(world: World, dana: Person) -> None:
    await next_checkin(world, dana)
    reply = await dana.types("progres")
    assert "Did you mean one of these?" in said(reply)
    assert "I didn't save what you typed." in said(reply)
    assert "Year 1" in said(await dana.presses(reply, "progress"))
    assert kinds(world) == []


async def test_a_misspelled_command_with_a_date_is_run(world: World, dana: Person) -> None:
    await next_checkin(world, dana)
    assert "No check-ins until" in said(await dana.types("snoze until tomorrow"))
    assert "Check-ins are off" in said(await dana.types("chekins off"))
    assert kinds(world) == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("snooze until Dec 25", "No check-ins until Fri Dec 25, 2026."),
        ("Snooze until next Friday!", "No check-ins until Fri Sep 11, 2026."),
        ("snooze 2 weeks", "No check-ins until"),
        ("snooze until Aug 1, 2026", "Sat Aug 1, 2026 is past. Choose a later day."),
        ("snooze until yesterday", "is past. Choose a later day."),
        ("snooze until today", "That is today. Choose a later day."),
        ("snooze until Feb 30", "I can't read that as a date. For example: snooze until Dec 1"),
        ("snooze until I feel better", "I can't read that as a date."),
        ("snooze until Dec 25, 2030", "A pause can last up to a year."),
        ("snooze", "Until when? For example: snooze until Dec 1"),
    ],
)
async def test_a_date_is_read_or_told_to_be_past_or_unreadable(
    world: World, dana: Person, text: str, told: str
) -> None:
    await next_checkin(world, dana)
    assert told in said(await dana.types(text))
    assert kinds(world) == []


async def test_a_question_is_led_to_a_command(world: World, dana: Person) -> None:
    await next_checkin(world, dana)
    reply = await dana.types("what time do we meet?")
    assert [shown.label for shown in buttons_of(reply.card)] == ["next"] if reply.card else False
    assert kinds(world) == []
    assert OFFER in said(await dana.types("Why does nobody ever ask how I am?"))
    offered = await dana.types("when is the next meeting")
    assert OFFER in said(offered), "no question mark, so it may be words of hers"
    assert offered.card is not None
    assert [shown.label for shown in buttons_of(offered.card)] == ["next", "Keep as my reflection", "No"]


@pytest.mark.parametrize("declined", [False, True])
async def test_without_a_check_in_words_about_a_command_lead_to_it(world: World, dana: Person, declined: bool) -> None:
    if declined:
        await dana.presses(await dana.sends("privacy"), "Decline")
    reply = await dana.types("when is the next meeting")
    assert reply.card is not None
    assert [shown.label for shown in buttons_of(reply.card)] == ["next"]
    assert kinds(world) == []


async def test_words_that_may_ask_for_a_leave_offer_it_beside_the_question(world: World, dana: Person) -> None:
    await next_checkin(world, dana)
    offered = await dana.types("I want to leave")
    assert offered.card is not None
    assert [shown.label for shown in buttons_of(offered.card)] == ["Keep as my reflection", "No", "leave"]
    assert (await dana.presses(offered, "leave")).form is not None


async def test_help_me_is_help_and_the_question_says_where_to_turn_in_a_crisis(world: World, dana: Person) -> None:
    await next_checkin(world, dana)
    assert said(await dana.types("help me")).startswith("What I can do")
    assert kinds(world) == []
    crisis = f"In a crisis: {PrivacySettings().crisis}."
    assert crisis in said(await dana.types("I can't go on"))


@pytest.mark.parametrize("text", ["3", "3!", "three", "3/5"])
async def test_a_number_alone_is_the_pulse(world: World, dana: Person, text: str) -> None:
    await next_checkin(world, dana)
    assert "Saved." in said(await dana.types(text))
    with world.database.read() as tx:
        (item,) = tx.execute(select(vault_item))
        assert item.kind == "pulse"
        assert world.vault.open(tx, item.id, item.account_id) == "3"
        assert tx.scalar(select(checkin.c.answered_at).where(checkin.c.person_id == dana.id)) is not None
    await dana.types("5")
    assert kinds(world) == ["pulse"], "a later number replaces it"


async def test_another_number_is_refused_in_a_sentence(world: World, dana: Person) -> None:
    await next_checkin(world, dana)
    assert "Use a number from 1 to 5" in said(await dana.types("7"))
    assert kinds(world) == []


async def test_other_words_are_kept_where_their_author_wants(world: World, dana: Person) -> None:
    await next_checkin(world, dana)
    reply = await dana.types(f"{SECRET} was my week")
    assert OFFER in said(reply)
    assert "This chat itself keeps what you typed." in said(reply)
    assert SECRET not in said(reply)
    assert kinds(world) == ["waiting"]
    with world.database.read() as tx:
        assert tx.scalar(select(checkin.c.answered_at).where(checkin.c.person_id == dana.id)) is None
    kept = await dana.presses(reply, "Keep as my reflection")
    assert "Saved." in said(kept)
    assert kinds(world) == ["reflection"]
    await dana.keeps("And more.")
    assert f"{SECRET} was my week\\n\\nAnd more." in typed_words(world, dana)
    assert GONE in said(await dana.presses(reply, "Keep as my reflection")), "kept once"
    assert "Undone" in said(await dana.presses(await dana.keeps("And again."), "Undo"))
    assert "And again." not in typed_words(world, dana)


async def test_no_destroys_the_words(world: World, dana: Person) -> None:
    await next_checkin(world, dana)
    reply = await dana.types(SECRET)
    assert "I deleted it." in said(await dana.presses(reply, "No"))
    assert kinds(world) == []
    assert GONE in said(await dana.presses(reply, "Keep as my reflection"))
    assert GONE in said(await dana.presses(reply, "No"))


async def test_words_without_a_choice_are_destroyed_within_a_day_as_the_card_says(world: World, dana: Person) -> None:
    await next_checkin(world, dana)
    await world.pass_time(minutes=17)
    reply = await dana.types(SECRET)
    typed_at = world.clock.at
    assert "If you choose neither, I delete it on" in said(reply)
    with world.database.read() as tx:
        until = tx.scalar(select(due_moment.c.due_at).where(due_moment.c.kind == "checkins.expire"))
    assert until is not None
    assert typed_at < until <= typed_at + timedelta(days=1)
    assert f"{until.astimezone().minute:02}" == "00"
    await world.go_to(until - timedelta(seconds=1))
    assert kinds(world) == ["waiting"]
    await world.go_to(until)
    assert kinds(world) == []
    assert GONE in said(await dana.presses(reply, "Keep as my reflection"))


async def test_words_past_their_time_cannot_be_kept_though_the_moment_is_late(world: World, dana: Person) -> None:
    await next_checkin(world, dana)
    reply = await dana.types(SECRET)
    world.clock.at += timedelta(days=1)
    assert GONE in said(await dana.presses(reply, "Keep as my reflection"))
    assert typed_words(world, dana) == ""
    with world.database.write() as tx:
        tx.execute(update(due_moment).where(due_moment.c.kind == "checkins.expire").values(state="failed"))
    await world.pass_time(days=1)
    assert kinds(world) == [], "the daily look destroys what its own moment did not"


async def test_words_do_not_outlive_their_check_in(world: World, dana: Person) -> None:
    await next_checkin(world, dana)
    await world.pass_time(days=6, hours=20)
    reply = await dana.types(SECRET)
    with world.database.read() as tx:
        closes = tx.scalar(select(checkin.c.closes_at))
        assert tx.scalar(select(due_moment.c.due_at).where(due_moment.c.kind == "checkins.expire")) == closes
    await world.pass_time(hours=5)
    assert kinds(world) == []
    assert GONE in said(await dana.presses(reply, "Keep as my reflection"))


async def test_the_choice_belongs_to_the_account_that_typed(world: World, dana: Person, lee: Person) -> None:
    await next_checkin(world, dana)
    reply = await dana.types(SECRET)
    assert reply.card is not None
    acts = [button(reply.card, label) for label in ("Keep as my reflection", "No")]
    refused = [said(await lee.does_press(act.name, *act.args)) for act in acts]
    replacement = replaced(world, dana)
    refused += [said(await replacement.does_press(act.name, *act.args)) for act in acts]
    assert all(GONE in answer for answer in refused)
    assert kinds(world) == ["waiting"]
    assert typed_words(world, dana) == ""


def replaced(world: World, dana: Person) -> Person:
    """Dana's new account, which replaced the one she had."""
    second = world.account("Dana Reyes", "dana@example.org", user="U-dana-2")
    with world.database.write() as tx:
        work = world.work(tx)
        account = account_links.remember(
            work,
            world.platform,
            world.tenant,
            second.user,
            name="Dana Reyes",
            email="dana@example.org",
            member=True,
            active=True,
        )
        account_links.confirm(work, account.id, dana.id, None)
    second.id = dana.id
    return second


async def test_declining_destroys_the_words_that_wait(world: World, dana: Person) -> None:
    await next_checkin(world, dana)
    reply = await dana.types(SECRET)
    await dana.presses(await dana.sends("privacy"), "Decline")
    assert kinds(world) == []
    assert GONE in said(await dana.presses(reply, "Keep as my reflection"))


async def test_declining_destroys_the_words_that_wait_from_another_account_too(world: World, dana: Person) -> None:
    await next_checkin(world, dana)
    elsewhere = second_account(world, dana)
    reply = await elsewhere.types(SECRET)
    assert kinds(world) == ["waiting"]
    await dana.presses(await dana.sends("privacy"), "Decline")
    assert kinds(world) == []
    assert GONE in said(await elsewhere.presses(reply, "Keep as my reflection"))


async def test_nothing_is_kept_of_who_declined_meanwhile(world: World, dana: Person) -> None:
    await next_checkin(world, dana)
    reply = await dana.types(SECRET)
    with world.database.write() as tx:
        consent.decide(world.work(tx), dana.id, None, consent.DECLINED)
    assert "You declined check-ins" in said(await dana.presses(reply, "Keep as my reflection"))
    assert typed_words(world, dana) == ""


async def test_a_legal_hold_keeps_no_words_that_were_never_kept(world: World, dana: Person) -> None:
    await next_checkin(world, dana)
    reply = await dana.types(SECRET)
    with world.database.write() as tx:
        holds.put_on(world.work(tx), dana.id, "audit", None)
    assert "I deleted it." in said(await dana.presses(reply, "No"))
    await dana.keeps("Kept under the hold.")
    assert kinds(world) == ["reflection"]


async def test_without_an_open_check_in_nothing_is_offered(world: World, dana: Person) -> None:
    assert "I don't know that command." in said(await dana.types("a long week it was"))
    with world.database.read() as tx:
        assert checkins.open_of(tx, dana.id, world.clock.at) is None
    assert kinds(world) == []


async def test_what_is_too_long_is_refused_in_a_sentence(world: World, dana: Person) -> None:
    await next_checkin(world, dana)
    assert "3,000 fit. I didn't save" in said(await dana.types("x " * 1501))
    first = await dana.types("y" * 2000)
    second = await dana.types("z" * 2000)
    await dana.presses(first, "Keep as my reflection")
    assert "no longer fits" in said(await dana.presses(second, "Keep as my reflection"))
    assert kinds(world) == ["reflection", "waiting"]


async def test_only_so_many_words_wait_at_once(world: World, dana: Person) -> None:
    await next_checkin(world, dana)
    for number in range(20):
        await dana.types(f"words {number} of mine")
    assert "answer my earlier questions" in said(await dana.types("and one more"))
    assert len(kinds(world)) == 20


async def test_no_plain_column_holds_words_that_wait(world: World, dana: Person) -> None:
    await next_checkin(world, dana)
    await dana.types(SECRET)
    with world.database.read() as tx:
        for table in metadata.tables.values():
            for row in tx.execute(select(table)):
                assert SECRET not in str(tuple(row)), table.name
        assert tx.scalar(select(account.c.id).where(account.c.person_id == dana.id)) is not None
    assert "Typed messages you haven't decided on" in said(await dana.sends("privacy"))


async def test_choices_at_once_lose_and_double_nothing(
    world: World, dana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each choice reads what is there before another one writes, unless they wait for each other."""
    await next_checkin(world, dana)
    cards = [(await dana.types(f"{SECRET} {number}")).card for number in range(2)]
    acts = [button(card, "Keep as my reflection") for card in cards if card is not None]
    both = threading.Barrier(2)

    def read_at_once(call: Call, checkin: CheckIn) -> Answers:
        answers = find_answers(call, checkin)
        with suppress(threading.BrokenBarrierError):
            both.wait(0 if world.database.sqlite else 1)  # SQLite has one writer
        return answers

    monkeypatch.setattr("handlers.checkins.typed.find_answers", read_at_once)
    await asyncio.gather(*(dana.tries(Press(act)) for act in acts))
    assert kinds(world) == ["reflection"]
    assert sorted(typed_words(world, dana).count(f"{SECRET} {number}") for number in range(2)) == [1, 1]


async def test_numbers_at_once_are_one_number(world: World, dana: Person) -> None:
    await next_checkin(world, dana)
    with world.database.read() as tx:
        checkin_id = str(tx.scalar(select(checkin.c.id).where(checkin.c.person_id == dana.id)))
    taps = [Press(SentAction("checkins.pulse", (checkin_id, number))) for number in "123451"]
    await asyncio.gather(*(dana.tries(tap) for tap in taps))
    assert kinds(world) == ["pulse"]


@pytest.mark.parametrize("text", ["I want to die", "i can't go on anymore", "I’m going to kill myself."])
@pytest.mark.parametrize("declined", [False, True])
async def test_a_cry_for_help_gets_the_crisis_line_at_any_time(
    world: World, dana: Person, text: str, declined: bool
) -> None:
    if declined:
        await dana.presses(await dana.sends("privacy"), "Decline")
    answer = said(await dana.types(text))
    assert answer == f"In a crisis: {PrivacySettings().crisis}. I didn't save what you typed."
    assert kinds(world) == []


async def test_an_undo_of_nothing_is_refused(world: World, dana: Person) -> None:
    await next_checkin(world, dana)
    with world.database.read() as tx:
        open_now = str(tx.scalar(select(checkin.c.id).where(checkin.c.person_id == dana.id)))
    assert "Something was saved after that" in said(await dana.does_press("checkins.undo", open_now, "0", "0"))
