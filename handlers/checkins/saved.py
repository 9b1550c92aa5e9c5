"""What is said of a saved answer: that it is saved, who can read it, and what stays where words were removed."""

from __future__ import annotations

from handlers.core.cards import Text, When
from handlers.core.router import Call
from program.core.words import listed
from storage.checkins import typed
from storage.checkins.checkins import CheckIn
from storage.checkins.saved import Saved, find_saved

SAVED = "Saved. I show it to no one unless you share it."


def saved_sentence(saved: Saved) -> str:
    """That it is saved, and who can read it, an earlier version of it included."""
    readers = read_by(saved)
    return f"Saved. {readers} I show it to no one else." if readers else SAVED


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
    saved = find_saved(call.work.tx, checkin.id, call.my_id)
    there = typed.of_account(call.work.tx, call.me.account_id, call.work.now)
    waiting = [one.until for one in there if one.checkin_id == checkin.id]
    if not saved.anything and not waiting:
        return ("Nothing is saved for this check-in now.",)
    number = " Your number from 1 to 5 is still saved." if saved.number else ""
    elsewhere = " What you wrote with another account is still saved." if saved.words else ""
    first = f"Your words aren't saved.{number}{elsewhere}"
    if not waiting:
        return (first,)
    until = When(max(waiting), call.me.zone)
    return (f"{first} What you typed into the chat is deleted by ", until, " unless you keep it.")
