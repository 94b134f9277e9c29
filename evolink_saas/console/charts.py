"""Charts as SVG, made here: days as bars or as a line, things as bars across. Colours come from the style sheet.

The picture is for eyes; beside it stands a sentence or a table for those who cannot see it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from evolink_saas.axes import Scale, scale, short

WIDTH, HEIGHT = 720, 200
LEFT, RIGHT, TOP, BOTTOM = 46, 4, 10, 24
TICKS = 4
MOST_LABELS = 7
ROW, LONGEST_NAME = 38, 60  # of bars across


@dataclass(frozen=True)
class Thing:
    """One thing's value, and the text that pointing at it shows."""

    name: str
    value: Decimal
    text: str


@dataclass(frozen=True)
class Day:
    """One day's value, and the text that pointing at it shows."""

    day: date
    value: Decimal
    text: str


def bars(title: str, days: Sequence[Day]) -> SafeString:
    """A bar a day."""
    axis = scale([max(0.0, float(day.value)) for day in days], TICKS)
    wide = (WIDTH - LEFT - RIGHT) / max(1, len(days))
    parts = [_opening(title), *_grid(axis)]
    for place, day in enumerate(days):
        x, y = LEFT + place * wide, _height(float(day.value), axis)
        parts.append(
            f'<rect class="slot" x="{x:.1f}" y="{TOP}" width="{wide:.1f}" height="{HEIGHT - TOP - BOTTOM}">'
            f"<title>{escape(day.text)}</title></rect>"
        )
        if day.value:
            parts.append(
                f'<rect class="bar" x="{x + wide * 0.14:.1f}" y="{y:.1f}" width="{wide * 0.72:.1f}" '
                f'height="{max(1.5, HEIGHT - BOTTOM - y):.1f}" rx="2"><title>{escape(day.text)}</title></rect>'
            )
    return mark_safe("".join([*parts, *_days_below(days, wide), "</svg>"]))


def line(title: str, days: Sequence[Day]) -> SafeString:
    """A line through the days, with the area under it."""
    axis = scale([max(0.0, float(day.value)) for day in days], TICKS)
    wide = (WIDTH - LEFT - RIGHT) / max(1, len(days))
    points = [
        f"{LEFT + (place + 0.5) * wide:.1f},{_height(float(day.value), axis):.1f}" for place, day in enumerate(days)
    ]
    parts = [_opening(title), *_grid(axis)]
    if points:
        floor, first, last = HEIGHT - BOTTOM, points[0].partition(",")[0], points[-1].partition(",")[0]
        parts.append(f'<polygon class="area" points="{first},{floor} {" ".join(points)} {last},{floor}"/>')
        parts.append(f'<polyline class="line" points="{" ".join(points)}"/>')
    return mark_safe("".join([*parts, *_days_below(days, wide), "</svg>"]))


def across(title: str, things: Sequence[Thing]) -> SafeString:
    """A bar a thing, one below the other, with its name above it."""
    most = max([float(thing.value) for thing in things] + [0.0]) or 1.0
    height = max(1, len(things)) * ROW
    parts = [f'<svg class="chart" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}">']
    for place, thing in enumerate(things):
        y, wide = place * ROW, max(1.5, max(0.0, float(thing.value)) / most * WIDTH)
        name = thing.name if len(thing.name) <= LONGEST_NAME else f"{thing.name[: LONGEST_NAME - 1]}…"
        parts.append(f'<text x="0" y="{y + 13}">{escape(name)}</text>')
        parts.append(f'<text x="{WIDTH}" y="{y + 13}" text-anchor="end">{short(round(float(thing.value), 2))}</text>')
        parts.append(
            f'<rect class="bar" x="0" y="{y + 19}" width="{wide:.1f}" height="9" rx="2">'
            f"<title>{escape(thing.text)}</title></rect>"
        )
    return mark_safe("".join([*parts, "</svg>"]))


def _height(value: float, axis: Scale) -> float:
    return TOP + (HEIGHT - TOP - BOTTOM) * (1 - axis.share(max(0.0, value)))


def _opening(title: str) -> str:
    return f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">'


def _grid(axis: Scale) -> list[str]:
    parts = []
    for tick in axis.ticks:
        y = _height(tick, axis)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{short(tick)}</text>')
    return parts


def _days_below(days: Sequence[Day], wide: float) -> list[str]:
    every = max(1, math.ceil(len(days) / MOST_LABELS))
    return [
        f'<text x="{LEFT + (place + 0.5) * wide:.1f}" y="{HEIGHT - 6}" text-anchor="middle">{day.day:%m-%d}</text>'
        for place, day in enumerate(days)
        if place % every == every // 2
    ]
