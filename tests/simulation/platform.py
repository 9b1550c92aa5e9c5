"""Chat platforms of paper that fail: they write down what really arrived, whatever the product heard of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from bot.runtime.port import Address, CannotLook, Outgoing, Permanent, Sent, Temporary, Uncertain, Visit, Wait
from handlers.core.cards import Card
from handlers.core.requests import AccountKey, Place, Profile
from tests.simulation.failures import Fault
from tests.simulation.process import Life

TENANT = "T1"
WAIT_SECONDS = 30.0


@dataclass(slots=True)
class Message:
    """A message as it is on people's screens now."""

    id: str
    conversation: str
    delivery: UUID
    card: Card
    updates: int = 0


def direct(user: str) -> str:
    return f"D-{user}"


@dataclass(slots=True)
class PaperPlatform:
    """``can_look``: whether a personal chat can be searched for a message (Slack), or nothing can (Teams)."""

    platform: str
    can_look: bool
    life: Life
    seen: Callable[[Message], None]  # called for whatever appears or changes on a screen
    messages: dict[str, Message] = field(default_factory=dict)
    by_delivery: dict[UUID, list[Message]] = field(default_factory=dict)
    profiles: dict[str, Profile] = field(default_factory=dict)
    members: dict[str, list[str]] = field(default_factory=dict)  # users by channel
    archived: set[str] = field(default_factory=set)
    deactivated: set[str] = field(default_factory=set)

    async def post(self, to: Address, message: Outgoing) -> Sent:
        fault = await self._before("post", to)
        conversation = to.conversation or direct(to.user or "")
        posted = Message(f"{self.platform}-{len(self.messages)}", conversation, message.delivery, message.card)
        self.messages[posted.id] = posted
        self.by_delivery.setdefault(message.delivery, []).append(posted)
        self._note("received", f"{posted.id} {conversation} {message.delivery} {message.card.title}")
        self.seen(posted)
        self._after("post", fault)
        return Sent(conversation, posted.id)

    async def update(self, to: Address, message_id: str, message: Outgoing) -> None:
        fault = await self._before("update", to)
        shown = self.messages[message_id]
        if shown.conversation != to.conversation:
            raise Permanent("the message is in another conversation")
        shown.card = message.card
        shown.updates += 1
        self._note("changed", f"{message_id} {message.delivery} {message.card.title}")
        self.seen(shown)
        self._after("update", fault)

    async def find(self, to: Address, delivery: UUID) -> Sent | None:
        if not self.can_look or not (to.conversation is None or to.conversation.startswith(direct(""))):
            raise CannotLook(CannotLook.__doc__)
        self._after("find", await self._before("find", to))
        messages = self.by_delivery.get(delivery)
        return Sent(messages[0].conversation, messages[0].id) if messages else None

    async def profile(self, who: AccountKey, place: Place) -> Profile:
        self._after("profile", await self._before("profile", None))
        return self.profiles[who.user]

    async def visit(self, place: Place) -> Visit:
        self._after("visit", await self._before("visit", None))
        if place.conversation in self.archived:
            return Visit(problem="The channel is archived.")
        here = self.members.get(place.conversation, [])
        return Visit(tuple(self.profiles[user] for user in here), name=place.conversation)

    async def find_by_email(self, tenant: str, email: str) -> Profile | None:
        self._after("find_by_email", await self._before("find_by_email", None))
        return next((profile for profile in self.profiles.values() if profile.email == email), None)

    # Failing ------------------------------------------------------------------------------------

    async def _before(self, call: str, to: Address | None) -> Fault | None:
        """What fails before the work is done; a fault that comes after it is handed back."""
        await self.life.turn()
        self.life.step(f"before {self.platform}.{call}")
        if to is not None:
            self._refuse(to)
        fault = self.life.failures.fault(self.life.clock.at)
        if fault is not None:
            self._note("fault", f"{self.platform}.{call} {fault}")
        if fault == "wait":
            raise Wait(WAIT_SECONDS)
        if fault == "server error":
            raise Temporary("the platform answered 500")
        if fault == "dropped before":
            raise Uncertain("the connection dropped")
        return fault

    def _refuse(self, to: Address) -> None:
        if to.conversation in self.archived:
            raise Permanent("the channel is archived")
        if to.user in self.deactivated or (to.conversation or "").removeprefix(direct("")) in self.deactivated:
            raise Permanent("the account is deactivated")

    def _after(self, call: str, fault: Fault | None) -> None:
        self.life.step(f"after {self.platform}.{call}")
        if fault == "dropped after":
            raise Uncertain("the connection dropped")
        if fault == "timed out after" and call == "profile":
            raise Uncertain("no answer in time")  # the platform's own limit; the delivery loop limits its calls itself
        if fault == "timed out after":
            raise TimeoutError

    def _note(self, what: str, detail: str) -> None:
        self.life.diary.note(self.life.clock.at, what, detail)
