"""A coordinator moves one mentee to another policy: never silently without their track, nor where they are already."""

from __future__ import annotations

from datetime import date, timedelta

from handlers.core.actions import SentAction
from handlers.core.forms import ChoiceField, Form
from handlers.core.requests import Submit
from program.record.english import describe
from storage.record import enrolments, policies
from storage.record.enrolments import Enrolment
from tests.completion import approved
from tests.handlers.record.test_settling import disputes_newest
from tests.handlers.scenes import lines, steps, whole
from tests.world import Person, World, everybody_on, said

MISSOURI_TITLE = "Missouri DESE counselor mentoring program, version 2018"


def enrolment_of(world: World, who: Person) -> Enrolment:
    with world.database.read() as tx:
        enrolment = enrolments.of_person(tx, who.id)
    assert enrolment is not None
    return enrolment


def adopted(world: World, *, tracks: bool = True, starts: date = date(2026, 9, 1)) -> None:
    """Another version of the example, complete, with the same tracks or with others."""
    text = policies.shipped(policies.EXAMPLE).text.replace('version = "1"', 'version = "9"', 1)
    if not tracks:
        text = text.replace('id = "part-time"\nname = "Part-time"', 'id = "half"\nname = "Half"')
    with world.database.write() as tx:
        policies.adopt(world.work(tx), text, starts, None)


async def change_form(carol: Person) -> Form:
    form = (await carol.presses(await carol.sends("person dana reyes"), "Change policy")).form
    assert form is not None
    return form


async def test_a_mentee_is_moved_by_name_with_a_reason(world: World, dana: Person, carol: Person) -> None:
    adopted(world)
    reply = await carol.fills(await change_form(carol), policy="example/9", reason="asked")
    assert "is now on Example, not DESE policy, version 9." in said(reply)
    assert "changed your requirements to Example, not DESE policy, version 9." in world.to(dana)[-1].text
    assert lines(world, dana)[0].detail == {"from": policies.EXAMPLE, "to": "example/9"}
    assert whole(world)


async def test_the_policies_are_named_as_people_know_them(world: World, carol: Person) -> None:
    (policy, _) = (await change_form(carol)).fields
    assert isinstance(policy, ChoiceField)
    assert [option.label for option in policy.options] == [f"{MISSOURI_TITLE} (12 values not set)"]


async def test_a_policy_with_unset_values_is_asked_about_first(world: World, dana: Person, carol: Person) -> None:
    step = await carol.fills(await change_form(carol), policy=policies.MISSOURI, reason="asked")
    assert "12 values are not set in this policy. Dana Reyes can't complete the program until" in said(step)
    assert steps(world, dana) == []
    assert f"is now on {MISSOURI_TITLE}." in said(await carol.fills(step.form))
    assert steps(world, dana) == [("policy", "moved")]
    assert "already" in said(await carol.fills(step.form))


async def test_whoever_is_on_a_policy_already_is_not_moved_to_it(world: World, dana: Person, carol: Person) -> None:
    refused = await carol.fills(await change_form(carol), policy=policies.EXAMPLE, reason="asked")
    assert refused.errors == {"policy": "Dana Reyes is on Example, not DESE policy, version 1 already."}
    assert steps(world, dana) == []


async def test_a_track_that_the_policy_lacks_is_asked_for(world: World, dana: Person, carol: Person) -> None:
    adopted(world, tracks=False)
    with world.database.write() as tx:
        everybody_on(tx, policies.EXAMPLE, track="part-time")
    step = await carol.fills(await change_form(carol), policy="example/9", reason="asked")
    assert "This policy doesn't have the track “Part-time”. Choose Dana Reyes's track." in said(step)
    assert steps(world, dana) == []
    assert (await carol.fills(step.form)).errors == {"track": "Choose the track."}
    await carol.fills(step.form, track="half")
    assert enrolment_of(world, dana).track == "half"
    assert steps(world, dana) == [("policy", "moved"), ("enrolment", "changed")]
    assert "doesn't have this track" not in said(await dana.sends("progress"))
    assert whole(world)


