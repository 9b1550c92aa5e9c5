"""Charts, as Teams' native chart elements with their numbers in words as the fallback."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from microsoft_teams import cards as ac

from bot.teams.page import Page
from bot.teams.spans import text
from bot.teams.words import one_line
from handlers.core.cards import Chart
from program.core.words import first_of

MOST_SERIES = 12  # of one chart


def chart(block: Chart, page: Page) -> ac.CardElement:
    """Return the native chart element, shortened to the limits."""
    limits = page.limits
    title = one_line(block.title, limits.label)
    # Labels are what a chart tells its points by, so shortening must not make two of them one.
    labels = _distinct([one_line(label, min(limits.label, 60)) for label in block.labels[: limits.parts]])
    series = [(one_line(line.name, min(limits.label, 60)), line.values) for line in block.series[:MOST_SERIES]]
    fallback = text((_numbers(block, labels, series),), page)
    match block.kind:
        case "pie":
            values = series[0][1] if series else ()
            return ac.PieChart(
                title=title,
                show_title=True,
                data=[
                    ac.DonutChartData(legend=label, value=value) for label, value in zip(labels, values, strict=False)
                ],
                fallback=fallback,
            )
        case "line":
            return ac.LineChart(
                title=title,
                show_title=True,
                data=[
                    ac.LineChartData(
                        legend=name,
                        values=[ac.LineChartValue(x=x, y=y) for x, y in zip(labels, values, strict=False)],
                    )
                    for name, values in series
                ],
                fallback=fallback,
            )
        case "bar":
            return ac.GroupedVerticalBarChart(
                title=title,
                show_title=True,
                data=[
                    ac.GroupedVerticalBarChartData(
                        legend=name,
                        values=[ac.BarChartDataValue(x=x, y=y) for x, y in zip(labels, values, strict=False)],
                    )
                    for name, values in series
                ],
                fallback=fallback,
            )
        case _:
            assert_never(block.kind)


def not_drawn(block: Chart, page: Page) -> Iterator[ac.CardElement]:
    """Yield a note that says which labels and series the chart leaves out. A pie draws one series."""
    parts, drawn = page.limits.parts, 1 if block.kind == "pie" else MOST_SERIES
    cut = (first_of(parts, len(block.labels), "labels"), first_of(drawn, len(block.series), "series"))
    if any(cut):
        yield text((" ".join(sentence for sentence in cut if sentence),), page, small=True)


def _distinct(labels: list[str]) -> list[str]:
    seen: dict[str, int] = {}
    result = []
    for label in labels:
        seen[label] = seen.get(label, 0) + 1
        result.append(label if seen[label] == 1 else f"{label} ({seen[label]})")
    return result


def _numbers(block: Chart, labels: list[str], series: list[tuple[str, tuple[float, ...]]]) -> str:
    """The chart as lines of text, for clients that draw no charts."""
    lines = [block.title]
    for name, values in series:
        pairs = ", ".join(f"{label} {value:g}" for label, value in zip(labels, values, strict=False))
        lines.append(f"{name}: {pairs}")
    if len(block.labels) > len(labels):
        lines.append(f"and {len(block.labels) - len(labels)} more")
    return "\n".join(lines)
