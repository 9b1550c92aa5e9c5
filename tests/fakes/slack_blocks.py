"""What Slack accepts as blocks and views, as far as its documentation says; each complaint is a sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]

MESSAGE_TEXT = 11_000  # characters in all blocks of a message, where refusals were first reported
_URL = re.compile(r"(https?://|mailto:)\S+\Z")
_USER = re.compile(r"[UW][A-Z0-9]+\Z")


def message_problems(blocks: object) -> list[str]:
    """Everything wrong with a message's blocks."""
    problems = list(_blocks(blocks, "message", 50))
    if not problems and letters(blocks) > MESSAGE_TEXT:
        problems.append("msg_blocks_too_long")
    return problems


def view_problems(view: object) -> list[str]:
    """Everything wrong with a modal or a home tab."""
    if not isinstance(view, dict) or view.get("type") not in ("modal", "home"):
        return ["a view is a modal or a home"]
    return list(_view(view))


def _view(view: Json) -> Iterator[str]:
    kind = view["type"]
    yield from _blocks(view.get("blocks"), kind, 100)
    if len(view.get("private_metadata", "")) > 3000:
        yield "private_metadata is over 3000 characters"
    if len(view.get("callback_id", "")) > 255:
        yield "callback_id is over 255 characters"
    unknown = set(view) - {"type", "title", "submit", "close", "blocks", "private_metadata", "callback_id"}
    if unknown:
        yield f"unknown view properties {sorted(unknown)}"
    if kind == "home":
        return
    yield from _plain(view.get("title"), 24, "title")
    for name in ("submit", "close"):
        if name in view:
            yield from _plain(view[name], 24, name)
    inputs = [block for block in view.get("blocks", []) if block.get("type") == "input"]
    if inputs and "submit" not in view:
        yield "a view with inputs needs a submit button"


def letters(part: object) -> int:
    """All characters of the texts somewhere in these blocks."""
    if isinstance(part, dict):
        own = sum(len(value) for name, value in part.items() if name in _SPOKEN and isinstance(value, str))
        return own + sum(letters(value) for value in part.values())
    if isinstance(part, list):
        return sum(letters(value) for value in part)
    return 0


_SPOKEN = ("text", "fallback", "label", "name", "title")


def _blocks(blocks: object, surface: str, most: int) -> Iterator[str]:
    if not isinstance(blocks, list) or not 1 <= len(blocks) <= most:
        yield f"a {surface} has 1 to {most} blocks"
        return
    ids = [block.get("block_id") for block in blocks if block.get("block_id")]
    if len(ids) != len(set(ids)):
        yield "block ids are not unique"
    actions = [element.get("action_id") for block in blocks for element in _elements(block)]
    if len(actions) != len(set(actions)):
        yield "action ids are not unique"
    for most_of_kind, kind in ((1, "table"), (2, "data_visualization")):
        if sum(block.get("type") == kind for block in blocks) > most_of_kind:
            yield f"more than {most_of_kind} {kind}"
    for block in blocks:
        if len(block.get("block_id", "")) > 255:
            yield "a block id is over 255 characters"
        yield from _block(block, surface)


def _elements(block: Json) -> list[Json]:
    if block.get("type") == "actions":
        return list(block.get("elements", []))
    return [block["element"]] if block.get("type") == "input" else []


def _block(block: Json, surface: str) -> Iterator[str]:
    kind = block.get("type")
    checks = {
        "header": _header,
        "section": _section,
        "context": _context,
        "actions": _actions,
        "divider": _nothing,
        "rich_text": _rich_text,
    }
    if surface == "message":
        checks |= {"table": _table, "data_visualization": _chart}
    if surface == "modal":
        checks |= {"input": _input}
    check = checks.get(str(kind))
    if check is None:
        yield f"{kind} is not a block of a {surface}"
        return
    yield from check(block)


def _nothing(block: Json) -> Iterator[str]:
    yield from ()


def _text(part: object, most: int, what: str) -> Iterator[str]:
    if not isinstance(part, dict) or part.get("type") not in ("plain_text", "mrkdwn"):
        yield f"{what} is no text object"
        return
    if not isinstance(part.get("text"), str) or not 1 <= len(part["text"]) <= most:
        yield f"{what} must have 1 to {most} characters"
    if part["type"] == "mrkdwn" and "emoji" in part:
        yield f"{what} is mrkdwn with emoji"


