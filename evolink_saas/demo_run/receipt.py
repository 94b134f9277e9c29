"""The receipt: one line a task, and the sums, which must equal what the balance changed by."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from rich.box import SIMPLE
from rich.table import Table

COMPLETED = "completed"


@dataclass(frozen=True, kw_only=True)
class Line:
    """Credits are as the API told them; a refused request has none of them."""

    title: str
    status: str
    reserved: Decimal = Decimal(0)
    charged: Decimal = Decimal(0)
    refunded: Decimal = Decimal(0)
    file: str = ""

    @classmethod
    def of(cls, title: str, task: dict[str, Any], file: str = "") -> "Line":
        names = ("reserved", "charged", "refunded")
        credits = {name: Decimal(task["billing"][f"{name}_credits"]) for name in names}
        return cls(title=title, status=task["status"], file=file, **credits)


@dataclass(frozen=True, kw_only=True)
class Receipt:
    lines: Sequence[Line]
    opening: Decimal
    closing: Decimal

    def total(self, column: str) -> Decimal:
        return sum((getattr(line, column) for line in self.lines), Decimal(0))

    def problems(self) -> Iterator[str]:
        """A sentence for everything that does not add up."""
        for line in self.lines:
            if line.reserved != line.charged + line.refunded:
                yield f"{line.title}: what was reserved is not what was charged and refunded."
            if line.status == COMPLETED and line.refunded:
                yield f"{line.title}: it was completed, and yet refunded."
            if line.status != COMPLETED and line.charged:
                yield f"{line.title}: it came to nothing, and yet was charged."
        if self.opening - self.closing != self.total("charged"):
            yield f"The balance changed by {shown(self.opening - self.closing)}, not by {shown(self.total('charged'))}."

    def table(self) -> Table:
        table = Table(title="Receipt, in credits", title_justify="left", show_footer=True, box=SIMPLE)
        table.show_edge = table.pad_edge = False  # 80 columns are enough
        table.collapse_padding = True
        table.add_column("task", "sum", no_wrap=True)
        table.add_column("status", no_wrap=True)
        for column in ("reserved", "charged", "refunded"):
            table.add_column(column, shown(self.total(column)), justify="right", no_wrap=True)
        table.add_column("file", no_wrap=True)
        for line in self.lines:
            credits = (line.reserved, line.charged, line.refunded)
            table.add_row(line.title, line.status, *map(shown, credits), line.file)
        return table

    def equation(self) -> str:
        reserved, charged, refunded = (shown(self.total(name)) for name in ("reserved", "charged", "refunded"))
        change = shown(self.opening - self.closing)
        return (
            f"reserved {reserved} = charged {charged} + refunded {refunded}\n"
            f"balance before {shown(self.opening)} - after {shown(self.closing)} = {change} = charged {charged}"
        )


def shown(credits: Decimal) -> str:
    """With as many decimals as there are."""
    return f"{credits.normalize():,f}"
