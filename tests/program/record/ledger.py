"""Short ways to write policies and ledger lines in tests."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from program.core.times import to_utc
from program.meetings.attendance import Status, Step
from program.record.ledger import (
    Attendance,
    Credit,
    Enrolment,
    Leave,
    LoggedActivity,
    MakeUp,
    Meeting,
    Record,
    Transfer,
    Waiver,
)
from program.record.policy import Policy
from program.record.policy_reading import read_policy
from program.record.requirement import Requirement
from program.record.standing import Standing, standing

ZONE = "America/Chicago"
FOLDER = Path(__file__).parent / "policies"

HEAD = """
id = "test"
version = "1"
label = "A test's policy"
source = "A test"
effective_from = 2020-07-01
[program]
years = 2
boundary = "07-01"
zone = "America/Chicago"
second_semester = "01-01"
[[activity]]
type = "meeting"
name = "PLC meeting"
[[activity]]
type = "contact"
name = "Contact"
modes = ["phone", "video"]
min_minutes = 15
max_minutes = 90
[[activity]]
type = "workshop"
name = "Workshop"
verified_by = "nobody"
most_events = 2
most_minutes = 100
"""
ATTENDANCE = """
[attendance]
partial_counts = true
unconfirmed_counts = false
"""
COMPLETION = """
[completion]
approver = "coordinator"
certificate = ["name"]
"""
MEETINGS = """
[[rule]]
kind = "at_least"
id = "meetings"
name = "Meetings"
activities = ["meeting"]
at_least = 4
unit = "events"
per = "year"
"""


def text_of(*sections: str, attendance: str = ATTENDANCE, completion: str = COMPLETION) -> str:
    return HEAD + "".join(sections or (MEETINGS,)) + attendance + completion


def policy_of(*sections: str, attendance: str = ATTENDANCE, completion: str = COMPLETION) -> Policy:
    return read_policy(text_of(*sections, attendance=attendance, completion=completion))


def rule(**fields: Any) -> str:
    """A rule of kind at_least; values as Python has them."""
    every = {"id": "rule", "name": "Rule", "activities": ["meeting"], "at_least": 1, "unit": "events", "per": "year"}
    lines = [f"{name} = {toml(value)}" for name, value in (every | fields).items()]
    return '\n[[rule]]\nkind = "at_least"\n' + "\n".join(lines) + "\n"


def toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    return "[" + ", ".join(toml(element) for element in value) + "]" if isinstance(value, list) else str(value)


def shape(name: str) -> Policy:
    return read_policy((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))


def at(day: date, hour: int = 15) -> datetime:
    return to_utc(datetime.combine(day, time(hour)), ZONE)


@dataclass
class Ledger:
    """One mentee's ledger and cohort, line by line; ids count up."""

    policy: Policy
    starts: date = date(2025, 7, 1)
    track: str = ""
    history_missing: bool = False
    record: Record = field(default_factory=Record)
    meetings: list[Meeting] = field(default_factory=list)
    last_id: int = 0

    def new_id(self) -> UUID:
        self.last_id += 1
        return UUID(int=self.last_id)

    def _add(self, kind: str, line: Any) -> None:
        longer: dict[str, Any] = {kind: (*getattr(self.record, kind), line)}
        self.record = replace(self.record, **longer)

    def meets(self, *days: date, minutes: int = 60) -> list[UUID]:
        """The cohort schedules meetings."""
        made = [Meeting(self.new_id(), at(day), minutes) for day in days]
        self.meetings += made
        return [meeting.id for meeting in made]

    def attends(
        self,
        day: date,
        status: Status = "present",
        *,
        minutes: int = 60,
        present: int | None = None,
        step: Step = "confirmed",
        topics: Iterable[str] = (),
    ) -> UUID:
        (meeting,) = self.meets(day, minutes=minutes)
        line = Attendance(meeting, at(day), minutes, step, status, present, tuple(topics))
        self._add("attendance", line)
        return meeting

    def logs(self, type_: str, day: date, minutes: int = 30, **other: Any) -> UUID:
        line = LoggedActivity(self.new_id(), type_, at(day), minutes, **{"mode": "phone", "verified": True, **other})
        self._add("activities", line)
        return line.id

    def makes_up(self, meeting: UUID, type_: str, day: date, minutes: int = 30, **other: Any) -> UUID:
        line = MakeUp(self.new_id(), meeting, type_, at(day), minutes, **{"approved": True, **other})
        self._add("makeups", line)
        return line.id

    def waives(self, rule: str, year: int | None = None, amount: int | None = None, since: date = date.min) -> None:
        self._add("waivers", Waiver(self.new_id(), rule, year, amount, since))

    def credits(self, rule: str, amount: int, year: int | None = None) -> None:
        self._add("credits", Credit(self.new_id(), rule, year, amount))

    def leaves(self, starts: date, ends: date | None = None) -> None:
        self._add("leaves", Leave(self.new_id(), starts, ends, "health"))

    def transfers(self, on: date) -> None:
        self._add("transfers", Transfer(self.new_id(), on))

    def on(self, today: date) -> Standing:
        enrolment = Enrolment(self.starts, self.track, self.history_missing)
        return standing(self.policy, enrolment, self.record, self.meetings, today)


def weekly(first: date, count: int, every: int = 7) -> list[date]:
    return [first + timedelta(days=every * number) for number in range(count)]


def of(result: Standing, rule: str, year: int | None = 1) -> list[Requirement]:
    if year is None:
        return [requirement for requirement in result.whole if requirement.rule == rule]
    return [requirement for requirement in result.years[year - 1].requirements if requirement.rule == rule]


def requirement_of(result: Standing, rule: str, year: int | None = 1) -> Requirement:
    (only,) = of(result, rule, year)
    return only
