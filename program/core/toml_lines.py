"""Where each key of a TOML document stands: the standard reader gives values without their lines."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import Any

Path = tuple[str | int, ...]
DEEPEST = 20  # tables and lists inside each other, counted in one statement
# A dotted key of too many parts. The reader takes time that grows with the square of their number, so this comes first.
_KEY = r"""(?:(?<![\w-])[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')"""
# What may hold a bracket or a line's end that is none, and those that are. Each part matches unfinished strings too.
_TOKEN = re.compile(
    r"""(?s)"{3}(?:\\.|[^\\])*?(?:"{3,5}|\Z)|'{3}.*?(?:'{3,5}|\Z)|"(?:\\.|[^"\\\n])*"?|'[^'\n]*'?|\#[^\n]*|[][{}\n]"""
)
_LONG_KEY = re.compile(rf"(?:{_KEY}[ \t]*\.[ \t]*){{{DEEPEST}}}{_KEY}")


def long_key_line(text: str) -> int | None:
    """The line of the first dotted key with more than ``DEEPEST`` parts, in any text."""
    match = _LONG_KEY.search(text)
    return text.count("\n", 0, match.start()) + 1 if match else None


def deep_line(text: str) -> int | None:
    """The line of the first statement whose values lie more than ``DEEPEST`` deep in each other."""
    for line, _header, statement in _statements(text):
        if statement is None or depth_over(statement, DEEPEST):
            return line
    return None


def depth_over(value: Any, most: int) -> bool:
    """Whether tables and lists lie more than ``most`` deep in each other."""
    level = [value]
    for _ in range(most + 1):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return False
    return True


def _statements(text: str) -> Iterator[tuple[int, bool, dict[str, Any] | None]]:
    """Each statement with its line and whether it is a table's header; None: too deep for the reader.

    What cannot be read alone, in a text that is no TOML, is left out.
    """
    for number, lines in _pieces(text):
        try:
            yield number, lines.lstrip().startswith("["), tomllib.loads(lines)
        except tomllib.TOMLDecodeError:
            continue
        except RecursionError:
            yield number, lines.lstrip().startswith("["), None


def _pieces(text: str) -> Iterator[tuple[int, str]]:
    """The lines of each statement with the number of the first: a line ends it outside of strings and brackets."""
    start, number, line, depth = 0, 1, 1, 0
    for token in _TOKEN.finditer(text):
        match token[0]:
            case "[" | "{":
                depth += 1
            case "]" | "}":
                depth -= 1
            case "\n":
                line += 1
                if depth <= 0:
                    yield number, text[start : token.start()].removesuffix("\r")
                    start, number, depth = token.end(), line, 0
            case string_or_comment:
                line += string_or_comment.count("\n")
    yield number, text[start:]


def line_index(text: str) -> dict[Path, int]:
    """The line of every table and key of a document that is known to be TOML.

    A statement may run over several lines. Each is read alone, once.
    """
    lines: dict[Path, int] = {(): 1}
    table: Path = ()
    tables: dict[Path, int] = {}  # how many elements each array of tables has so far
    for starts, header, statement in _statements(text):
        if not statement:
            continue
        if header:
            table = _enter(_path(statement), tables)
            lines.setdefault(table, starts)
        else:
            for path in _prefixes(_path(statement)):
                lines.setdefault(table + path, starts)
    return lines


def line_of(index: dict[Path, int], path: Path) -> int:
    """The line of a key, or of the nearest table around it that has one."""
    while path not in index:
        path = path[:-1]
    return index[path]


def _path(statement: Any) -> Path:
    """The keys of a statement read alone; -1 stands for the new element of an array of tables."""
    path: Path = ()
    while True:
        if isinstance(statement, dict) and len(statement) == 1:
            ((key, statement),) = statement.items()
            path += (key,)
        elif statement == [{}]:
            return (*path, -1)
        else:
            return path


def _enter(path: Path, tables: dict[Path, int]) -> Path:
    """The path of a table header, with the elements of arrays of tables by their number."""
    entered: Path = ()
    for place, key in enumerate(path):
        if key == -1:
            tables[entered] = tables.get(entered, 0) + 1
            return (*entered, tables[entered] - 1)
        entered += (key,)
        if entered in tables and path[place + 1 :] not in ((), (-1,)):
            entered += (tables[entered] - 1,)
    return entered


def _prefixes(path: Path) -> list[Path]:
    return [path[: end + 1] for end in range(len(path))]
