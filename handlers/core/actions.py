"""Actions: what a button carries, and what sending a form means.

An action is declared as a class. Its fields are the button's arguments, and its handler receives the object::

    @action("leave.decide")
    class DecideLeave(Action):
        request_id: UUID
        approve: bool

On its way through a platform it is a text, ``leave.decide|5f0c…|yes``. It comes back as a :class:`SentAction`, which
the router reads into the class again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import MISSING, Field, dataclass, fields
from datetime import date
from functools import cache
from types import NoneType, UnionType
from typing import (
    Any,
    ClassVar,
    Literal,
    Self,
    TypeVar,
    Union,
    dataclass_transform,
    get_args,
    get_origin,
    get_type_hints,
)

ACTION_LIMIT = 200  # characters of an encoded action; Slack allows 255 in an action_id
SEPARATOR = "|"


class BadAction(ValueError):
    """This button is not one of ours, or it is from an older version of the bot."""

    def __init__(self) -> None:
        super().__init__(BadAction.__doc__)


class Action:
    """A stable name and short arguments (ids, codes, days), never typed text.

    Two actions are equal if they are encoded alike.
    """

    __slots__ = ()
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]  # every declared action is a dataclass
    name: str

    @property
    def args(self) -> tuple[str, ...]:
        """The arguments as texts. Those at the end that are None are left out."""
        texts = [_text(getattr(self, each.name)) for each in fields(self)]
        flat = [text for part in texts for text in part]
        while flat and flat[-1] is None:
            flat.pop()
        return tuple(text or "" for text in flat)

    def encode(self) -> str:
        """The action as one text.

        Raises:
            ValueError: an argument holds the separator, or the text is longer than :data:`ACTION_LIMIT`.
        """
        parts = (self.name, *self.args)
        if any(SEPARATOR in part for part in parts):
            raise ValueError(f"An action argument of {self.name} holds the separator.")
        encoded = SEPARATOR.join(parts)
        if len(encoded) > ACTION_LIMIT:
            raise ValueError(f"The action {self.name} is {len(encoded)} characters, over {ACTION_LIMIT}.")
        return encoded

    @classmethod
    def read(cls, args: Sequence[str]) -> Self:
        """The action with these arguments, each as its field's type.

        Raises:
            BadAction: there are too few or too many of them, or one does not fit its field.
        """
        values: dict[str, object] = {}
        rest = list(args)
        for name, hint, needed in _fields_of(cls):  # type: ignore[arg-type]  # mypy: a class is no Hashable if its objects define __hash__
            if get_origin(hint) is tuple:
                values[name] = tuple(_value(text, get_args(hint)[0]) for text in rest)
                rest = []
            elif rest:
                values[name] = _value(rest.pop(0), hint)
            elif needed:
                raise BadAction
        if rest:
            raise BadAction
        return cls(**values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Action) and (self.name, self.args) == (other.name, other.args)

    def __hash__(self) -> int:
        return hash((self.name, self.args))


@dataclass(frozen=True, slots=True, eq=False)
class SentAction(Action):
    """An action as it comes back from a platform: nothing of it has been checked."""

    name: str
    texts: tuple[str, ...] = ()

    @property
    def args(self) -> tuple[str, ...]:
        """The arguments as they came."""
        return self.texts

    @classmethod
    def decode(cls, encoded: str) -> SentAction:
        """The action that a text encodes.

        Raises:
            BadAction: it has no name or is too long.
        """
        name, *args = encoded.split(SEPARATOR)
        if not name or len(encoded) > ACTION_LIMIT:
            raise BadAction
        return cls(name, tuple(args))

    @classmethod
    def of(cls, name: str, *args: object) -> SentAction:
        """An action by its name, with arguments of any type."""
        return cls(name, tuple(str(arg) for arg in args))


ActionType = TypeVar("ActionType", bound=Action)


@dataclass_transform(frozen_default=True, eq_default=False)
def action(name: str) -> Callable[[type[ActionType]], type[ActionType]]:
    """Declare a class as the action of this name: a frozen dataclass of UUIDs, texts, numbers, days and choices.

    A field ``x: UUID | None = None`` may be left out, and a last field ``x: tuple[UUID, ...]`` takes what remains.
    """

    def declare(cls: type[ActionType]) -> type[ActionType]:
        declared = dataclass(frozen=True, slots=True, eq=False)(cls)
        declared.name = name
        return declared

    return declare


@cache
def _fields_of(cls: type[Action]) -> tuple[tuple[str, Any, bool], ...]:
    """Name, type and whether it is needed, of each field."""
    hints = get_type_hints(cls)
    return tuple((each.name, hints[each.name], each.default is MISSING) for each in fields(cls))


def _text(value: object) -> tuple[str | None, ...]:
    match value:
        case None:
            return (None,)
        case tuple():
            return tuple(text for item in value for text in _text(item))
        case bool():
            return ("yes" if value else "no",)
        case date():
            return (value.isoformat(),)
        case _:
            return (str(value),)


def _value(text: str, hint: Any) -> object:
    """The text as a value of the type.

    Raises:
        BadAction: it is none.
    """
    if get_origin(hint) in (Union, UnionType):
        if not text:
            return None
        hint = next(part for part in get_args(hint) if part is not NoneType)
    try:
        if get_origin(hint) is Literal:
            return {str(choice): choice for choice in get_args(hint)}[text]
        if hint is bool:
            return {"yes": True, "no": False}[text]
        return date.fromisoformat(text) if hint is date else hint(text)
    except (KeyError, ValueError):
        raise BadAction from None
