"""The values that a policy document may hold, each checked on its own and refused in a sentence."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Annotated, Any, Literal, cast, get_args

from pydantic import Field, PlainValidator
from pydantic_core import PydanticCustomError

from program.core.times import is_zone
from program.record.unset import UNSET, Unset

MOST_YEARS = 10
Earliest = Literal["when met", "end of program"]


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


def read_number_or_all(value: Any) -> int | Unset | Literal["all"]:
    """A number from 1 to 100, "all" or unset. Raises ValueError for anything else."""
    return "all" if value == "all" else _whole(1, 100)(value)


def read_earliest(value: Any) -> Earliest | Unset:
    """When completion is possible at the earliest, or unset. Raises ValueError for anything else."""
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
