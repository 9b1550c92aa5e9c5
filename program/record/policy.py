"""The requirement policy: what the program asks of a mentee, read from a versioned document.

A document is TOML. Any number, date or yes-or-no may be ``"unset"``: it then blocks completion and is named,
and the coordinator fills it in by an amendment. What is left out is not asked for.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import Annotated, Any, Literal, TypeVar, cast, get_args

from pydantic import ConfigDict, Field, PlainValidator, SkipValidation, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass
from pydantic_core import ErrorDetails, PydanticCustomError

from program.core.times import is_zone
from program.core.toml_lines import DEEPEST, Path, deep_line, depth_over, line_index, line_of, long_key_line
from program.core.words import listed
from program.record.unset import UNSET, Unset, UnsetValue, name_of, place_of, unset_values

MEETING = "meeting"  # the activity that attendance proves
ABSENCES = "absences"  # the id under which the limit of absences can be waived
NONE = "none"  # an amendment's value: the program asks for no such thing, as if it had been left out
MOST_TEXT = 200_000  # characters of a document
MOST_YEARS = 10

Value = int | str | date
Role = Literal["mentee", "mentor", "coordinator"]
Earliest = Literal["when met", "end of program"]
Unit = Literal["events", "minutes", "months", "weeks", "topics"]
Per = Literal["program", "year", "semester", "month", "week"]


class BadPolicy(ValueError):
    """This policy document cannot be used; each line of the text says where and why."""


NOT_SUPPORTED = {
    "equivalence": "rates at which one activity stands for another, and rounding, are not supported yet",
    "mentors": "who may be a mentor and for how long is not supported yet",
    "coverage": "coverage of topics across components or standards is not supported yet; "
    'a rule with unit = "topics" counts distinct topics',
}

# Values ------------------------------------------------------------------------------------------


def _wrong(text: str) -> PydanticCustomError:
    return PydanticCustomError("policy", "{text}", {"text": text})


def _whole(low: int, high: int) -> Callable[[Any], int | Unset]:
    def check(value: Any) -> int | Unset:
        if value == "unset":
            return UNSET
        if type(value) is not int or not low <= value <= high:
            raise _wrong(f'must be a whole number from {low} to {high}, or "unset"')
        return value

    return check


def _yes_no(value: Any) -> bool | Unset:
    if value == "unset":
        return UNSET
    if type(value) is not bool:
        raise _wrong('must be true, false or "unset"')
    return value


def _day(value: Any) -> date | Unset:
    if value == "unset":
        return UNSET
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    elif isinstance(value, date) and not isinstance(value, datetime):
        return value
    raise _wrong('must be a date like 2026-07-01, or "unset"')


def _month_day(value: Any) -> tuple[int, int]:
    match = re.fullmatch(r"(\d\d)-(\d\d)", value) if isinstance(value, str) else None
    if match:
        try:
            date(2000, int(match[1]), int(match[2]))  # a leap year: 02-29 is a day
        except ValueError:
            match = None
    if not match:
        raise _wrong('must be a month and day like "07-01"')
    return int(match[1]), int(match[2])


def _zone(value: Any) -> str:
    if not isinstance(value, str) or not is_zone(value):
        raise _wrong("must be a zone like America/Chicago")
    return value


def _code(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,39}", value) or value == "unset":
        raise _wrong("must be a short code: lower-case letters, digits, - and _")
    return value


def _version(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}", value) or value == "unset":
        raise _wrong('must be short text like "2018" or "2026.1"')
    return value


def _words(value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > 500:
        raise _wrong("must be text of at most 500 characters")
    return value


def _number_or_all(value: Any) -> int | Unset | Literal["all"]:
    return "all" if value == "all" else _whole(1, 100)(value)


def _earliest(value: Any) -> Earliest | Unset:
    if value == "unset":
        return UNSET
    if value not in get_args(Earliest):
        raise _wrong('must be "when met", "end of program" or "unset"')
    return cast(Earliest, value)


Count = Annotated[int | Unset, PlainValidator(_whole(1, 100_000))]
Limit = Annotated[int | Unset, PlainValidator(_whole(0, 100_000))]
Years = Annotated[int | Unset, PlainValidator(_whole(1, MOST_YEARS))]
Percent = Annotated[int | Unset, PlainValidator(_whole(1, 1000))]
YesNo = Annotated[bool | Unset, PlainValidator(_yes_no)]
Day = Annotated[date | Unset, PlainValidator(_day)]
MonthDay = Annotated[tuple[int, int], PlainValidator(_month_day)]
Zone = Annotated[str, PlainValidator(_zone)]
Code = Annotated[str, PlainValidator(_code)]
Version = Annotated[str, PlainValidator(_version)]
Words = Annotated[str, PlainValidator(_words)]
Month = Annotated[int, Field(strict=True, ge=1, le=12)]
YearNumber = Annotated[int, Field(strict=True, ge=1, le=MOST_YEARS)]
Reasons = Mapping[Code, Words]  # a code for the ledger, and its words for people
STRICT = ConfigDict(extra="forbid")

# The document -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, config=STRICT)
class Program:
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
    at_least: Annotated[int | Unset | Literal["all"], PlainValidator(_number_or_all)]
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
    earliest: Annotated[Earliest | Unset, PlainValidator(_earliest)] = "when met"
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
    program: Program
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
        return f"{self.id}/{self.version}"

    @property
    def title(self) -> str:
        """As people know it: "Missouri DESE counselor mentoring program, version 2018"."""
        return f"{self.label}, version {self.version}"

    def activity(self, type_: str) -> Activity | None:
        for one in self.activities:  # asked for every line of everybody: a generator costs more than the search
            if one.type == type_:
                return one
        return None

    def rule(self, id_: str) -> Rule | None:
        return next((one for one in self.rules if one.id == id_), None)

    def track(self, name: str) -> Track | None:
        """The track of this id or name, as a roster writes it."""
        wanted = name.strip().lower()
        return next((one for one in self.tracks if wanted in (one.id, one.name.lower())), None)

    @property
    def chosen_from(self) -> frozenset[str]:
        """The rules that only count as a part of another."""
        return _chosen_from(self)


@lru_cache(maxsize=64)  # asked for everybody
def _chosen_from(policy: Policy) -> frozenset[str]:
    return frozenset(part for rule in policy.rules if isinstance(rule, Choose) for part in rule.rules)


_POLICY: TypeAdapter[Policy] = TypeAdapter(Policy)
_BEYOND = ("text", "amendments", "unset")

# Reading -----------------------------------------------------------------------------------------


def read_policy(text: str, amendments: Mapping[str, Value] | None = None) -> Policy:
    """Read a policy document (TOML), with the unset values that were filled in since.

    Raises:
        BadPolicy: every problem in a line of its own, with line and field.
    """
    document = _parse(text)
    index = line_index(text)
    _refuse(_beyond(document, index))
    filled = dict(amendments or {})
    for path, value in filled.items():
        _fill(document, path, value)
    values = {**document, "text": text, "amendments": filled, "unset": unset_values(document)}
    try:
        policy = _POLICY.validate_python(values)
    except ValidationError as error:
        found = [_problem(document, index, one) for one in error.errors(include_url=False)]
        raise BadPolicy("\n".join(dict.fromkeys(text for _, text in sorted(found)))) from None
    _refuse(_say(document, index, path, text) for path, text in _contradictions(policy))
    return policy


def amend(policy: Policy, values: Mapping[str, Value]) -> Policy:
    """The same version with unset values filled in; nothing that is set can be changed this way.

    The value "none" says that the program asks for no such thing, where a policy may leave it out.

    Raises:
        BadPolicy: a value is not unset in this policy, or does not fit.
    """
    return read_policy(policy.text, {**policy.amendments, **values})


def _parse(text: str) -> dict[str, Any]:
    if len(text) > MOST_TEXT:
        raise BadPolicy(f"Line 1: the document is longer than {MOST_TEXT} characters.")
    line = long_key_line(text)
    if line is not None:
        raise BadPolicy(f"Line {line}: a dotted key has more than {DEEPEST} parts.")
    try:
        document = tomllib.loads(text)
    except ValueError as error:
        place = re.search(r"line (\d+)", str(error))
        line = int(place[1]) if place else text.count("\n") + 1
        raise BadPolicy(f"Line {line}: this is not TOML: {error}.") from None
    except RecursionError:
        document = None
    if document is not None and not depth_over(document, DEEPEST):
        return document
    line = deep_line(text)
    if line is not None or document is None:
        raise BadPolicy(
            f"Line {line or 1}: this is not a policy: its values lie more than {DEEPEST} deep in each other."
        )
    return document


def _fill(document: dict[str, Any], path: str, value: Value) -> None:
    keys = place_of(document, path)
    if keys is None:
        raise BadPolicy(f"{path} is not an unset value of this policy.")
    if value == "unset":
        raise BadPolicy(f"{path} is unset already.")
    at: Any = document
    for key in keys[:-1]:
        at = at[key]
    if value == NONE:
        del at[keys[-1]]
    else:
        at[keys[-1]] = value


def _refuse(problems: Iterator[tuple[int, str]]) -> None:
    found = [text for _, text in sorted(problems)]
    if found:
        raise BadPolicy("\n".join(dict.fromkeys(found)))


def _beyond(document: dict[str, Any], index: dict[Path, int]) -> Iterator[tuple[int, str]]:
    for key in document:
        if key in NOT_SUPPORTED:
            yield _say(document, index, (key,), f"is refused: {NOT_SUPPORTED[key]}")
        elif key in _BEYOND:
            yield _say(document, index, (key,), "is not known here")


def _say(document: Any, index: dict[Path, int], path: Path, text: str) -> tuple[int, str]:
    """A problem with its line; elements of lists are named by their own ids."""
    names: list[str] = []
    at = document
    for key in path:
        inside = isinstance(at, list) and isinstance(key, int) and key < len(at)
        at = at[key] if inside else at.get(key) if isinstance(at, dict) else None
        names.append(name_of(at, key) if isinstance(key, int) else key)
    line = line_of(index, path)
    return line, f"Line {line}: {'.'.join(names) or 'the document'} {text}."


_KINDS = ("at_least", "items", "choose")


def _problem(document: Any, index: dict[Path, int], error: ErrorDetails) -> tuple[int, str]:
    """One finding of the validator, in words, with its line."""
    path: Path = tuple(error["loc"])
    if path[:1] == ("rule",) and path[2:3] and path[2] in _KINDS:
        path = (*path[:2], *path[3:])  # the validator names the kind of rule that it took
    context = error.get("ctx", {})
    match error["type"]:
        case "policy":
            text = str(context["text"])
        case "missing" | "union_tag_not_found":
            path = path if error["type"] == "missing" else (*path, "kind")
            text = "is missing"
        case "unexpected_keyword_argument" | "extra_forbidden":
            text = "is not known here"
        case "union_tag_invalid":
            path, text = (*path, "kind"), f"must be one of {', '.join(_KINDS)}"
        case "literal_error":
            text = f"must be one of {context['expected']}"
        case "dataclass_type" | "mapping_type" | "dataclass_exact_type" | "model_attributes_type":
            text = "must be a table"
        case "tuple_type":
            text = "must be a list"
        case "int_type" | "greater_than_equal" | "less_than_equal":
            text = "must be a whole number in its range"
        case _:
            text = f"cannot be used: {error['msg']}"
    while path and path[-1] in ("[key]", "none", "function-plain[_day()]"):
        path = path[:-1]
    return _say(document, index, path, text)


# What fits together ------------------------------------------------------------------------------

Problems = Iterator[tuple[Path, str]]


def _contradictions(policy: Policy) -> Problems:
    yield from _twice("activity", [one.type for one in policy.activities])
    yield from _twice("rule", [one.id for one in policy.rules])
    yield from _twice("track", [one.id for one in policy.tracks])
    if not policy.rules:
        yield ("rule",), "is empty: the policy asks for nothing"
    for number, rule in enumerate(policy.rules):
        yield from _rule_problems(policy, rule, ("rule", number))
    for number, activity in enumerate(policy.activities):
        low, high = activity.min_minutes, activity.max_minutes
        if isinstance(low, int) and isinstance(high, int) and low > high:
            yield ("activity", number, "max_minutes"), "is less than min_minutes"
    if policy.makeups is not None:
        yield from _unknown(policy, policy.makeups.activities, ("makeups", "activities"))
    for number, track in enumerate(policy.tracks):
        for place, credit in enumerate(track.credit):
            if policy.rule(credit.rule) is None:
                yield ("track", number, "credit", place, "rule"), f"names the rule {credit.rule}, which doesn't exist"
    first, last = known(policy.effective_from), known(policy.effective_until)
    if first is not None and last is not None and last < first:
        yield ("effective_until",), "is before effective_from"


def _twice(table: str, ids: list[str]) -> Problems:
    for number, one in enumerate(ids):
        if one in ids[:number]:
            yield (table, number), "is there twice"


def _unknown(policy: Policy, types: tuple[str, ...], path: Path) -> Problems:
    if not types:
        yield path, "is empty"
    for one in types:
        if policy.activity(one) is None:
            known = listed([activity.type for activity in policy.activities])
            yield path, f"names the activity {one}, which is not in the catalogue ({known})"


def _rule_problems(policy: Policy, rule: Rule, path: Path) -> Problems:
    if rule.id == ABSENCES:
        yield (*path, "id"), f"cannot be {ABSENCES}: that is the limit under attendance.maximum_absences"
    if rule.years and rule.per == "program":
        yield (*path, "years"), 'does not go with per = "program"'
    match rule:
        case AtLeast():
            yield from _at_least_problems(policy, rule, path)
        case Items():
            if not rule.items:
                yield (*path, "items"), "is empty"
        case Choose():
            yield from _choose_problems(policy, rule, path)


def _at_least_problems(policy: Policy, rule: AtLeast, path: Path) -> Problems:
    yield from _unknown(policy, rule.activities, (*path, "activities"))
    if rule.per == "semester" and policy.program.second_semester is None:
        yield (*path, "per"), "needs program.second_semester, the day on which the second one begins"
    if rule.in_months and rule.per not in ("month", "week"):
        yield (*path, "in_months"), 'goes only with per = "month" or "week"'
    if rule.first_weeks is not None and rule.per != "week":
        yield (*path, "first_weeks"), 'goes only with per = "week"'
    capped = [one.type for one in policy.activities if one.type in rule.activities and _capped(one)]
    if rule.unit in ("months", "weeks", "topics") and capped:
        yield (*path, "unit"), f"cannot be {rule.unit}: {listed(capped)} has a most_events or most_minutes"


def _capped(activity: Activity) -> bool:
    return activity.most_events is not None or activity.most_minutes is not None


def _choose_problems(policy: Policy, rule: Choose, path: Path) -> Problems:
    if not rule.rules:
        yield (*path, "rules"), "is empty"
    if len(set(rule.rules)) < len(rule.rules):
        yield (*path, "rules"), "names a rule twice"
    if isinstance(rule.at_least, int) and rule.at_least > len(rule.rules):
        yield (*path, "at_least"), f"is more than the {len(rule.rules)} rules it chooses from"
    for one in rule.rules:
        part = policy.rule(one)
        if part is None:
            yield (*path, "rules"), f"names the rule {one}, which doesn't exist"
        elif isinstance(part, Choose):
            yield (*path, "rules"), f"names {one}, which itself chooses; only one step is supported"
        elif part.per == "program" and rule.per != "program":
            yield (*path, "rules"), f'names {one}, which is per = "program"'


# Small helpers for those who ask -----------------------------------------------------------------

Known = TypeVar("Known")


def known(value: Known | Unset | None) -> Known | None:
    """The value where there is one; None where it is unset or left out."""
    return None if isinstance(value, Unset) else value
