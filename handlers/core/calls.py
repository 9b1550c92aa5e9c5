"""One request on its way through a handler: who asks, what was sent, and how it is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from handlers.core.cards import Cmd, Span
from handlers.core.contacts import ask_coordinator
from handlers.core.plain_cards import plain_text
from handlers.core.requests import (
    AccountKey,
    Command,
    Request,
    Typed,
)
from storage.core import drafts
from storage.core.work import Work
from storage.outbox.conversations import Conversation
from storage.people import cohorts, people
from storage.people.cohorts import Cohort
from storage.people.people import Actor, Person
from storage.vault.vault import Vault

EVERYONE = frozenset({"mentee", "mentor", "coordinator"})
LEADS = frozenset({"mentor", "coordinator"})
COORDINATORS = frozenset({"coordinator"})
MENTEES = frozenset({"mentee"})


class Refused(Exception):
    """The request cannot be granted. The text is said to the asker; nothing was changed."""

    def __init__(self, *text: Span) -> None:
        super().__init__(plain_text(text))
        self.text = text


@dataclass(frozen=True, slots=True)
class Call:
    """One request on its way through a handler, inside one transaction."""

    work: Work
    vault: Vault
    request: Request
    me: Actor
    place: Conversation | None
    words: str = ""  # what follows the command
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    cohort_id: UUID | None = None  # of the cohort that a command was resolved to

    @property
    def my_id(self) -> UUID:
        """The id of the person who acts. Raises Refused where their account is linked to no person."""
        if self.me.person_id is None:
            raise Refused("I can't match you to the roster yet.")
        return self.me.person_id

    @property
    def mentions(self) -> tuple[AccountKey, ...]:
        """The accounts that a command mentions."""
        intent = self.request.intent
        return intent.mentions if isinstance(intent, Command | Typed) else ()

    @property
    def cohort(self) -> Cohort:
        """The cohort a command was resolved to."""
        if self.cohort_id is None:
            raise Refused("Send this command in the cohort's channel.")
        return cohorts.get(self.work.tx, self.cohort_id)

    def draft(self, draft_id: UUID | None, kind: str) -> dict[str, Any] | None:
        """What was put into the form's earlier step; None: there is no such draft of the asker's."""
        return drafts.read(self.work.tx, draft_id, self.my_id, kind) if draft_id is not None else None

    def person(self, person_id: UUID) -> Person:
        """The person of this id.

        Raises:
            Refused: nobody has it.
        """
        if person_id not in people.named(self.work.tx, [person_id]):
            raise Refused("I can't find that person.")
        return people.get(self.work.tx, person_id)

    def leads(self, cohort_id: UUID) -> bool:
        """Whether the asker is a mentor of the cohort or a coordinator."""
        return self.me.coordinator or self.is_member(cohort_id, "mentor")

    def is_member(self, cohort_id: UUID, role: str | None = None) -> bool:
        """Whether the person who acts is in a cohort now, in this role or (None) in any."""
        return any(member.cohort_id == cohort_id and role in (None, member.role) for member in self.me.memberships)


def old_form(command: str, what: str) -> Refused:
    """The refusal of a form whose draft is gone. ``command``: what shows the present state, which ``what`` names."""
    return Refused("You sent this form already, or it is too old. Send ", Cmd(command), f" to see {what}.")


def mentees_only(call: Call) -> None:
    """What mentees do for themselves ends with their membership: a button may be older than that.

    Raises:
        Refused: the asker is a mentee of no cohort now.
    """
    if "mentee" not in roles_of(call.me):
        raise Refused(f"Only mentees in a cohort can do that. {ask_coordinator(call.work.tx)}")


def coordinators_only(call: Call, action: str = "do that") -> None:
    """``action``: what only coordinators can do, as a verb.

    Raises:
        Refused: the asker is no coordinator.
    """
    if not call.me.coordinator:
        raise Refused(f"Only coordinators can {action}.")


def roles_of(me: Actor) -> frozenset[str]:
    """The roles of an actor: those of their memberships, and coordinator."""
    own = {member.role for member in me.memberships}
    return frozenset(own | {"coordinator"} if me.coordinator else own)
