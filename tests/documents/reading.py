"""Reading PDFs with other people's programs: qpdf checks them, poppler reads and draws them."""

from __future__ import annotations

import os
import shutil
import subprocess
import warnings
from dataclasses import dataclass
from pathlib import Path

import pytest

TOOLS = ("qpdf", "pdftotext", "pdfinfo", "pdftoppm")


def need_tools() -> None:
    """Skip loudly where a tool is not installed; in CI that is a failure."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if not missing:
        return
    text = f"PDFs are NOT checked: {', '.join(missing)} missing. Install the packages qpdf and poppler-utils."
    if os.environ.get("CI"):
        pytest.fail(text)
    warnings.warn(pytest.PytestWarning(text), stacklevel=2)
    pytest.skip(text)


def _run(*words: str) -> bytes:
    return subprocess.run(words, check=True, capture_output=True, timeout=60).stdout


def check(file: Path) -> None:
    """No error and no warning from qpdf, which ends with 3 for a warning."""
    _run("qpdf", "--check", str(file))


def words(file: Path) -> str:
    """The text in reading order, with the line ends as spaces."""
    return " ".join(_run("pdftotext", str(file), "-").decode().split())


def info(file: Path) -> dict[str, str]:
    lines = _run("pdfinfo", str(file)).decode().splitlines()
    return {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


def metadata(file: Path) -> str:
    return _run("pdfinfo", "-meta", str(file)).decode()


def structure(file: Path) -> str:
    """The tags as a screen reader walks them."""
    return _run("pdfinfo", "-struct-text", str(file)).decode()


def fonts(file: Path) -> list[str]:
    return _run("pdffonts", str(file)).decode().splitlines()[2:]


@dataclass(frozen=True, slots=True)
class Picture:
    width: int
    height: int
    pixels: bytes  # one byte each, white is 255


def picture(file: Path, dpi: int = 150) -> Picture:
    """The first page in shades of grey."""
    raw = _run("pdftoppm", "-gray", "-r", str(dpi), "-f", "1", "-l", "1", str(file))
    head, size, depth, pixels = raw.split(b"\n", 3)
    assert (head, depth) == (b"P5", b"255")
    width, height = (int(part) for part in size.split())
    return Picture(width, height, pixels)


def qr_texts(seen: Picture) -> list[str]:
    """What a phone's camera would read."""
    import zxingcpp

    view = memoryview(seen.pixels).cast("B", shape=(seen.height, seen.width))
    return [code.text for code in zxingcpp.read_barcodes(view)]
