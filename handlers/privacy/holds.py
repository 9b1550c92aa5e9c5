"""Legal holds: a coordinator sees to it that what somebody wrote is kept. Nobody can read it for that."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from handlers.core.actions import Action, action
from handlers.core.calls import Call, Refused, coordinators_only
from handlers.core.cards import Block, Bold, Button, Card, When, buttons, say
from handlers.core.forms import ChoiceField, Fields, Form, options_of
from handlers.core.requests import Reply, notice
from handlers.core.router import router
from program.core.words import capitalized
from storage.core.work import Work
from storage.people.people import Person
from storage.privacy import holds
from storage.privacy.holds import Held


@action("holds.new")
class NewHold(Action):
    """Open the form that puts a legal hold on what somebody wrote."""

    person_id: UUID


@action("holds.set")
class SetHold(Action):
    """Put the hold on."""

    person_id: UUID


@action("holds.release")
class ReleaseHold(Action):
    """End the hold."""

    person_id: UUID


@dataclass(frozen=True, slots=True)
class HoldReason:
    """Why somebody's words are held: a code of ``holds.REASONS``."""

    reason: str


HOLD_FIELDS = Fields(
    HoldReason,
    ChoiceField(
        "reason",
        "Reason",
        options_of({code: capitalized(words) for code, words in holds.REASONS.items()}),
        needed="Choose a reason.",
    ),
)


def hold_blocks(work: Work, person: Person) -> tuple[Block, ...]:
    """For a coordinator's card about somebody: the hold that is on them, or the way to one."""
    hold = holds.of_person(work.tx, person.id)
    if hold is None:
        return (buttons(Button("Legal hold", NewHold(person.id), opens_form=True)),)
    ask = f"End the legal hold on {person.name}'s private writing?"
    return (
        say(Bold("Legal hold"), f" for {hold.words}, since ", When(hold.at, person.zone, "date"), "."),
        buttons(Button("End the hold", ReleaseHold(person.id), confirm=ask)),
    )


@contextmanager
def respected(call: Call) -> Iterator[None]:
    """What the asker's own legal hold stops is refused, and they are told of it.

    Raises:
        Refused: something would have been destroyed.
    """
    try:
        yield
    except Held as held:
        raise Refused(
            "A ",
            Bold("legal hold"),
            f" is on what you wrote ({held.hold.words}), since ",
            When(held.hold.at, call.me.zone, "date"),
            ". You can add to it, but you can't change or delete it while the hold lasts. Ask your "
            "coordinator about it.",
        ) from None


def _person(call: Call, person_id: UUID) -> Person:
    coordinators_only(call, "manage legal holds")
    return call.person(person_id)


@router.press(NewHold)
def hold_form(call: Call, pressed: NewHold) -> Reply:
    """The form, for a coordinator."""
    person = _person(call, pressed.person_id)
    return Reply(
        form=Form(
            "Legal hold",
            SetHold(person.id),
            opener=NewHold(person.id),
            submit="Start the hold",
            blocks=(
                say(
                    "During the hold, nothing ",
                    Bold(person.name),
                    " wrote in check-ins can be changed or deleted, even when it gets old. You can't read it. ",
                    Bold(person.name),
                    " can see the hold.",
                ),
            ),
            fields=HOLD_FIELDS.shown,
        )
    )


@router.submit(SetHold)
def set_hold(call: Call, sent: SetHold) -> Reply:
    """Put the hold on, and say so."""
    person = _person(call, sent.person_id)
    reason = HOLD_FIELDS.read(call.values).reason
    if not holds.put_on(call.work, person.id, reason, call.my_id):
        raise Refused(f"{person.name} has a legal hold already.")
    return notice("A legal hold is on what ", Bold(person.name), " wrote.")


@router.press(ReleaseHold)
def release(call: Call, pressed: ReleaseHold) -> Reply:
    """End the hold, and say so."""
    person = _person(call, pressed.person_id)
    if not holds.release(call.work, person.id, call.my_id):
        raise Refused(f"{person.name} has no legal hold.")
    return Reply(replace=Card("", (say("The legal hold on what ", Bold(person.name), " wrote has ended."),)))
