"""Who may export what."""

from __future__ import annotations

from handlers.core.forms import ChoiceField
from handlers.core.requests import Press, Reply
from tests.handlers.record.test_completion import links_of
from tests.world import Person, World, said


def choices(reply: Reply) -> list[str]:
    assert reply.form
    field = reply.form.fields[0]
    assert isinstance(field, ChoiceField)
    return [option.label for option in field.options]


async def test_a_mentee_gets_their_own_record(world: World, dana: Person) -> None:
    reply = await dana.sends("export")
    assert "Export: My own record" in said(reply)
    assert list(links_of(reply)) == ["Excel workbook", "Record (CSV)"]


async def test_a_mentor_gets_the_cohort(world: World, ruth: Person) -> None:
    reply = await ruth.sends("export")
    assert "Export: Ozarks" in said(reply)
    assert list(links_of(reply)) == ["Excel workbook", "Standings (CSV)", "Record (CSV)"]


async def test_a_coordinator_chooses(world: World, carol: Person) -> None:
    reply = await carol.sends("export")
    assert choices(reply) == ["The whole program", "Gateway", "Ozarks"]
    assert "Export: The whole program" in said(await carol.fills(reply.form))


async def test_a_forged_choice_is_refused(world: World, carol: Person, ruth: Person) -> None:
    form = (await carol.sends("export")).form
    assert form
    reply = await ruth.fills(form, what="program:")
    assert reply.errors == {"what": "Choose one of the options."}


async def test_without_an_address_the_command_is_named(world: World, ruth: Person) -> None:
    world.address = ""
    assert "plc-bot export --cohort “Ozarks” --output FILE.xlsx" in said(await ruth.sends("export"))


async def test_the_form_can_be_opened_by_a_button(world: World, carol: Person) -> None:
    form = (await carol.sends("export")).form
    assert form
    assert choices(await carol.does(Press(form.opener))) == ["The whole program", "Gateway", "Ozarks"]
