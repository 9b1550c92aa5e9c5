"""Slack's chart block, for which slack_sdk has no model yet, and how a chart is cut to what it can show."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from slack_sdk.models.basic_objects import JsonValidator
from slack_sdk.models.blocks import Block

from bot.slack.limits import CHART_LABEL, CHART_POINTS, CHART_SEGMENTS, CHART_SERIES, CHART_TITLE
from bot.slack.texts import visible
from handlers.core.cards import Chart, Series
from program.core.words import first_of, shortened


class DataVisualizationBlock(Block):
    """A native pie, bar or line chart."""

    type = "data_visualization"
    attributes = {"block_id", "type", "title", "chart"}  # noqa: RUF012 -- slack_sdk's way to name them

    def __init__(self, *, title: str, chart: dict[str, Any], block_id: str | None = None) -> None:
        super().__init__(type=self.type, block_id=block_id)
        self.title = title
        self.chart = chart

    @JsonValidator(f"title must be between 1 and {CHART_TITLE} characters")
    def _validate_title(self) -> bool:
        return 1 <= len(self.title) <= CHART_TITLE

    @JsonValidator("a chart has some series or segments, but not too many")
    def _validate_size(self) -> bool:
        parts = self.chart.get("segments") or self.chart.get("series") or []
        return 1 <= len(parts) <= max(CHART_SERIES, CHART_SEGMENTS)


def native(chart: Chart) -> tuple[DataVisualizationBlock | None, str]:
    """The block, if there is anything to draw, and a sentence on what the drawing leaves out."""
    drawn, cut = _pie(chart) if chart.kind == "pie" else _axes(chart)
    if drawn is None:
        return None, ""
    return DataVisualizationBlock(title=visible(shortened(chart.title, CHART_TITLE)), chart=drawn), cut


def _pie(chart: Chart) -> tuple[dict[str, Any] | None, str]:
    if not chart.series:
        return None, ""
    pairs = zip(chart.labels, chart.series[0].values, strict=True)
    slices = [(label, value) for label, value in pairs if value > 0 and math.isfinite(value)]
    kept = slices[:CHART_SEGMENTS]
    if not kept:
        return None, ""
    labels = _distinct(label for label, _ in kept)
    segments = [{"label": label, "value": _number(value)} for label, (_, value) in zip(labels, kept, strict=True)]
    return {"type": "pie", "segments": segments}, first_of(len(kept), len(slices), "parts")


def _axes(chart: Chart) -> tuple[dict[str, Any] | None, str]:
    labels = _distinct(chart.labels[:CHART_POINTS])
    kept = chart.series[:CHART_SERIES]
    if not labels or not kept:
        return None, ""
    names = _distinct(series.name for series in kept)
    series = [_series(name, labels, series) for name, series in zip(names, kept, strict=True)]
    drawn = {"type": chart.kind, "series": series, "axis_config": {"categories": labels}}
    cut = [
        first_of(len(labels), len(chart.labels), "labels"),
        first_of(len(kept), len(chart.series), "series"),
    ]
    return drawn, " ".join(sentence for sentence in cut if sentence)


def _series(name: str, labels: list[str], series: Series) -> dict[str, Any]:
    points = zip(labels, series.values[: len(labels)], strict=True)
    return {"name": name, "data": [{"label": label, "value": _number(value)} for label, value in points]}


def _number(value: float) -> float:
    if not math.isfinite(value):
        return 0
    return int(value) if value == int(value) else value


def _distinct(names: Iterable[str]) -> list[str]:
    """Labels short enough for Slack, which also wants each only once."""
    taken: dict[str, None] = {}
    for name in names:
        label, count = visible(shortened(name, CHART_LABEL)), 1
        while label in taken:
            count += 1
            suffix = f" ({count})"
            label = shortened(visible(name), CHART_LABEL - len(suffix)) + suffix
        taken[label] = None
    return list(taken)
