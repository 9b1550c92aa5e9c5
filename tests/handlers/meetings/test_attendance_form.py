"""Attendance person by person, when several people have the form open."""

from __future__ import annotations

import pytest

from handlers.core.forms import ChoiceField, Form
from handlers.core.requests import Reply, Submit
from program.meetings.attendance import Entry, marks
from storage.meetings import meetings
from tests.handlers.record.test_corrections import corrections, disputed
from tests.handlers.scenes import MEETING_ENDS, absent, field, lines, message, steps, whole
from tests.handlers.test_story import HOME, linked, scheduled
from tests.world import Person, World, buttons_of, said


async def ended(world: World, ruth: Person) -> None:
    """A meeting has ended, and nobody is marked."""
    await linked(world, ruth)
    await scheduled(world, ruth)
    await world.go_to(MEETING_ENDS)


async def form_of(who: Person, button: str = "Person by person") -> Form:
    """The attendance form of the last meeting, as somebody opens it."""
    form = (await who.presses(await who.sends("attendance", HOME), button)).form
    assert form is not None
    return form


async def marks_all(ruth: Person, **statuses: str) -> Reply:
    form = await form_of(ruth)
    names = {"dana": "Dana Reyes", "lee": "Lee Okafor", "sam": "Sam Whitfield"}
    return await ruth.fills(form, **{field(form, names[who]): status for who, status in statuses.items()})


def statuses(world: World, who: Person) -> list[tuple[str, str, int | None]]:
    return [(line.step, line.status, line.minutes) for line in lines(world, who) if line.kind == "attendance"]


async def test_an_older_form_does_not_undo_a_correction_that_settled_a_dispute(
    world: World, ruth: Person, dana: Person, lee: Person, carol: Person
) -> None:
    await ended(world, ruth)
    await marks_all(ruth, dana="absent", lee="absent", sam="present")
    older = await form_of(ruth, "Correct")
    form = (await dana.sends("dispute")).form
    assert isinstance(form, Form)
    record = form.fields[0]
    assert isinstance(record, ChoiceField)
    await dana.fills(form, record=record.options[0].value, readers="mentor", text="I was there.")
    correction = (await carol.presses(message(world, carol, "A record is disputed"), "Correct it")).form
    await carol.fills(correction, **{field(correction, "Dana Reyes"): "present", "reason": "wrong_person"})
    assert steps(world, dana)[-1] == ("dispute", "settled")

    await ruth.fills(older, **{field(older, "Lee Okafor"): "present", "reason": "wrong_person"})
    assert statuses(world, dana)[-1] == ("corrected", "present", None)
    assert statuses(world, lee)[-1] == ("corrected", "present", None)
    assert whole(world)


async def test_a_record_that_was_changed_meanwhile_is_not_changed_by_an_older_form(
    world: World, ruth: Person, dana: Person, lee: Person, carol: Person
) -> None:
    await ended(world, ruth)
    await marks_all(ruth, dana="absent", lee="absent", sam="present")
    older = await form_of(ruth, "Correct")
    newer = await form_of(carol, "Correct")
    await carol.fills(newer, **{field(newer, "Dana Reyes"): "present", "reason": "wrong_person"})
    mine = field(older, "Dana Reyes")
    refused = await ruth.fills(
        older, **{mine: "excused", field(older, "Lee Okafor"): "excused", "reason": "told_later"}
    )
    assert refused.errors == {
        mine: "Dana Reyes's attendance was changed after you opened this form. It now says: present. "
        "Close the form and open it again."
    }
    assert statuses(world, lee) == [("confirmed", "absent", None)]
    there_and_back = await form_of(carol, "Correct")
    await carol.fills(there_and_back, **{field(there_and_back, "Dana Reyes"): "absent", "reason": "wrong_person"})
    refused = await ruth.fills(older, **{mine: "excused", "reason": "told_later"})
    assert mine in refused.errors, "it says the same again, and was changed twice"


