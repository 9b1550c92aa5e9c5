"""What a feature registers: commands, moments, and the functions that answer or build."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from handlers.core.calls import Call
from handlers.core.cards import Card
from handlers.core.requests import Reply
from storage.core.work import Work
from storage.outbox.deliveries import Delivery
from storage.outbox.due import Moment
from storage.vault.vault import Vault

Handler = Callable[[Call], Reply]
Answer = Callable[[Call, Sequence[str]], Reply]  # with the arguments of a button or form, as they came
MomentHandler = Callable[[Work, Moment], str | None]
OpeningHandler = Callable[[Work, Moment, Vault], str | None]
CardBuilder = Callable[[Work, Delivery], Card | None]
StartHook = Callable[[Work], None]


@dataclass(frozen=True, slots=True)
class CommandSpec:
    """``takes``: what may follow, e.g. DATE. ``cohort``: the roles that let one choose a cohort.

    ``help``: its place in the help of a role; "former": of somebody who has left. ``teams``: its place among the
    commands that Teams offers in a "personal" chat and in a "team". ``example``: how it is sent, where that helps.
    ``by_role``: what it does for one role, where that is not what ``summary`` says. ``takes_by``: the roles that may
    add what ``takes`` says.
    """

    words: str
    summary: str
    handler: Handler
    who: frozenset[str]
    takes: str
    accepts: Callable[[str], bool]
    corrects: Callable[[str], bool]
    cohort: frozenset[str] | None
    reads: bool
    cohort_optional: bool
    by_role: Mapping[str, str]
    takes_by: frozenset[str]
    help: Mapping[str, int]
    example: str
    teams: Mapping[str, int]

    def summary_for(self, role: str) -> str:
        """What the command does for somebody in this role."""
        return self.by_role.get(role, self.summary)

    def words_for(self, role: str) -> str:
        """The command as somebody in this role may send it, with what may follow."""
        return f"{self.words} {self.takes if role in self.takes_by else ''}".strip()


@dataclass(frozen=True, slots=True)
class MomentSpec:
    """``late``: what happens when its time has passed because no process ran; a sentence without its subject."""

    handler: OpeningHandler
    says: str
    late: str
