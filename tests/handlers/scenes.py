"""Scenes that several stories of the record begin with, and what their tests look at."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from handlers.core.forms import ChoiceField, Form, Option
from program.record.wording import RecordLine
from storage.record import ledger, verification
from tests.handlers.test_story import HOME, linked, scheduled
from tests.world import Person, Posted, World

MEETING_STARTS = datetime(2026, 9, 10, 20, 30, tzinfo=UTC)
MEETING_ENDS = datetime(2026, 9, 10, 21, 30, tzinfo=UTC)


def options(form: Form | None) -> tuple[Option, ...]:
    """What the form's first field offers."""
    assert form is not None
    first = form.fields[0]
    assert isinstance(first, ChoiceField)
    return first.options


def field(form: Form | None, label: str) -> str:
    """The id of the form's field with this label."""
    assert form is not None
    return next(field.id for field in form.fields if field.label == label)


def lines(world: World, who: Person) -> list[RecordLine]:
    with world.database.read() as tx:
        return ledger.of_person(tx, who.id)


def steps(world: World, who: Person) -> list[tuple[str, str]]:
    return [(line.kind, line.step) for line in lines(world, who)]


def first_line(world: World, who: Person) -> UUID:
    return lines(world, who)[0].id


def whole(world: World) -> bool:
    """Whether every chain of the ledger is."""
    with world.database.read() as tx:
        return verification.verify(tx, world.product.chain_key).problems == []


def message(world: World, who: Person, words: str) -> Posted:
    """The newest message to somebody that says this."""
    return next(message for message in reversed(world.to(who)) if words in message.text)


async def absent(world: World, ruth: Person, dana: Person, *, tap: bool = False) -> None:
    """A meeting at which Dana is recorded as absent."""
    await linked(world, ruth)
    await scheduled(world, ruth)
    if tap:
        await world.go_to(datetime(2026, 9, 10, 20, 15, tzinfo=UTC))
        await dana.presses(world.in_channel(HOME)[-1], "I'm here", HOME)
    await world.go_to(MEETING_ENDS)
    form = (await ruth.presses(world.to(ruth)[-1], "Person by person")).form
    await ruth.fills(form, **{field(form, "Dana Reyes"): "absent"})


async def transferred(world: World, carol: Person, who: str, to: str, day: str = "2026-09-07") -> None:
    """The coordinator moves somebody to another cohort."""
    form = (await carol.presses(await carol.sends(f"person {who}"), "Transfer")).form
    chosen = next(option.value for option in options(form) if option.label == to)
    await carol.fills(form, cohort=chosen, day=day, reason="moved")


async def verified_contact(world: World, dana: Person, ruth: Person) -> None:
    """A one-to-one contact that Dana logged and Ruth verified."""
    form = (await dana.sends("log")).form
    await dana.fills(form, type="contact", day="2026-09-07", minutes="30", mode="phone")
    await ruth.presses(message(world, ruth, "An activity to verify"), "Verify")
