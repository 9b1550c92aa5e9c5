"""Activities outside of meetings: logged by the mentee, verified with one tap."""

from __future__ import annotations

from datetime import date, datetime, time

from handlers.core.actions import untyped
from handlers.core.calls import Call, FieldReader, Refused, mentees_only
from handlers.core.cards import Card, Note, say
from handlers.core.contacts import ask_coordinator
from handlers.core.forms import ChoiceField, DateField, Field, Form, FormErrors, NumberField, Option
from handlers.core.requests import Reply, notice
from handlers.core.router import router
from handlers.record.deciding import ask, withdraw_button
from program.core.times import to_local, to_utc
from program.core.words import listed
from program.record.policy import Activity, Policy
from storage.record import enrolments, ledger
from storage.record.ledger import Line

MENTEES = frozenset({"mentee"})
NOON = time(12)
MODES = {"in_person": "In person", "video": "By video", "phone": "By phone", "written": "In writing"}


def policy_of_asker(call: Call) -> Policy:
    """The policy of the mentee who asks.

    Raises:
        Refused: the asker is not enrolled, or is a mentee of no cohort now.
    """
    enrolment = enrolments.of_person(call.work.tx, call.my_id)
    if enrolment is None:
        raise Refused(f"You're not enrolled in the program yet. {ask_coordinator(call.work.tx, 'enroll you')}")
    mentees_only(call)
    return enrolment.policy


# Logging ----------------------------------------------------------------------------------------


@router.command("log", "Log something you did outside meetings", who=MENTEES, help={"mentee": 11})
def log_command(call: Call) -> Reply:
    return Reply(form=_log_form(call))


@router.press("activities.log")
def log_form(call: Call) -> Reply:
    return Reply(form=_log_form(call))


def _log_form(call: Call) -> Form:
    policy = policy_of_asker(call)
    kinds = [activity for activity in policy.activities if activity.logged_by == "mentee"]
    if not kinds:
        raise Refused("Your program has no activities for mentees to log.")
    return Form(
        "Log an activity",
        untyped("activities.logged"),
        opener=untyped("activities.log"),
        blocks=(Note(("Your mentor will verify it. Please leave out student names and private matters.",)),),
        fields=(
            ChoiceField("type", "What you did", tuple(Option(activity.type, activity.name) for activity in kinds)),
            *when_fields(call),
            *_mode_field(kinds),
        ),
    )


def when_fields(call: Call) -> tuple[Field, ...]:
    today = to_local(call.work.now, call.me.zone).date()
    return (DateField("day", "When", today), NumberField("minutes", "Minutes", None, 1, 1440))


def _mode_field(kinds: list[Activity]) -> tuple[Field, ...]:
    modes = list(dict.fromkeys(mode for activity in kinds for mode in activity.modes))
    if not modes:
        return ()
    options = tuple(Option(mode, _mode_words(mode)) for mode in modes)
    return (ChoiceField("mode", _mode_label(kinds), options, optional=True),)


def _mode_words(mode: str) -> str:
    return MODES.get(mode, mode.replace("_", " ").capitalize())


def _mode_label(kinds: list[Activity]) -> str:
    """The question for how something was done, naming the kinds it is only for: other kinds leave it empty."""
    names = [kind.name[:1].lower() + kind.name[1:] for kind in kinds if kind.modes]
    return "How" if len(names) == len(kinds) else f"How (only for {listed(names)})"


def read_when(call: Call, read: FieldReader, kind: Activity | None) -> tuple[date, int]:
    """The day and minutes, in the bounds of the policy's catalogue."""
    day = read.day("day", needed="Choose the day.")
    minutes = read.number("minutes", 1, 1440, needed="Enter the number of minutes.")
    if day and day > to_local(call.work.now, call.me.zone).date():
        read.errors["day"] = "That day is in the future. Choose today or an earlier day."
    if kind and minutes and isinstance(kind.min_minutes, int) and minutes < kind.min_minutes:
        read.errors["minutes"] = f"{kind.name} needs at least {kind.min_minutes} minutes to count."
    read.check()
    return day or date.min, minutes or 0


def noon_of(call: Call, day: date) -> datetime:
    return to_utc(datetime.combine(day, NOON), call.me.zone)


@router.submit("activities.logged")
def logged(call: Call) -> Reply:
    policy = policy_of_asker(call)
    read = FieldReader(call.values)
    kind = policy.activity(
        read.choice("type", [activity.type for activity in policy.activities], needed="Choose what you did.")
    )
    if kind and kind.modes and read.text("mode") not in kind.modes:  # it would never count
        ways = listed([_mode_words(mode).lower() for mode in kind.modes]).replace(" and ", " or ")
        read.errors["mode"] = f"Choose how you did it. {kind.name} counts {ways}."
    day, minutes = read_when(call, read, kind)
    if kind is None or kind.logged_by != "mentee":
        raise FormErrors({"type": "Choose one of the options."})
    detail = {"mode": read.text("mode")} if read.text("mode") in kind.modes else {}
    line = Line(
        "activity", "logged", noon_of(call, day), call.my_id, "self", minutes=minutes, code=kind.type, detail=detail
    )
    line_id = ledger.add(call.work, call.my_id, line)
    if kind.verified_by == "nobody":
        return notice(f"Logged: {kind.name}, {minutes} minutes. It counts right away.")
    ask(call.work, call.my_id, line_id, kind.verified_by)
    told = f"Logged: {kind.name}, {minutes} minutes. I asked your {kind.verified_by} to verify it."
    return Reply(card=Card("", (say(told), withdraw_button(line_id, "activity"))))
