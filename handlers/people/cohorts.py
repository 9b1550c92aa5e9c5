"""A cohort's home channel and settings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time
from uuid import UUID

from handlers.checkins.schedule import refresh_schedule
from handlers.core.actions import Action, action
from handlers.core.calls import LEADS, Call
from handlers.core.cards import Block, Bold, Bullets, Button, Card, Cmd, Facts, Text, buttons, say
from handlers.core.command_actions import RunCommand
from handlers.core.forms import ChoiceField, Fields, Form, NumberField, Option, TimeField
from handlers.core.leading import led_cohort
from handlers.core.requests import Reply, notice
from handlers.core.router import router
from handlers.meetings.planning import replan_reminders
from handlers.privacy.retention import retention_field, retention_words, set_retention
from program.core.times import say_minutes
from program.core.words import WEEKDAYS, counted, listed
from storage.core.work import Work
from storage.outbox import conversations, kinds
from storage.outbox.deliveries import Delivery
from storage.people import cohorts, people
from storage.people.cohorts import Cohort
from storage.record import policies

LEADS_OFFERED = (15, 30, 60, 120, 240, 1440, 2880, 10080)  # minutes
CHANGE = "change its settings"  # what is refused to those who don't lead the cohort


@action("cohort.settings")
class OpenSettings(Action):
    """Open the form with a cohort's settings."""

    cohort_id: UUID


@action("cohort.set")
class ChangeSettings(Action):
    """Change a cohort's settings."""

    cohort_id: UUID


@dataclass(frozen=True, slots=True)
class CohortSettings:
    """A cohort's settings, as its form holds them: numbers that are chosen are texts there."""

    first: str  # minutes before a meeting; empty: no such reminder
    second: str
    weekday: str
    at: time
    weeks: int
    retention: int | None

    @property
    def reminders(self) -> list[int]:
        """The minutes before a meeting, the earliest reminder first."""
        return sorted({int(lead) for lead in (self.first, self.second) if lead}, reverse=True)


@router.command(
    "cohort",
    "See who is in your cohort",
    cohort=frozenset({"mentee", *LEADS}),
    by_role=dict.fromkeys(LEADS, "See who is in a cohort, and change its settings"),
    help={"mentee": 8, "mentor": 7},
    teams={"team": 8},
)
def show(call: Call) -> Reply:
    """The cohort's people and settings; its leaders can change these."""
    cohort, tx = call.cohort, call.work.tx
    members = cohorts.members(tx, cohort.id)
    home = conversations.get(tx, cohort.home_id) if cohort.home_id else None
    none: Text = ("none yet: send ", Cmd("cohort link"), " in a channel")
    rows = (
        ("Mentors", (listed([person.name for person in members if person.role == "mentor"]) or "none yet",)),
        ("Mentees", (listed([person.name for person in members if person.role == "mentee"], 60) or "none yet",)),
        ("Home channel", (home.name or "linked",) if home else none),
        ("Reminders", (_reminder_words(cohort),)),
        ("Check-ins", (_cycle_words(cohort),)),
        ("What is written in them", (retention_words(cohort.retention_months),)),
    )
    settings = (buttons(Button("Settings", OpenSettings(cohort.id), opens_form=True)),) if call.leads(cohort.id) else ()
    return Reply(card=Card(cohort.name, (Facts(rows), *settings)))


def _reminder_words(cohort: Cohort) -> str:
    return listed([f"{say_minutes(lead)} before" for lead in cohort.reminders]) or "none"


def _cycle_words(cohort: Cohort) -> str:
    weeks = "every week" if cohort.checkin_weeks == 1 else f"every {cohort.checkin_weeks} weeks"
    at = f"{cohort.checkin_at.hour % 12 or 12}:{cohort.checkin_at:%M %p}"
    return f"{weeks} on {WEEKDAYS[cohort.checkin_weekday]} at {at}, each person's local time"


