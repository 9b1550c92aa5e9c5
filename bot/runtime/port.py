"""The port: the few verbs the product needs of a chat platform, and how a call may fail.

A platform folder offers a :class:`Port` and turns its payloads into Requests for :data:`Answer`.
No verb names a feature.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from aiohttp import web

from handlers.core.cards import Card, Shown
from handlers.core.requests import AccountKey, Place, Profile, Reply, Request
from storage.outbox.rate_limits import Limit

Answer = Callable[[Request], Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class Address:
    """Where a message goes: a known conversation, or a person's account whose chat is opened first."""

    platform: str
    tenant: str
    conversation: str | None = None
    user: str | None = None
    reference: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message to write. ``delivery`` travels with it where the platform can carry it.

    ``until``: by the event loop's clock, when the sender's hold on the delivery ends. A process that was frozen
    meanwhile wakes without knowing, so a port checks this right before it writes.
    """

    card: Card
    delivery: UUID
    shown: Shown = field(default_factory=Shown)
    until: float = math.inf

    def check(self) -> None:
        """Raises:
        Temporary: another process may have taken the delivery over; nothing was written.
        """
        if asyncio.get_running_loop().time() >= self.until:
            raise Temporary("The bot was held up for too long to be sure that nobody else has sent this.")


@dataclass(frozen=True, slots=True)
class Sent:
    """Where the platform put a message, and its id there."""

    conversation: str
    message: str


@dataclass(frozen=True, slots=True)
class Visit:
    """What the bot found on entering a channel. ``problem``: what somebody must do so that it can enter."""

    members: tuple[Profile, ...] = ()
    name: str = ""
    problem: str = ""


class Wait(Exception):
    """The platform asks to wait; nothing was done. ``seconds`` until the next try."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"wait {seconds:g} s")
        self.seconds = seconds


class Temporary(Exception):
    """The call failed, nothing was done, and another try may succeed."""


class Permanent(Exception):
    """The call can never succeed as things are. The text is a reason a coordinator can read."""


class Uncertain(Exception):
    """Nobody knows whether the call did its work: a lost answer, a time-out after sending."""


class CannotLook(Exception):
    """This conversation has no way to look up whether a message arrived."""


class Port(Protocol):
    """One platform's verbs. Calls raise only the errors above."""

    platform: str

    async def post(self, to: Address, message: Outgoing) -> Sent: ...

    async def update(self, to: Address, message_id: str, message: Outgoing) -> None: ...

    async def find(self, to: Address, delivery: UUID) -> Sent | None:
        """The message that carries this delivery id, None if there is none; CannotLook where unknowable."""
        ...

    async def profile(self, who: AccountKey, place: Place) -> Profile: ...

    async def visit(self, place: Place) -> Visit:
        """Enter a channel (join it where that is possible) and say who is there."""
        ...

    async def find_by_email(self, tenant: str, email: str) -> Profile | None:
        """The full member with this address, where the platform can tell."""
        ...


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of ``plc-bot doctor``: what was checked, and how to mend it where it fails."""

    what: str
    ok: bool
    mend: str = ""


class Platform(Protocol):
    """One connected platform: its port, its routes on our web server, its life."""

    @property
    def port(self) -> Port: ...

    @property
    def pace(self) -> Sequence[Limit]:
        """What the platform lets one tenant's deliveries do."""
        ...

    def add_routes(self, app: web.Application) -> None: ...

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def connected(self) -> bool:
        """Whether the platform takes our calls now, and can reach us where it holds a line to us."""
        ...

    async def check(self) -> list[Finding]:
        """Ask the platform whether tokens, scopes and addresses are right; change nothing there."""
        ...
