"""What the workspace asks of the product around it: who there is, which commands, and the program's clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class LocalPerson:
    """Somebody the visitor can be. ``user`` is an opaque id, usually the e-mail address."""

    user: str
    name: str
    role: str  # in words: "mentee", "mentor", "coordinator"
    zone: str  # IANA
    cohorts: str = ""  # their names, in words


@dataclass(frozen=True, slots=True)
class CommandHelp:
    """A command to complete: ``meeting new``, "Schedule a meeting or a series"."""

    words: str
    summary: str


@dataclass(frozen=True, slots=True)
class NextDue:
    """The next due moment, in words that follow "Next: "."""

    at: datetime  # aware, UTC
    what: str


class Host(Protocol):
    """The product as the workspace sees it."""

    async def people(self) -> tuple[LocalPerson, ...]:
        """Return everybody that a visitor can be, in the order in which a list shows them."""
        ...

    async def commands(self, user: str) -> tuple[CommandHelp, ...]:
        """Return the commands that this user may send, for completion."""
        ...

    def now(self) -> datetime:
        """The program's clock: aware, UTC."""
        ...

    async def next_due(self) -> NextDue | None:
        """Return the next due moment of which people see anything, or None."""
        ...

    async def go_to_next(self) -> NextDue | None:
        """Move the clock to the next due moment, do and deliver all that is due; returns what it was."""
        ...

    async def go_forward(self, hours: int) -> None:
        """Move the clock by these hours. Every due moment on the way is done and delivered at its own time."""
        ...

    async def reset(self) -> None:
        """Seed the example again after its chat was emptied."""
        ...
