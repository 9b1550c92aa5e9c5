"""What a sent modal says, and what a modal remembers of the press that opened it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from bot.slack import limits
from handlers.core.actions import Action, SentAction


@dataclass(frozen=True, slots=True)
class Origin:
    """What a modal remembers of the press that opened it. Ids only, never a word that somebody typed.

    message and response: the pressed message, which the answer to the form may replace
    """

    action: str = ""
    conversation: str = ""
    message: str = ""
    response: str = ""
    depth: int = 1

    def deeper(self) -> Origin:
        """Return the origin for a modal on top of this one."""
        return replace(self, depth=self.depth + 1)

    def dump(self) -> str:
        """Return the origin as text for a view's private metadata, without the response address if it is too long."""
        text = json.dumps(asdict(self), separators=(",", ":"))
        if len(text) > limits.METADATA:
            text = json.dumps(asdict(replace(self, response="")), separators=(",", ":"))
        return text

    @classmethod
    def load(cls, text: str) -> Origin:
        """The origin in a view's private metadata; an empty one for a view that is not ours."""
        try:
            return cls(**json.loads(text))
        except (TypeError, ValueError):
            return cls()


def sent_action(view: Mapping[str, Any]) -> Action:
    """What sending this modal means.

    Raises:
        BadAction: when it is no form of ours.
    """
    return SentAction.decode(Origin.load(view.get("private_metadata") or "").action)


def sent_values(view: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Every field of the sent modal with its values; nothing chosen or written is an empty tuple."""
    return {element["action_id"]: _values_of(view, block_id) for block_id, element in inputs(view)}


def inputs(view: Mapping[str, Any]) -> Iterable[tuple[str, dict[str, Any]]]:
    """Return each input's block id with its element."""
    for block in view.get("blocks") or []:
        if block.get("type") == "input":
            yield block["block_id"], block["element"]


def state_of(view: Mapping[str, Any], block_id: str) -> dict[str, Any]:
    """Return what was filled into the input with this block id; empty for none."""
    values: dict[str, Any] = (view.get("state") or {}).get("values", {}).get(block_id, {})
    return next(iter(values.values()), {})


def _values_of(view: Mapping[str, Any], block_id: str) -> tuple[str, ...]:
    state = state_of(view, block_id)
    if state.get("selected_options") is not None:
        return tuple(option["value"] for option in state["selected_options"])
    if state.get("selected_option"):
        return (state["selected_option"]["value"],)
    value = state.get("value") or state.get("selected_date") or state.get("selected_time")
    return (str(value),) if value else ()
