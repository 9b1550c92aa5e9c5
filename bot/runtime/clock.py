"""The program's clock. Everything that needs the time gets it from one of these."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """Aware UTC."""
        ...


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


class AheadClock:
    """The example's clock: it runs like the real one and can be sent ahead, never back."""

    def __init__(self, ahead: timedelta = timedelta()) -> None:
        self.ahead = ahead

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def go_to(self, at: datetime) -> None:
        self.ahead += max(timedelta(), at - self.now())
