"""Days that an entry of the record states, such as the first day of a leave.

The ledger keeps each as an instant. Which instant stands for a day is the same in every program, so that a policy with
another zone moves no day that is recorded already.
"""

from __future__ import annotations

from datetime import date, datetime

from program.core.times import local_day, midnight

STATING_KINDS = frozenset({"credit", "leave", "transfer", "waiver"})
_ENCODING_ZONE = "America/Chicago"  # never another one: stored instants are read back with it


def stated_day(day: date) -> datetime:
    """The instant that stands for a day in the ledger; :func:`day_stated` returns the day again."""
    return midnight(day, _ENCODING_ZONE)


def day_stated(at: datetime) -> date:
    """The day that an instant of :func:`stated_day` stands for."""
    return local_day(at, _ENCODING_ZONE)


def day_of_entry(kind: str, happened_at: datetime, zone: str) -> date:
    """The day of an entry: the one that it states, or else the day of the instant in a zone.

    ``kind``: the entry's kind; ``zone``: whose days count for what happened at an instant, such as a meeting.
    """
    return day_stated(happened_at) if kind in STATING_KINDS else local_day(happened_at, zone)
