"""The price book: a file that people edit becomes a dated version that tasks refer to. Versions are never changed."""

import hashlib
import json
import tomllib
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from accounts import audit_log
from billing.models import PriceCell, PriceVersion, Unit

FILE = Path(__file__).with_name("price_book.toml")


@dataclass(frozen=True, kw_only=True, order=True)
class Entry:
    """One cell as the file has it."""

    model: str
    cell: str
    label: str
    unit: str
    rate: Decimal
    factor: Decimal
    minimum_seconds: Decimal


def parse(text: str) -> tuple[list[Entry], str]:
    """The file's cells, sorted, and its note. Raises KeyError or ValueError for what is missing or wrong."""
    book = tomllib.loads(text, parse_float=Decimal)
    entries = [
        Entry(
            model=model,
            cell=cell["cell"],
            label=cell["label"],
            unit=Unit(block["unit"]).value,
            rate=decimal(block["rate"], 4),
            factor=decimal(cell["factor"], 4),
            minimum_seconds=decimal(block.get("minimum_seconds", 0), 2),
        )
        for block in book["prices"]
        for model in block["models"]
        for cell in block["cells"]
    ]
    return sorted(entries), str(book.get("note", ""))


def decimal(value: Any, places: int) -> Decimal:
    """A number of the file; more places than its column keeps would change the price."""
    exact = Decimal(value).quantize(Decimal(1).scaleb(-places))
    if exact != value or exact < 0:
        raise ValueError(f"{value} is not a price: at most {places} decimals, not negative.")
    return exact


def digest(entries: list[Entry]) -> str:
    content = json.dumps([asdict(entry) for entry in entries], default=str, sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


@transaction.atomic
def load(text: str, effective_at: datetime | None = None) -> tuple[PriceVersion, bool]:
    """The version with this content, and whether it is new: what is in effect already at that time is kept."""
    entries, note = parse(text)
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE billing_priceversion IN EXCLUSIVE MODE")  # two loaders make one version
    effective_at = effective_at or timezone.now()
    current = in_effect(effective_at)
    if current and current.digest == digest(entries):
        return current, False
    version = PriceVersion.objects.create(effective_at=effective_at, digest=digest(entries), note=note)
    PriceCell.objects.bulk_create(PriceCell(version=version, **asdict(entry)) for entry in entries)
    audit_log.record(action="prices.loaded", target=version, changes=_changes(current, version, entries))
    return version, True


def in_effect(at: datetime) -> PriceVersion | None:
    return PriceVersion.objects.filter(effective_at__lte=at).order_by("-effective_at").first()


def _changes(current: PriceVersion | None, version: PriceVersion, entries: list[Entry]) -> dict[str, list[Any]]:
    """For the audit log: when it takes effect, and each cell whose price is another."""
    before = {(cell.model, cell.cell): _price(cell) for cell in current.cells.all()} if current else {}
    after = {(entry.model, entry.cell): _price(entry) for entry in entries}
    cells = sorted(before.keys() | after.keys())
    changed = {
        f"{model} {cell}": [before.get((model, cell)), after.get((model, cell))]
        for model, cell in cells
        if before.get((model, cell)) != after.get((model, cell))
    }
    return {"effective_at": [current and current.effective_at, version.effective_at]} | changed


def _price(cell: Entry | PriceCell) -> str:
    return f"{cell.rate} x {cell.factor} a {cell.unit}, at least {cell.minimum_seconds} s"
