"""What the bot needs of a Bot Framework SDK: two protocols.

``bot/teams/botbuilder/`` implements them with botbuilder-core. Another SDK is one more folder beside it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class TeamsMessage:
    """A message: one card, with the text that a notification says, or plain text."""

    card: Mapping[str, Any] | None = None
    summary: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class TurnResult:
    """The HTTP answer to an activity: its status and its JSON body, None if it has no body."""

    status: int
    body: Any = None


TurnHandler = Callable[[], Awaitable[dict[str, Any] | None]]
"""Handles an activity. Returns the body of an invoke's answer, which may be empty; None for other activities."""


class Turn(Protocol):
    """One activity and the way to answer it."""

    async def process(self, handle: TurnHandler) -> TurnResult:
        """Check who sent the activity, then run ``handle``.

        Raises:
            Unauthorized: the token does not prove that the Bot Framework sent it.
            NotTeams: it comes from another channel than Teams.
            KeysUnreachable: no signing keys can be fetched.
        """
        ...

    async def send(self, message: TeamsMessage) -> None:
        """Write a message to the activity's conversation. Only while ``handle`` runs."""
        ...

    async def update(self, message_id: str, message: TeamsMessage) -> None:
        """Change a message of the activity's conversation. Only while ``handle`` runs."""
        ...


StartTurn = Callable[[str, dict[str, Any]], Turn]
"""Builds a turn from the Authorization header and the activity's JSON; raises an exception if that is malformed."""


class Conversations(Protocol):
    """Calls to conversations at any time. They raise only the errors of :mod:`bot.runtime.port`.

    ``service_url`` is the Bot Connector's address, ``bot`` the bot's own id in Teams.
    """

    async def create(self, service_url: str, *, bot: str, person: str, tenant: str) -> str:
        """Open a personal chat and return its id. Teams returns the existing chat; empty if it names none."""
        ...

    async def send(self, service_url: str, conversation: str, message: TeamsMessage, *, bot: str) -> str:
        """Write a message and return its id; empty if Teams names none."""
        ...

    async def update(
        self, service_url: str, conversation: str, message_id: str, message: TeamsMessage, *, bot: str
    ) -> None:
        """Change a message."""
        ...

    async def members(self, service_url: str, conversation: str) -> list[Mapping[str, Any]]:
        """Return the members as Teams describes them, at most 20,000."""
        ...
