"""What a check-in says of what is saved: the number, who can read the words, and what stays."""

from __future__ import annotations

from datetime import date

from sqlalchemy import insert, select

from handlers.checkins.saved import SAVED
from handlers.core.plain_cards import plain
from storage.checkins.checkins_tables import checkin, figure
from storage.privacy import holds
from storage.vault.vault_tables import vault_item
from tests.handlers.checkins.test_reflections import next_checkin, shared, written
from tests.handlers.checkins.test_typed import kinds, replaced
from tests.handlers.people.elsewhere import second_account
from tests.world import Person, Posted, World, buttons_of, said

RUTH = "Ruth Ellison"


def newest(world: World, person: Person) -> Posted:
    """The message of somebody's newest check-in, as it is now."""
    return next(
        posted
        for posted in reversed(world.to(person))
        if any(button.action.name.startswith("checkins.") for button in buttons_of(posted.card))
        or "check-in" in posted.text
    )


def labels(posted: Posted) -> list[str]:
    return [shown.label for shown in buttons_of(posted.card)]


def checkin_of(world: World, person: Person) -> str:
    with world.database.read() as tx:
        query = select(checkin.c.id).where(checkin.c.person_id == person.id).order_by(checkin.c.opened_at.desc())
        return str(tx.scalars(query).first())


# The number -------------------------------------------------------------------------------------


async def test_a_number_is_shown_in_a_form_to_its_account_alone(world: World, dana: Person, lee: Person) -> None:
    await next_checkin(world, dana)
    asked = newest(world, dana)
    assert "Show my number" not in labels(asked)
    reply = await dana.presses(asked, "3")
    assert said(reply).startswith("Check-in\nSaved. I show your number only to you.")
    assert "Saved. I show your number only to you." in asked.text
    form = (await dana.presses(asked, "Show my number")).form
    assert form is not None
    assert form.confidential
    assert form.submit is None
    assert "You answered 3 in the check-in of" in said(await dana.presses(asked, "Show my number"))
    assert "can't find" in said(await lee.does_press("checkins.number", checkin_of(world, dana)))
    assert "can't find" in said(await lee.does_press("checkins.retract", checkin_of(world, dana)))
    other = replaced(world, dana)
    for name in ("checkins.number", "checkins.retract"):
        assert "can't find" in said(await other.does_press(name, checkin_of(world, dana)))
    assert kinds(world) == ["pulse"]


async def test_who_declined_deletes_a_number_where_the_card_and_the_list_show_it(world: World, dana: Person) -> None:
    await next_checkin(world, dana)
    asked = newest(world, dana)
    await dana.presses(asked, "3")
    await dana.presses(await dana.sends("privacy"), "Decline")
    assert "Your number from 1 to 5 is still saved." in asked.text
    assert labels(asked) == ["Show my number", "Delete my number"]
    numbers = (await dana.presses(await dana.sends("reflections"), "My numbers")).replace
    assert numbers is not None
    assert "You answered 3" in said(await dana.presses(numbers, "Show my number"))
    after = await dana.presses(numbers, "Delete my number")
    assert "Your number is deleted." in said(after)
    assert "No number is saved with this account." in said(after)
    assert kinds(world) == []
    assert labels(asked) == []
    assert "My numbers" not in said(await dana.sends("reflections"))


async def test_what_is_said_of_a_deleted_number_counts_the_other_accounts_too(world: World, dana: Person) -> None:
    await next_checkin(world, dana)
    asked = newest(world, dana)
    elsewhere = second_account(world, dana)
    await dana.presses(asked, "3")
    await elsewhere.does_press("checkins.pulse", checkin_of(world, dana), "4")
    deleted = said(await elsewhere.does_press("checkins.retract", checkin_of(world, dana)))
    assert "You saved a number for this check-in with another account too" in deleted
    assert "No group figures count it" not in deleted
    assert "No group figures count it" in said(await dana.presses(asked, "Delete my number"))
    assert kinds(world) == []


async def test_after_a_number_the_numbers_are_shown_on_request_alone(world: World, dana: Person, ruth: Person) -> None:
    await next_checkin(world, dana)
    asked = newest(world, dana)
    await dana.presses(asked, "3")
    own = ["Show my number", "Delete my number", "Change my number"]
    others = ["Write or change", "Ask my mentor to reach out"]
    assert labels(asked) == [*own, *others]
    assert "You can change your answer until" in asked.text
    again = (await dana.presses(asked, "Change my number")).replace
    assert again is not None
    assert [shown.label for shown in buttons_of(again)] == ["1 hard", "2", "3", "4", "5 great", *others]
    assert "Saved." in plain(again), "the number stays until another is tapped"
    changed = (await dana.presses(again, "5 great")).replace
    assert changed is not None
    assert [shown.label for shown in buttons_of(changed)] == [*own, *others]
    assert "You answered 5" in said(await dana.presses(asked, "Show my number"))


async def test_nobody_opens_the_numbers_of_another_or_after_the_close(world: World, dana: Person, lee: Person) -> None:
    await next_checkin(world, dana)
    asked = newest(world, dana)
    await dana.presses(asked, "3")
    for name in ("checkins.change", "consent.read"):
        assert "can't find" in said(await lee.does_press(name, checkin_of(world, dana)))
    await world.pass_time(days=8)
    assert "closed" in said(await dana.does_press("checkins.change", checkin_of(world, dana)))


