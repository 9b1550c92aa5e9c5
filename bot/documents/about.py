"""Everything about one person as a file to take along: readable in a browser, and as data."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Sequence
from importlib.resources import files

from jinja2 import Environment, StrictUndefined

from program.core.words import isolated_parts
from storage.privacy.personal_data import Kind

HTML = "about.html"


def about_zip(name: str, made: str, kinds: Sequence[Kind]) -> bytes:
    """A ZIP in memory: it holds confidential words, so it is never written to a disk here."""
    source = (files("bot.documents") / HTML).read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    environment.filters["isolated"] = isolated_parts
    page = environment.from_string(source)
    data = {"name": name, "made": made, **{kind.name: list(kind.rows) for kind in kinds}}
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(HTML, page.render(name=name, made=made, kinds=kinds))
        file.writestr("about.json", json.dumps(data, ensure_ascii=False, indent=2))
    return held.getvalue()
