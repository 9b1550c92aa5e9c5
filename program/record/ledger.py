"""What the ledger says about one enrolment: the input of its standing.

Lines may come in any order. Where several lines share an id, the one recorded last (``order``) stands;
``withdrawn`` takes a line back. Instants are aware UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from program.meetings.attendance import Status, Step


@dataclass(frozen=True, slots=True)
class Enrolment:
    """``history_missing``: the start is earlier than the bot's records, and no import covered it."""

    starts: date
    track: str = ""  # an id or name of the policy's tracks; empty: none
    history_missing: bool = False


# Meetings and attendance are tuples: there are hundreds of thousands of them, and a tuple is made in half the time.


class Meeting(NamedTuple):
    """A meeting of the mentee's cohort that is not cancelled, past or to come."""

    id: UUID
    starts_at: datetime
    minutes: int


class Attendance(NamedTuple):
    """One line about one meeting; ``id`` is the meeting's. ``present``: the minutes of a partial presence."""

    id: UUID
    starts_at: datetime
    minutes: int  # how long the meeting was
    step: Step
    status: Status
    present: int | None = None
    topics: tuple[str, ...] = ()
    order: int = 0


@dataclass(frozen=True, slots=True)
class LoggedActivity:
    """Something logged outside of meetings; ``item``: the code of a named item that it proves."""

    id: UUID
    type: str
    at: datetime
    minutes: int = 0
    mode: str = ""
    item: str = ""
    topics: tuple[str, ...] = ()
    verified: bool = False
    order: int = 0
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class MakeUp:
    """An activity done in place of a missed meeting."""

    id: UUID
    meeting: UUID
    type: str
    at: datetime
    minutes: int = 0
    approved: bool = False
    order: int = 0
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Waiver:
    """``year``: 1, 2 …, or None for each; ``amount`` None: the whole rule. It holds from a day on."""

    id: UUID
    rule: str
    year: int | None
    amount: int | None
    since: date
    order: int = 0
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Credit:
    """So much of a rule is taken as done. ``year``: 1, 2 …, or None for a rule over the whole program."""

    id: UUID
    rule: str
    year: int | None
    amount: int
    order: int = 0
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Leave:
    """A leave of absence, both days included; ``ends`` None: until further notice."""

    id: UUID
    starts: date
    ends: date | None
    reason: str = ""
    order: int = 0
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Transfer:
    """A move to another cohort or district; from this day on the new one holds."""

    id: UUID
    on: date
    order: int = 0
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """``imported``: an import of earlier attendance covered this mentee, whether it held a meeting of theirs or not."""

    attendance: tuple[Attendance, ...] = ()
    activities: tuple[LoggedActivity, ...] = ()
    makeups: tuple[MakeUp, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    credits: tuple[Credit, ...] = ()
    leaves: tuple[Leave, ...] = ()
    transfers: tuple[Transfer, ...] = ()
    imported: bool = False