@router.press(OpenSettings)
def open_settings(call: Call, pressed: OpenSettings) -> Reply:
    """Open the form with the cohort's settings."""
    cohort = led_cohort(call, pressed.cohort_id, CHANGE)
    fields = _settings_fields(cohort).shown
    return Reply(form=Form("Cohort settings", ChangeSettings(cohort.id), opener=OpenSettings(cohort.id), fields=fields))


def _settings_fields(cohort: Cohort) -> Fields[CohortSettings]:
    first, second, *_ = *cohort.reminders, None, None
    weekdays = tuple(Option(str(number), name) for number, name in enumerate(WEEKDAYS))
    return Fields(
        CohortSettings,
        _reminder_field("first", "First reminder before a meeting", first),
        _reminder_field("second", "Second reminder before a meeting", second),
        ChoiceField("weekday", "Check-ins on", weekdays, str(cohort.checkin_weekday), needed="Choose a day."),
        TimeField("at", "Check-ins at, local time", cohort.checkin_at),
        NumberField("weeks", "Weeks between check-ins", cohort.checkin_weeks, 1, 8, needed="Enter how many weeks."),
        retention_field(cohort),
    )


def _reminder_field(name: str, label: str, lead: int | None) -> ChoiceField:
    return ChoiceField(name, label, _leads(lead), str(lead or ""), optional=True)


def _leads(present: int | None) -> tuple[Option, ...]:
    known = sorted({*LEADS_OFFERED, *([present] if present else [])})
    return tuple(Option(str(lead), say_minutes(lead)) for lead in known)


@router.submit(ChangeSettings)
def change_settings(call: Call, sent: ChangeSettings) -> Reply:
    """Save the settings, and plan reminders and check-ins again."""
    cohort = led_cohort(call, sent.cohort_id, CHANGE)
    settings = _settings_fields(cohort).read(call.values)
    cohorts.change(
        call.work,
        cohort.id,
        call.my_id,
        reminders=settings.reminders,
        checkin_weekday=int(settings.weekday),
        checkin_at=settings.at,
        checkin_weeks=settings.weeks,
    )
    set_retention(call, cohort, settings.retention)
    refresh_schedule(call.work, [person.id for person in cohorts.members(call.work.tx, cohort.id)])
    changed = cohorts.get(call.work.tx, cohort.id)
    replan_reminders(call.work, changed)
    return notice(f"Saved. Reminders: {_reminder_words(changed)}. Check-ins: {_cycle_words(changed)}.")


def _does(work: Work, person: people.Person) -> tuple[Text, ...]:
    """What the bot does for somebody, by role."""
    member = bool(cohorts.shared_cohorts(work.tx, person.id))
    own = "I announce them and remind you. You answer with one tap."
    lines: list[Text] = [(Bold("Meetings: "), own if member else "I announce them to each cohort and remind people.")]
    if cohorts.shared_cohorts(work.tx, person.id, ("mentor",)):
        lines.append((Bold("Attendance: "), "after each meeting I send you the list. One tap confirms it."))
    if cohorts.shared_cohorts(work.tx, person.id, ("mentee",)):
        lines.append((Bold("Attendance: "), "tap “I'm here”. Your mentor confirms the list later."))
        lines.append((Bold("Check-ins: "), "a short question now and then. You can skip any question."))
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
        buttons(Button("Choose or fill in a policy", RunCommand("policy"), style="primary")),
    )


@router.delivery(kinds.WELCOME)
def welcome(work: Work, item: Delivery) -> Card | None:
    """What the bot does and who sees what, once, to a person who was just matched."""
    person = people.get(work.tx, UUID(item.subject))
    own = listed([cohort.name for cohort in cohorts.shared_cohorts(work.tx, person.id)])
    current = policies.of_today(work)
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
                Button("Progress", RunCommand("progress")),
                Button("Privacy", RunCommand("privacy")),
                Button("Help", RunCommand("help")),
            ),
        ),
    )
