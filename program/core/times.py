"""Local times, zones and the program year. Nothing here reads a clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

# Until a policy names the program's zone, which `storage.core.program.zone_of` returns.
DEFAULT_ZONE = "America/Chicago"

_ZONE_NAMES = {
    "America/New_York": "Eastern Time",
    "America/Detroit": "Eastern Time",
    "America/Chicago": "Central Time",
    "America/Denver": "Mountain Time",
    "America/Phoenix": "Arizona Time",
    "America/Los_Angeles": "Pacific Time",
    "America/Anchorage": "Alaska Time",
    "Pacific/Honolulu": "Hawaii Time",
    "UTC": "UTC",
}


@lru_cache(maxsize=256)
def zone(name: str) -> ZoneInfo:
    """The zone of an IANA name. Raises ZoneInfoNotFoundError or ValueError where there is none."""
    return ZoneInfo(name)


def is_zone(name: str) -> bool:
    """Whether this is the IANA name of a zone."""
    try:
        zone(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def zone_words(name: str) -> str:
    """A zone as people call it: Central Time; one without such a name by its city: Berlin time."""
    return _ZONE_NAMES.get(name) or f"{name.rpartition('/')[2].replace('_', ' ')} time"


def to_utc(local: datetime, zone_name: str) -> datetime:
    """The instant of a naive local time.

    A time that the clocks skip in spring happens an hour later; one that they repeat in autumn is the
    first of the two.
    """
    if local.tzinfo is not None:
        raise ValueError("A local time carries no zone of its own.")
    return local.replace(tzinfo=zone(zone_name)).astimezone(UTC)


def to_local(instant: datetime, zone_name: str) -> datetime:
    """The naive local time of an instant."""
    return instant.astimezone(zone(zone_name)).replace(tzinfo=None)


def local_day(instant: datetime, zone_name: str) -> date:
    """The day that it is in a zone at an instant."""
    return to_local(instant, zone_name).date()


def whole_minutes(starts: datetime, ends: datetime) -> int:
    """The whole minutes between two instants."""
    length = ends - starts
    return length.days * 1440 + length.seconds // 60


def midnight(day: date, zone_name: str) -> datetime:
    """The instant at which a local day begins."""
    return to_utc(datetime.combine(day, time()), zone_name)


def program_year(day: date, month: int = 7, day_of_month: int = 1) -> int:
    """The calendar year in which the program year of ``day`` began (Missouri: 1 July, RSMo 160.041)."""
    return day.year if (day.month, day.day) >= (month, day_of_month) else day.year - 1


def say_day(day: date) -> str:
    """A day for a card: "Thu Oct 15, 2026"."""
    return f"{day:%a} {day:%b} {day.day}, {day.year}"


def long_day(instant: datetime, zone_name: str) -> str:
    """The day of an instant as documents write it: November 21, 2026."""
    day = local_day(instant, zone_name)
    return f"{day:%B} {day.day}, {day.year}"


def say_time(local: datetime) -> str:
    """A time for a card: "3:30 PM"."""
    return f"{local.hour % 12 or 12}:{local:%M} {'AM' if local.hour < 12 else 'PM'}"


def say_minutes(minutes: int) -> str:
    """A length of time in its largest whole unit: 1 hour, 90 minutes, 2 days."""
    for unit, size in (("day", 1440), ("hour", 60)):
        if minutes % size == 0 and minutes >= size:
            count = minutes // size
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return f"{minutes} minute{'' if minutes == 1 else 's'}"


def next_weekday(day: date, weekday: int) -> date:
    """The first ``weekday`` (Monday 0) on or after ``day``."""
    return day + timedelta(days=(weekday - day.weekday()) % 7)