def _plain(part: object, most: int, what: str) -> Iterator[str]:
    yield from _text(part, most, what)
    if isinstance(part, dict) and part.get("type") != "plain_text":
        yield f"{what} must be plain_text"


def _header(block: Json) -> Iterator[str]:
    yield from _plain(block.get("text"), 150, "header")


def _section(block: Json) -> Iterator[str]:
    if "text" not in block and not block.get("fields"):
        yield "a section has a text or fields"
    if "text" in block:
        yield from _text(block["text"], 3000, "section")
    if len(block.get("fields", [])) > 10:
        yield "a section has at most 10 fields"
    for field in block.get("fields", []):
        yield from _text(field, 2000, "field")


def _context(block: Json) -> Iterator[str]:
    elements = block.get("elements", [])
    if not 1 <= len(elements) <= 10:
        yield "a context has 1 to 10 elements"
    for element in elements:
        yield from _text(element, 2000, "context")


def _actions(block: Json) -> Iterator[str]:
    elements = block.get("elements", [])
    if not 1 <= len(elements) <= 25:
        yield "actions have 1 to 25 elements"
    for element in elements:
        yield from _button(element)


def _button(button: Json) -> Iterator[str]:
    if button.get("type") != "button":
        yield f"{button.get('type')} is no button"
        return
    yield from _plain(button.get("text"), 75, "button")
    if not 1 <= len(button.get("action_id", "")) <= 255:
        yield "an action id has 1 to 255 characters"
    if len(button.get("value", "")) > 2000:
        yield "a button's value is over 2000 characters"
    if "url" in button and (len(button["url"]) > 3000 or not _URL.match(button["url"])):
        yield "a button's url is not usable"
    if button.get("style", "primary") not in ("primary", "danger"):
        yield "a button's style is unknown"
    confirm = button.get("confirm")
    if confirm is not None:
        yield from _plain(confirm.get("title"), 100, "confirm title")
        yield from _text(confirm.get("text"), 300, "confirm text")
        yield from _plain(confirm.get("confirm"), 30, "confirm")
        yield from _plain(confirm.get("deny"), 30, "deny")


# Rich text -------------------------------------------------------------------------------------


def _rich_text(block: Json) -> Iterator[str]:
    if not block.get("elements"):
        yield "a rich text has elements"
    for element in block.get("elements", []):
        if element.get("type") == "rich_text_list":
            if element.get("style") not in ("bullet", "ordered") or not element.get("elements"):
                yield "a rich text list has a style and items"
            for item in element.get("elements", []):
                yield from _rich_section(item)
        else:
            yield from _rich_section(element)


def _rich_section(element: Json) -> Iterator[str]:
    if element.get("type") not in ("rich_text_section", "rich_text_quote", "rich_text_preformatted"):
        yield f"{element.get('type')} is no part of a rich text"
        return
    for part in element.get("elements", []):
        yield from _rich_part(part)


def _rich_part(part: Json) -> Iterator[str]:
    match part:
        case {"type": "text", "text": str(text)} if text:
            if not set(part) <= {"type", "text", "style"}:
                yield "a rich text's text has unknown properties"
        case {"type": "link", "url": str(url)} if _URL.match(url):
            yield from ()
        case {"type": "user", "user_id": str(user)} if _USER.match(user):
            yield from ()
        case {"type": "date", "timestamp": int(), "format": str(words)} if "{" in words:
            yield from ()
        case _:
            yield f"a rich text's {part.get('type')} is wrong"


# Tables and charts -----------------------------------------------------------------------------


def _table(block: Json) -> Iterator[str]:
    rows = block.get("rows", [])
    if not 1 <= len(rows) <= 100:
        yield "a table has 1 to 100 rows"
    if any(not 1 <= len(row) <= 20 for row in rows) or len({len(row) for row in rows}) > 1:
        yield "a table's rows have the same 1 to 20 cells"
    if any(cell.get("type") != "raw_text" or not cell.get("text") for row in rows for cell in row):
        yield "a cell has text"
    if letters(rows) > 10_000:
        yield "a table has at most 10,000 characters"