async def test_a_form_from_before_anybody_was_marked_gets_its_errors_at_a_field_that_it_has(
    world: World, ruth: Person, dana: Person, lee: Person, carol: Person
) -> None:
    await ended(world, ruth)
    older = await form_of(carol)
    await marks_all(ruth, dana="absent")
    mine = field(older, "Dana Reyes")
    refused = await carol.fills(older, **{mine: "present", field(older, "Lee Okafor"): "present"})
    assert set(refused.errors) == {mine}
    assert "It now says: absent." in refused.errors[mine]
    same = await carol.fills(older, **{mine: "absent", field(older, "Lee Okafor"): "present"})
    assert said(same) == "Saved. 1 person still needs an answer."
    assert statuses(world, dana) == [("confirmed", "absent", None)]
    assert statuses(world, lee) == [("confirmed", "present", None)]


@pytest.mark.parametrize("approver", ["mentor", "coordinator"])
async def test_the_minutes_do_not_correct_what_was_confirmed_meanwhile(
    world: World, ruth: Person, dana: Person, carol: Person, approver: str
) -> None:
    corrections(world, f'[corrections]\napprover = "{approver}"\nreasons = {{ typo = "A slip of the pen" }}\n')
    await ended(world, ruth)
    minutes = (await marks_all(ruth, dana="partial")).form
    assert minutes is not None
    form = await form_of(carol)
    await carol.fills(form, **{field(form, "Dana Reyes"): "present"})
    refused = said(await ruth.fills(minutes, **{minutes.fields[0].id: "10"}))
    assert "Dana Reyes's attendance was changed after you opened this form. It now says: present." in refused
    assert "Nothing is saved." in refused
    assert statuses(world, dana) == [("confirmed", "present", None)]


async def test_the_minutes_of_somebody_who_was_partly_there_are_corrected(
    world: World, ruth: Person, dana: Person, carol: Person
) -> None:
    await ended(world, ruth)
    minutes = (await marks_all(ruth, dana="partial")).form
    assert minutes is not None
    await ruth.fills(minutes, **{minutes.fields[0].id: "10"})
    form = (await dana.sends("dispute")).form
    assert form is not None
    record = form.fields[0]
    assert isinstance(record, ChoiceField)
    assert "partly there, 10 minutes" in record.options[0].label
    await dana.fills(form, record=record.options[0].value, readers="mentor", text="It was 50 minutes.")
    correction = (await carol.presses(message(world, carol, "A record is disputed"), "Correct it")).form
    assert correction is not None
    mine = correction.fields[0]
    assert isinstance(mine, ChoiceField)
    assert [option.label for option in mine.options] == [
        "Present",
        "Partly there, 10 minutes",
        "Other minutes",
        "Excused",
        "Absent",
    ]
    assert said(await carol.fills(correction, reason="wrong_person")).startswith("Nothing changed.")
    for typed, answer in (("10", "Nothing changed."), ("50", "Saved.")):
        step = (await carol.fills(correction, **{mine.id: "minutes", "reason": "wrong_person"})).form
        assert step is not None
        assert said(await carol.fills(step, **{step.fields[0].id: typed})).startswith(answer)
    assert statuses(world, dana) == [("confirmed", "partial", 10), ("corrected", "partial", 50)]
    assert "The record now says: partly there, 50 minutes." in world.to(dana)[-1].text


async def test_what_is_saved_is_not_emptied_and_nothing_is_said_to_be_saved(
    world: World, ruth: Person, dana: Person
) -> None:
    await ended(world, ruth)
    await marks_all(ruth, dana="present")
    form = await form_of(ruth)
    assert {field.label: field.optional for field in form.fields if isinstance(field, ChoiceField)} == {
        "Dana Reyes": False,
        "Lee Okafor": True,
        "Sam Whitfield": True,
        "Why (only for a correction)": True,
    }
    emptied = await ruth.fills(form, **{field(form, "Dana Reyes"): ""})
    assert said(emptied) == "Nothing changed. 2 people still need an answer."
    await ruth.presses(await ruth.sends("attendance", HOME), "The other 2 came")
    correct = await form_of(ruth, "Correct")
    assert [field.label for field in correct.fields][-2:] == ["Why", "A visitor from another cohort"]
    assert said(await ruth.fills(correct, **{field(correct, "Dana Reyes"): ""})) == "Nothing changed."
    assert statuses(world, dana) == [("confirmed", "present", None)]


