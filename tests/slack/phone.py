"""What somebody reads on their phone: Slack's blocks and modals as lines of text."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

Json = dict[str, Any]

ZONE = "America/Chicago"
_ENTITY = re.compile(r"<!date\^(\d+)\^([^|^]*)\|[^>]*>|<@([^>|]+)>|<([^>|]+)\|([^>]*)>")


def screen(part: Json, zone: str = ZONE) -> str:
    """A message, notice, modal or home tab as its reader sees it, one line a block."""
    title = part.get("title", {}).get("text", "") if part.get("type") == "modal" else ""
    lines = [f"== {title} =="] if title else []
    lines += [line for block in part["blocks"] for line in _block(block, zone)]
    if part.get("submit"):
        lines.append(f"<{part['submit']['text']}>")
    return "\n".join(lines)


def _block(block: Json, zone: str) -> list[str]:
    match block["type"]:
        case "header":
            return [f"# {_text(block['text'], zone)}"]
        case "section":
            return [_text(block["text"], zone)]
        case "context":
            return [" ".join(_text(element, zone) for element in block["elements"])]
        case "rich_text":
            return [line for element in block["elements"] for line in _rich(element, zone)]
        case "actions":
            return [" ".join(f"[{element['text']['text']}]" for element in block["elements"])]
        case "table":
            return [" | ".join(cell["text"] for cell in row) for row in block["rows"]]
        case "data_visualization":
            return [f"(chart) {block['title']}"]
        case "input":
            return _input(block)
        case "divider":
            return ["---"]
        case kind:
            raise AssertionError(f"a phone shows no {kind}")


def _text(part: Json, zone: str) -> str:
    if part["type"] == "plain_text":
        return str(part["text"])
    words = part["text"].replace("`", "")  # code is shown without its marks; a typed one never gets here
    return html.unescape(_ENTITY.sub(lambda match: _entity(match, zone), words))


def _entity(match: re.Match[str], zone: str) -> str:
    stamp, pattern, user, _, label = match.groups()
    if stamp:
        return _date(int(stamp), pattern, zone)
    return f"@{user}" if user else label


def _rich(element: Json, zone: str) -> list[str]:
    if element["type"] == "rich_text_list":
        return [f"• {_line(item, zone)}" for item in element["elements"]]
    return [_line(element, zone)]


def _line(section: Json, zone: str) -> str:
    return "".join(_part(part, zone) for part in section["elements"])


def _part(part: Json, zone: str) -> str:
    match part["type"]:
        case "text":
            return str(part["text"])
        case "link":
            return str(part["text"])
        case "user":
            return f"@{part['user_id']}"
        case "date":
            return _date(part["timestamp"], part["format"], zone)
        case kind:
            raise AssertionError(f"a phone shows no {kind}")


def _date(stamp: int, pattern: str, zone: str) -> str:
    """In the reader's zone; never "today", for a story is not told on the day it plays on."""
    at = datetime.fromtimestamp(stamp, UTC).astimezone(ZoneInfo(zone))
    day = f"{at:%A, %B} {at.day}, {at.year}"
    clock = f"{at.hour % 12 or 12}:{at:%M %p}"
    shown = pattern.replace("{date_long_pretty}", day).replace("{time}", clock)
    assert "{" not in shown, f"a date format that no phone here knows: {pattern}"
    return shown


def _input(block: Json) -> list[str]:
    element = block["element"]
    first = next((value for name, value in element.items() if name.startswith("initial_")), "")
    if isinstance(first, dict):
        first = first["text"]["text"]
    if isinstance(first, list):
        first = ", ".join(option["text"]["text"] for option in first)
    optional = " (optional)" if block.get("optional") else ""
    hint = f" ({block['hint']['text']})" if block.get("hint") else ""
    return [f"{block['label']['text']}{optional}: {first}{hint}"]
