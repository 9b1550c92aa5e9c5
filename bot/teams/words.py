"""What people typed, made literal in Adaptive Cards, and cut visibly where it is too long.

A TextRun shows its text as it is, on every client; a TextBlock and a fact read a subset of markdown, and
older mobile clients show the backslash of an escape. So typed text goes into runs wherever a run can stand.
"""

from __future__ import annotations

import re

BREAK = "\u200b"  # zero width: breaks a pattern, shows nothing

# Marks that turn the direction of what stands around them, though not those that isolate a name, and control
# characters but for the line end.
_UNPRINTABLE = re.compile("[\u0000-\u0009\u000b-\u001f\u007f\u202a-\u202e\u2066\u2067]")
# {{DATE(...)}} and ${...} are filled in by clients and templates; <at> names a mention.
_FILLED_IN = re.compile(r"(\{(?=\{)|\$(?=\{)|<(?=/?at\b))", re.IGNORECASE)
_MARKDOWN = re.compile(r"([\\`*_\[\]~<>&|])")
_LINE_START = re.compile(r"^(\s*)([-+#]|\d+(?=[.)]))", re.MULTILINE)


def literal(text: str) -> str:
    """Text for where no markdown is read: runs, labels, titles of actions and choices."""
    text = _UNPRINTABLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " "))
    return _FILLED_IN.sub(rf"\1{BREAK}", text)


def escaped(text: str) -> str:
    """Text for where markdown is read: text blocks and facts."""
    text = _MARKDOWN.sub(r"\\\1", literal(text))
    text = _LINE_START.sub(_escape_start, text)
    return text.replace("\n", "\n\n")


def _escape_start(match: re.Match[str]) -> str:
    space, mark = match.groups()
    return f"{space}{mark}{BREAK}" if mark.isdigit() else f"{space}\\{mark}"


def shortened(text: str, limit: int) -> str:
    """At most ``limit`` characters, with an ellipsis where something was left out."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def one_line(text: str, limit: int) -> str:
    """For names, labels and titles: no line breaks, and cut in the middle: what tells two apart may be last."""
    text = " ".join(text.split())
    if len(text) > limit:
        end = limit // 3
        text = f"{text[: limit - end - 1].rstrip()}…{text[-end:].lstrip()}"
    return literal(text)
