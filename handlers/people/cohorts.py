"""A cohort's home channel and settings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time
from uuid import UUID

from handlers.checkins.schedule import refresh_turns
from handlers.core.cards import (
    Block,
    Bold,
    Bullets,
    Button,
    Card,
    ChoiceField,
    Cmd,
    Facts,
    Form,
    HowToAsk,
    Mention,
    Note,
    NumberField,
    Option,
    Text,
    TimeField,
    action,
    buttons,
    say,
)
from handlers.core.paging import more
from handlers.core.requests import Reply, notice
from handlers.core.router import LEADS, Call, FieldReader, Refused, router
from handlers.meetings.planning import replan_reminders
from handlers.privacy.retention import read_retention, retention_field, retention_words, set_retention
from program.core.times import local_day, say_minutes
from program.core.words import WEEKDAYS, counted, listed
from storage.core import audit_log
from storage.core.work import Work
from storage.meetings import meetings
from storage.outbox import conversations, deliveries
from storage.outbox.deliveries import Delivery
from storage.people import cohorts, people
from storage.people.cohorts import Cohort
from storage.record import policies

MOST_NAMED = 60  # people in a list
LEADS_OFFERED = (15, 30, 60, 120, 240, 1440, 2880, 10080)  # minutes


@router.command("cohort link", "Make this channel your cohort's home", who=LEADS, cohort=LEADS)
def link(call: Call) -> Reply:
    """The bot enters the channel, sees who is there, and says hello."""
    place, cohort = call.place, call.cohort
    if place is None or place.kind != "channel":
        raise Refused("Send ", Cmd("cohort link"), " in the channel that you want as the cohort's home.")
    if place.cohort_id is not None and place.cohort_id != cohort.id:
        other = cohorts.get(call.work.tx, place.cohort_id).name
        raise Refused(f"This channel is already the home of {other}.")
    deliveries.visit(call.work, place.id, Linking(call.my_id, cohort.id).subject)
    if cohort.home_id == place.id:
        text = f"This channel is already the home of {cohort.name}. I'm checking who is here."
    else:
        text = f"I'm joining this channel. When I'm in, it becomes the home of {cohort.name}."
        text += " Until then its earlier channel stays the home." if cohort.home_id is not None else ""
    return notice(text, " I'll message you about anyone I can't match.")


@dataclass(frozen=True, slots=True)
class Linking:
    """Why the bot visits a channel: somebody wants it to be a cohort's home."""

    asked_by: UUID
    cohort_id: UUID

    @property
    def subject(self) -> str:
        return self.asked_by.hex + self.cohort_id.hex  # a delivery's subject has 64 characters

    @classmethod
    def read(cls, subject: str) -> Linking | None:
        """None: a visit for another reason."""
        return cls(UUID(subject[:32]), UUID(subject[32:])) if len(subject) == 64 else None


def make_home(work: Work, conversation_id: UUID, linking: Linking) -> None:
    """The bot is in the channel: it becomes the cohort's home, if whoever asked may still decide it."""
    place = conversations.get(work.tx, conversation_id)
    cohort = cohorts.find(work.tx, linking.cohort_id)
    if cohort is None or cohort.home_id == place.id or place.cohort_id is not None:
        return
    leads = {one.id for one in (*cohorts.members(work.tx, cohort.id, "mentor"), *cohorts.coordinators(work.tx))}
    if linking.asked_by in leads:
        cohorts.set_home(work, cohort.id, place.id, linking.asked_by)


@router.command("cohort unlink", "This channel is no longer the cohort's home", who=LEADS, cohort=LEADS)
def unlink(call: Call) -> Reply:
    cohort = call.cohort
    if cohort.home_id is None:
        raise Refused(f"{cohort.name} has no home channel.")
    cohorts.set_home(call.work, cohort.id, None, call.my_id)
    return notice(f"{cohort.name} has no home channel now. I'll message its members directly.")


@router.command("cohort", "Who is in your cohort, and its settings", cohort=frozenset({"mentee", *LEADS}))
def show(call: Call) -> Reply:
    cohort, tx = call.cohort, call.work.tx
    members = cohorts.members(tx, cohort.id)
    home = conversations.get(tx, cohort.home_id) if cohort.home_id else None
    none: Text = ("none yet: send ", Cmd("cohort link"), " in a channel")
    rows = (
        ("Mentors", (listed([one.name for one in members if one.role == "mentor"]) or "none yet",)),
        ("Mentees", (listed([one.name for one in members if one.role == "mentee"], 60) or "none yet",)),
        ("Home channel", (home.name or "linked",) if home else none),
        ("Reminders", (_reminder_words(cohort),)),
        ("Check-ins", (_cycle_words(cohort),)),
        ("What is written in them", (retention_words(cohort.retention_months),)),
    )
    settings = (
        (buttons(Button("Settings", action("cohort.settings", cohort.id), opens_form=True)),)
        if call.leads(cohort.id)
        else ()
    )
    return Reply(card=Card(cohort.name, (Facts(rows), *settings)))


