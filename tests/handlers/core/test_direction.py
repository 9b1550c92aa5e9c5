"""Names in right-to-left scripts, in sentences and in files."""

from __future__ import annotations

from sqlalchemy import update

from handlers.core.actions import SentAction
from handlers.core.cards import Bold, Button, Buttons, Card, Facts, Paragraph, Table, say
from handlers.core.direction import isolate_card, isolate_reply
from handlers.core.forms import ChoiceField, Form, Option, TextField
from handlers.core.plain_cards import plain
from handlers.core.requests import Reply
from program.core.words import FSI, PDI
from storage.people.people_tables import person
from tests.handlers.checkins.test_reflections import next_checkin
from tests.handlers.privacy.test_privacy import link_in, opened
from tests.world import Person, World, said

NAME = "נעמה לוי"
ISOLATED = f"{FSI}{NAME}{PDI}"


def rename(world: World, someone: Person) -> None:
    with world.database.write() as tx:
        tx.execute(update(person).where(person.c.id == someone.id).values(name=NAME))


async def test_replies_and_delivered_cards_isolate_a_name_and_files_do_not(
    world: World, dana: Person, ruth: Person
) -> None:
    rename(world, dana)
    shown = said(await ruth.sends("progress"))
    assert ISOLATED in shown
    assert NAME not in shown.replace(ISOLATED, "")
    await next_checkin(world, dana)
    await dana.presses(world.to(dana)[-1], "Ask my mentor to reach out")
    await world.settle()
    assert f"{ISOLATED} asked you to reach out" in world.to(ruth)[-1].text
    files = opened(world, link_in(await dana.presses(await dana.sends("privacy"), "Download my data")))
    assert NAME in files["about.json"]
    assert not any(mark in words for words in files.values() for mark in (FSI, PDI))


async def test_left_to_right_names_stay_as_they_are(dana: Person, ruth: Person) -> None:
    shown = said(await ruth.sends("progress"))
    assert "Dana Reyes" in shown
    assert FSI not in shown


def test_every_place_of_a_card_where_a_name_stands_beside_other_words() -> None:
    card = Card(
        f"{NAME}: record",
        (
            say(Bold(NAME), " is coming"),
            Facts((("Mentor", (f"{NAME} (3)", ", Ozarks")), ("Mentee", (NAME,)))),
            Table(("Name", "Meetings"), ((NAME, "3"),), "Progress"),
            Buttons((Button(f"Remove {NAME}", SentAction.of("x.y"), confirm=f"Remove {NAME}?"),)),
        ),
    )
    shown = isolate_card(card)
    words = plain(shown)
    assert words.count(NAME) == words.count(ISOLATED) == 6
    (button,) = (button for block in shown.blocks if isinstance(block, Buttons) for button in block.buttons)
    assert isinstance(button, Button)
    assert button.confirm == f"Remove {ISOLATED}?"
    assert button.action == SentAction.of("x.y")


def test_what_is_written_in_such_a_script_altogether_and_what_a_field_holds_stay() -> None:
    form = Form(
        "Your reflection",
        SentAction.of("x.y"),
        opener=SentAction.of("x.y"),
        blocks=(say(f"{NAME}, {NAME} (3)."),),
        fields=(
            TextField("text", "Text", f"{NAME} wrote"),
            ChoiceField("who", "Who", (Option(NAME, f"{NAME}, Ozarks"),), value=NAME),
        ),
    )
    shown = isolate_reply(Reply(form=form)).form
    assert shown is not None
    (block,) = shown.blocks
    assert isinstance(block, Paragraph)
    assert block.text == (f"{NAME}, {NAME} (3).",)
    text, who = shown.fields
    assert isinstance(text, TextField)
    assert text.value == f"{NAME} wrote"
    assert isinstance(who, ChoiceField)
    assert who.options == (Option(NAME, f"{ISOLATED}, Ozarks"),)
    assert who.value == NAME
