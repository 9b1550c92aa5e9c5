"""The choice of one entry of somebody's record, in the forms that correct or undo it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from handlers.core.forms import ChoiceField, Fields, Option
from handlers.core.paging import hint


@dataclass(frozen=True, slots=True)
class EntryChoice:
    """The chosen line of the ledger."""

    line: UUID


def entry_fields(options: Sequence[Option] = (), total: int = 0, chosen: str = "") -> Fields[EntryChoice]:
    """The field, with the newest of ``total`` entries. Who reads it checks the line, which may have changed."""
    known = chosen if chosen in {option.value for option in options} else ""
    cut = hint(total, len(options), "newest")
    return Fields(
        EntryChoice,
        ChoiceField("line", "Which entry", tuple(options), known, hint=cut, needed="Choose the entry.", checked=False),
    )