async def test_a_typed_number_posts_no_second_check_in(world: World, dana: Person) -> None:
    await next_checkin(world, dana)
    asked = newest(world, dana)
    reply = await dana.types("3")
    assert reply.card is not None
    assert [shown.label for shown in buttons_of(reply.card)] == ["Show my number", "Delete my number"]
    assert said(reply).startswith("Saved. I show your number only to you.")
    assert "Saved. I show your number only to you." in asked.text, "its own message is brought up to date"


async def test_a_number_is_taken_back(world: World, dana: Person) -> None:
    await next_checkin(world, dana)
    asked = newest(world, dana)
    await dana.presses(asked, "1 hard")
    reply = await dana.presses(asked, "Delete my number")
    assert "Your number is deleted. No group figures count it." in said(reply)
    assert kinds(world) == []
    assert "How are things going?" in asked.text
    assert "Show my number" not in labels(asked)
    assert "No number is saved" in said(await dana.does_press("checkins.retract", checkin_of(world, dana)))
    await dana.presses(asked, "4")
    assert kinds(world) == ["pulse"], "another one can be tapped"


async def test_a_number_is_taken_back_after_its_figures_were_made(world: World, dana: Person) -> None:
    await next_checkin(world, dana)
    asked = newest(world, dana)
    await dana.presses(asked, "1 hard")
    await world.pass_time(days=8)
    assert "This check-in is closed" in asked.text
    assert labels(asked) == ["Show my number", "Delete my number"], "it is too late to change it"
    with world.database.write() as tx:
        row = {"month": date(2026, 9, 1), "place": "others", "name": "The program", "members": 9, "reserved": 0}
        tx.execute(insert(figure).values(id=world.new_id(), mood="", at=world.clock.at, **row))
    told = said(await dana.presses(asked, "Delete my number"))
    assert "The group figures of September 2026 were made before that, and may count it." in told
    assert kinds(world) == []
    assert "You don't need to do anything." in asked.text


async def test_a_legal_hold_keeps_the_number(world: World, dana: Person) -> None:
    await next_checkin(world, dana)
    asked = newest(world, dana)
    await dana.presses(asked, "2")
    with world.database.write() as tx:
        holds.put_on(world.work(tx), dana.id, "audit", None)
    assert "legal hold" in said(await dana.presses(asked, "Delete my number"))
    assert kinds(world) == ["pulse"]


async def test_who_replaced_an_account_sees_no_answer_of_the_earlier_one(world: World, dana: Person) -> None:
    await next_checkin(world, dana)
    await dana.presses(newest(world, dana), "2")
    answer = await replaced(world, dana).sends("checkin")
    assert "No check-in is open" in said(answer), "nor that there was one"
    assert "Show my number" not in said(answer)


# Who can read it --------------------------------------------------------------------------------


async def test_the_card_says_that_a_mentor_sees_an_earlier_version(world: World, dana: Person, ruth: Person) -> None:
    await written(world, dana)
    asked = newest(world, dana)
    assert SAVED in asked.text
    await shared(dana)
    assert f"Saved. You shared it with {RUTH}. I show it to no one else." in asked.text
    await world.pass_time(minutes=1)
    told = said(await dana.keeps("And a word more."))
    earlier = f"Saved. {RUTH} can read an earlier version that you shared, without what you changed since."
    assert earlier in told
    assert earlier in asked.text
    form = (await dana.presses(asked, "Write or change")).form
    assert form is not None
    assert f"{RUTH} can read an earlier version" in said(await dana.presses(asked, "Write or change"))
    assert earlier in said(await dana.fills(form, **{form.fields[0].id: "Other words"}))
    await shared(dana)
    assert f"You shared it with {RUTH}." in asked.text
    await world.pass_time(days=8)
    assert f"You shared it with {RUTH}." in asked.text, "a closed check-in says it too"
    await dana.presses(await dana.sends("reflections"), f"Stop sharing with {RUTH}")
    assert SAVED in asked.text


async def test_saving_the_same_words_makes_no_earlier_version(world: World, dana: Person, ruth: Person) -> None:
    await written(world, dana)
    await shared(dana)
    await world.pass_time(minutes=1)
    asked = newest(world, dana)
    form = (await dana.presses(asked, "Write or change")).form
    assert f"You shared it with {RUTH}." in said(await dana.fills(form))
    assert "You changed it since." not in said(await dana.sends("reflections"))


async def test_the_card_is_brought_up_to_date_when_the_mentor_leaves(
    world: World, dana: Person, ruth: Person, carol: Person
) -> None:
    await written(world, dana)
    await shared(dana)
    asked = newest(world, dana)
    assert RUTH in asked.text
    record = await carol.sends(f"person {RUTH}")
    assert record.card is not None
    end = next(shown.label for shown in buttons_of(record.card) if "mentor" in shown.label)
    await carol.presses(record, end)
    assert RUTH not in asked.text


# What stays -------------------------------------------------------------------------------------


async def test_emptying_the_form_says_all_that_stays(world: World, dana: Person) -> None:
    await written(world, dana)
    asked = newest(world, dana)
    await dana.presses(asked, "2")
    await dana.types("words that wait")
    form = (await dana.presses(asked, "Write or change")).form
    assert form is not None
    told = said(await dana.fills(form, **{form.fields[0].id: ""}))
    assert told.startswith("Your words aren't saved. Your number from 1 to 5 is still saved. What you typed into")
    assert "unless you keep it." in told
    assert kinds(world) == ["pulse", "waiting"]
    await dana.presses(asked, "Delete my number")
    form = (await dana.presses(asked, "Write a reflection")).form
    with world.database.write() as tx:
        tx.execute(vault_item.delete())
    assert said(await dana.fills(form)) == "Nothing is saved for this check-in now."
