"""Values that a policy leaves open. An unset value blocks completion; it never passes, and it says what it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal

from program.core.words import capitalized


class Unset(Enum):
    """In a document: the text "unset"."""

    UNSET = "unset"


UNSET = Unset.UNSET
Kind = Literal["number", "yes or no", "date", "choice"]

_NAMES = ("id", "type", "rule")  # what an element of an array of tables is known by


@dataclass(frozen=True, slots=True)
class UnsetValue:
    """``path`` names it in an amendment ("rule.meetings.at_least"); ``says`` names it to people.

    ``asks``: its question in a form; ``none_if``: when "none" is the right answer; empty: it is not one.
    """

    path: str
    says: str
    kind: Kind
    asks: str = ""
    none_if: str = ""


SAYS: dict[str, str] = {
    "effective_from": "the day this policy starts",
    "effective_until": "the day this policy ends",
    "program.years": "how many program years there are",
    "activity.min_minutes": "{name}: the fewest minutes that count",
    "activity.max_minutes": "{name}: the most minutes that count at once",
    "activity.most_events": "{name}: how many count at most",
    "activity.most_minutes": "{name}: how many minutes count at most",
    "rule.at_least": "{name}: how many are needed",
    "rule.first_weeks": "{name}: for how many weeks it is required",
    "attendance.partial_counts": "whether attending part of a meeting counts",
    "attendance.late_after_minutes": "how many minutes a mentee can miss and still be present",
    "attendance.maximum_absences": "how many absences a year are allowed",
    "attendance.unconfirmed_counts": "whether “I'm here” counts before the mentor confirms it",
    "makeups.ratio": "how many make-ups replace one missed meeting",
    "makeups.deadline_days": "how many days a mentee has to make up a meeting",
    "makeups.same_program_year": "whether a make-up must be in the same program year",
    "makeups.per_year": "how many meetings a year can be made up",
    "track.scale_percent": "track {name}: the percentage of each number that is required",
    "track.years": "track {name}: how many program years there are",
    "track.credit.amount": "track {name}: how much credit it starts with",
    "leave.pauses_year_from_days": "how many days of leave pause a program year",
    "leave.credit_expires_after_days": "after how many days of leave earlier credit ends",
    "leave.maximum_years": "how many years a mentee has to finish the program",
    "transfer.credit_stays": "whether credit stays after a transfer",
    "completion.earliest": "when a mentee can complete the program",
}
ASKS: dict[str, str] = {
    "attendance.partial_counts": "Does attending part of a meeting count?",
    "attendance.unconfirmed_counts": "Does “I'm here” count before the mentor confirms it?",
    "makeups.same_program_year": "Must a make-up be in the same program year?",
    "transfer.credit_stays": "Does credit stay after a transfer?",
    "completion.earliest": "When can a mentee complete the program?",
}
NONE_IF: dict[str, str] = {
    "effective_until": "there is no such day",
    "activity.min_minutes": "there is no minimum",
    "activity.max_minutes": "there is no limit",
    "activity.most_events": "there is no limit",
    "activity.most_minutes": "there is no limit",
    "rule.first_weeks": "it is required all year",
    "attendance.late_after_minutes": "there is no such rule",
    "attendance.maximum_absences": "there is no limit",
    "makeups.deadline_days": "there is no deadline",
    "makeups.per_year": "there is no limit",
    "track.years": "there are as many as for everyone",
    "leave.pauses_year_from_days": "leave never pauses a year",
    "leave.credit_expires_after_days": "credit never ends",
    "leave.maximum_years": "there is no deadline",
}
KINDS: dict[str, Kind] = {
    "effective_from": "date",
    "effective_until": "date",
    "attendance.partial_counts": "yes or no",
    "attendance.unconfirmed_counts": "yes or no",
    "makeups.same_program_year": "yes or no",
    "transfer.credit_stays": "yes or no",
    "completion.earliest": "choice",
}


def unset_values(document: dict[str, Any]) -> tuple[UnsetValue, ...]:
    """What a document leaves unset, in its order."""
    return tuple(_named(document, keys, path) for keys, path in _walk(document, (), ()))


def place_of(document: dict[str, Any], path: str) -> tuple[str | int, ...] | None:
    """The keys of the unset value that is called ``path``; None: there is no such value."""
    return next((keys for keys, names in _walk(document, (), ()) if ".".join(names) == path), None)


def _walk(value: Any, keys: tuple[str | int, ...], names: tuple[str, ...]) -> Iterator[tuple[Any, tuple[str, ...]]]:
    match value:
        case "unset":
            yield keys, names
        case dict():
            for key, item in value.items():
                yield from _walk(item, (*keys, key), (*names, key))
        case list():
            for number, item in enumerate(value):
                yield from _walk(item, (*keys, number), (*names, name_of(item, number)))


def name_of(element: Any, number: int) -> str:
    """How a path names an element of a list: by its own id, else by its place."""
    if isinstance(element, dict):
        for key in _NAMES:
            if isinstance(element.get(key), str):
                return str(element[key])
    return str(number + 1)


def _named(document: dict[str, Any], keys: tuple[str | int, ...], path: tuple[str, ...]) -> UnsetValue:
    field = ".".join(str(key) for key in keys if isinstance(key, str))
    said = SAYS.get(field, field.replace(".", ", ").replace("_", " "))
    table = document[str(keys[0])][keys[1]] if len(keys) > 1 and isinstance(keys[1], int) else {}
    name = str(table.get("name", path[1] if len(path) > 1 else "")) if isinstance(table, dict) else ""
    says = said.replace("{name}", name)
    asks = ASKS.get(field) or capitalized(says)
    return UnsetValue(".".join(path), says, KINDS.get(field, "number"), asks, NONE_IF.get(field, ""))


# Why a value was refused, in words -----------------------------------------------------------------

_RANGE = re.compile(r"a whole number from (\d+) to (\d+)")
_MORE_THAN_RULES = re.compile(r"is more than the (\d+) rules")
_NEEDED: dict[Kind, str] = {
    "number": "Enter a whole number.",
    "yes or no": "Choose yes or no.",
    "date": "Enter a date like 2026-07-01.",
    "choice": "Choose one of the options.",
}


def refused_words(value: UnsetValue, typed: str, problem: str) -> str:
    """Why ``typed`` does not fit, for the reader of the form. ``problem``: what reading the policy said of it."""
    if typed == "none":
        return f"The program needs a value here, so “none” does not work. {_NEEDED[value.kind]}"
    if match := _RANGE.search(problem):
        return f"Enter a whole number from {int(match[1]):,} to {int(match[2]):,}."
    if match := _MORE_THAN_RULES.search(problem):
        return f"There are only {match[1]} requirements to choose from. Enter {match[1]} or less."
    if "is less than min_minutes" in problem:
        return "The most minutes that count must not be less than the fewest minutes that count."
    if "is before effective_from" in problem:
        return "The policy cannot end before it starts. Choose a later date."
    return _NEEDED[value.kind]
