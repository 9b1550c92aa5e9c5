"""Forgetting, holds and retention, as people meet them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from handlers.requests import Press
from storage import checkins
from storage.tables import forgotten, person_key, vault_item
from tests.world import Person, World, button, said


@pytest.fixture
def dana(world: World) -> Person:
    return world.matched("Dana Reyes", "dana@example.org")


@pytest.fixture
def carol(world: World) -> Person:
    return world.matched("Carol Dietz", "carol@example.org")


async def answered(world: World, who: Person) -> None:
    """Through a check-in: a pulse and a reflection."""
    with world.database.read() as tx:
        at = checkins.turn_at(tx, who.id)
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
    assert "What goes, for good: your reflections and pulses" in text
    assert "What stays: your attendance and what your certificate rests on" in text
    assert "for up to 30 days" in text
    assert asked.card is not None
    do = next(
        one for block in asked.card.blocks for one in getattr(block, "buttons", ()) if one.label == "Forget it all"
    )
    assert do.confirm == "Destroy everything you wrote in confidence? Nobody can undo this."
    with world.database.read() as tx:
        assert len(tx.execute(select(vault_item)).all()) == 2
    done = await dana.presses(asked, "Forget it all")
    assert "Everything you wrote in confidence is destroyed." in said(done)
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
    assert "Nothing was changed" in said(await dana.presses(asked, "Keep it"))
    assert asked.card is not None
    world.clock.at += timedelta(hours=1, minutes=1)
    assert "That question is old" in said(await dana.presses(asked, "Forget it all"))
    for forged in ("", "x", "9" * 30, "99999999999"):
        assert "That question is old" in said(await dana.does_press("forgetting.do", forged))
    with world.database.read() as tx:
        assert len(tx.execute(select(vault_item)).all()) == 2


async def test_the_press_forgets_nobody_else(world: World, dana: Person) -> None:
    await answered(world, dana)
    lee = world.matched("Lee Okafor", "lee@example.org")
    asked = await lee.does_press("forgetting.ask")
    assert asked.card is not None
    forged = button(asked.card, "Forget it all")
    await lee.does(Press(type(forged)(forged.name, (*forged.args, str(dana.id)))))
    with world.database.read() as tx:
        assert {row.person_id for row in tx.execute(select(vault_item))} == {dana.id}


async def test_a_hold_blocks_and_is_told_and_ends(world: World, dana: Person, carol: Person) -> None:
    await answered(world, dana)
    asked = await dana.does_press("forgetting.ask")
    opened = await carol.sends("person Dana Reyes")
    form = (await carol.presses(opened, "Legal hold")).form
    assert "A legal hold is on what Dana Reyes wrote" in said(await carol.fills(form, reason="litigation"))
    assert "has a legal hold already" in said(await carol.fills(form, reason="audit"))
    refused = said(await dana.presses(asked, "Forget it all"))
    assert "A legal hold is on what you wrote (a legal dispute), since" in refused
    assert "cannot be forgotten now" in said(await dana.does_press("forgetting.ask"))
    with world.database.read() as tx:
        assert len(tx.execute(select(vault_item)).all()) == 2
    opened = await carol.sends("person Dana Reyes")
    assert "Legal hold for a legal dispute, since" in said(opened)
    assert "has ended" in said(await carol.presses(opened, "End the hold"))
    assert "has no legal hold" in said(await carol.presses(opened, "End the hold"))
    asked = await dana.does_press("forgetting.ask")
    await dana.presses(asked, "Forget it all")
    with world.database.read() as tx:
        assert tx.execute(select(vault_item)).all() == []


async def test_holds_are_for_coordinators_alone(world: World, dana: Person) -> None:
    ruth = world.matched("Ruth Ellison", "ruth@example.org")
    for who in (ruth, dana):
        for name in ("holds.new", "holds.release"):
            assert "Legal holds are for coordinators" in said(await who.does_press(name, str(dana.id)))


async def test_a_hold_on_nobody_is_refused(world: World, carol: Person) -> None:
    assert "not there" in said(await carol.does_press("holds.new", str(world.new_id())))


async def test_a_cohorts_limit_is_told_to_everybody_before_it_deletes(world: World, dana: Person) -> None:
    ruth = world.matched("Ruth Ellison", "ruth@example.org")
    await answered(world, dana)
    shown = await ruth.sends("cohort")
    assert "kept until whoever wrote it deletes it" in said(shown)
    form = (await ruth.presses(shown, "Settings")).form
    wrong = await ruth.fills(form, retention="2")
    assert "from 3 to 120" in wrong.errors["retention"]
    await ruth.fills(form, retention="3")
    assert "deleted after 3 months" in said(await ruth.sends("cohort"))
    told = world.to(dana)[-1].text
    assert "reflections and pulses are deleted 3 months after they were written, for the first time on" in told
    await world.pass_time(days=80)
    with world.database.read() as tx:
        assert len(tx.execute(select(vault_item)).all()) == 2
    await world.pass_time(days=20)
    with world.database.read() as tx:
        assert tx.execute(select(vault_item)).all() == []
    form = (await ruth.presses(await ruth.sends("cohort"), "Settings")).form
    await ruth.fills(form, retention="")
    assert "no longer deleted for its age" in world.to(dana)[-1].text
