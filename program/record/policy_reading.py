"""Reading a policy document (TOML); every problem is told with its line and field."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from program.core.toml_lines import DEEPEST, Path, deep_line, depth_over, line_index, line_of, long_key_line
from program.record.policy import Policy, Value
from program.record.policy_checks import contradictions
from program.record.unset import name_of, place_of, unset_values

NONE = "none"  # an amendment's value: the program asks for no such thing, as if it had been left out
MOST_TEXT = 200_000  # characters of a document


class BadPolicy(ValueError):
    """This policy document cannot be used; each line of the text says where and why."""


NOT_SUPPORTED = {
    "equivalence": "rates at which one activity stands for another, and rounding, are not supported yet",
    "mentors": "who may be a mentor and for how long is not supported yet",
    "coverage": "coverage of topics across components or standards is not supported yet; "
    'a rule with unit = "topics" counts distinct topics',
}


_POLICY: TypeAdapter[Policy] = TypeAdapter(Policy)
_BEYOND = ("text", "amendments", "unset")


def read_policy(text: str, amendments: Mapping[str, Value] | None = None) -> Policy:
    """Read a policy document (TOML), with the unset values that were filled in since.

    Raises:
        BadPolicy: every problem in a line of its own, with line and field.
    """
    document = _parse(text)
    index = line_index(text)
    _refuse(_beyond(document, index))
    filled = dict(amendments or {})
    for path, value in filled.items():
        _fill(document, path, value)
    values = {**document, "text": text, "amendments": filled, "unset": unset_values(document)}
    try:
        policy = _POLICY.validate_python(values)
    except ValidationError as error:
        problems = [_problem(document, index, detail) for detail in error.errors(include_url=False)]
        raise BadPolicy("\n".join(dict.fromkeys(text for _, text in sorted(problems)))) from None
    _refuse(_say(document, index, path, text) for path, text in contradictions(policy))
    return policy


def amend(policy: Policy, values: Mapping[str, Value]) -> Policy:
    """The same version with unset values filled in; nothing that is set can be changed this way.

    The value "none" says that the program asks for no such thing, where a policy may leave it out.

    Raises:
        BadPolicy: a value is not unset in this policy, or does not fit.
    """
    return read_policy(policy.text, {**policy.amendments, **values})


def _parse(text: str) -> dict[str, Any]:
    if len(text) > MOST_TEXT:
        raise BadPolicy(f"Line 1: the document is longer than {MOST_TEXT} characters.")
    line = long_key_line(text)
    if line is not None:
        raise BadPolicy(f"Line {line}: a dotted key has more than {DEEPEST} parts.")
    try:
        document = tomllib.loads(text)
    except ValueError as error:
        place = re.search(r"line (\d+)", str(error))
        line = int(place[1]) if place else text.count("\n") + 1
        raise BadPolicy(f"Line {line}: this is not TOML: {error}.") from None
    except RecursionError:
        document = None
    if document is not None and not depth_over(document, DEEPEST):
        return document
    line = deep_line(text)
    if line is not None or document is None:
        raise BadPolicy(
            f"Line {line or 1}: this is not a policy: its values lie more than {DEEPEST} deep in each other."
        )
    return document


def _fill(document: dict[str, Any], path: str, value: Value) -> None:
    keys = place_of(document, path)
    if keys is None:
        raise BadPolicy(f"{path} is not an unset value of this policy.")
    if value == "unset":
        raise BadPolicy(f"{path} is unset already.")
    at: Any = document
    for key in keys[:-1]:
        at = at[key]
    if value == NONE:
        del at[keys[-1]]
    else:
        at[keys[-1]] = value


def _refuse(problems: Iterator[tuple[int, str]]) -> None:
    texts = [text for _, text in sorted(problems)]
    if texts:
        raise BadPolicy("\n".join(dict.fromkeys(texts)))


def _beyond(document: dict[str, Any], index: dict[Path, int]) -> Iterator[tuple[int, str]]:
    for key in document:
        if key in NOT_SUPPORTED:
            yield _say(document, index, (key,), f"is refused: {NOT_SUPPORTED[key]}")
        elif key in _BEYOND:
            yield _say(document, index, (key,), "is not known here")


def _say(document: Any, index: dict[Path, int], path: Path, text: str) -> tuple[int, str]:
    """A problem with its line; elements of lists are named by their own ids."""
    names: list[str] = []
    at = document
    for key in path:
        inside = isinstance(at, list) and isinstance(key, int) and key < len(at)
        at = at[key] if inside else at.get(key) if isinstance(at, dict) else None
        names.append(name_of(at, key) if isinstance(key, int) else key)
    line = line_of(index, path)
    return line, f"Line {line}: {'.'.join(names) or 'the document'} {text}."


_KINDS = ("at_least", "items", "choose")


def _problem(document: Any, index: dict[Path, int], error: ErrorDetails) -> tuple[int, str]:
    """One finding of the validator, in words, with its line."""
    path: Path = tuple(error["loc"])
    if path[:1] == ("rule",) and path[2:3] and path[2] in _KINDS:
        path = (*path[:2], *path[3:])  # the validator names the kind of rule that it took
    context = error.get("ctx", {})
    match error["type"]:
        case "policy":
            text = str(context["text"])
        case "missing" | "union_tag_not_found":
            path = path if error["type"] == "missing" else (*path, "kind")
            text = "is missing"
        case "unexpected_keyword_argument" | "extra_forbidden":
            text = "is not known here"
        case "union_tag_invalid":
            path, text = (*path, "kind"), f"must be one of {', '.join(_KINDS)}"
        case "literal_error":
            text = f"must be one of {context['expected']}"
        case "dataclass_type" | "mapping_type" | "dataclass_exact_type" | "model_attributes_type":
            text = "must be a table"
        case "tuple_type":
            text = "must be a list"
        case "int_type" | "greater_than_equal" | "less_than_equal":
            text = "must be a whole number in its range"
        case _:
            text = f"cannot be used: {error['msg']}"
    while path and path[-1] in ("[key]", "none", "function-plain[_day()]"):
        path = path[:-1]
    return _say(document, index, path, text)
