"""Where the marks of a chart go.

Lengths are percentages of the width, so that a chart needs no scaling on a phone and its words keep their size.
Heights are pixels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from handlers.core.cards import Chart

COLOURS = 8  # classes c0 to c7 in the style sheet
WORDS = 42  # characters of a label that fit at phone width
_LABEL, _BAR, _GAP = 20, 16, 14
_ROOM = 84.0  # per cent of the width for the longest bar; the rest is for its number
_PLOT_TOP, _PLOT_BOTTOM, _PLOT_HEIGHT = 22, 156, 184
_PLOT_LEFT, _PLOT_RIGHT = 5.0, 95.0
_LINE_LABELS = 5


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its top in pixels, its width in per cent, its color class and its number in words."""

    y: int
    width: float
    colour: int
    value: str


@dataclass(frozen=True, slots=True)
class BarGroup:
    """The bars of one label, one for each series. ``y``: the label's top in pixels."""

    y: int
    label: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class BarChart:
    """A bar chart. ``height``: of the whole, ``bar``: of each bar, both in pixels."""

    height: int
    bar: int
    groups: tuple[BarGroup, ...]


@dataclass(frozen=True, slots=True)
class Dot:
    """One value of a line: ``x`` in per cent of the width, ``y`` in pixels from the top."""

    x: float
    y: float
    value: str


@dataclass(frozen=True, slots=True)
class DotSeries:
    """One series as dots from left to right, with its color class."""

    colour: int
    dots: tuple[Dot, ...]

    @property
    def strokes(self) -> tuple[tuple[Dot, Dot], ...]:
        """Each dot with its right neighbor: the ends of the strokes between them."""
        return tuple(zip(self.dots, self.dots[1:], strict=False))


@dataclass(frozen=True, slots=True)
class LineChart:
    """A line chart. ``base``: where zero is, ``top``: where the highest value is, in pixels from above.

    ``labels``: each label's place in per cent of the width, and its text; at most five.
    """

    height: int
    base: int
    top: int
    highest: str
    lines: tuple[DotSeries, ...]
    labels: tuple[tuple[float, str], ...]


@dataclass(frozen=True, slots=True)
class Slice:
    """``path``: empty for a slice that is the whole circle."""

    path: str
    colour: int
    label: str
    value: str


def short(text: str, limit: int = WORDS) -> str:
    """The text, visibly shortened when it is long."""
    flat = " ".join(text.split())
    return flat if len(flat) <= limit else f"{flat[: limit - 1]}…"


def number(value: float) -> str:
    """Return the number in words: with commas, and with one decimal unless it is whole."""
    return f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"


def bars(chart: Chart) -> BarChart:
    """Place a bar for each value. The longest is the highest value; a value below zero has no length."""
    highest = _highest(chart)
    groups = []
    y = 0
    for index, label in enumerate(chart.labels):
        top = y
        y += _LABEL
        marks = []
        for place, series in enumerate(chart.series):
            value = series.values[index]
            width = round(max(value, 0) / highest * _ROOM, 2)
            marks.append(Bar(y, width, place % COLOURS, number(value)))
            y += _BAR + 2
        y += _GAP
        groups.append(BarGroup(top, short(label), tuple(marks)))
    return BarChart(max(y - _GAP, _LABEL) + 2, _BAR, tuple(groups))


def lines(chart: Chart) -> LineChart:
    """Place a line for each series, from zero to the highest value. A value below zero is drawn at zero."""
    highest = _highest(chart)
    count = len(chart.labels)

    def x(index: int) -> float:
        share = index / (count - 1) if count > 1 else 0.5
        return round(_PLOT_LEFT + share * (_PLOT_RIGHT - _PLOT_LEFT), 2)

    def y(value: float) -> float:
        return round(_PLOT_BOTTOM - max(value, 0) / highest * (_PLOT_BOTTOM - _PLOT_TOP), 1)

    drawn = tuple(
        DotSeries(
            place % COLOURS,
            tuple(Dot(x(index), y(value), number(value)) for index, value in enumerate(series.values)),
        )
        for place, series in enumerate(chart.series)
    )
    step = max(1, math.ceil(count / _LINE_LABELS))
    labels = tuple((x(index), short(chart.labels[index], 12)) for index in range(0, count, step))
    return LineChart(_PLOT_HEIGHT, _PLOT_BOTTOM, _PLOT_TOP, number(highest), drawn, labels)


def slices(chart: Chart) -> tuple[Slice, ...]:
    """The first series as shares of a circle of radius 1 around the middle."""
    values = [max(value, 0) for value in chart.series[0].values] if chart.series else []
    total = sum(values)
    drawn = []
    turned = 0.0
    for place, (label, value) in enumerate(zip(chart.labels, values, strict=False)):
        share = value / total if total else 0.0
        path = "" if share == 1 else _arc(turned, turned + share)
        drawn.append(Slice(path, place % COLOURS, label, number(value)))
        turned += share
    return tuple(drawn)


def _arc(start: float, end: float) -> str:
    def point(turn: float) -> str:
        angle = 2 * math.pi * turn - math.pi / 2
        return f"{math.cos(angle):.4f} {math.sin(angle):.4f}"

    large = 1 if end - start > 0.5 else 0
    return f"M 0 0 L {point(start)} A 1 1 0 {large} 1 {point(end)} Z"


def _highest(chart: Chart) -> float:
    return max((value for series in chart.series for value in series.values if value > 0), default=1.0)
