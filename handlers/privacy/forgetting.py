"""Forgetting a person: at their own request, where what goes and what stays is said first, or by the operator."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from handlers.core.actions import Action, action
from handlers.core.calls import Call, Refused
from handlers.core.cards import Bold, Bullets, Button, Card, Cmd, Note, When, buttons, say
from handlers.core.requests import Reply
from handlers.core.router import router
from program.core.words import counted
from storage.checkins import checkins
from storage.core.work import Work
from storage.outbox import deliveries, kinds
from storage.outbox.deliveries import Delivery
from storage.people import account_links
from storage.privacy import forgetting, holds

NEW_KEY = "What you write from now on is kept under a new key."
KEY_STAYS = (
    "One of your accounts was replaced by another. Only what this account wrote is deleted, and the key is kept. "
    "Your operator can delete everything and the key."
)
ANSWER_WITHIN = timedelta(hours=1)  # an old question does not destroy anything


@action("forgetting.ask")
class AskToForget(Action):
    """Ask whether one's private data is to be deleted."""


@action("forgetting.keep")
class KeepPrivateData(Action):
    """Delete nothing after all."""


@action("forgetting.do")
class ForgetMe(Action):
    """Delete one's private data; ``asked_at``: when the question was shown, in seconds since 1970."""

    asked_at: int


@router.press(AskToForget)
def ask(call: Call, _pressed: AskToForget) -> Reply:
    """Say what it means, before anything happens."""
    held = holds.of_person(call.work.tx, call.my_id)
    if held is not None:
        return Reply(card=_held_card(held, call.me.zone))
    really = "Delete everything you wrote in private? You can't undo this."
    asked = int(call.work.now.timestamp())
    return Reply(
        card=Card(
            "Delete private data",
            (
                _what_it_means(call.work),
                *([say(KEY_STAYS)] if forgetting.was_replaced(call.work.tx, call.my_id) else []),
                buttons(
                    Button("Delete it all", ForgetMe(asked), style="danger", confirm=really),
                    Button("Keep it", KeepPrivateData()),
                ),
            ),
        )
    )


def _what_it_means(work: Work) -> Bullets:
    days = counted(work.key_backup_days, "day")
    return Bullets(
        (
            (
                Bold("Deleted for good: "),
                "your reflections, your check-in numbers, whether you answered, your dispute text, and the key "
                "to every copy of them. Without the key, nobody can get them back.",
            ),
            (
                Bold("Kept: "),
                "your attendance and your record, including that you had a dispute and how it ended, and that your "
                "private data was deleted, when and by which person.",
            ),
            (
                Bold("Backups: "),
                f"may still have your key for up to {days}. Until then, the operator could open an older backup with "
                "it. The bot never does.",
            ),
            (Bold("Slack or Teams: "), "delete your chat messages there."),
        )
    )


def _held_card(held: holds.Hold, zone: str) -> Card:
    text = say(
        "A ",
        Bold("legal hold"),
        f" is on what you wrote ({held.words}), since ",
        When(held.at, zone, "date"),
        ". You can't delete it while the hold lasts. Ask your coordinator about it.",
    )
    return Card("You can't delete this now", (text, Note(("The hold doesn't let anyone read it.",))))


@router.press(KeepPrivateData)
def keep(_call: Call, _pressed: KeepPrivateData) -> Reply:
    """Delete nothing."""
    return Reply(replace=Card("", (say("Nothing was deleted."),)))


@router.press(ForgetMe)
def do(call: Call, pressed: ForgetMe) -> Reply:
    """Destroy it. Check-in messages that are open show again that nothing is saved."""
    if not _asked_just_now(call, pressed.asked_at):
        raise Refused("That button is too old. Send ", Cmd("privacy"), " to start again.")
    held = holds.of_person(call.work.tx, call.my_id)
    if held is not None:
        return Reply(replace=_held_card(held, call.me.zone))
    if forgetting.was_replaced(call.work.tx, call.my_id):
        forgetting.forget_account(call.work, call.my_id, call.me.view)
        _refresh_open(call.work, call.my_id)
        return Reply(replace=Card("Deleted", (say(f"What this account wrote is deleted. {KEY_STAYS}"),)))
    _forget(call.work, call.my_id, by=call.my_id)
    return Reply(replace=Card("Deleted", (say(f"Everything you wrote in private is deleted for good. {NEW_KEY}"),)))


def _forget(work: Work, person_id: UUID, by: UUID | None) -> int:
    """Destroy it, and bring the person's open check-in up to date; how many items that were."""
    items = forgetting.forget(work, person_id, by)
    _refresh_open(work, person_id)
    return items


def _refresh_open(work: Work, person_id: UUID) -> None:
    checkin = checkins.open_of(work.tx, person_id, work.now)
    if checkin is not None:
        deliveries.refresh(work, checkin.id, kinds.CHECKIN, kinds.CHECKIN_NUDGE)


# By the operator --------------------------------------------------------------------------------


def forget_by_operator(work: Work, person_id: UUID) -> tuple[int, bool]:
    """Destroy what a person wrote in confidence; how many items that were, and whether the bot will tell them.

    Raises:
        Held: a legal hold is on it.
    """
    items = _forget(work, person_id, by=None)
    reached = bool(account_links.accounts_of(work.tx, person_id))
    if reached:
        deliveries.to_person(work, kinds.FORGOTTEN, person_id, work.now.isoformat())
    return items, reached


@router.delivery(kinds.FORGOTTEN)
def forgotten_card(work: Work, _item: Delivery) -> Card:
    """What was destroyed and what stays, to the person themselves."""
    return Card(
        "Your private data is deleted",
        (
            say(
                "The operator of this program deleted everything you wrote in private until now, because "
                "someone asked for it."
            ),
            _what_it_means(work),
            say(f"{NEW_KEY} If you didn't ask for this, tell your coordinator."),
        ),
    )


def _asked_just_now(call: Call, asked_at: int) -> bool:
    age = call.work.now.timestamp() - asked_at
    return 0 <= age + 1 <= ANSWER_WITHIN.total_seconds()
