"""The program's clock. Everything that needs the time gets it from one of these."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """A source of the current time."""

    def now(self) -> datetime:
        """Aware UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the current time, aware UTC."""
        return datetime.now(UTC)


class AheadClock:
    """The example's clock: it runs like the real one and can be sent ahead, never back."""

    def __init__(self, ahead: timedelta = timedelta()) -> None:
        self.ahead = ahead

    def now(self) -> datetime:
        """Return the machine's time moved by ``ahead``, aware UTC."""
        return datetime.now(UTC) + self.ahead

    def go_to(self, at: datetime) -> None:
        """Move ahead to this time (aware). A time that is past changes nothing."""
        self.ahead += max(timedelta(), at - self.now())
