"""Pairs of measurements, and the table made of them in docs/figures.md."""

import os
import platform
import re
import statistics
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

DOCUMENT = Path(__file__).resolve().parent.parent.parent / "docs" / "figures.md"
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


def table(rows: list[Row]) -> str:
    lines = [TITLES, ("---", "---:", "---:", "---:", "---:"), *(row.cells() for row in rows)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def machine() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    model = re.search(r"model name\s*: (.*)", cpuinfo.read_text()) if cpuinfo.exists() else None
    name = model[1] if model else platform.machine()
    return f"{os.cpu_count()} cores ({name}), {platform.system()}, Python {platform.python_version()}"


def write(rows: list[Row], how: str) -> None:
    """Put the table into the document, in place of the last one."""
    replace("measured", table(rows), "make bench", how)


def replace(mark: str, text: str, command: str, how: str) -> None:
    """Put the text and how it was measured between the document's marks."""
    today = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    text = f"{text}\nMeasured on {today} by `{command}`: {machine()}; {how}.\n"
    marked = re.compile(rf"(<!-- {mark} -->\n).*?(<!-- /{mark} -->)", re.DOTALL)
    DOCUMENT.write_text(marked.sub(lambda found: found[1] + text + found[2], DOCUMENT.read_text()))