def _reminder_words(cohort: Cohort) -> str:
    return listed([f"{say_minutes(lead)} before" for lead in cohort.reminders]) or "none"


def _cycle_words(cohort: Cohort) -> str:
    weeks = "every week" if cohort.checkin_weeks == 1 else f"every {cohort.checkin_weeks} weeks"
    at = f"{cohort.checkin_at.hour % 12 or 12}:{cohort.checkin_at:%M %p}"
    return f"{weeks} on {WEEKDAYS[cohort.checkin_weekday]} at {at}, each person's local time"


def _led(call: Call) -> Cohort:
    cohort = cohorts.find(call.work.tx, call.id_at(0))
    if cohort is None or not call.leads(cohort.id):
        raise Refused("Only the cohort's mentors and coordinators can change its settings.")
    return cohort


@router.press("cohort.settings")
def settings_form(call: Call) -> Reply:
    cohort = _led(call)
    leads = [*cohort.reminders, None, None]
    return Reply(
        form=Form(
            "Cohort settings",
            action("cohort.set", cohort.id),
            opener=action("cohort.settings", cohort.id),
            fields=(
                ChoiceField(
                    "first", "First reminder before a meeting", _leads(leads[0]), str(leads[0] or ""), optional=True
                ),
                ChoiceField(
                    "second", "Second reminder before a meeting", _leads(leads[1]), str(leads[1] or ""), optional=True
                ),
                ChoiceField(
                    "weekday",
                    "Check-ins on",
                    tuple(Option(str(number), name) for number, name in enumerate(WEEKDAYS)),
                    str(cohort.checkin_weekday),
                ),
                TimeField("at", "Check-ins at, local time", cohort.checkin_at),
                NumberField("weeks", "Weeks between check-ins", cohort.checkin_weeks, 1, 8),
                retention_field(cohort),
            ),
        )
    )


def _leads(present: int | None) -> tuple[Option, ...]:
    known = sorted({*LEADS_OFFERED, *([present] if present else [])})
    return tuple(Option(str(lead), say_minutes(lead)) for lead in known)


@router.submit("cohort.set")
def set_settings(call: Call) -> Reply:
    cohort = _led(call)
    read = FieldReader(call.values)
    leads = {read.number(name, 1, 10080) for name in ("first", "second")}
    weekday = read.number("weekday", 0, 6, needed="Choose a day.")
    at = read.clock("at", needed="Choose a time.")
    weeks = read.number("weeks", 1, 8, needed="Write how many weeks.")
    months = read_retention(read)
    read.check()
    values = {
        "reminders": sorted((lead for lead in leads if lead), reverse=True),
        "checkin_weekday": weekday if weekday is not None else cohort.checkin_weekday,
        "checkin_at": at or time(15, 0),
        "checkin_weeks": weeks or 2,
    }
    cohorts.change(call.work, cohort.id, call.my_id, **values)
    set_retention(call, cohort, months)
    refresh_turns(call.work, [one.id for one in cohorts.members(call.work.tx, cohort.id)])
    replan_reminders(call.work, cohorts.get(call.work.tx, cohort.id))
    changed = cohorts.get(call.work.tx, cohort.id)
    return notice(f"Saved. Reminders: {_reminder_words(changed)}. Check-ins: {_cycle_words(changed)}.")


# What the bot says on entering -------------------------------------------------------------------


@router.delivery("cohort.hello")
def hello(work: Work, item: Delivery) -> Card | None:
    """The first words in a cohort's home channel."""
    cohort = cohorts.find(work.tx, UUID(item.subject))
    if cohort is None or cohort.home_id != item.conversation_id:
        return None
    members = cohorts.members(work.tx, cohort.id)
    mentors = [Mention(one.id, one.name) for one in members if one.role == "mentor"]
    led = (" Led by ", *_joined(mentors), ".") if mentors else ()
    coming = meetings.next_meeting(work.tx, [cohort.id], work.now)
    first = (
        ()
        if coming
        else (
            Note(
                (
                    "No meetings scheduled yet. A mentor can send ",
                    Cmd("meeting new"),
                    ".",
                )
            ),
        )
    )
    return Card(
        f"Hello, {cohort.name}",
        (
            say("This channel is your cohort's home now.", *led),
            Bullets(
                (
                    ("I announce meetings here, remind you, and take attendance with one tap.",),
                    ("I message each mentee directly for check-ins. I show an answer only to a mentor they choose.",),
                    (
                        "Send me ",
                        Cmd("help"),
                        " to see everything, ",
                        Cmd("next"),
                        " for the next meeting.",
                    ),
                    (HowToAsk(),),
                )
            ),
            *first,
        ),
    )