def _chart(block: Json) -> Iterator[str]:
    if not 1 <= len(block.get("title", "")) <= 50:
        yield "a chart's title has 1 to 50 characters"
    chart = block.get("chart", {})
    if chart.get("type") == "pie":
        yield from _pie(chart)
    elif chart.get("type") in ("bar", "line", "area"):
        yield from _axes(chart)
    else:
        yield "a chart is a pie, bar, line or area"


def _pie(chart: Json) -> Iterator[str]:
    segments = chart.get("segments", [])
    if not 1 <= len(segments) <= 12:
        yield "a pie has 1 to 12 segments"
    yield from _labels([segment["label"] for segment in segments])
    if any(segment["value"] <= 0 for segment in segments):
        yield "a pie's values are above 0"


def _axes(chart: Json) -> Iterator[str]:
    categories = chart.get("axis_config", {}).get("categories", [])
    series = chart.get("series", [])
    if not 1 <= len(series) <= 12 or not 1 <= len(categories) <= 20:
        yield "a chart has 1 to 12 series of 1 to 20 points"
    yield from _labels(categories)
    yield from _labels([line["name"] for line in series])
    for line in series:
        if [point["label"] for point in line["data"]] != categories:
            yield "a series names every category once"


def _labels(labels: list[str]) -> Iterator[str]:
    if len(labels) != len(set(labels)):
        yield "a chart's labels are not unique"
    if any(not 1 <= len(label) <= 20 for label in labels):
        yield "a chart's label has 1 to 20 characters"


# Inputs ----------------------------------------------------------------------------------------


def _input(block: Json) -> Iterator[str]:
    yield from _plain(block.get("label"), 2000, "label")
    if "hint" in block:
        yield from _plain(block["hint"], 2000, "hint")
    element = block.get("element", {})
    if not 1 <= len(element.get("action_id", "")) <= 255:
        yield "an input has an action id"
    match element.get("type"):
        case "plain_text_input":
            yield from _text_input(element)
        case "static_select" | "multi_static_select":
            yield from _select(element)
        case "checkboxes":
            if not 1 <= len(element.get("options", [])) <= 10:
                yield "checkboxes have 1 to 10 options"
            yield from _options(element, element.get("options", []))
        case "datepicker":
            if not re.fullmatch(r"\d{4}-\d\d-\d\d", element.get("initial_date", "2026-01-01")):
                yield "a date is YYYY-MM-DD"
        case "timepicker":
            if not re.fullmatch(r"\d\d:\d\d", element.get("initial_time", "00:00")):
                yield "a time is HH:mm"
        case "number_input":
            if not isinstance(element.get("is_decimal_allowed"), bool):
                yield "a number says whether decimals are allowed"
        case kind:
            yield f"{kind} is no input"


def _text_input(element: Json) -> Iterator[str]:
    most = element.get("max_length", 3000)
    if not 1 <= most <= 3000:
        yield "a text's max_length is 1 to 3000"
    if len(element.get("initial_value", "")) > most:
        yield "a text's first value is over its max_length"


def _select(element: Json) -> Iterator[str]:
    groups = element.get("option_groups")
    if groups is None:
        options = element.get("options", [])
        if not 1 <= len(options) <= 100:
            yield "a select has 1 to 100 options"
    else:
        options = [option for group in groups for option in group["options"]]
        if len(groups) > 100 or any(not 1 <= len(group["options"]) <= 100 for group in groups):
            yield "a select has at most 100 groups of 1 to 100 options"
        for group in groups:
            yield from _plain(group["label"], 75, "group")
    yield from _options(element, options)


def _options(element: Json, options: list[Json]) -> Iterator[str]:
    for option in options:
        yield from _text(option.get("text"), 75, "option")
        if not 1 <= len(option.get("value", "")) <= 150:
            yield "an option's value has 1 to 150 characters"
    chosen = [element["initial_option"]] if "initial_option" in element else element.get("initial_options", [])
    if any(option not in options for option in chosen):
        yield "a first choice is among the options"
