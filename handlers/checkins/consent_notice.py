"""The notice before the first check-in: who reads what, in plain words, with Agree and Decline."""

from __future__ import annotations

from uuid import UUID

from handlers.core.cards import Bold, Button, Buttons, Card, Cmd, Form, Note, Paragraph, action, buttons, say
from handlers.core.requests import Reply
from handlers.core.router import Call, router
from program.privacy.privacy_settings import NOTICE_VERSION, PrivacySettings
from storage.checkins import consent
from storage.checkins.checkins import CheckIn
from storage.checkins.consent import Decision
from storage.core.database import Tx

DECLINED = "You declined check-ins. I don't ask you anything or keep what you write. To change that, send “privacy”."
UNDECIDED = "Please read the notice and choose first. Send “privacy”."
MORE = Button("More", action("consent.more"), opens_form=True)


def has_agreed(tx: Tx, person_id: UUID) -> bool:
    found = consent.of(tx, person_id)
    return found is not None and found.agreed


def has_declined(tx: Tx, person_id: UUID) -> bool:
    found = consent.of(tx, person_id)
    return found is not None and found.declined


def first_card(privacy_settings: PrivacySettings, found: CheckIn, *, changed: bool = False) -> Card:
    """What somebody who has not decided yet sees in place of a check-in.

    ``changed``: they agreed to an earlier notice.
    """
    return Card(
        "The notice about check-ins has changed" if changed else "Before your first check-in",
        (
            say("I sometimes ask how things are going. Answering is optional."),
            *notice(privacy_settings),
            choice(None, found.id),
            Note(("Send ", Cmd("privacy"), " to change your choice.")),
        ),
    )


def unkept_card(privacy_settings: PrivacySettings, found: CheckIn) -> Card:
    """The answer to words typed by somebody who has not decided yet."""
    first = first_card(privacy_settings, found)
    return Card("I didn't save that", (say("You haven't chosen yet whether you want check-ins."), *first.blocks))


def declined_card(privacy_settings: PrivacySettings) -> Card:
    """The answer to somebody who declined and asks for check-ins."""
    return Card(
        "You declined check-ins",
        (say("To get them again, agree to this:"), *notice(privacy_settings), buttons(_agree(), MORE)),
    )


def notice(privacy_settings: PrivacySettings) -> tuple[Paragraph, ...]:
    """Who reads what, in as few words as it takes. Whoever changes its meaning gives it the next version."""
    return (
        say(
            Bold("Who can read it: "),
            "you, and mentors you choose. Coordinators see group figures. Nobody sees who answered, paused or "
            "declined. The operator holds the keys.",
        ),
        say(Bold("Slack or Teams "), "keeps what you type in a chat; use the form."),
        say(Bold("Students: "), "no names, nothing that could identify one."),
        say(Bold("Report abuse or neglect elsewhere: "), f"{privacy_settings.abuse}."),
        say(Bold("In a crisis: "), f"{privacy_settings.crisis}."),
        say(Bold("Public records: "), f"{privacy_settings.records}."),
    )


@router.press("consent.more")
def more(call: Call) -> Reply:
    """What the notice says, at more length: nothing to send, only to read."""
    return Reply(
        form=Form(
            "More about check-ins",
            MORE.action,
            opener=MORE.action,
            submit=None,
            blocks=_details(call.work.privacy_settings),
        )
    )


def _details(privacy_settings: PrivacySettings) -> tuple[Paragraph, ...]:
    return (
        say(
            Bold("Who can read it: "),
            "you, from the account you wrote with. A mentor reads only what you share with them, and you see each time "
            f"they do. Coordinators see figures about groups, each from {privacy_settings.threshold} or more answers.",
        ),
        say(
            Bold("The operator "),
            "runs the bot, keeps what you write encrypted, and holds the keys. Somebody with the keys can read it: "
            "that is a matter of trust.",
        ),
        say(
            Bold("Slack or Teams "),
            "may keep and export what is typed into a chat, direct messages too. As far as they document it, what you "
            "write in a form reaches only the bot. The bot writes nothing of it into the chat.",
        ),
        say(
            Bold("Students: "),
            "leaving a name out is not enough. A grade, a day or what happened can tell who it is.",
        ),
        say(
            Bold("Abuse or neglect: "),
            f"{privacy_settings.abuse}. Make the report yourself, at once. The bot passes none on.",
        ),
        say(Bold("In a crisis: "), f"{privacy_settings.crisis}. Nobody watches the bot for calls for help."),
        say(
            Bold("Public records: "),
            f"{privacy_settings.records} of what the program keeps, what you write here included.",
        ),
        say(
            Bold("Your choice: "),
            "nobody else sees it. If you decline, I ask nothing and keep nothing you write. To change your "
            "choice, or to read, take along or delete what is kept, send ",
            Cmd("privacy"),
            ".",
        ),
    )


def choice(decision: Decision | None, checkin_id: UUID | None = None) -> Buttons:
    """Agree, Decline and More, without the one that was chosen."""
    agree, decline = _agree(checkin_id), Button("Decline", action("consent.decline", *_about(checkin_id)))
    if decision is not None and decision.declined:
        return buttons(agree, MORE)
    if decision is not None and decision.agreed:
        return buttons(decline, MORE)
    return buttons(agree, decline, MORE)


def _agree(checkin_id: UUID | None = None) -> Button:
    return Button("Agree", action("consent.agree", *_about(checkin_id)), style="primary")


def _about(checkin_id: UUID | None) -> tuple[object, ...]:
    """The version that was read and, where it stood in place of one, the check-in."""
    return (NOTICE_VERSION, checkin_id) if checkin_id else (NOTICE_VERSION,)
