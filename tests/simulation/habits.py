"""What people do: how they take a card, how they fill a form, and what they start on their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from handlers.core.forms import ChoiceField, Form, NumberField
from program.core.times import to_local
from tests.simulation.actors import Role, Someone

Values = dict[str, str | Sequence[str]]
Filling = Callable[["Filler", Form], Values]
MINUTE = timedelta(minutes=1)
SECRET = "heron"  # stands in every confidential text, and nowhere else


@dataclass(frozen=True, slots=True)
class Wish:
    """On seeing a button ``sees``, these roles press one of ``does`` so many minutes later."""

    sees: str
    does: tuple[str, ...]
    chance: float
    between: tuple[int, int]
    roles: tuple[Role, ...] = ("mentee", "mentor", "coordinator")
    late: float = 0.0  # the share that takes days


MENTEE: tuple[Role, ...] = ("mentee",)
LEADS: tuple[Role, ...] = ("mentor", "coordinator")
WISHES = (
    Wish("identity.yes", ("identity.yes",), 0.98, (1, 3000)),
    Wish("consent.agree", ("consent.agree",) * 9 + ("consent.decline",), 0.95, (1, 1500)),
    Wish("attendance.here", ("attendance.here",), 1.0, (4, 60), MENTEE, late=0.05),
    Wish("meetings.rsvp", ("meetings.rsvp",), 0.12, (1, 900)),
    Wish("checkins.pulse", ("checkins.pulse", "checkins.write", "typed"), 0.8, (1, 2000), late=0.2),
    Wish("checkins.reach", ("checkins.reach",), 0.03, (1, 5000), MENTEE),
    Wish("attendance.all", ("attendance.confirm", "attendance.all", "attendance.edit"), 1.0, (1, 300), LEADS, late=0.3),
    Wish("attendance.agree", ("attendance.agree", "disputes.new"), 0.8, (5, 3000), MENTEE),
    Wish("attendance.keep", ("attendance.keep", "attendance.edit"), 0.7, (5, 3000), LEADS),
    Wish("activities.decide", ("activities.decide",), 0.95, (5, 4000), LEADS, late=0.1),
    Wish("activities.withdraw", ("activities.withdraw",), 0.04, (5, 4000), MENTEE),
    Wish("disputes.settle", ("disputes.read", "disputes.settle"), 0.9, (60, 6000), LEADS),
    Wish("disputes.withdraw", ("disputes.withdraw", "disputes.read"), 0.2, (60, 6000), MENTEE),
    Wish("leave.decide", ("leave.decide",), 0.95, (60, 4000), LEADS),
    Wish("completion.approve", ("completion.approve",), 0.95, (60, 4000), LEADS),
    Wish("completion.mine", ("completion.mine",), 0.7, (1, 4000), MENTEE),
    Wish("summaries.open", ("summaries.open",), 0.7, (5, 2000), LEADS),
)
DAYS_LATE = (1200, 8000)  # minutes


def wish_for(person: Someone, names: Sequence[str], dice: Random) -> tuple[str, timedelta] | None:
    """Which button somebody will press on a card with these, and how much later; None: they let it be."""
    for wish in WISHES:
        if wish.sees not in names or person.role not in wish.roles:
            continue
        if dice.random() >= wish.chance * person.diligence:
            continue
        between = DAYS_LATE if dice.random() < wish.late else wish.between
        return dice.choice(wish.does), timedelta(minutes=dice.randint(*between), seconds=dice.randrange(60))
    return None


# Of one's own accord ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Habit:
    """A command sent now and then, about every ``days`` days, and the button then pressed on the answer."""

    words: str
    days: int
    presses: tuple[str, ...] = ()


HABITS: dict[Role, tuple[Habit, ...]] = {
    "mentee": (
        Habit("progress", 120),
        Habit("log", 75),
        Habit("makeup", 60),
        Habit("dispute", 250),
        Habit("leave", 500),
        Habit("snooze until Monday", 200),
        Habit("resume", 300),
        Habit("checkins off", 500),
        Habit("checkins on", 200),
        Habit("certificate", 300),
        Habit("privacy", 400, ("consent.agree",)),
        Habit("privacy", 900, ("consent.decline",)),
        Habit("next", 120, ("meetings.rsvp",)),
    ),
    "mentor": (
        Habit("attendance", 50, ("attendance.edit", "attendance.show")),
        Habit("summary", 60),
        Habit("meetings", 60, ("meetings.move", "meetings.cancel", "breaks.snow")),
        Habit("progress", 90),
        Habit("cohort", 400, ("cohort.settings",)),
        Habit("checkins on", 700),
    ),
    "coordinator": (
        Habit("certificates", 14, ("completion.ask", "completion.open")),
        Habit("digest", 30),
        Habit("figures", 45),
        Habit("people", 30),
        Habit("progress", 30),
    ),
}
RECORD_CHANGES = (
    "records.transfer",
    "records.credit",
    "records.waiver",
    "records.leave",
    "leave.end",
    "activities.choose",
    "departures.leave",
)


# Forms ------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Filler:
    """Fills forms as ``person`` would at ``now``. ``values``: what the person set out to write."""

    person: Someone
    now: datetime
    dice: Random
    values: Values
    secret: Callable[[str], str]  # a confidential text that is remembered
    others: Callable[[], str]  # the address of some other mentee

    def fill(self, form: Form) -> Values | None:
        """What is changed of the form's own values; None: it is closed without being sent."""
        if form.submit is None or self.dice.random() < 0.03:
            return None
        known = {name: value for name, value in self.values.items() if name in {field.id for field in form.fields}}
        filling = FILLINGS.get(form.action.name)
        return (filling(self, form) if filling else {}) | known

    def day(self, low: int, high: int) -> str:
        today = to_local(self.now, self.person.zone).date()
        return (today + timedelta(days=self.dice.randint(low, high))).isoformat()

    def option(self, form: Form, name: str) -> str:
        options = next(field.options for field in form.fields if isinstance(field, ChoiceField) and field.id == name)
        return self.dice.choice(options).value if options else ""

    def options(self, form: Form, *names: str) -> Values:
        return {name: self.option(form, name) for name in names}


