"""The notice before the first check-in: who reads what, in plain words, with Agree and Decline."""

from __future__ import annotations

from uuid import UUID

from handlers.core.actions import Action, action
from handlers.core.calls import Call
from handlers.core.cards import Bold, Button, Buttons, Card, Cmd, Note, Paragraph, Text, buttons, say
from handlers.core.forms import Form
from handlers.core.requests import Reply
from handlers.core.router import router
from program.core.words import capitalized
from program.privacy.privacy_settings import NOTICE_VERSION, PrivacySettings
from storage.checkins import consent
from storage.checkins.checkins import CheckIn
from storage.checkins.consent import Decision

DECLINED: Text = (
    "You declined check-ins. I don't ask you anything or keep what you write. To change that, send ",
    Cmd("privacy"),
    ".",
)
UNDECIDED: Text = ("Please read the notice and choose first. Send ", Cmd("privacy"), ".")
UNREAD = "Please read the notice about check-ins and choose first."


@action("consent.more")
class ReadMore(Action):
    """Open what the notice says, at more length."""


@action("consent.read")
class ReadNotice(Action):
    """Show the notice in place of the card that asks to read it."""

    checkin_id: UUID


@action("consent.agree")
class AgreeToCheckins(Action):
    """Agree to the notice of this version; ``checkin_id``: the check-in in whose place it stood."""

    notice: str
    checkin_id: UUID | None = None


@action("consent.decline")
class DeclineCheckins(Action):
    """Decline; as :class:`AgreeToCheckins`."""

    notice: str
    checkin_id: UUID | None = None


MORE = Button("More", ReadMore(), opens_form=True)


def decision_of(call: Call) -> Decision | None:
    """What the asker chose about check-ins, as far as their account sees it."""
    return consent.of(call.work.tx, call.my_id, call.me.view)


def has_agreed(call: Call) -> bool:
    """Whether the account that acts agreed to the notice as it is now."""
    decision = decision_of(call)
    return decision is not None and decision.agreed


def has_declined(call: Call) -> bool:
    """Whether the account that acts declined check-ins."""
    decision = decision_of(call)
    return decision is not None and decision.declined


def first_card(privacy_settings: PrivacySettings, checkin: CheckIn, *, changed: bool = False) -> Card:
    """What somebody who has not decided yet sees in place of a check-in.

    ``changed``: they agreed to an earlier notice.
    """
    return Card(
        "The notice about check-ins has changed" if changed else "Before your first check-in",
        (
            say("I ask how things are going. Answering is optional."),
            *notice(privacy_settings),
            choice(None, checkin.id),
            Note(("Send ", Cmd("privacy"), " to change this.")),
        ),
    )


def unread_card(checkin: CheckIn, lead: str = "") -> Card:
    """The answer to somebody who has not decided yet: the notice stands in the message of their check-in.

    ``lead``: what is said before it.
    """
    read = Button("Read the notice", ReadNotice(checkin.id), style="primary")
    return Card("", (say(f"{lead} {UNREAD}".strip()), buttons(read)))


def declined_card(privacy_settings: PrivacySettings) -> Card:
    """The answer to somebody who declined and asks for check-ins."""
    return Card(
        "You declined check-ins",
        (say("To get them again, agree to this:"), *notice(privacy_settings), buttons(_agree(), MORE)),
    )


def notice(privacy_settings: PrivacySettings) -> tuple[Paragraph, ...]:
    """Who reads what, in as few words as it takes.

    A change of meaning needs the next version, which asks everybody again; the same facts in other words do not.
    """
    return (
        say(
            Bold("Your answers: "),
            "only you and mentors you choose see them, or that you answered. The operator has the keys to read them. "
            "Coordinators see group totals. I tell nobody who paused or declined.",
        ),
        say(Bold("Use the form: "), "Slack or Teams keeps chats."),
        say(Bold("Students: "), "write nothing that could identify one."),
        say(Bold("Abuse or neglect: "), f"I don't report it. {capitalized(privacy_settings.abuse)}."),
        say(Bold("Crisis: "), f"{privacy_settings.crisis}."),
        say(Bold("Public records: "), f"{privacy_settings.records}."),
    )


@router.press(ReadMore)
def more(call: Call, _pressed: ReadMore) -> Reply:
    """What the notice says, at more length: nothing to send, only to read."""
    return Reply(
        form=Form(
            "More about check-ins",
            ReadMore(),
            opener=ReadMore(),
            submit=None,
            blocks=_details(call.work.privacy_settings),
        )
    )


def _details(privacy_settings: PrivacySettings) -> tuple[Paragraph, ...]:
    return (
        say(
            Bold("Your answers: "),
            "I show them to you, in the account you wrote with. A mentor reads only what you share with them, and you "
            "see each time they do. If you ask your mentor to reach out, they see that you asked, and nothing else. "
            f"Coordinators see totals for groups, each from {privacy_settings.threshold} or more answers.",
        ),
        say(
            Bold("The operator "),
            "runs the bot, keeps what you write encrypted, and has the keys. Somebody with the keys can read it. The "
            "operator's database also shows who answered, paused or declined. You have to trust them.",
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
            f"{capitalized(privacy_settings.abuse)}. Make the report yourself, at once. I don't report it for you.",
        ),
        say(Bold("Crisis: "), f"{privacy_settings.crisis}. Nobody watches the bot for calls for help."),
        say(
            Bold("Public records: "),
            f"{privacy_settings.records} of what the program keeps, what you write here included.",
        ),
        say(
            Bold("Your choice: "),
            "I tell nobody else. If you decline, I ask nothing and keep nothing you write. To change your "
            "choice, or to read, download or delete what you wrote, send ",
            Cmd("privacy"),
            ".",
        ),
    )


def choice(decision: Decision | None, checkin_id: UUID | None = None) -> Buttons:
    """Agree, Decline and More, without the one that was chosen."""
    agree, decline = _agree(checkin_id), Button("Decline", DeclineCheckins(NOTICE_VERSION, checkin_id))
    if decision is not None and decision.declined:
        return buttons(agree, MORE)
    if decision is not None and decision.agreed:
        return buttons(decline, MORE)
    return buttons(agree, decline, MORE)


def _agree(checkin_id: UUID | None = None) -> Button:
    return Button("Agree", AgreeToCheckins(NOTICE_VERSION, checkin_id), style="primary")
