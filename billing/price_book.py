"""The price book: a file, or a draft that operators change, becomes a dated version that tasks refer to.

Versions follow each other: a new one begins after all others, so that none ends a change that is still to come. They
are never changed; the last one can be withdrawn as long as it has not begun.

Once operators have changed prices, theirs stand: loading the file again adds only the cells that are new in it.
"""

import hashlib
import json
import tomllib
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from accounts import audit_log
from billing.errors import PriceConflict
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


COLUMNS = tuple(field.name for field in fields(Entry))


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
def load(text: str, effective_at: datetime | None = None, *, replace: bool = False) -> tuple[PriceVersion, bool]:
    """The version with this file's content, and whether it is new: what is in effect already at that time is kept.

    A file that was loaded before undoes nothing. Where operators have changed prices since, only the cells that they
    have not are added, unless the file is to `replace` theirs. Raises PriceConflict.
    """
    entries, note = parse(text)
    _lock()
    now = timezone.now()
    effective_at = effective_at or now
    current, content = in_effect(effective_at), digest(entries)
    if current and (current.digest == content or (not replace and _last_file(effective_at) == content)):
        return current, False
    if current and current.digest != current.file_digest and not replace:
        theirs = entries_of(current.cells.all())
        known = {(entry.model, entry.cell) for entry in theirs}
        entries = sorted(theirs + [entry for entry in entries if (entry.model, entry.cell) not in known])
        if digest(entries) == current.digest:
            return current, False
    version = _insert(entries, effective_at, now, note, file_digest=content)
    audit_log.record(action="prices.loaded", target=version, changes=_changes(current, version, entries))
    return version, True


@transaction.atomic
def publish(entries: list[Entry], effective_at: datetime | None, *, after: PriceVersion, note: str) -> PriceVersion:
    """A version of other prices than those of `after`, which must still be the youngest. Raises PriceConflict."""
    _lock()
    now = timezone.now()
    if youngest() != after:
        raise PriceConflict("Another price change came first: begin a new draft, which will have it in it.")
    if digest(entries) == after.digest:
        raise PriceConflict("This changes no price.")
    version = _insert(entries, effective_at or now, now, note)
    audit_log.record(action="prices.scheduled", target=version, changes=_changes(after, version, entries))
    return version


@transaction.atomic
def withdraw(version: PriceVersion, reason: str) -> None:
    """Let a version that has not begun count for nothing. Raises PriceConflict."""
    _lock()
    if youngest() != version:
        raise PriceConflict("Only the youngest version can be withdrawn.")
    coming = PriceVersion.objects.filter(pk=version.pk, effective_at__gt=Now())
    if not coming.update(withdrawn_at=Now(), withdrawn_reason=reason):
        raise PriceConflict("This version is in effect.")
    version.refresh_from_db()
    audit_log.record(
        action="prices.withdrawn", target=version, changes={"withdrawn_at": [None, version.withdrawn_at]}, reason=reason
    )


def in_effect(at: datetime) -> PriceVersion | None:
    return _versions().filter(effective_at__lte=at).first()


def youngest() -> PriceVersion | None:
    """The one that begins last, whether it has begun or not."""
    return _versions().first()


def entries_of(cells: Iterable[Any]) -> list[Entry]:
    """Of rows that have the columns of a cell."""
    return sorted(Entry(**{name: getattr(cell, name) for name in COLUMNS}) for cell in cells)


def _versions() -> QuerySet[PriceVersion]:
    return PriceVersion.objects.filter(withdrawn_at=None).order_by("-effective_at")


def _last_file(at: datetime) -> str | None:
    """The digest of the file that was loaded last of those in effect at that time."""
    loaded = _versions().filter(effective_at__lte=at).exclude(file_digest="")
    return loaded.values_list("file_digest", flat=True).first()


def _lock() -> None:
    """Whoever makes or withdraws a version does it alone; reading goes on."""
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE billing_priceversion IN EXCLUSIVE MODE")


def _insert(
    entries: list[Entry], effective_at: datetime, now: datetime, note: str, *, file_digest: str = ""
) -> PriceVersion:
    last = youngest()
    if last and effective_at <= last.effective_at:
        raise PriceConflict(f"A version begins at {last.effective_at:%Y-%m-%d %H:%M} UTC: this one must begin later.")
    if last and effective_at < now:
        raise PriceConflict("This lies in the past: only the first version may begin there.")
    version = PriceVersion.objects.create(
        effective_at=effective_at, created_at=now, digest=digest(entries), file_digest=file_digest, note=note
    )
    PriceCell.objects.bulk_create(PriceCell(version=version, **asdict(entry)) for entry in entries)
    return version


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