async def test_somebody_without_a_track_in_the_new_policy_has_none(world: World, dana: Person, carol: Person) -> None:
    adopted(world, tracks=False)
    with world.database.write() as tx:
        everybody_on(tx, policies.EXAMPLE, track="part-time")
    step = await carol.fills(await change_form(carol), policy="example/9", reason="asked")
    await carol.fills(step.form, track="none")
    assert enrolment_of(world, dana).track == ""


async def test_a_certificate_stays_under_its_policy(world: World, dana: Person, carol: Person) -> None:
    await approved(world, carol)
    refused = await carol.presses(await carol.sends("person dana reyes"), "Change policy")
    assert "Dana Reyes has a certificate, which stays under Example" in said(refused)
    forged = await carol.does_press("records.policy", str(dana.id))
    assert said(forged) == said(refused)
    assert "Example" in describe(enrolment_of(world, dana).policy)


async def test_a_move_back_is_no_correction_while_the_track_is_lost(world: World, dana: Person, carol: Person) -> None:
    adopted(world, tracks=False)
    with world.database.write() as tx:
        everybody_on(tx, policies.EXAMPLE, track="part-time")
    step = await carol.fills(await change_form(carol), policy="example/9", reason="asked")
    await carol.fills(step.form, track="none")
    await disputes_newest(dana, "requirements of ")
    world.clock.at += timedelta(minutes=1)
    back = await carol.fills(await change_form(carol), policy=policies.EXAMPLE, reason="asked")
    assert "Dana Reyes was on the track “Part-time” when this policy last applied to them. Check the track." in said(
        back
    )
    assert back.form is not None
    await carol.fills(back.form, track="none")
    assert steps(world, dana)[-1] == ("policy", "moved"), "the dispute is still open: the track is not back"


async def test_a_move_back_restores_the_track_and_settles_the_dispute(
    world: World, dana: Person, carol: Person
) -> None:
    adopted(world, tracks=False)
    with world.database.write() as tx:
        everybody_on(tx, policies.EXAMPLE, track="part-time")
    step = await carol.fills(await change_form(carol), policy="example/9", reason="asked")
    await carol.fills(step.form, track="none")
    await disputes_newest(dana, "requirements of ")
    world.clock.at += timedelta(minutes=1)
    back = await carol.fills(await change_form(carol), policy=policies.EXAMPLE, reason="asked")
    await carol.fills(back.form)
    assert enrolment_of(world, dana).track == "part-time"
    assert steps(world, dana)[-1] == ("dispute", "settled")
    assert whole(world)


async def test_nobody_is_moved_to_a_policy_that_applies_later(world: World, dana: Person, carol: Person) -> None:
    adopted(world, starts=date(2030, 1, 1))
    refused = await carol.fills(await change_form(carol), policy="example/9", reason="asked")
    assert "applies from Tue Jan 1, 2030. Mentees can't move to it before that day." in refused.errors["policy"]
    forged = await carol.does(Submit(SentAction("records.policy.confirm", (str(dana.id), "example/9", "asked")), {}))
    assert "applies from Tue Jan 1, 2030" in said(forged)
    assert steps(world, dana) == []


async def test_the_page_says_what_was_changed_in_words(world: World, dana: Person, carol: Person) -> None:
    adopted(world, tracks=False)
    with world.database.write() as tx:
        everybody_on(tx, policies.EXAMPLE, track="part-time")
    assert "Track: Part-time" in said(await carol.sends("person dana reyes"))
    step = await carol.fills(await change_form(carol), policy="example/9", reason="better")
    await carol.fills(step.form, track="none")
    page = said(await carol.sends("person dana reyes"))
    assert "Policy: moved to Example, not DESE policy, version 9 (it fits the mentee better)" in page
    assert "Enrollment: track changed from part time to none" in page
