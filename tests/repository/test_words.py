"""Words and phrases that are in no sentence that people see. The product speaks plain American English."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PLACES = ("handlers", "bot", "program", "manifest")
QUERY = re.compile(r"\b(SELECT|INSERT|UPDATE|PRAGMA|CREATE)\b")
# Each with what is said in its place.
NOT_USED = {
    "whom": "who, or another sentence",
    "whomever": "anyone",
    "whoever": "anyone who, or people who",
    "anew": "again",
    "any more": "anymore, or no longer",
    "nobody's": "not matched, or no one's",
    "is told": "I told …, or I'll tell …",
    "are told": "I told …, or I'll tell …",
    "is not there": "I can't find …",
    "meetings are missing": "meetings to go",
    "finds a record wrong": "says a record is wrong",
    "assumed absent": "No tap yet doesn't mean absent.",
    "recorded a credit": "credited you with …",
    "going in": "joining this channel",
    "at hand": "here",
    "everybody of": "everyone in",
    "somebody of": "someone in",
    "knows no": "doesn't know",
    "turn to": "ask",
    "of the roster": "on the roster",
    "for ever": "for good",
    "meanwhile": "since then",
    "rubbish": "invalid input",
    "e-mail": "email",
}


def sentences(source: str) -> Iterator[tuple[int, str]]:
    """The texts of a module that are no documentation of its code, each with its line."""
    tree = ast.parse(source)
    unseen = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or id(node) in unseen:
            continue
        if " " in node.value.strip() and not QUERY.search(node.value):
            yield node.lineno, node.value


def unwanted(text: str) -> list[str]:
    """The words of a text that are not used, whatever their case."""
    return [word for word in NOT_USED if re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text, re.IGNORECASE)]


def test_no_sentence_has_a_word_that_is_not_used() -> None:
    wrong = [
        f"{file.relative_to(ROOT)}:{line}: “{word}” in {text!r}; say: {NOT_USED[word]}"
        for place in PLACES
        for file in sorted((ROOT / place).rglob("*.py"))
        for line, text in sentences(file.read_text(encoding="utf-8"))
        for word in unwanted(text)
    ]
    assert not wrong, "\n".join(wrong)


def test_a_word_that_is_not_used_would_be_found() -> None:
    source = '"""Whom: not shown."""\nX = f"I know {1} whom it is."\n'
    assert [unwanted(text) for _, text in sentences(source)] == [[], ["whom"]]
    assert unwanted("Seven meetings are missing; I don't meet him anymore.") == ["meetings are missing"]