async def test_the_button_for_everyone_says_whom_it_marks(
    world: World, ruth: Person, dana: Person, lee: Person
) -> None:
    await ended(world, ruth)

    async def label() -> str:
        card = (await ruth.sends("attendance", HOME)).card
        assert card is not None
        return buttons_of(card)[0].label

    assert await label() == "Everyone came"
    await marks_all(ruth, dana="absent")
    assert await label() == "The other 2 came"
    await marks_all(ruth, lee="absent")
    assert await label() == "The last person came"
    await ruth.presses(await ruth.sends("attendance", HOME), "The last person came")
    assert statuses(world, dana) == [("confirmed", "absent", None)]


async def test_a_dispute_opens_the_one_disputed_record_with_the_mentee_s_words(
    world: World, dana: Person, lee: Person, ruth: Person, tom: Person, carol: Person
) -> None:
    await disputed(world, dana, ruth, "coordinator")
    form = (await carol.presses(message(world, carol, "A record is disputed"), "Correct it")).form
    assert form is not None
    assert form.confidential
    assert [field.label for field in form.fields] == ["Dana Reyes", "Why"]
    assert not any(isinstance(field, ChoiceField) and field.optional for field in form.fields)
    assert "Dana Reyes wrote:\nI was there." in said(Reply(form=form))
    for other in (ruth, tom, dana, lee):
        forged = await other.does_press(*form.opener.encode().split("|"))
        assert forged.form is None
        assert "I was there." not in said(forged)
    assert "I can't find that dispute." in said(await ruth.does_press(*form.opener.encode().split("|")))


async def test_a_dispute_opens_no_form_of_another_meeting_and_none_that_may_not_be_sent(
    world: World, dana: Person, ruth: Person, carol: Person
) -> None:
    corrections(world, '[corrections]\napprover = "coordinator"\nreasons = { typo = "A slip of the pen" }\n')
    await disputed(world, dana, ruth)
    asked = message(world, ruth, "A record is disputed")
    assert [button.label for button in buttons_of(asked.card)] == ["Read it", "Settle it"]
    form = (await carol.presses(message(world, carol, "A record is disputed"), "Correct it")).form
    assert form is not None
    meeting_id, dispute_id = form.opener.args
    refused = "Only a coordinator can change this. Ask your coordinator."
    assert said(await ruth.does_press("attendance.edit", meeting_id, dispute_id)) == refused
    settle = (await ruth.presses(asked, "Settle it")).form
    assert "You can't correct this record. A coordinator can." in said(await ruth.fills(settle, outcome="corrected"))
    await world.pass_time(days=14)
    with world.database.read() as tx:
        (*_, other) = meetings.between(tx, MEETING_ENDS, world.clock.at)
    assert "I can't find that dispute." in said(await carol.does_press("attendance.edit", str(other.id), dispute_id))


async def test_a_form_of_an_older_version_of_the_bot_is_refused_in_words(
    world: World, dana: Person, ruth: Person
) -> None:
    await absent(world, ruth, dana)
    form = await form_of(ruth)
    form_action = form.action
    reply = await ruth.does(Submit(form_action, {f"p-{dana.id.hex}": ("present",), "reason": ("told_later",)}))
    assert said(reply) == "This form is too old. Send “attendance” to see the list."
    later = field(form, "Dana Reyes").removesuffix("-1") + "-7"
    forged = await ruth.does(Submit(form_action, {later: ("present",), "reason": ("told_later",)}))
    assert list(forged.errors) == [later]
    assert statuses(world, dana) == [("confirmed", "absent", None)]


def test_a_mark_knows_what_it_said_in_each_version(world: World, dana: Person) -> None:
    entries = [Entry(dana.id, "tapped", "present"), Entry(dana.id, "confirmed", "absent")]
    entries.append(Entry(dana.id, "corrected", "present"))
    mark = marks(entries)[dana.id]
    assert mark.version == 2
    assert [mark.status_at(version) for version in (0, 1, 2, 3)] == [None, "absent", "present", None]
