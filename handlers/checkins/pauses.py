"""Pausing check-ins until a day, and turning them on or off for oneself."""

from __future__ import annotations

from datetime import date

from handlers.checkins import consent_notice
from handlers.checkins.schedule import refresh_turns
from handlers.core.cards import Bold, Button, Card, Cmd, When, action, buttons, say
from handlers.core.requests import Reply, notice
from handlers.core.router import EVERYONE, Call, Refused, router
from program.core.dates import read_day
from program.core.times import local_day, say_day
from program.core.words import normal
from storage.checkins import checkins
from storage.people import people

MOST_WORDS_OF_DATE = 6  # a longer text after "snooze" is no date, and may be a reflection
EXAMPLES = "For example: snooze until Dec 1, snooze until next Friday, or snooze 2 weeks."


def _may_be_a_date(words: str) -> bool:
    return len(words.split()) <= MOST_WORDS_OF_DATE


def _is_a_date(words: str) -> bool:
    return read_day(words, date(2000, 1, 1)) is not None


@router.command(
    "snooze", "Pause check-ins until a day", takes="until DATE", accepts=_may_be_a_date, corrects=_is_a_date
)
def snooze(call: Call) -> Reply:
    today = local_day(call.work.now, call.me.zone)
    until = read_day(call.words, today)
    if until is None:
        raise Refused(f"I can't read that as a date. {EXAMPLES}" if call.words else f"Until when? {EXAMPLES}")
    if until < today:
        raise Refused(f"{say_day(until)} is past. Choose a later day. {EXAMPLES}")
    if until == today:
        raise Refused(f"That is today. Choose a later day. {EXAMPLES}")
    if (until - today).days > 366:
        raise Refused("A pause can last up to a year. Send ", Cmd("checkins off"), " to stop check-ins.")
    people.set_snooze(call.work.tx, call.my_id, until)
    refresh_turns(call.work, [call.my_id])
    said = say("No check-ins until ", Bold(say_day(until)), ". I'll still announce meetings.")
    return Reply(card=Card("", (said, buttons(Button("Undo", action("command.run", "resume"))))))


@router.command("resume", "End the pause")
def resume(call: Call) -> Reply:
    people.set_snooze(call.work.tx, call.my_id, None)
    refresh_turns(call.work, [call.my_id])
    at = checkins.turn_at(call.work.tx, call.my_id)
    if at is None:
        return notice("The pause is over. You don't get check-ins. To get them, send ", Cmd("checkins on"), ".")
    return notice("The pause is over. The next check-in comes ", When(at, call.me.zone), ".")


def _is_on_or_off(words: str) -> bool:
    return normal(words) in ("on", "off")


@router.command(
    "checkins",
    "Turn check-ins on or off for yourself",
    who=EVERYONE,
    takes="on | off",
    accepts=_is_on_or_off,
    corrects=_is_on_or_off,
)
def switch(call: Call) -> Reply:
    """Mentors have them off until they turn them on."""
    if call.words not in ("on", "off"):
        raise Refused("Send ", Cmd("checkins on"), " or ", Cmd("checkins off"), ".")
    if not call.me.memberships:
        raise Refused("Check-ins are for people in a cohort.")
    people.set_checkins(call.work.tx, call.my_id, call.words == "on")
    refresh_turns(call.work, [call.my_id])
    if call.words == "on" and consent_notice.has_declined(call.work.tx, call.my_id):
        return Reply(card=consent_notice.declined_card(call.work.privacy_settings))
    at = checkins.turn_at(call.work.tx, call.my_id)
    if at is None:
        return notice("Check-ins are off. To turn them on again, send ", Cmd("checkins on"), ".")
    return notice("Check-ins are on. The next one comes ", When(at, call.me.zone), ".")
