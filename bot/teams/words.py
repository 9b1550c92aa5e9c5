"""Escapes text that people typed for Adaptive Cards, and shortens it with an ellipsis.

A TextRun shows its text literally on every client. A TextBlock and a fact read a subset of markdown, and older
mobile clients show the backslash of an escape. So typed text goes into runs wherever a run is allowed.
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
    """Return text for places that read no markdown: runs, labels, titles of actions and choices."""
    text = _UNPRINTABLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " "))
    return _FILLED_IN.sub(rf"\1{BREAK}", text)


def escaped(text: str) -> str:
    """Return text for places that read markdown: text blocks and facts."""
    text = _MARKDOWN.sub(r"\\\1", literal(text))
    text = _LINE_START.sub(_escape_start, text)
    return text.replace("\n", "\n\n")


def _escape_start(match: re.Match[str]) -> str:
    space, mark = match.groups()
    return f"{space}{mark}{BREAK}" if mark.isdigit() else f"{space}\\{mark}"


def one_line(text: str, limit: int) -> str:
    """Return a name, label or title without line breaks, in at most ``limit`` characters.

    It is cut in the middle, since two names may differ only at the end.
    """
    text = " ".join(text.split())
    if len(text) > limit:
        end = limit // 3
        text = f"{text[: limit - end - 1].rstrip()}…{text[-end:].lstrip()}"
    return literal(text)
