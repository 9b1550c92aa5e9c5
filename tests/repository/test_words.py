"""Words that are not used: in sentences that people see, in the documents, in docstrings, and as names in the code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PLACES = ("handlers", "bot", "storage", "program", "manifest")
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
    "heard of": "known, or a heartbeat",
}
# Of these, what docstrings do not use either; engineers read them.
NOT_IN_DOCSTRINGS = (
    "whom",
    "whomever",
    "whoever",
    "anew",
    "any more",
    "nobody's",
    "at hand",
    "everybody of",
    "somebody of",
    "of the roster",
    "for ever",
    "rubbish",
    "heard of",
)
# Of these, what the documents use all the same, in its plain meaning.
IN_DOCUMENTS = ("is told", "are told", "is not there")
DOCUMENTS = ("*.md", "docs/*.md", ".env.example")
CODE = re.compile(r"^```.*?^```$|^ {4,}.*$|`[^`]*`", re.MULTILINE | re.DOTALL)
# Names that do not say what they hold or do, each with what to say in its place.
NAMES_NOT_USED = {
    "found": "what was found, such as meeting or rows",
    "one": "what it is, such as row or person",
    "given": "parameters, values, or what was given",
    "among": "in_ids",
    "glance": "quick_read",
    "stand_back": "wait_for_turn",
    "in_turn": "hold_startup_lock",
    "pace": "rate_limits",
    "presence": "heartbeat",
    "house": "privacy_settings",
    "town": "actors",
    "haul": "captured",
    "deed": "attempt",
    "fate": "failures",
    "rubbish": "invalid",
}
NAME_PLACES = (*PLACES, "tests")
# Classes in two modules whose name is the same on purpose: both are about the same thing, each for its own layer.
SAME_THING = {
    "Enrolment": "as it is stored, and as the standing's rules read it",
    "Instant": "a column of times, in the product's tables and in the local workspace's",
    "Meeting": "as it is stored, and as the standing's rules read it",
    "Transfer": "as a coordinator's form holds it, and as the standing's rules read it",
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


def docstrings(source: str) -> Iterator[tuple[int, str]]:
    """The docstrings of a module, each with the line of what it documents."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield getattr(node, "lineno", 1), ast.get_docstring(node) or ""


def names(source: str) -> Iterator[tuple[int, str]]:
    """The names that a module gives to variables, arguments, functions and classes, each with its line."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.lineno, node.name


def modules(places: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The path and the source of each module in these folders, except the migrations, which are never edited."""
    for place in places:
        for file in sorted((ROOT / place).rglob("*.py")):
            if "versions" not in file.parts:
                yield str(file.relative_to(ROOT)), file.read_text(encoding="utf-8")


def documents() -> Iterator[tuple[str, str]]:
    """The path and the text of each document."""
    for pattern in DOCUMENTS:
        for file in sorted(ROOT.glob(pattern)):
            yield str(file.relative_to(ROOT)), file.read_text(encoding="utf-8")


def prose(text: str) -> str:
    """A document without the code in it; each line stays on its line."""
    return CODE.sub(lambda match: "\n" * match[0].count("\n"), text)


def unwanted(text: str) -> list[str]:
    """The words of a text that are not used, whatever their case."""
    return [word for word in NOT_USED if re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text, re.IGNORECASE)]


def test_no_sentence_has_a_word_that_is_not_used() -> None:
    wrong = [
        f"{path}:{line}: “{word}” in {text!r}; say: {NOT_USED[word]}"
        for path, source in modules(PLACES)
        for line, text in sentences(source)
        for word in unwanted(text)
    ]
    assert not wrong, "\n".join(wrong)


def test_no_docstring_has_a_word_that_is_not_used() -> None:
    wrong = [
        f"{path}:{line}: “{word}”; say: {NOT_USED[word]}"
        for path, source in modules(PLACES)
        for line, text in docstrings(source)
        for word in unwanted(text)
        if word in NOT_IN_DOCSTRINGS
    ]
    assert not wrong, "\n".join(wrong)


def test_no_document_has_a_word_that_is_not_used() -> None:
    wrong = [
        f"{path}:{line}: “{word}” in {text!r}; say: {NOT_USED[word]}"
        for path, document in documents()
        for line, text in enumerate(prose(document).splitlines(), 1)
        for word in unwanted(text)
        if word not in IN_DOCUMENTS
    ]
    assert not wrong, "\n".join(wrong)


def test_no_name_is_one_that_is_not_used() -> None:
    wrong = [
        f"{path}:{line}: {name}; say: {NAMES_NOT_USED[name.strip('_').lower()]}"
        for path, source in modules(NAME_PLACES)
        for line, name in names(source)
        if name.strip("_").lower() in NAMES_NOT_USED
    ]
    assert not wrong, "\n".join(wrong)


def test_no_two_classes_share_a_name_for_different_things() -> None:
    modules_of: dict[str, list[str]] = {}
    for path, source in modules(PLACES):
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                modules_of.setdefault(node.name, []).append(path)
    assert {name: paths for name, paths in modules_of.items() if len(paths) > 1 and name not in SAME_THING} == {}
    assert {name for name in SAME_THING if len(modules_of.get(name, ())) < 2} == set(), "no longer shared"


def test_a_word_that_is_not_used_would_be_found() -> None:
    source = '"""Whom: not shown."""\nX = f"I know {1} whom it is."\n'
    assert [unwanted(text) for _, text in sentences(source)] == [[], ["whom"]]
    assert unwanted("Seven meetings are missing; I don't meet him anymore.") == ["meetings are missing"]
    assert [name for _, name in names("def f(one):\n    for found in one:\n        given = found\n")] == [
        "f",
        "one",
        "found",
        "given",
    ]


def test_a_word_in_a_documents_code_is_no_sentence() -> None:
    text = "Ask whom?\n\n```sh\necho whom\n```\n\n    whom\n\nSend `whom` again.\n"
    assert [unwanted(line) for line in prose(text).splitlines()] == [["whom"], *[[]] * 8]
