"""Every interval of the running process, in one place, in seconds. Tests bring their own."""

from __future__ import annotations

from dataclasses import dataclass

from storage.core.database import Database
from storage.outbox.claims import LEASE, SETTLING


@dataclass(frozen=True, slots=True)
class Intervals:
    """The running process's intervals, in seconds."""

    look: float  # between two looks at what is due, besides those that come on time
    idle: float  # the longest sleep of the delivery loop
    rate_limited: float = 0.25  # its sleep while deliveries wait for a rate limit only
    yielding: float = 0.006  # the longest that a delivery waits for interactive requests
    call: float = 20.0  # a call's limit; shorter than the lease
    lease: float = LEASE.total_seconds()
    settling: float = SETTLING.total_seconds()
    profile: float = 5.0  # how long the platform may take to say who somebody is
    stop: float = 10.0  # what is in flight gets this long after a stop signal


ONE_PROCESS = Intervals(look=20.0, idle=5.0)  # the only process: nobody else plans or queues anything
SEVERAL_PROCESSES = Intervals(look=1.0, idle=1.0)  # what another process planned or queued is seen within a second


def intervals_for(database: Database) -> Intervals:
    """Return the intervals for one process (SQLite) or for several on one database (PostgreSQL)."""
    return ONE_PROCESS if database.sqlite else SEVERAL_PROCESSES
