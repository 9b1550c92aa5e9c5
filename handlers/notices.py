"""The notice before the first check-in: who reads what, in plain words, with Agree and Decline."""

from __future__ import annotations

from uuid import UUID

from handlers.cards import Bold, Button, Buttons, Card, Cmd, Note, Paragraph, action, buttons, say
from program.house import NOTICE_VERSION, House
from storage import consent
from storage.checkins import CheckIn
from storage.consent import Decision
from storage.database import Tx

DECLINED = "You declined check-ins: nothing is asked, and nothing you write is kept. “privacy” changes that."
UNDECIDED = "Before I keep anything, please read the notice and choose: send “privacy”."


def has_agreed(tx: Tx, person_id: UUID) -> bool:
    found = consent.of(tx, person_id)
    return found is not None and found.agreed


def has_declined(tx: Tx, person_id: UUID) -> bool:
    found = consent.of(tx, person_id)
    return found is not None and found.declined


def first_card(house: House, found: CheckIn) -> Card:
    """What somebody who has not decided yet sees in place of a check-in."""
    return Card(
        "Before your first check-in",
        (
            say("Now and then I ask how things are going. Answering is up to you. Please read this once:"),
            *notice(house),
            choice(None, found.id),
            Note(("Nobody is told what you choose, and ", Cmd("privacy"), " changes it at any time.")),
        ),
    )


def unkept_card(house: House, found: CheckIn) -> Card:
    """The answer to words typed by somebody who has not decided yet."""
    first = first_card(house, found)
    return Card("I kept nothing of that", (say("You have not chosen yet whether you want check-ins."), *first.blocks))


def declined_card(house: House) -> Card:
    """The answer to somebody who declined and asks for check-ins."""
    return Card(
        "You declined check-ins",
        (say("They come again once you agree to this:"), *notice(house), buttons(_agree())),
    )


def notice(house: House) -> tuple[Paragraph, ...]:
    """Who reads what. Whoever changes its meaning gives it the next version."""
    return (
        say(
            Bold("Who can read it: "),
            "you, from the account you wrote with, and a mentor you choose to share one with. You see each time they "
            "read it. Your coordinator sees figures about groups, and nobody sees who answered, paused or declined.",
        ),
        say(
            Bold("The operator "),
            "who runs the bot keeps it encrypted and holds the keys. That is a matter of trust.",
        ),
        say(
            Bold("Slack or Teams "),
            "may keep and export what is typed into a chat, direct messages too. What you write in a form reaches the "
            "bot alone, as far as is documented; the bot writes nothing of it into the chat.",
        ),
        say(Bold("Students: "), "write nothing that could identify one. Leaving a name out is not enough."),
        say(
            Bold("Abuse or neglect: "),
            f"{house.abuse}. You make a report yourself, at once: the bot takes none.",
        ),
        say(Bold("In a crisis: "), f"{house.crisis}."),
        say(Bold("Public records: "), f"{house.records}."),
    )


def choice(decision: Decision | None, checkin_id: UUID | None = None) -> Buttons:
    """Agree and Decline, or the one that would change a decision."""
    agree, decline = _agree(checkin_id), Button("Decline", action("consent.decline", *_about(checkin_id)))
    if decision is not None and decision.declined:
        return buttons(agree)
    return buttons(decline) if decision is not None and decision.agreed else buttons(agree, decline)


def _agree(checkin_id: UUID | None = None) -> Button:
    return Button("Agree", action("consent.agree", *_about(checkin_id)), style="primary")


def _about(checkin_id: UUID | None) -> tuple[object, ...]:
    """The version that was read and, where it stood in place of one, the check-in."""
    return (NOTICE_VERSION, checkin_id) if checkin_id else (NOTICE_VERSION,)