def _joined(mentors: list[Mention]) -> tuple[Mention | str, ...]:
    parts: list[Mention | str] = []
    for number, mentor in enumerate(mentors):
        parts += [", ", mentor] if number else [mentor]
    return tuple(parts)


@router.delivery("cohort.visited")
def visited(work: Work, item: Delivery) -> Card | None:
    """Tells whoever linked the channel what the bot found there."""
    place = conversations.get(work.tx, UUID(item.subject))
    visits = [line for line in audit_log.of(work.tx, place.id) if line.what == "visit"]
    problem = str(visits[-1].detail.get("problem", "")) if visits else ""
    if problem:
        return Card("I couldn't join the channel", (say(problem), Note(("The cohort's home hasn't changed.",))))
    if place.cohort_id is None:
        text = "I joined the channel, but I didn't make it the cohort's home because you no longer lead the cohort."
        return Card("Nothing has changed", (say(text),))
    cohort = cohorts.get(work.tx, place.cohort_id)
    missing = people.unmatched_people(work.tx, cohort.id)
    asked = people.proposed(work.tx, [one.id for one in missing])
    unknown = [one for one in missing if one.id not in asked]
    blocks: list[Block] = [say("The channel ", Bold(place.name), " is now the cohort's home.")] if place.name else []
    if not missing:
        blocks.append(say("Everyone in the cohort is matched to an account."))
    if unknown:
        blocks += [
            say("I couldn't match ", Bold(counted(len(unknown), "person", "people")), " on the roster:"),
            Bullets(tuple((f"{one.name} <{one.email}>",) for one in unknown[:MOST_NAMED])),
            *more(len(unknown), MOST_NAMED),
            Note(("A coordinator can match guests and people with other addresses: send ", Cmd("people"), ".")),
        ]
    if asked:
        names = listed([one.name for one in missing if one.id in asked], MOST_NAMED)
        blocks.append(say("I've asked these people to confirm who they are: ", names, "."))
    return Card(f"{cohort.name} is set up", tuple(blocks))


def _does(work: Work, person: people.Person) -> tuple[Text, ...]:
    """What the bot does for somebody, by role."""
    lines: list[Text] = [(Bold("Meetings: "), "I announce them and remind you. You answer with one tap.")]
    if cohorts.shared_cohorts(work.tx, person.id, ("mentor",)):
        lines.append((Bold("Attendance: "), "after each meeting I send you the list. One tap confirms it."))
    if cohorts.shared_cohorts(work.tx, person.id, ("mentee",)):
        lines.append((Bold("Attendance: "), "tap “I'm here”. Your mentor confirms the list later."))
        lines.append((Bold("Check-ins: "), "a short question now and then. Skip what you like."))
    if person.coordinator:
        lines.append((Bold("The program: "), "every Monday I send you a digest. What needs you comes first."))
    return tuple(lines)


def _policy_first(unset: int) -> tuple[Block, ...]:
    """What a coordinator does first."""
    return (
        say(
            Bold("First: choose or fill in a policy. "),
            f"New mentees enter on a policy that leaves {counted(unset, 'value')} unset. "
            "Nobody can complete the program before this is done.",
        ),
        buttons(Button("Choose or fill in a policy", action("command.run", "policy"), style="primary")),
    )


@router.delivery("welcome")
def welcome(work: Work, item: Delivery) -> Card | None:
    """What the bot does and who sees what, once, to a person who was just matched."""
    person = people.get(work.tx, UUID(item.subject))
    own = listed([one.name for one in cohorts.shared_cohorts(work.tx, person.id)])
    current = policies.get(work.tx, policies.current(work.tx, local_day(work.now, person.zone)))
    policy = _policy_first(len(current.unset)) if person.coordinator and current.unset else ()
    where = f" You are in {own}." if own else ""
    return Card(
        f"Welcome, {person.name}",
        (
            say(f"I'm your program's cohort bot.{where}"),
            *policy,
            Bullets(_does(work, person)),
            say(
                Bold("Who sees what. "),
                "Your cohort sees who is coming. Your mentors and coordinators see attendance. What you write "
                "in a check-in is encrypted, and I show it only to a mentor you choose.",
            ),
            buttons(
                Button("Progress", action("command.run", "progress")),
                Button("Privacy", action("command.run", "privacy")),
                Button("Help", action("command.run", "help")),
            ),
        ),
    )
