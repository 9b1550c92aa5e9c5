"""What features register: which function answers a command, a press, a form, a due moment, or builds a card."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeVar

from handlers.core.actions import ActionType
from handlers.core.calls import EVERYONE, Call, Refused
from handlers.core.forms import FormErrors
from handlers.core.registrations import (
    Answer,
    CardBuilder,
    CommandSpec,
    Handler,
    MomentHandler,
    MomentSpec,
    OpeningHandler,
    StartHook,
)
from handlers.core.requests import (
    Reply,
)
from storage.outbox import kinds, moments
from storage.outbox.kinds import DeliveryKind
from storage.outbox.moments import MomentKind

ActionHandler = Callable[[Call, ActionType], Reply]
Registered = Callable[[ActionHandler[ActionType]], ActionHandler[ActionType]]


class Registry:
    """Everything that is registered. Registering a name twice is an error."""

    def __init__(self) -> None:
        self.commands: dict[str, CommandSpec] = {}
        self.presses: dict[str, Answer] = {}
        self.submits: dict[str, Answer] = {}
        self.moments: dict[str, MomentSpec] = {}
        self.builders: dict[str, CardBuilder] = {}
        self.slow_deliveries: set[str] = set()  # kinds whose cards are built from the whole program
        self.account_checks: set[str] = set()  # presses for which the platform is asked who the asker is
        self.start_hooks: list[StartHook] = []
        self._events: dict[type, Handler] = {}
        self._stranger: Handler | None = None

    def command(
        self,
        words: str,
        summary: str,
        *,
        who: frozenset[str] = EVERYONE,
        takes: str = "",
        accepts: Callable[[str], bool] = lambda words: not words,
        corrects: Callable[[str], bool] = lambda _words: False,
        cohort: frozenset[str] | None = None,
        reads: bool = False,
        cohort_optional: bool = False,
        by_role: Mapping[str, str] = MappingProxyType({}),
        takes_by: frozenset[str] = EVERYONE,
        help: Mapping[str, int] = MappingProxyType({}),
        example: str = "",
        teams: Mapping[str, int] = MappingProxyType({}),
    ) -> Callable[[Handler], Handler]:
        """``accepts``: whether the words after the command make it exact, so that it wins over an answer.

        ``corrects``: whether they run it although the command itself is misspelled.
        ``by_role``: the summary for a role, where it is not the same for all. ``takes_by``: who may add words.
        ``help``, ``example``, ``teams``: see :class:`CommandSpec`.
        """

        def register(handler: Handler) -> Handler:
            spec = CommandSpec(
                words,
                summary,
                handler,
                who,
                takes,
                accepts,
                corrects,
                cohort,
                reads,
                cohort_optional,
                by_role,
                takes_by,
                help,
                example,
                teams,
            )
            _register(self.commands, words)(spec)
            return handler

        return register

    def press(self, action: type[ActionType], *, checks_account: bool = False) -> Registered[ActionType]:
        """Register the handler that gets the pressed button's action.

        ``checks_account``: the platform is asked who the asker is before this is answered.
        """
        if checks_account:
            self.account_checks.add(action.name)
        return _on_action(self.presses, action)

    def submit(self, action: type[ActionType], *, keeps_words: bool = False) -> Registered[ActionType]:
        """Register the handler that gets the sent form's action; ``call.values`` holds its fields.

        ``keeps_words``: a refusal is said in the form, which stays open with the words that were written in it.
        """

        def register(handler: ActionHandler[ActionType]) -> ActionHandler[ActionType]:
            _on_action(self.submits, action)(_in_the_form(handler) if keeps_words else handler)
            return handler

        return register

    def delivery(self, kind: DeliveryKind, *, slow: bool = False) -> Callable[[CardBuilder], CardBuilder]:
        """Register the builder of this kind of delivery's card. ``slow``: it reads the whole program."""
        if slow:
            self.slow_deliveries.add(kind.name)
        return _register(self.builders, kind.name)

    def moment(self, kind: MomentKind, says: str, *, late: str) -> Callable[[MomentHandler], MomentHandler]:
        """The handler's answer is the state the moment ends in; None: done."""

        def register(handler: MomentHandler) -> MomentHandler:
            spec = MomentSpec(lambda work, moment, _vault: handler(work, moment), says, late)
            _register(self.moments, kind.name)(spec)
            return handler

        return register

    def opening_moment(self, kind: MomentKind, says: str, *, late: str) -> Callable[[OpeningHandler], OpeningHandler]:
        """A moment whose handler opens what people wrote in confidence, and therefore gets the vault."""

        def register(handler: OpeningHandler) -> OpeningHandler:
            _register(self.moments, kind.name)(MomentSpec(handler, says, late))
            return handler

        return register

    def on(self, event: type) -> Callable[[Handler], Handler]:
        """Register the handler of an intent without a name, such as Typed, HomeOpened or Arrived."""
        return _register(self._events, event)

    def stranger(self, handler: Handler) -> Handler:
        """Answers an account that is linked to nobody."""
        self._stranger = handler
        return handler

    def at_start(self, hook: StartHook) -> StartHook:
        """Plans what repeats, whenever a process starts; it must change nothing the second time."""
        self.start_hooks.append(hook)
        return hook

    def help_of(self, role: str) -> list[CommandSpec]:
        """The commands in the help of a role, in their order; "former": of somebody who has left."""
        return sorted((spec for spec in self.commands.values() if role in spec.help), key=lambda spec: spec.help[role])

    def offered_on_teams(self, scope: str) -> list[CommandSpec]:
        """The commands that Teams offers while one types, in a "personal" chat or a "team"."""
        offered = (spec for spec in self.commands.values() if scope in spec.teams)
        return sorted(offered, key=lambda spec: spec.teams[scope])

    def check(self) -> None:
        """Refuse to work with a kind of message that no function builds, or a kind of moment that none handles.

        Raises:
            LookupError: there is one; it names them.
        """
        unbuilt = kinds.ALL.keys() - self.builders.keys() - {kinds.VISIT.name}
        unhandled = moments.ALL.keys() - self.moments.keys()
        if unbuilt or unhandled:
            raise LookupError(f"Nothing is registered for {', '.join(sorted(unbuilt | unhandled))}.")


Name = TypeVar("Name")
Value = TypeVar("Value")


def _in_the_form(handler: ActionHandler[ActionType]) -> ActionHandler[ActionType]:
    def answer(call: Call, sent: ActionType) -> Reply:
        try:
            return handler(call, sent)
        except Refused as refusal:
            raise FormErrors({"": str(refusal)}) from None

    return answer


def _on_action(table: dict[str, Answer], action: type[ActionType]) -> Registered[ActionType]:
    def register(handler: ActionHandler[ActionType]) -> ActionHandler[ActionType]:
        _register(table, action.name)(lambda call, args: handler(call, action.read(args)))
        return handler

    return register


def _register(table: dict[Name, Value], name: Name) -> Callable[[Value], Value]:
    def register(value: Value) -> Value:
        if name in table:
            raise ValueError(f"{name} is registered twice.")
        table[name] = value
        return value

    return register
