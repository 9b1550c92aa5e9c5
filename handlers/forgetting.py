"""A person's own request to be forgotten: what goes and what stays is said first, and confirmed twice."""

from __future__ import annotations

from datetime import timedelta

from handlers.cards import Bold, Bullets, Button, Card, Cmd, Note, When, action, buttons, say
from handlers.requests import Reply
from handlers.router import Call, Refused, router
from program.words import counted
from storage import checkins, deliveries, forgetting, holds

ASK = action("forgetting.ask")  # what the button of /plc privacy carries
ANSWER_WITHIN = timedelta(hours=1)  # an old question does not destroy anything


@router.press("forgetting.ask")
def ask(call: Call) -> Reply:
    """Say what it means, before anything happens."""
    held = holds.of_person(call.work.tx, call.my_id)
    if held is not None:
        return Reply(card=_held_card(held, call.me.zone))
    days = counted(call.work.key_backup_days, "day")
    really = "Destroy everything you wrote in confidence? Nobody can undo this."
    asked = int(call.work.now.timestamp())
    return Reply(
        card=Card(
            "Forget my private data",
            (
                Bullets(
                    (
                        (
                            Bold("What goes, for good: "),
                            "your reflections and pulses, whether you answered, the words of your disputes, and the "
                            "key to every copy of them. Nobody can bring them back.",
                        ),
                        (
                            Bold("What stays: "),
                            "your attendance and what your certificate rests on, that you disputed a record and how "
                            "it ended, and that you asked for this.",
                        ),
                        (
                            Bold("Backups: "),
                            f"a backup of the keys may still hold yours for up to {days}. Until it is deleted, the "
                            "operator could open an older backup of the data with it; the bot itself never does.",
                        ),
                        (
                            Bold("Slack or Teams: "),
                            "what you typed into a chat is theirs; delete it there.",
                        ),
                    )
                ),
                buttons(
                    Button("Forget it all", action("forgetting.do", asked), style="danger", confirm=really),
                    Button("Keep it", action("forgetting.keep")),
                ),
            ),
        )
    )


def _held_card(held: holds.Hold, zone: str) -> Card:
    text = say(
        "A ",
        Bold("legal hold"),
        f" is on what you wrote ({held.words}), since ",
        When(held.at, zone, "date"),
        ". While it lasts, nothing of it can be forgotten. Your coordinator can tell you more.",
    )
    return Card("This cannot be forgotten now", (text, Note(("Nobody can read it because of the hold.",))))


@router.press("forgetting.keep")
def keep(_call: Call) -> Reply:
    return Reply(replace=Card("", (say("Nothing was changed."),)))


@router.press("forgetting.do")
def do(call: Call) -> Reply:
    """Destroy it. Check-in messages that are open show again that nothing is saved."""
    if not _asked_just_now(call):
        raise Refused("That question is old. Send ", Cmd("privacy"), " and ask again.")
    held = holds.of_person(call.work.tx, call.my_id)
    if held is not None:
        return Reply(replace=_held_card(held, call.me.zone))
    forgetting.forget(call.work, call.my_id, by=call.my_id)
    found = checkins.open_of(call.work.tx, call.my_id, call.work.now)
    if found is not None:
        deliveries.refresh(call.work, "checkin", found.id)
        deliveries.refresh(call.work, "checkin.nudge", found.id)
    text = "Everything you wrote in confidence is destroyed. What you write from now on is kept under a new key."
    return Reply(replace=Card("Forgotten", (say(text),)))


def _asked_just_now(call: Call) -> bool:
    asked = call.args[0] if call.args else ""
    if not asked.isdecimal() or len(asked) > 12:
        return False
    age = call.work.now.timestamp() - int(asked)
    return 0 <= age + 1 <= ANSWER_WITHIN.total_seconds()
