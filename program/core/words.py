"""Small helpers for sentences and for what people type."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from difflib import SequenceMatcher, get_close_matches

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def listed(items: Sequence[str], most: int = 10) -> str:
    """A list in words: "Ann", "Ann and Bo", "Ann, Bo and 3 more"."""
    if len(items) > most:
        return f"{', '.join(items[:most])} and {len(items) - most} more"
    if len(items) <= 1:
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"


def shortened(text: str, limit: int) -> str:
    """At most ``limit`` characters, with an ellipsis where something was left out."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def lower_first(words: str) -> str:
    """Without a capital at the beginning, but for an abbreviation: "PLC meeting" stays."""
    return words if words[1:2].isupper() else words[:1].lower() + words[1:]


def capitalized(text: str) -> str:
    """With a capital first letter; the other letters stay as they are."""
    return text[:1].upper() + text[1:]


def first_of(kept: int, total: int, what: str) -> str:
    """A sentence on what a chart leaves out; empty where it shows everything."""
    return f"The chart shows the first {kept} of {total} {what}." if kept < total else ""


def counted(number: int, singular: str, many: str | None = None) -> str:
    """A number with its noun: "1 meeting", "2 meetings". ``many``: a plural other than with s."""
    return f"{number} {singular if number == 1 else many or singular + 's'}"


def normal(text: str) -> str:
    """What somebody typed, ready to compare: lower case, single spaces, no final punctuation."""
    return re.sub(r"\s+", " ", text).strip().rstrip(".!?").lower()


def nearest(typed: str, known: Sequence[str], most: int = 3) -> list[str]:
    """The commands that somebody probably meant."""
    typed = normal(typed)
    close = get_close_matches(typed, known, n=most, cutoff=0.5)
    if close or not typed:
        return close
    first = typed.split(" ")[0]
    return get_close_matches(first, known, n=most, cutoff=0.5)


def is_near(typed: str, command: str) -> bool:
    """Whether a text is a command with a letter or two wrong, and nothing else."""
    likeness = SequenceMatcher(None, typed, command).ratio()
    return likeness >= 0.8 or (likeness >= 0.75 and typed[:1] == command[:1])


def near_commands(typed: str, known: Sequence[str], most: int = 3) -> list[str]:
    """The commands that a whole message is a misspelling of, the likeliest first."""
    text = normal(typed)
    return get_close_matches(text, [command for command in known if is_near(text, command)], n=most, cutoff=0.5)


# Text in right-to-left scripts ---------------------------------------------------------------------

FSI, PDI = "\u2068", "\u2069"  # first strong isolate, pop directional isolate
_RTL = "\u0590-\u08ff\u200f\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff"
_IN_A_NAME = " .'’\\-\u00a0\u200c-\u200e\u0300-\u036f"  # what may stand between two letters of a name
_RIGHT_TO_LEFT = re.compile(f"[{_RTL}]")
_LEFT_TO_RIGHT = re.compile(rf"(?![{_RTL}])[^\W\d_]")
_NAME = re.compile(f"[{_RTL}](?:[{_RTL}{_IN_A_NAME}]*[{_RTL}])?")
_DIRECTION_MARKS = re.compile("[\u202a-\u202e\u2066-\u2069]")


def has_left_to_right(text: str) -> bool:
    """Whether a letter of a left-to-right script is in it."""
    return _LEFT_TO_RIGHT.search(text) is not None


def isolated(text: str) -> str:
    """A text between isolating marks if a right-to-left letter is in it, else as it is."""
    text = _unmarked(text)
    return f"{FSI}{text}{PDI}" if _RIGHT_TO_LEFT.search(text) else text


def isolated_parts(text: str) -> str:
    """A sentence with isolating marks around each right-to-left name in it.

    A text without a left-to-right letter is no sentence around a name, and stays as it is.
    """
    return isolated_names(text) if has_left_to_right(text) else _unmarked(text)


def isolated_names(text: str) -> str:
    """A part of a sentence with isolating marks around each right-to-left name in it."""
    text = _unmarked(text)
    return text if text.isascii() else _NAME.sub(lambda name: f"{FSI}{name[0]}{PDI}", text)


def _unmarked(text: str) -> str:
    """Without marks that turn the direction of what stands around them."""
    return text if text.isascii() else _DIRECTION_MARKS.sub("", text)


_SAME = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "‐": "-", "‑": "-", "–": "-"})


def folded(text: str) -> str:
    """A name as names are compared: without case, accents, invisible characters, and kinds of spaces and quotes."""
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    kept = "".join(char for char in apart if unicodedata.category(char) not in ("Mn", "Me", "Cf"))
    return " ".join(kept.translate(_SAME).split())
