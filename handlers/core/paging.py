"""Lists that are cut say how many more there are."""

from __future__ import annotations

from handlers.core.cards import Note


def more(total: int, shown: int, rest: str = "") -> tuple[Note, ...]:
    """A note: "and 3 more"; nothing where everything is shown. ``rest``: where to see them, from the comma on."""
    return (Note((f"and {total - shown} more{rest}",)),) if total > shown else ()


def hint(total: int, shown: int, which: str = "first") -> str:
    """What to say under a choice that has only so many of the options; empty where it has them all."""
    return f"This list shows the {which} {shown} of {total}." if total > shown else ""
