"""The requirement policy: what the program asks of a mentee, read from a versioned document.

A document is TOML. Any number, date or yes-or-no may be ``"unset"``: it then blocks completion and is named,
and the coordinator fills it in by an amendment. What is left out is not asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import Annotated, Literal, TypeVar

from pydantic import ConfigDict, Field, PlainValidator, SkipValidation
from pydantic.dataclasses import dataclass

from program.record.policy_fields import (
    Code,
    Count,
    Day,
    Earliest,
    Limit,
    Month,
    MonthDay,
    Percent,
    Reasons,
    Version,
    Words,
    YearNumber,
    Years,
    YesNo,
    Zone,
    read_earliest,
    read_number_or_all,
)
from program.record.unset import Unset, UnsetValue

MEETING = "meeting"  # the activity that attendance proves
ABSENCES = "absences"  # the id under which the limit of absences can be waived

Value = int | str | date
Role = Literal["mentee", "mentor", "coordinator"]
Unit = Literal["events", "minutes", "months", "weeks", "topics"]
Per = Literal["program", "year", "semester", "month", "week"]


STRICT = ConfigDict(extra="forbid")

# The document -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, config=STRICT)
class ProgramCalendar:
    """``boundary``: the month and day on which a program year begins; 02-29 is 1 March in other years."""

    years: Years
    boundary: MonthDay
    zone: Zone
    second_semester: MonthDay | None = None


@dataclass(frozen=True, slots=True, config=STRICT)
class Activity:
    """Something that can be counted. ``most_…``: what counts at most toward one requirement in its period."""

    type: Code
    name: Words
    modes: tuple[Code, ...] = ()
    logged_by: Role = "mentee"
    verified_by: Literal["mentor", "coordinator", "nobody"] = "mentor"
    evidence: Words | None = None
    min_minutes: Count | None = None
    max_minutes: Count | None = None
    most_events: Count | None = None
    most_minutes: Count | None = None


@dataclass(frozen=True, slots=True, config=STRICT)
class AtLeast:
    """At least so many events or minutes, or distinct months, weeks or topics, in each period."""

    kind: Literal["at_least"]
    id: Code
    name: Words
    activities: tuple[Code, ...]
    at_least: Count
    unit: Unit
    per: Per
    years: tuple[YearNumber, ...] = ()  # empty: every program year
    in_months: tuple[Month, ...] = ()  # empty: every month; only for months and weeks
    first_weeks: Count | None = None  # only for weeks: those after the mentee's start


@dataclass(frozen=True, slots=True, config=STRICT)
class Items:
    """Named things that each must have been done."""

    kind: Literal["items"]
    id: Code
    name: Words
    items: Mapping[Code, Words]
    per: Literal["program", "year"]
    years: tuple[YearNumber, ...] = ()


@dataclass(frozen=True, slots=True, config=STRICT)
class Choose:
    """So many of these rules must be met: 1 (any of), "all", or k of n."""

    kind: Literal["choose"]
    id: Code
    name: Words
    rules: tuple[Code, ...]
    at_least: Annotated[int | Unset | Literal["all"], PlainValidator(read_number_or_all)]
    per: Literal["program", "year"]
    years: tuple[YearNumber, ...] = ()


Rule = AtLeast | Items | Choose


@dataclass(frozen=True, slots=True, config=STRICT)
class AttendanceRules:
    """Who misses at most ``late_after_minutes`` of a meeting was present, who misses more was partly there."""

    partial_counts: YesNo
    unconfirmed_counts: YesNo
    late_after_minutes: Limit | None = None
    maximum_absences: Limit | None = None  # unexcused, a program year


@dataclass(frozen=True, slots=True, config=STRICT)
class MakeUpRules:
    """``ratio``: how many make-ups stand for one missed meeting."""

    activities: tuple[Code, ...]
    approver: Literal["mentor", "coordinator", "mentor or coordinator"]
    ratio: Count = 1
    deadline_days: Count | None = None
    same_program_year: YesNo = True
    per_year: Limit | None = None


@dataclass(frozen=True, slots=True, config=STRICT)
class TrackCredit:
    """What everybody on a track begins with. ``year`` left out: for a rule over the whole program."""

    rule: Code
    amount: Count
    year: YearNumber | None = None


@dataclass(frozen=True, slots=True, config=STRICT)
class Track:
    """A way through the program, such as joining in mid-year: which years it has and what it scales or credits."""

    id: Code
    name: Words
    scale_percent: Percent = 100  # of each number; rounded up
    joining_mid_year: Literal["full", "scaled"] = "full"
    years: Years | None = None
    credit: tuple[TrackCredit, ...] = ()


@dataclass(frozen=True, slots=True, config=STRICT)
class LeaveRules:
    """A leave that takes so many days of a program year pauses the year: its end moves to the next boundary."""

    approver: Role
    reasons: Reasons
    pauses_year_from_days: Count | None = None
    credit_expires_after_days: Count | None = None
    maximum_years: Years | None = None  # from the start, leaves included


@dataclass(frozen=True, slots=True, config=STRICT)
class TransferRules:
    """Who approves a transfer, and whether credit stays."""

    approver: Role
    credit_stays: YesNo


@dataclass(frozen=True, slots=True, config=STRICT)
class Decisions:
    """Waivers or corrections: who may make them, and for which reasons."""

    approver: Literal["mentor", "coordinator", "mentor or coordinator"]
    reasons: Reasons


CertificateField = Literal["name", "program", "policy", "started_on", "completed_on", "mentor", "cohort", "district"]


@dataclass(frozen=True, slots=True, config=STRICT)
class Completion:
    """``earliest``: as soon as everything is met, or not before the last program year has ended."""

    approver: Role
    certificate: tuple[CertificateField, ...]
    earliest: Annotated[Earliest | Unset, PlainValidator(read_earliest)] = "when met"
    revocation: Reasons = Field(default_factory=dict)
    reissue: Reasons = Field(default_factory=dict)


@dataclass(frozen=True, slots=True, config=STRICT, eq=False, repr=False)
class Policy:
    """One version of a policy. The last three are not in the document: its text, and what was filled in since."""

    id: Code
    version: Version
    label: Words
    source: Words
    effective_from: Day
    program: ProgramCalendar
    attendance: AttendanceRules
    completion: Completion
    activities: tuple[Activity, ...] = Field(validation_alias="activity")
    rules: tuple[Annotated[Rule, Field(discriminator="kind")], ...] = Field(validation_alias="rule")
    tracks: tuple[Track, ...] = Field(validation_alias="track", default=())
    effective_until: Day | None = None
    makeups: MakeUpRules | None = None
    leave: LeaveRules | None = None
    transfer: TransferRules | None = None
    waivers: Decisions | None = None
    corrections: Decisions | None = None
    text: str = ""
    amendments: SkipValidation[Mapping[str, Value]] = Field(default_factory=dict)
    unset: tuple[UnsetValue, ...] = ()

    def __repr__(self) -> str:
        return f"Policy({self.name})"

    @property
    def name(self) -> str:
        """The policy's name with its version: "missouri-dese/2018"."""
        return f"{self.id}/{self.version}"

    @property
    def title(self) -> str:
        """As people know it: "Missouri DESE counselor mentoring program, version 2018"."""
        return f"{self.label}, version {self.version}"

    def activity(self, type_: str) -> Activity | None:
        """The activity of a type, if the policy has one."""
        for activity in self.activities:  # asked for every line of everybody: a generator costs more than the search
            if activity.type == type_:
                return activity
        return None

    def rule(self, id_: str) -> Rule | None:
        """The rule of an id, if the policy has one."""
        return next((rule for rule in self.rules if rule.id == id_), None)

    def track(self, name: str) -> Track | None:
        """The track of this id or name, as a roster writes it."""
        wanted = name.strip().lower()
        return next((track for track in self.tracks if wanted in (track.id, track.name.lower())), None)

    @property
    def chosen_from(self) -> frozenset[str]:
        """The rules that only count as a part of another."""
        return _chosen_from(self)


@lru_cache(maxsize=64)  # asked for everybody
def _chosen_from(policy: Policy) -> frozenset[str]:
    return frozenset(part for rule in policy.rules if isinstance(rule, Choose) for part in rule.rules)


Known = TypeVar("Known")


def known(value: Known | Unset | None) -> Known | None:
    """The value where there is one; None where it is unset or left out."""
    return None if isinstance(value, Unset) else value
