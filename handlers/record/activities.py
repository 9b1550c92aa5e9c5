"""Activities outside of meetings: logged by the mentee, verified with one tap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

from handlers.core.actions import Action, action
from handlers.core.calls import MENTEES, Call, Refused, mentees_only
from handlers.core.cards import Card, Note, say
from handlers.core.contacts import ask_coordinator
from handlers.core.forms import ChoiceField, DateField, Fields, Form, FormErrors, NumberField, Option
from handlers.core.requests import Reply, notice
from handlers.core.router import router
from handlers.record.deciding import ask, withdraw_button
from program.core.times import local_day, to_utc
from program.core.words import listed
from program.record.policy import Activity, Policy
from storage.record import enrolments, ledger
from storage.record.ledger import Line

NOON = time(12)
MODES = {"in_person": "In person", "video": "By video", "phone": "By phone", "written": "In writing"}


@action("activities.log")
class OpenLog(Action):
    """Open the form that logs an activity."""


@action("activities.logged")
class LogActivity(Action):
    """Log an activity."""


@dataclass(frozen=True, slots=True)
class Logged:
    """What a mentee did, on which day, for how many minutes. ``mode``: how, or empty."""

    type: str
    day: date
    minutes: int
    mode: str


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
    """Open the form."""
    return Reply(form=_log_form(call))


@router.press(OpenLog)
def log_form(call: Call, _pressed: OpenLog) -> Reply:
    """Open the form."""
    return Reply(form=_log_form(call))


def _log_form(call: Call) -> Form:
    fields = _fields(call, _loggable(call)).shown
    return Form(
        "Log an activity",
        LogActivity(),
        opener=OpenLog(),
        blocks=(Note(("Your mentor will verify it. Please leave out student names and private matters.",)),),
        fields=tuple(field for field in fields if not isinstance(field, ChoiceField) or field.options),
    )


def _loggable(call: Call) -> list[Activity]:
    """What the asker may log.

    Raises:
        Refused: nothing, or the asker is not enrolled.
    """
    kinds = [activity for activity in policy_of_asker(call).activities if activity.logged_by == "mentee"]
    if not kinds:
        raise Refused("Your program has no activities for mentees to log.")
    return kinds


def _fields(call: Call, kinds: list[Activity]) -> Fields[Logged]:
    """The fields of the form. Where no kind has modes, that field has no options and is not shown."""
    modes = dict.fromkeys(mode for activity in kinds for mode in activity.modes)
    options = tuple(Option(mode, _mode_words(mode)) for mode in modes)
    return Fields(
        Logged,
        type_field("What you did", kinds),
        *when_fields(call),
        ChoiceField("mode", _mode_label(kinds), options, optional=True),
    )


def type_field(label: str, kinds: Sequence[Activity]) -> ChoiceField:
    """The choice of a kind of activity."""
    options = tuple(Option(activity.type, activity.name) for activity in kinds)
    return ChoiceField("type", label, options, needed="Choose what you did.")


def when_fields(call: Call) -> tuple[DateField, NumberField]:
    """The day, today at first, and the minutes."""
    today = local_day(call.work.now, call.me.zone)
    return (
        DateField("day", "When", today, needed="Choose the day."),
        NumberField("minutes", "Minutes", None, 1, 1440, needed="Enter the number of minutes."),
    )


def _mode_words(mode: str) -> str:
    return MODES.get(mode, mode.replace("_", " ").capitalize())


def _mode_label(kinds: list[Activity]) -> str:
    """The question for how something was done, naming the kinds it is only for: other kinds leave it empty."""
    names = [kind.name[:1].lower() + kind.name[1:] for kind in kinds if kind.modes]
    return "How" if len(names) == len(kinds) else f"How (only for {listed(names)})"


def when_errors(call: Call, kind: Activity, day: date, minutes: int) -> dict[str, str]:
    """What is wrong with the day and the minutes: the future, or fewer minutes than the policy asks for."""
    errors: dict[str, str] = {}
    if day > local_day(call.work.now, call.me.zone):
        errors["day"] = "That day is in the future. Choose today or an earlier day."
    if isinstance(kind.min_minutes, int) and minutes < kind.min_minutes:
        errors["minutes"] = f"{kind.name} needs at least {kind.min_minutes} minutes to count."
    return errors


def _mode_errors(kind: Activity, mode: str) -> dict[str, str]:
    """What is wrong with how it was done: in this way it would never count."""
    if not kind.modes or mode in kind.modes:
        return {}
    ways = listed([_mode_words(mode).lower() for mode in kind.modes]).replace(" and ", " or ")
    return {"mode": f"Choose how you did it. {kind.name} counts {ways}."}


def noon_of(call: Call, day: date) -> datetime:
    """Noon of a day in the asker's zone."""
    return to_utc(datetime.combine(day, NOON), call.me.zone)


@router.submit(LogActivity)
def logged(call: Call, _sent: LogActivity) -> Reply:
    """Record the activity, and ask for its verification if the policy wants one."""
    kinds = _loggable(call)
    sent = _fields(call, kinds).read(call.values)
    kind = next(activity for activity in kinds if activity.type == sent.type)
    errors = when_errors(call, kind, sent.day, sent.minutes) | _mode_errors(kind, sent.mode)
    if errors:
        raise FormErrors(errors)
    line_id = ledger.add(call.work, call.my_id, _line(call, kind, sent))
    if kind.verified_by == "nobody":
        return notice(f"Logged: {kind.name}, {sent.minutes} minutes. It counts right away.")
    ask(call.work, call.my_id, line_id, kind.verified_by)
    told = f"Logged: {kind.name}, {sent.minutes} minutes. I asked your {kind.verified_by} to verify it."
    return Reply(card=Card("", (say(told), withdraw_button(line_id, "activity"))))


def _line(call: Call, kind: Activity, sent: Logged) -> Line:
    detail = {"mode": sent.mode} if sent.mode in kind.modes else {}
    happened = noon_of(call, sent.day)
    return Line("activity", "logged", happened, call.my_id, "self", minutes=sent.minutes, code=kind.type, detail=detail)
