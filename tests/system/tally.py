"""What the runs of one kind counted, added up."""

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

WRONG = ("lost", "wrong", "twice")
Line = Mapping[str, Any]


@dataclass(kw_only=True)
class Tally:
    """`counts`: by what was counted. `pauses`: seconds from each kill until work went on."""

    counts: Counter[str] = field(default_factory=Counter)
    pauses: list[float] = field(default_factory=list)
    audited: bool = False

    @classmethod
    def of(cls, runs: Iterable[Sequence[Line]]) -> "Tally":
        """`tasks` is how many the database of a run had at its last audit; everything else adds up line by line."""
        tally = cls()
        for lines in runs:
            tally.counts["tasks"] += max((line.get("tasks", 0) for line in lines), default=0)
            for line in lines:
                tally.pauses += line.get("pauses", [])
                tally.audited |= "wrong" in line
                tally.counts.update({name: n for name, n in line.items() if name not in ("tasks", "pauses")})
        return tally


def cells(tally: Tally, seconds: float) -> tuple[str, str, str, str]:
    """Counted, took, what went wrong, and the pauses, as the table shows them."""
    counted = [f"{number:,} {name}" for name, number in tally.counts.items() if number and name not in WRONG]
    wrong = " / ".join(str(tally.counts[name]) for name in WRONG) if tally.audited else "by the tests alone"
    pauses = f"{statistics.median(tally.pauses):.1f} s / {max(tally.pauses):.1f} s" if tally.pauses else ""
    return ", ".join(counted), f"{seconds / 60:.1f} min", wrong, pauses
