"""The axis of a chart: round numbers, of which people read the others."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

NEARLY = 1e-9  # as much as floating point may be off


@dataclass(frozen=True)
class Scale:
    """From a value to a place on the axis; `ticks` are round numbers."""

    low: float
    high: float
    ticks: tuple[float, ...]

    def share(self, value: float) -> float:
        return (value - self.low) / (self.high - self.low)


def scale(values: Sequence[float], ticks: int) -> Scale:
    """An axis from 0, or from below it, in about so many steps of 1, 2 or 5 times a power of ten."""
    low, high = min(0.0, *values, 0.0), max(0.0, *values, 0.0)
    if low == high:
        high = 1.0
    rough = (high - low) / ticks
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * (1 - NEARLY))
    first, last = math.floor(low / step + NEARLY), math.ceil(high / step - NEARLY)
    return Scale(first * step, last * step, tuple(number * step for number in range(first, last + 1)))


def short(value: float) -> str:
    """A number on an axis: 0, 250, 1.5k, 2M."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"