def _roster(filler: Filler, form: Form) -> Values:
    """Who came, mostly as they tapped; corrections and a visitor now and then."""
    values: Values = {}
    for field in form.fields:
        if isinstance(field, ChoiceField) and field.id.startswith("p-") and filler.dice.random() < 0.6:
            chosen = filler.dice.choices(("present", "partial", "excused", "absent"), (70, 8, 10, 12))[0]
            values[field.id] = chosen
    if any(field.id == "reason" for field in form.fields):
        values["reason"] = filler.option(form, "reason")
    if filler.dice.random() < 0.05:
        values["visitor"] = filler.others()
    return values


def _minutes(filler: Filler, form: Form) -> Values:
    numbers = [field for field in form.fields if isinstance(field, NumberField)]
    return {
        number_field.id: str(filler.dice.randint(number_field.minimum, number_field.maximum))
        for number_field in numbers
    }


def _reflection(filler: Filler, form: Form) -> Values:
    return {field.id: filler.secret("own") for field in form.fields if filler.dice.random() < 0.7}


def _dispute(filler: Filler, form: Form) -> Values:
    readers = filler.option(form, "readers")
    return {"record": filler.option(form, "record"), "readers": readers, "text": filler.secret(readers)}


def _logged(filler: Filler, form: Form) -> Values:
    kind = filler.dice.choices(("contact", "observation", "workshop"), (8, 1, 1))[0]
    mode = filler.option(form, "mode") if filler.dice.random() < 0.9 else ""
    return {"type": kind, "day": filler.day(-12, 0), "minutes": str(filler.dice.randint(10, 150)), "mode": mode}


def _makeup(filler: Filler, form: Form) -> Values:
    when: Values = {"day": filler.day(-25, 0), "minutes": str(filler.dice.randint(20, 120))}
    return filler.options(form, "meeting", "type") | when


def _leave(filler: Filler, form: Form) -> Values:
    ends = filler.day(20, 170) if filler.dice.random() < 0.8 else ""
    return {"starts": filler.day(-5, 15), "ends": ends, "reason": filler.option(form, "reason")}


def _amount(filler: Filler, form: Form) -> Values:
    amount = str(filler.dice.randint(1, 3)) if filler.dice.random() < 0.8 else ""
    year = filler.option(form, "year") if filler.dice.random() < 0.7 else ""
    return filler.options(form, "rule", "reason") | {"year": year, "amount": amount, "day": filler.day(-30, 0)}


def _moved(filler: Filler, form: Form) -> Values:
    return {"day": filler.day(1, 20), "at": filler.dice.choice(("15:00", "16:30", "07:45"))}


def _settings(filler: Filler, form: Form) -> Values:
    dice = filler.dice
    rhythm: Values = {"weekday": str(dice.randrange(5)), "at": f"{dice.randint(7, 19):02d}:00"}
    return filler.options(form, "first", "second") | rhythm | {"weeks": str(dice.randint(2, 5))}


def _summary(filler: Filler, form: Form) -> Values:
    return {"topics": ["responsive"], "did": "We shared what worked.", "next": "Bring one form each."}


FILLINGS: dict[str, Filling] = {
    "attendance.save": _roster,
    "attendance.minutes": _minutes,
    "checkins.save": _reflection,
    "disputes.open": _dispute,
    "disputes.settled": lambda filler, form: filler.options(form, "outcome"),
    "activities.logged": _logged,
    "activities.makeup.asked": _makeup,
    "leave.asked": _leave,
    "records.leave.add": _leave,
    "leave.ended": lambda filler, form: {"day": filler.day(-10, 0)},
    "activities.chosen": lambda filler, form: filler.options(form, "line"),
    "activities.corrected": lambda filler, form: filler.options(form, "status", "reason") | _minutes(filler, form),
    "departures.left": lambda filler, form: filler.options(form, "reason"),
    "records.transferred": lambda filler, form: filler.options(form, "cohort", "reason"),
    "records.credit.add": _amount,
    "records.waiver.add": _amount,
    "meetings.moved": _moved,
    "meetings.cancelled": lambda filler, form: filler.options(form, "reason"),
    "cohort.set": _settings,
    "summaries.preview": _summary,
    "completion.revoked": lambda filler, form: filler.options(form, "reason"),
    "completion.reissued": lambda filler, form: filler.options(form, "reason"),
}
