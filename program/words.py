"""Small helpers for sentences and for what people type."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta
from difflib import get_close_matches

from program.times import next_weekday

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def listed(items: Sequence[str], most: int = 10) -> str:
    """ "Ann", "Ann and Bo", "Ann, Bo and 3 more"."""
    if len(items) > most:
        return f"{', '.join(items[:most])} and {len(items) - most} more"
    if len(items) <= 1:
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"


def shortened(text: str, limit: int) -> str:
    """At most ``limit`` characters, with an ellipsis where something was left out."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def counted(number: int, one: str, many: str | None = None) -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"


def normal(text: str) -> str:
    """What somebody typed, ready to compare: lower case, single spaces, no final punctuation."""
    return re.sub(r"\s+", " ", text).strip().rstrip(".!?").lower()


def nearest(typed: str, known: Sequence[str], most: int = 3) -> list[str]:
    """The commands that somebody probably meant."""
    typed = normal(typed)
    close = get_close_matches(typed, known, n=most, cutoff=0.5)
    if close or not typed:
        return close
    first = typed.split(" ")[0]
    return get_close_matches(first, known, n=most, cutoff=0.5)


def read_day(text: str, today: date) -> date | None:
    """A day as people type it: 2026-12-01, 12/1, 12/1/2026, tomorrow, friday, in 2 weeks. None: not a day."""
    text = normal(text)
    if text in ("today", "tomorrow"):
        return today + timedelta(days=int(text == "tomorrow"))
    for number, name in enumerate(WEEKDAYS):
        if text in (name.lower(), name[:3].lower(), f"next {name.lower()}"):
            return next_weekday(today + timedelta(days=1), number)
    if match := re.fullmatch(r"(?:in )?(\d{1,2}) (day|week)s?", text):
        return today + timedelta(days=int(match[1]) * (7 if match[2] == "week" else 1))
    if match := re.fullmatch(r"(\d{4})-(\d{1,2})-(\d{1,2})", text):
        return _day(int(match[1]), int(match[2]), int(match[3]))
    if match := re.fullmatch(r"(\d{1,2})/(\d{1,2})(?:/(\d{2}|\d{4}))?", text):
        year = int(match[3]) if match[3] else today.year
        day = _day(year + 2000 if year < 100 else year, int(match[1]), int(match[2]))
        if day and not match[3] and day < today:
            return _day(today.year + 1, day.month, day.day)
        return day
    return None


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
