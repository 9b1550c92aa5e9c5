"""How long what somebody wrote in a check-in is kept, where a cohort set a limit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from dateutil.relativedelta import relativedelta

SHORTEST, LONGEST = 3, 120  # months; a month's figures about groups are made before anything they need goes
NOTICE = timedelta(days=14)  # how long people know of a new limit before anything is deleted


def months_for(limits: Sequence[int | None]) -> int | None:
    """The limit for somebody in cohorts with these limits: the longest; None as soon as one has none."""
    set_limits = [limit for limit in limits if limit is not None]
    return max(set_limits) if limits and len(set_limits) == len(limits) else None


def kept_since(now: datetime, months: int) -> datetime:
    """What is older than this goes."""
    return now - relativedelta(months=months)
