"""Forgetting, holds and retention, as people meet them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from handlers.core.actions import SentAction
from handlers.core.forms import ChoiceField
from handlers.core.requests import Press, Reply
from handlers.privacy.forgetting import forget_by_operator
from storage.checkins import checkins
from storage.outbox.outbox_tables import delivery
from storage.people.people_tables import account
from storage.privacy import holds
from storage.privacy.privacy_tables import forgotten
from storage.vault.vault_tables import person_key, vault_item
from tests.world import Person, World, button, said


@pytest.fixture
def dana(world: World) -> Person:
    return world.matched("Dana Reyes", "dana@example.org")


@pytest.fixture
def carol(world: World) -> Person:
    return world.matched("Carol Dietz", "carol@example.org")


async def changes_number(world: World, who: Person, number: str) -> Reply:
    """Choose another number in the newest message."""
    numbers = (await who.presses(world.to(who)[-1], "Change my number")).replace
    assert numbers is not None
    return await who.presses(numbers, number)


async def answered(world: World, who: Person) -> None:
    """Through a check-in: a pulse and a reflection."""
    with world.database.read() as tx:
        at = checkins.next_at(tx, who.id)
    assert at is not None
    await world.go_to(at)
    asked = world.to(who)[-1]
    await who.presses(asked, "3")
    form = (await who.presses(asked, "Write or change")).form
    assert form is not None
    await who.fills(form, **{form.fields[0].id: "CANARY"})


async def test_a_person_has_it_forgotten_after_two_questions(world: World, dana: Person) -> None:
    await answered(world, dana)
    asked = await dana.does_press("forgetting.ask")
    text = said(asked)
    assert "Deleted for good: your reflections, your check-in numbers" in text
    assert "Kept: your attendance and your record" in text
    assert "for up to 30 days" in text
    assert asked.card is not None
    do = next(
        button
        for block in asked.card.blocks
        for button in getattr(block, "buttons", ())
        if button.label == "Delete it all"
    )
    assert do.confirm == "Delete everything you wrote in private? You can't undo this."
    with world.database.read() as tx:
        assert len(tx.execute(select(vault_item)).all()) == 2
    done = await dana.presses(asked, "Delete it all")
    assert "Everything you wrote in private is deleted for good." in said(done)
    with world.database.read() as tx:
        assert tx.execute(select(vault_item)).all() == []
        assert tx.execute(select(person_key)).all() == []
        assert [row.by for row in tx.execute(select(forgotten))] == [dana.id]
    checkin = world.to(dana)[-1]
    assert "How are things going?" in checkin.text, "the open check-in asks anew"
    await dana.presses(checkin, "4")
    with world.database.read() as tx:
        assert len(tx.execute(select(vault_item)).all()) == 1
        assert len(tx.execute(select(person_key)).all()) == 1


async def test_keeping_it_changes_nothing_and_an_old_question_destroys_nothing(world: World, dana: Person) -> None:
    await answered(world, dana)
    asked = await dana.does_press("forgetting.ask")
    assert "Nothing was deleted" in said(await dana.presses(asked, "Keep it"))
    assert asked.card is not None
    world.clock.at += timedelta(hours=1, minutes=1)
    assert "That button is too old" in said(await dana.presses(asked, "Delete it all"))
    for forged in ("", "x", "9" * 30, "99999999999"):
        assert "button is too old" in said(await dana.does_press("forgetting.do", forged))
    with world.database.read() as tx:
        assert len(tx.execute(select(vault_item)).all()) == 2


async def test_the_press_forgets_nobody_else(world: World, dana: Person) -> None:
    await answered(world, dana)
    lee = world.matched("Lee Okafor", "lee@example.org")
    asked = await lee.does_press("forgetting.ask")
    assert asked.card is not None
    forged = button(asked.card, "Delete it all")
    await lee.does(Press(SentAction(forged.name, (*forged.args, str(dana.id)))))
    with world.database.read() as tx:
        assert {row.person_id for row in tx.execute(select(vault_item))} == {dana.id}


async def test_a_hold_blocks_and_is_told_and_ends(world: World, dana: Person, carol: Person) -> None:
    await answered(world, dana)
    asked = await dana.does_press("forgetting.ask")
    opened = await carol.sends("person Dana Reyes")
    shown = await carol.presses(opened, "Legal hold")
    told = "During the hold, nothing Dana Reyes wrote in check-ins can be changed or deleted, even when it gets old. "
    assert told + "You can't read it. Dana Reyes can see the hold." in said(shown)
    form = shown.form
    assert form is not None
    [reasons] = form.fields
    assert isinstance(reasons, ChoiceField)
    assert all(reason.label[0].isupper() for reason in reasons.options)
    assert "A legal hold is on what Dana Reyes wrote" in said(await carol.fills(form, reason="litigation"))
    assert "has a legal hold already" in said(await carol.fills(form, reason="audit"))
    refused = said(await dana.presses(asked, "Delete it all"))
    assert "A legal hold is on what you wrote (a legal dispute), since" in refused
    assert "You can't delete this now" in said(await dana.does_press("forgetting.ask"))
    with world.database.read() as tx:
        assert len(tx.execute(select(vault_item)).all()) == 2
    opened = await carol.sends("person Dana Reyes")
    assert "Legal hold for a legal dispute, since" in said(opened)
    assert "has ended" in said(await carol.presses(opened, "End the hold"))
    assert "has no legal hold" in said(await carol.presses(opened, "End the hold"))
    asked = await dana.does_press("forgetting.ask")
    await dana.presses(asked, "Delete it all")
    with world.database.read() as tx:
        assert tx.execute(select(vault_item)).all() == []


async def test_what_is_held_is_neither_deleted_nor_replaced_and_its_author_is_told(world: World, dana: Person) -> None:
    await answered(world, dana)
    listed = await dana.sends("reflections")
    with world.database.write() as tx:
        holds.put_on(world.work(tx), dana.id, "litigation", None)
        kept = tx.execute(select(vault_item)).all()
    opened = (await dana.presses(listed, "Open")).form
    written = (await dana.presses(world.to(dana)[-1], "Write or change")).form
    assert opened is not None
    assert written is not None
    refused = [
        await dana.presses(listed, "Delete"),
        await dana.fills(opened, **{opened.fields[0].id: ""}),
        await dana.fills(opened, **{opened.fields[0].id: "Something else"}),
        await dana.fills(written, **{written.fields[0].id: "CANARYS"}),
        await changes_number(world, dana, "4"),
    ]
    for reply in refused:
        assert "A legal hold is on what you wrote (a legal dispute), since" in said(reply)
        assert "you can't change or delete it while the hold lasts" in said(reply)
    with world.database.read() as tx:
        assert tx.execute(select(vault_item)).all() == kept


async def test_what_is_held_can_be_added_to_and_after_the_hold_be_deleted(world: World, dana: Person) -> None:
    await answered(world, dana)
    with world.database.write() as tx:
        holds.put_on(world.work(tx), dana.id, "litigation", None)
    typed = await dana.keeps("And this.")
    assert "Saved." in said(typed)
    assert "A legal hold" in said(await dana.presses(typed, "Undo"))
    await changes_number(world, dana, "3")  # the number that is there already
    listed = await dana.sends("reflections")
    form = (await dana.presses(listed, "Open")).form
    assert form is not None
    assert "Saved." in said(await dana.fills(form, **{form.fields[0].id: "CANARY \r\n and more"}))
    with world.database.write() as tx:
        holds.release(world.work(tx), dana.id, None)
    await dana.presses(listed, "Delete")
    with world.database.read() as tx:
        assert [row.kind for row in tx.execute(select(vault_item))] == ["pulse"]


async def test_whom_the_operator_has_forgotten_is_told_what_went_and_what_stays(world: World, dana: Person) -> None:
    await answered(world, dana)
    with world.database.write() as tx:
        assert forget_by_operator(world.work(tx), dana.id) == (2, True)
    await world.settle()
    told = next(message.text for message in world.to(dana) if "Your private data is deleted" in message.text)
    assert "The operator of this program deleted everything you wrote in private" in told
    assert "Deleted for good: your reflections, your check-in numbers" in told
    assert "Kept: your attendance and your record" in told
    assert "for up to 30 days" in told
    assert "CANARY" not in told


async def test_who_has_no_account_any_more_is_sent_nothing(world: World, dana: Person) -> None:
    await answered(world, dana)
    with world.database.write() as tx:
        tx.execute(account.update().values(active=False))
        assert forget_by_operator(world.work(tx), dana.id) == (2, False)
        assert tx.execute(select(delivery).where(delivery.c.kind == "forgotten")).all() == []


async def test_holds_are_for_coordinators_alone(world: World, dana: Person) -> None:
    ruth = world.matched("Ruth Ellison", "ruth@example.org")
    for who in (ruth, dana):
        for name in ("holds.new", "holds.release"):
            assert "Only coordinators can manage legal holds" in said(await who.does_press(name, str(dana.id)))


async def test_a_hold_on_nobody_is_refused(world: World, carol: Person) -> None:
    assert "can't find" in said(await carol.does_press("holds.new", str(world.new_id())))


async def test_a_new_limit_deletes_nothing_for_fourteen_days(world: World, dana: Person) -> None:
    ruth = world.matched("Ruth Ellison", "ruth@example.org")
    await answered(world, dana)
    await world.pass_time(days=200)
    form = (await ruth.presses(await ruth.sends("cohort"), "Settings")).form
    await ruth.fills(form, retention="3")
    for days, left in ((13, 2), (2, 0)):
        await world.pass_time(days=days)
        with world.database.read() as tx:
            assert len(tx.execute(select(vault_item)).all()) == left


async def test_a_cohorts_limit_is_told_to_everybody_before_it_deletes(world: World, dana: Person) -> None:
    ruth = world.matched("Ruth Ellison", "ruth@example.org")
    await answered(world, dana)
    shown = await ruth.sends("cohort")
    assert "kept until the person who wrote it deletes it" in said(shown)
    form = (await ruth.presses(shown, "Settings")).form
    wrong = await ruth.fills(form, retention="2")
    assert "from 3 to 120" in wrong.errors["retention"]
    await ruth.fills(form, retention="3")
    assert "deleted after 3 months" in said(await ruth.sends("cohort"))
    told = world.to(dana)[-1].text
    assert (
        "reflections and pulses are deleted 3 months after they were written. The first ones will be deleted on"
    ) in told
    await world.pass_time(days=80)
    with world.database.read() as tx:
        assert len(tx.execute(select(vault_item)).all()) == 2
    await world.pass_time(days=20)
    with world.database.read() as tx:
        assert tx.execute(select(vault_item)).all() == []
    form = (await ruth.presses(await ruth.sends("cohort"), "Settings")).form
    await ruth.fills(form, retention="")
    assert "no longer delete old check-in answers" in world.to(dana)[-1].text
