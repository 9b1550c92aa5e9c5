"""Values that a policy leaves open. An unset value blocks completion; it never passes, and it says what it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal


class Unset(Enum):
    """In a document: the text "unset"."""

    UNSET = "unset"


UNSET = Unset.UNSET
Kind = Literal["number", "yes or no", "date", "choice"]

_NAMES = ("id", "type", "rule")  # what an element of an array of tables is known by


@dataclass(frozen=True, slots=True)
class UnsetValue:
    """``path`` names it in an amendment ("rule.meetings.at_least"); ``says`` names it to people."""

    path: str
    says: str
    kind: Kind


SAYS: dict[str, str] = {
    "effective_from": "from when this policy holds",
    "effective_until": "until when this policy holds",
    "program.years": "how many program years there are",
    "activity.min_minutes": "{name}: the fewest minutes that count",
    "activity.max_minutes": "{name}: the most minutes that count at once",
    "activity.most_events": "{name}: how many count at most",
    "activity.most_minutes": "{name}: how many minutes count at most",
    "rule.at_least": "{name}: how many are needed",
    "rule.first_weeks": "{name}: how many weeks it is asked for",
    "attendance.partial_counts": "whether being partly there counts",
    "attendance.late_after_minutes": "how many minutes late is still present",
    "attendance.maximum_absences": "how many absences a year are allowed",
    "attendance.unconfirmed_counts": "whether attendance counts before the mentor confirms it",
    "makeups.ratio": "how many make-ups stand for one missed meeting",
    "makeups.deadline_days": "how many days there are to make up a meeting",
    "makeups.same_program_year": "whether a make-up must be in the same program year",
    "makeups.per_year": "how many meetings a year can be made up",
    "track.scale_percent": "track {name}: the share of each number that is asked",
    "track.years": "track {name}: how many program years there are",
    "track.credit.amount": "track {name}: how much is credited",
    "leave.pauses_year_from_days": "how long a leave pauses a program year",
    "leave.credit_expires_after_days": "how long a leave ends what was done before",
    "leave.maximum_years": "within how many years the program must be finished",
    "transfer.credit_stays": "whether credit stays after a transfer",
    "completion.earliest": "whether somebody can complete before the last program year ends",
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
    return UnsetValue(".".join(path), said.replace("{name}", name), KINDS.get(field, "number"))
