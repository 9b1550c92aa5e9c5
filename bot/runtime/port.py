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
        """Check that this process still holds the delivery, by the event loop's clock.

        Raises:
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


class Unreachable(Permanent):
    """The platform does not know this person or conversation, or they take no messages from the bot."""


class Uncertain(Exception):
    """Nobody knows whether the call did its work: a lost answer, a time-out after sending."""


class CannotLook(Exception):
    """This conversation has no way to look up whether a message arrived."""


class Port(Protocol):
    """One platform's verbs.

    A call raises only Wait, Temporary, Permanent, Uncertain or CannotLook. The port never repeats a post whose outcome
    is unknown; the delivery loop alone decides about that. A call may be canceled when its time is up: the outcome of
    a canceled post is unknown too.
    """

    platform: str

    async def post(self, to: Address, message: Outgoing) -> Sent:
        """Write a new message and return where it is.

        The port opens the person's chat if ``to`` names no conversation, calls ``message.check()`` right before it
        writes, and sends ``message.delivery`` along where the platform can carry it, so that ``find`` works.

        Raises:
            Wait: the platform asks to wait; nothing was written.
            Temporary: nothing was written, and the message is sent again later.
            Permanent: nothing was written, and the delivery fails with this text as its reason.
            Uncertain: the message may have been written. It is never just sent again: ``find`` decides.
        """
        ...

    async def update(self, to: Address, message_id: str, message: Outgoing) -> None:
        """Replace the card of a message that the bot sent. Doing it twice is the same as doing it once.

        Raises:
            Wait: the platform asks to wait; nothing was changed.
            Temporary: nothing was changed, and the call is made again later.
            Permanent: the message cannot be changed; the delivery fails with this text as its reason.
            Uncertain: the message may have been changed; the call is made again later.
        """
        ...

    async def find(self, to: Address, delivery: UUID) -> Sent | None:
        """Return the message that carries this delivery id, after a post of unknown outcome.

        None means that the message is certainly not there, and it is then sent again. A port that cannot be certain
        raises CannotLook instead.

        Raises:
            CannotLook: this conversation has no look-up. The delivery is shown as unconfirmed and not sent again.
            Wait, Temporary, Uncertain: the platform cannot be asked now; it is asked again after the lease.
            Permanent: the platform refuses the look-up. The delivery is shown as unconfirmed with this text.
        """
        ...

    async def profile(self, who: AccountKey, place: Place) -> Profile:
        """Return what the platform says now of the account that acted in ``place``. Nothing is guessed or cached.

        Raises:
            Permanent: the platform does not know the account, or does not tell.
            Wait, Temporary, Uncertain: it cannot be asked now.
        """
        ...

    async def visit(self, place: Place) -> Visit:
        """Enter a channel (join it if the platform allows that) and return its name and members.

        If the bot cannot enter, the visit's ``problem`` says what somebody must do. Visiting twice is the same as
        visiting once.

        Raises:
            Wait, Temporary, Uncertain: the platform cannot be asked now; the visit is tried again later.
            Permanent: the bot cannot enter; its text is used as the visit's ``problem``.
        """
        ...

    async def find_by_email(self, tenant: str, email: str) -> Profile | None:
        """Return the profile of the tenant's full, active member with this address.

        None: there is none (a guest or bot is none), or the platform does not tell.

        Raises:
            Wait, Temporary, Permanent, Uncertain: the platform cannot be asked now.
        """
        ...


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of ``plc-bot doctor``: what was checked, and how to mend it where it fails."""

    what: str
    ok: bool
    mend: str = ""


class Platform(Protocol):
    """One connected platform: its port, its routes on our web server, its start and stop."""

    @property
    def port(self) -> Port:
        """The verbs of this platform. The same object all the time, also before ``start``."""
        ...

    @property
    def rate_limits(self) -> Sequence[Limit]:
        """The rate limits of one tenant's deliveries."""
        ...

    def add_routes(self, app: web.Application) -> None:
        """Add the paths that the platform calls to our web server. Called once, before ``start``."""
        ...

    async def start(self) -> None:
        """Connect to the platform, and from now on turn its payloads into requests.

        A platform that is only out of reach does not keep the bot from starting.

        Raises:
            Permanent: the platform does not accept the credentials. The bot does not start, and says this text.
        """
        ...

    async def stop(self) -> None:
        """Take no more requests, finish those being answered, and close all connections.

        This may be called twice, and for a platform that did not start.
        """
        ...

    async def connected(self) -> bool:
        """Return whether the platform accepts our calls now, and holds its connection to us where it has one."""
        ...

    async def check(self) -> list[Finding]:
        """Ask the platform whether tokens, scopes and addresses are right; change nothing there."""
        ...
