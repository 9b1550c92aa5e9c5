"""What is said of a saved answer: that it is saved, who can read it, and what stays where words were removed."""

from __future__ import annotations

from handlers.core.calls import Call
from handlers.core.cards import Text, When
from program.core.words import listed
from storage.checkins import typed
from storage.checkins.checkins import CheckIn
from storage.checkins.saved import Saved, find_saved

SAVED = "Saved. I show it to no one unless you share it."
NUMBER_ALONE = "Saved. I show your number only to you."
NUMBER_TOO = " I show your number only to you."


def saved_sentence(saved: Saved) -> str:
    """That it is saved, and who can read it, an earlier version of it included."""
    if not saved.words:
        return NUMBER_ALONE
    readers = read_by(saved)
    return f"Saved. {readers} I show it to no one else." if readers else SAVED


def whole_sentence(saved: Saved) -> str:
    """The same of everything that is saved, the number beside words included."""
    return saved_sentence(saved) + (NUMBER_TOO if saved.words and saved.number else "")


def read_by(saved: Saved) -> str:
    """The mentors who can read it as it is, and those who can read an earlier version; empty where nobody can."""
    told = []
    if saved.current:
        told.append(f"You shared it with {listed(saved.current)}.")
    if saved.earlier:
        names = listed(saved.earlier)
        told.append(f"{names} can read an earlier version that you shared, without what you changed since.")
    return " ".join(told)


def removed_sentence(call: Call, checkin: CheckIn) -> Text:
    """What is still saved for a check-in after all of its words were removed from the form."""
    saved = find_saved(call.work.tx, checkin, call.me.view)
    undecided = typed.of_account(call.work.tx, call.me.account_id, call.work.now)
    ends = [words.until for words in undecided if words.checkin_id == checkin.id]
    if not saved.anything and not ends:
        return ("Nothing is saved for this check-in now.",)
    number = " Your number from 1 to 5 is still saved." if saved.number else ""
    elsewhere = " What you wrote with another account is still saved." if saved.words else ""
    first = f"Your words aren't saved.{number}{elsewhere}"
    if not ends:
        return (first,)
    return (
        f"{first} What you typed into the chat is deleted by ",
        When(max(ends), call.me.zone),
        " unless you keep it.",
    )
