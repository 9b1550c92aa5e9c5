"""Draws the icons: three rings, linked so that no two hold together without the third. A cohort.

``python -m manifest.draw`` writes them again: the SVG and the PNG files from the same numbers, with nothing
but the standard library.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from manifest.about import COLOR

ICONS = Path(__file__).parent / "icons"
RING_COLORS = ("#ffd9a0", "#f4fbfb", "#7fd0d9")
WHITE = "#ffffff"

Pixel = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Drawing:
    """All lengths are parts of the picture's side. Ring n runs over ring n + 1, the last one over the first."""

    size: int  # pixels
    radius: float
    apart: float  # of a ring's centre from the middle of the three
    stroke: float
    gap: float  # on either side of a ring that runs over another
    colors: tuple[str, str, str] = RING_COLORS
    ground: str | None = COLOR  # None: transparent

    def centres(self) -> list[tuple[float, float]]:
        """One ring above and two below, moved down so that the margins are the same."""
        middle = 0.5 + self.apart / 4
        turns = (math.radians(-90 + 120 * number) for number in range(3))
        return [(0.5 + self.apart * math.cos(turn), middle + self.apart * math.sin(turn)) for turn in turns]


COLOR_ICON = Drawing(192, radius=0.18, apart=0.11, stroke=0.052, gap=0.021)
OUTLINE_ICON = Drawing(
    32, radius=0.255, apart=0.165, stroke=0.075, gap=0.045, colors=(WHITE, WHITE, WHITE), ground=None
)
SLACK_ICON = Drawing(512, radius=0.2, apart=0.122, stroke=0.056, gap=0.022)
DRAWINGS = {"color.png": COLOR_ICON, "outline.png": OUTLINE_ICON, "slack.png": SLACK_ICON}


def pixels(drawing: Drawing) -> list[list[Pixel]]:
    """The picture's lines; edges are soft over one pixel."""
    return [[_pixel(drawing, column, line) for column in range(drawing.size)] for line in range(drawing.size)]


def _pixel(drawing: Drawing, column: int, line: int) -> Pixel:
    point = ((column + 0.5) / drawing.size, (line + 0.5) / drawing.size)
    off = [abs(math.dist(point, centre) - drawing.radius) for centre in drawing.centres()]
    half = drawing.stroke / 2
    bands = [_cover(drawing, half - distance) for distance in off]
    wide = [_cover(drawing, half + drawing.gap - distance) for distance in off]
    shown = [bands[number] * (1 - wide[number - 1]) for number in range(3)]
    return _mixed(drawing, shown)


def _cover(drawing: Drawing, inside: float) -> float:
    """How much of a pixel lies inside an edge that is this far away."""
    return min(max(inside * drawing.size + 0.5, 0.0), 1.0)


def _mixed(drawing: Drawing, shown: Sequence[float]) -> Pixel:
    if drawing.ground is None:
        red, green, blue = _rgb(drawing.colors[0])
        return red, green, blue, round(255 * min(sum(shown), 1.0))
    mixed = [float(part) for part in _rgb(drawing.ground)]
    for cover, color in zip(shown, drawing.colors, strict=True):
        mixed = [part * (1 - cover) + over * cover for part, over in zip(mixed, _rgb(color), strict=True)]
    return round(mixed[0]), round(mixed[1]), round(mixed[2]), 255


def _rgb(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def png(lines: Sequence[Sequence[Pixel]]) -> bytes:
    """A PNG file with 8 bits for each of red, green, blue and alpha."""
    head = struct.pack(">IIBBBBB", len(lines[0]), len(lines), 8, 6, 0, 0, 0)
    data = b"".join(b"\0" + bytes(part for pixel in line for part in pixel) for line in lines)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", zlib.compress(data, 9)) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def svg(drawing: Drawing) -> str:
    """The same picture for wherever it may be scaled."""
    side = 512
    centres = [(x * side, y * side) for x, y in drawing.centres()]
    radius, stroke = drawing.radius * side, drawing.stroke * side
    wide = stroke + 2 * drawing.gap * side
    masks, rings = [], []
    for number, centre in enumerate(centres):
        over = f'<circle {_round(centres[number - 1], radius)} stroke="#000" stroke-width="{wide:.2f}"/>'
        everywhere = f'<rect width="{side}" height="{side}" fill="#fff"/>'
        masks.append(f'    <mask id="under{number}">{everywhere}{over}</mask>')
        look = f'stroke="{drawing.colors[number]}" mask="url(#under{number})"'
        rings.append(f"    <circle {_round(centre, radius)} {look}/>")
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" fill="none">',
            "  <defs>",
            *masks,
            "  </defs>",
            f'  <rect width="{side}" height="{side}" fill="{drawing.ground}"/>',
            f'  <g stroke-width="{stroke:.2f}">',
            *rings,
            "  </g>",
            "</svg>",
            "",
        )
    )


def _round(centre: tuple[float, float], radius: float) -> str:
    return f'cx="{centre[0]:.2f}" cy="{centre[1]:.2f}" r="{radius:.2f}"'


def main() -> None:
    """Write every icon."""
    for name, drawing in DRAWINGS.items():
        (ICONS / name).write_bytes(png(pixels(drawing)))
    (ICONS / "icon.svg").write_text(svg(SLACK_ICON), encoding="utf-8")


if __name__ == "__main__":
    main()
