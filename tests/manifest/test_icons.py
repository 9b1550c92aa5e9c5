"""The committed pictures are what the numbers in ``manifest.draw`` draw."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from manifest.draw import DRAWINGS, ICONS, SLACK_ICON, png, svg
from manifest.draw import pixels as drawn
from tests.manifest.pictures import read_png


@pytest.mark.parametrize("name", ["color.png", "outline.png"])
def test_a_picture_is_the_one_that_is_drawn(name: str) -> None:
    # Compressors differ between versions of Python, so the pixels are compared and not the files.
    assert read_png((ICONS / name).read_bytes()).lines == drawn(DRAWINGS[name])


def test_what_is_written_can_be_read() -> None:
    lines = [[(0, 1, 2, 3), (4, 5, 6, 7)], [(255, 254, 253, 252), (0, 0, 0, 0)]]

    assert read_png(png(lines)).lines == lines


def test_slack_gets_a_square_icon_of_at_least_512_pixels() -> None:
    picture = read_png((ICONS / "slack.png").read_bytes())

    assert (picture.width, picture.height) == (512, 512)


def test_the_source_for_other_sizes_is_the_same_drawing() -> None:
    source = (ICONS / "icon.svg").read_text(encoding="utf-8")

    assert source == svg(SLACK_ICON)
    assert len(ET.fromstring(source).findall(".//{*}g/{*}circle")) == 3
