"""Reading the days that people type: "Dec 25", "next Friday", "12/25", "in 2 weeks"."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import date, datetime, time, timedelta

from program.core.times import next_weekday
from program.core.words import WEEKDAYS, normal

LONGEST = 40  # characters of a day
BEFORE = re.compile(r"^(?:until|till|til|through|to|for|on|by)\s+")
NAMED = re.compile(r"(?:next |this |on )?([a-z]+)")


def read_day(text: str, today: date) -> date | None:
    """The day that a text names to somebody whose day is ``today``; where it may be one of several, one to come.

    None: it is no day. It may be a day in the past.
    """
    text = BEFORE.sub("", normal(text))
    if not text or len(text) > LONGEST:
        return None
    with suppress(ValueError):
        return date.fromisoformat(text)
    weekday = NAMED.fullmatch(text)
    for number, name in enumerate(WEEKDAYS):
        if weekday and weekday[1] in (name.lower(), name[:3].lower()):
            return next_weekday(today + timedelta(days=1), number)
    return _parsed(text, today)


def _parsed(text: str, today: date) -> date | None:
    # Imported when it is needed: it takes a tenth of a second, and few people type a day.
    import dateparser

    parse = dateparser.parse(
        text,
        languages=["en"],
        settings={
            "DATE_ORDER": "MDY",
            "PREFER_DATES_FROM": "future",
            "RELATIVE_BASE": datetime.combine(today, time(12)),
            "REQUIRE_PARTS": ["day", "month"],  # a month or a day of the month alone is not a day
            "PARSERS": ["relative-time", "absolute-time"],
            "TIMEZONE": "UTC",
            "RETURN_AS_TIMEZONE_AWARE": False,
        },
    )
    return parse.date() if parse else None
