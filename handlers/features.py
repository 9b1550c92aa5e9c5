"""Every feature, registered: importing this gives the whole :data:`router`."""

from handlers import (
    attendance,
    breaks,
    checkins,
    cohorts,
    completion,
    digest,
    exports,
    help,
    identity,
    meetings,
    progress,
    summaries,
)
from handlers.router import router

__all__ = [
    "attendance",
    "breaks",
    "checkins",
    "cohorts",
    "completion",
    "digest",
    "exports",
    "help",
    "identity",
    "meetings",
    "progress",
    "router",
    "summaries",
]
