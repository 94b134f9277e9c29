"""Pictures of figures as SVG, made here: no script, no other host. Every picture has axes, units and a legend."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from evolink_saas.axes import Scale, scale, short

WIDTH, HEIGHT = 960, 280
LEFT, RIGHT, TOP, BOTTOM = 74, 12, 34, 34
TICKS = 5
MOST_LABELS = 13
LABELS_WIDTH = 90  # characters that fit below a chart
LONGEST_NAME = 30
BAR_HEIGHT = 30
NAMES_WIDTH = 210


@dataclass(frozen=True, kw_only=True)
class Series:
    """One colour of a chart; a line where `is_line`, else bars. `look` is its class in the style sheet."""

    name: str
    values: Sequence[Decimal | float]
    look: str
    is_line: bool = False


def over_time(title: str, unit: str, labels: Sequence[str], series: Sequence[Series]) -> SafeString:
    """Bars beside each other for each label, and lines across them."""
    numbers = [[float(value) for value in one.values] for one in series]
    axis = scale([value for values in numbers for value in values], TICKS)
    wide = (WIDTH - LEFT - RIGHT) / max(1, len(labels))
    parts = [_frame(title, HEIGHT), _legend(unit, series), *_lines_across(axis)]
    bars = [place for place, one in enumerate(series) if not one.is_line]
    for place, (one, values) in enumerate(zip(series, numbers, strict=True)):
        if one.is_line:
            parts.append(_line(one, labels, values, axis, wide, unit))
        else:
            parts += _bars(one, labels, values, axis, wide, bars.index(place), len(bars), unit)
    parts += _names_below(labels, wide)
    return mark_safe("".join([*parts, "</svg>"]))


def ranking(title: str, unit: str, names: Sequence[str], series: Sequence[Series]) -> SafeString:
    """A bar a name and series, lying, the first name on top."""
    numbers = [[float(value) for value in one.values] for one in series]
    axis = scale([value for values in numbers for value in values], TICKS)
    height = TOP + BAR_HEIGHT * len(names) + BOTTOM
    wide = WIDTH - NAMES_WIDTH - RIGHT - 70
    parts = [_frame(title, height), _legend(unit, series)]
    for tick in axis.ticks:
        x = NAMES_WIDTH + wide * axis.share(tick)
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{height - BOTTOM}"/>')
        parts.append(
            f'<text class="tick" x="{x:.1f}" y="{height - BOTTOM + 18}" text-anchor="middle">{short(tick)}</text>'
        )
    thick = (BAR_HEIGHT - 8) / len(series)
    zero = NAMES_WIDTH + wide * axis.share(0)
    for row, name in enumerate(names):
        y = TOP + row * BAR_HEIGHT
        parts.append(
            f'<text class="name" x="{NAMES_WIDTH - 8}" y="{y + BAR_HEIGHT / 2 + 4:.1f}" text-anchor="end">'
            f"{escape(_cut(name))}</text>"
        )
        for place, (one, values) in enumerate(zip(series, numbers, strict=True)):
            end = NAMES_WIDTH + wide * axis.share(values[row])
            parts.append(
                f'<rect class="{one.look}" x="{min(zero, end):.1f}" y="{y + 4 + place * thick:.1f}" '
                f'width="{max(abs(end - zero), 0.5):.1f}" height="{thick - 1:.1f}">'
                f"<title>{escape(f'{name}, {one.name}: {values[row]:,.2f} {unit}')}</title></rect>"
            )
    return mark_safe("".join([*parts, "</svg>"]))


def _frame(title: str, height: float) -> str:
    return (
        f'<svg class="picture" viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-label="{escape(title)}">'
        f"<title>{escape(title)}</title>"
    )


def _legend(unit: str, series: Sequence[Series]) -> str:
    parts, x = [f'<text class="unit" x="4" y="16">{escape(unit)}</text>'], float(LEFT + 60)
    for one in series:
        mark = (
            f'<line class="{one.look}" x1="{x:.0f}" x2="{x + 14:.0f}" y1="12" y2="12"/>'
            if one.is_line
            else f'<rect class="{one.look}" x="{x:.0f}" y="6" width="12" height="12" rx="2"/>'
        )
        parts.append(f'{mark}<text class="legend" x="{x + 18:.0f}" y="16">{escape(one.name)}</text>')
        x += 40 + 7.2 * len(one.name)
    return "".join(parts)


def _lines_across(axis: Scale) -> list[str]:
    parts = []
    for tick in axis.ticks:
        y = _y(axis, tick)
        look = "zero" if tick == 0 else "grid"
        parts.append(f'<line class="{look}" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="tick" x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{short(tick)}</text>')
    return parts


def _bars(
    one: Series,
    labels: Sequence[str],
    values: Sequence[float],
    axis: Scale,
    wide: float,
    place: int,
    count: int,
    unit: str,
) -> list[str]:
    gap = 0.18 * wide
    thick = (wide - gap) / count
    parts = []
    for number, (label, value) in enumerate(zip(labels, values, strict=True)):
        x = LEFT + number * wide + gap / 2 + place * thick
        top, bottom = sorted((_y(axis, value), _y(axis, 0)))
        parts.append(
            f'<rect class="{one.look}" x="{x:.1f}" y="{top:.1f}" width="{max(0.5, thick - 1):.1f}" '
            f'height="{bottom - top:.1f}"><title>{escape(f"{label}, {one.name}: {value:,.2f} {unit}")}</title></rect>'
        )
    return parts


def _line(one: Series, labels: Sequence[str], values: Sequence[float], axis: Scale, wide: float, unit: str) -> str:
    places = [(LEFT + (number + 0.5) * wide, _y(axis, value)) for number, value in enumerate(values)]
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    dots = ""
    if len(places) <= 3 * MOST_LABELS:
        dots = "".join(
            f'<circle class="{one.look}" cx="{x:.1f}" cy="{y:.1f}" r="3">'
            f"<title>{escape(f'{label}, {one.name}: {value:,.2f} {unit}')}</title></circle>"
            for (x, y), label, value in zip(places, labels, values, strict=True)
        )
    return f'<polyline class="{one.look}" points="{points}"/>{dots}'


def _names_below(labels: Sequence[str], wide: float) -> list[str]:
    most = min(MOST_LABELS, LABELS_WIDTH // max(map(len, labels), default=1))
    every = max(1, math.ceil(len(labels) / max(1, most)))
    return [
        f'<text class="tick" x="{LEFT + (number + 0.5) * wide:.1f}" y="{HEIGHT - BOTTOM + 18}" '
        f'text-anchor="middle">{escape(label)}</text>'
        for number, label in enumerate(labels)
        if number % every == 0
    ]


def _y(axis: Scale, value: float) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * axis.share(value)


def _cut(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"
