"""Measurements, and the tables made of them in docs/figures.md: each between marks of its own name."""

import os
import platform
import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

DOCUMENT = Path(__file__).resolve().parent.parent.parent / "docs" / "figures.md"
MARKED = "(<!-- measured: {} -->\\n).*?(<!-- /measured -->)"
ALONE = ("What", "Measured", "To reach")
TITLES = ("What", "Product, a second", "Baseline, a second", "Ratio", "To reach")


@dataclass(frozen=True, kw_only=True)
class Row:
    """A baseline and the product, measured one after the other several times over."""

    name: str
    baseline: list[float]
    product: list[float]
    to_reach: float

    @property
    def ratio(self) -> float:
        """The median over the pairs, so that a moment in which the machine did something else counts once."""
        return statistics.median(ours / plain for plain, ours in zip(self.baseline, self.product, strict=True))

    def cells(self) -> tuple[str, ...]:
        middles = (f"{statistics.median(values):.0f}" for values in (self.product, self.baseline))
        return (self.name, *middles, f"{self.ratio:.0%}", f"{self.to_reach:.0%}")


@dataclass(frozen=True)
class Fact:
    """Something measured for itself, without a baseline."""

    name: str
    measured: str
    to_reach: str


def table(rows: Sequence[Row]) -> str:
    return grid(TITLES, [row.cells() for row in rows])


def facts(found: Sequence[Fact]) -> str:
    return grid(ALONE, [(fact.name, fact.measured, fact.to_reach) for fact in found])


def grid(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table whose first column is words and the others figures."""
    lines = [titles, ("---", *["---:"] * (len(titles) - 1)), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def machine() -> str:
    """Where it was measured, and how many processes wanted its cores at the end of it."""
    cpuinfo = Path("/proc/cpuinfo")
    model = re.search(r"model name\s*: (.*)", cpuinfo.read_text()) if cpuinfo.exists() else None
    name = model[1] if model else platform.machine()
    load = f"load {os.getloadavg()[2]:.0f} over the last 15 minutes"
    return f"{os.cpu_count()} cores ({name}), {platform.system()}, Python {platform.python_version()}, {load}"


def write(section: str, found: str, how: str, command: str) -> None:
    """Put a table into the document, in place of the last one of its section."""
    today = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    text = f"{found}\nMeasured on {today} by `{command}`: {machine()}; {how}.\n"
    marked = re.compile(MARKED.format(section), re.DOTALL)
    DOCUMENT.write_text(marked.sub(lambda old: old[1] + text + old[2], DOCUMENT.read_text()))
