"""Pausing check-ins until a day, and turning them on or off for oneself."""

from __future__ import annotations

from datetime import date

from handlers.checkins import consent_notice
from handlers.checkins.eligibility import gets_none, never_gets
from handlers.checkins.schedule import next_checkin_of, refresh_schedule
from handlers.core.calls import EVERYONE, Call, Refused
from handlers.core.cards import Bold, Button, Card, Cmd, Text, When, buttons, say
from handlers.core.command_actions import RunCommand
from handlers.core.requests import Reply, notice
from handlers.core.router import router
from program.core.dates import read_day
from program.core.times import local_day, say_day
from program.core.words import normal
from storage.checkins import checkins, pauses

MOST_WORDS_OF_DATE = 6  # a longer text after "snooze" is no date, and may be a reflection
EXAMPLES = "For example: snooze until Dec 1, snooze until next Friday, or snooze 2 weeks."


def _may_be_a_date(words: str) -> bool:
    return len(words.split()) <= MOST_WORDS_OF_DATE


def _is_a_date(words: str) -> bool:
    return read_day(words, date(2000, 1, 1)) is not None


@router.command(
    "snooze",
    "Pause check-ins until a day",
    takes="until DATE",
    accepts=_may_be_a_date,
    corrects=_is_a_date,
    help={"mentee": 4},
    example="snooze until Monday",
    teams={"personal": 4},
)
def snooze(call: Call) -> Reply:
    """Pause the asker's check-ins, if they get any."""
    if (reason := gets_none(call)) is not None:
        return notice(*reason)
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
    pauses.set_snooze(call.work.tx, call.my_id, call.me.view, until)
    refresh_schedule(call.work, [call.my_id])
    said = say("No check-ins until ", Bold(say_day(until)), ". I'll still announce meetings.")
    return Reply(card=Card("", (said, buttons(Button("Undo", RunCommand("resume"))))))


@router.command("resume", "End the pause of check-ins", help={"mentee": 5})
def resume(call: Call) -> Reply:
    """End the asker's pause, and say when the next check-in is."""
    paused = _is_paused(call)
    pauses.set_snooze(call.work.tx, call.my_id, call.me.view, None)
    refresh_schedule(call.work, [call.my_id])
    if (reason := gets_none(call)) is not None:
        return notice(*reason)
    if paused:
        return notice("Pause ended.", *_next_checkin(call, " Your next check-in is "))
    return notice("Check-ins aren't paused.", *_next_checkin(call, " The next one is "))


def _is_paused(call: Call) -> bool:
    """Whether check-ins that the asker would get are paused now."""
    today = local_day(call.work.now, call.me.zone)
    until = pauses.of_view(call.work.tx, call.my_id, call.me.view).snoozed_until
    return until is not None and today < until and bool(checkins.schedules(call.work.tx, [call.my_id]))


def _next_checkin(call: Call, lead: str) -> Text:
    """A sentence about the asker's next check-in; empty where none is planned."""
    at = next_checkin_of(call)
    return (lead, When(at, call.me.zone), ".") if at is not None else ()


def _is_on_or_off(words: str) -> bool:
    return normal(words) in ("on", "off")


@router.command(
    "checkins",
    "Turn check-ins on or off for yourself",
    who=EVERYONE,
    takes="on | off",
    accepts=_is_on_or_off,
    corrects=_is_on_or_off,
    help={"mentee": 6, "mentor": 9},
    example="checkins off",
)
def switch(call: Call) -> Reply:
    """Turn the asker's check-ins on or off. Mentors have them off until they turn them on."""
    if reason := never_gets(call):
        return notice(reason)
    if call.words not in ("on", "off"):
        return _state(call)
    pauses.set_checkins(call.work.tx, call.my_id, call.me.view, call.words == "on")
    refresh_schedule(call.work, [call.my_id])
    if call.words == "off":
        return notice("Check-ins are off. To turn them on again, send ", Cmd("checkins on"), ".")
    if consent_notice.has_declined(call):
        return Reply(card=consent_notice.declined_card(call.work.privacy_settings))
    return notice("Check-ins are on.", *_next_checkin(call, " The next one is "))


def _state(call: Call) -> Reply:
    """Whether check-ins are on, with a button for each way."""
    if consent_notice.has_declined(call):
        return Reply(card=consent_notice.declined_card(call.work.privacy_settings))
    on = gets_none(call) is None
    state: Text = ("Check-ins are on.", *_next_checkin(call, " The next one is ")) if on else ("Check-ins are off.",)
    turn_on = Button("Turn on", RunCommand("checkins on"))
    turn_off = Button("Turn off", RunCommand("checkins off"))
    return Reply(card=Card("", (say(*state), buttons(turn_on, turn_off))))
