"""PDFs from Typst templates: tagged (PDF/UA-1), titled, in English, with their fonts inside.

What people typed reaches a template only as data (``data.json``), never as source.
"""

from __future__ import annotations

import io
import json
import tempfile
import unicodedata
from collections.abc import Callable, Mapping
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import segno
import typst

from bot.documents.wording import Wording
from program.core.words import isolated_names
from program.record.certificate import printable

STANDARD: Literal["ua-1"] = "ua-1"
UNSHOWN = "□"  # shown for a letter that no font has
SCRIPTS = ("LATIN", "GREEK", "CYRILLIC", "DIGIT", "SPACE")  # what the fonts that come with Typst show
LAST_SHOWN = 0x500  # of Cyrillic; the rarer letters behind it are in none of those fonts
PLAIN = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~‘’“”‚„«»‹›–—…·•†‡§¶©®°±×÷¿¡€£¥¢")


def certificate_pdf(data: Mapping[str, Any], wording: Wording, at: datetime) -> bytes:
    """The certificate. ``at``: when it was issued, so that the same certificate is the same file."""
    source = wording.template if wording.template is not None else _shipped("certificate.typ")
    return _compile(source, data, wording, at)


def packet_pdf(data: Mapping[str, Any], wording: Wording, at: datetime) -> bytes:
    """The full record: every ledger line, readable, with the head of the chain."""
    return _compile(_shipped("packet.typ"), data, wording, at)


def qr_svg(text: str) -> bytes:
    """Return a QR code of the text as an SVG image, with error correction level M."""
    out = io.BytesIO()
    segno.make(text, error="m", micro=False).save(out, kind="svg", border=4, xmldecl=False, dark="#12343b", light=None)
    return out.getvalue()


def _shipped(name: str) -> str:
    return (files("bot.documents") / name).read_text(encoding="utf-8")


def _compile(source: str, data: Mapping[str, Any], wording: Wording, at: datetime) -> bytes:
    clean = _texts(data, printable)
    with tempfile.TemporaryDirectory(prefix="plc-document-") as name:
        folder = Path(name)
        (folder / "main.typ").write_text(source, encoding="utf-8")
        if data.get("verify"):
            (folder / "qr.svg").write_bytes(qr_svg(str(data["verify"])))
        if wording.logo is not None:
            logo = f"logo{wording.logo.suffix}"
            (folder / logo).write_bytes(wording.logo.data)
            clean = {**clean, "logo": logo, "logo_alt": wording.logo.alt}
        try:
            return _typeset(folder, clean, wording, at)
        except typst.TypstError as error:
            if "could not be displayed" not in str(error):
                raise
            # PDF/UA refuses a document with letters that no font has; they are shown as open boxes instead.
            return _typeset(folder, _texts(clean, _shown), wording, at)


def _typeset(folder: Path, data: Any, wording: Wording, at: datetime) -> bytes:
    # Last, as "printable" takes such marks out: names in right-to-left scripts keep their place in a line.
    (folder / "data.json").write_text(json.dumps(_texts(data, isolated_names)), encoding="utf-8")
    return typst.compile(
        folder / "main.typ",
        root=folder,
        format="pdf",
        pdf_standards=STANDARD,
        ignore_system_fonts=True,
        font_paths=[wording.fonts] if wording.fonts else [],
        timestamp=int(at.timestamp()),
    )


def _texts(value: Any, change: Callable[[str], str]) -> Any:
    """The same data with every text changed."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {key: _texts(item, change) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_texts(item, change) for item in value]
    return value


def _shown(text: str) -> str:
    return "".join(char if _showable(char) else UNSHOWN for char in text)


def _showable(char: str) -> bool:
    if char in PLAIN or char == UNSHOWN:
        return True
    return ord(char) < LAST_SHOWN and unicodedata.name(char, "").startswith(SCRIPTS)
