"""A price change before it is one: a draft begins with the prices of the youngest version, operators change its cells
and look at what that would do, and then it is scheduled or discarded. The only code that writes drafts.

    open -> scheduled | discarded        a scheduled one is a version, which can be withdrawn until it begins
"""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts import audit_log
from billing import price_book
from billing.amounts import SMALLEST
from billing.errors import PriceConflict
from billing.models import DraftCell, PriceDraft, PriceVersion
from billing.pricing import spelled

CHANGEABLE = ("rate", "factor", "minimum_seconds")


@transaction.atomic
def start(note: str) -> PriceDraft:
    base = price_book.youngest()
    if base is None:
        raise PriceConflict("There is no price book yet: load the file first.")
    draft = PriceDraft.objects.create(note=note, base=base)
    entries = price_book.entries_of(base.cells.all())
    DraftCell.objects.bulk_create(DraftCell(draft=draft, **asdict(entry)) for entry in entries)
    _record("started", draft, {"note": [None, note], "base": [None, str(base)]})
    return draft


@transaction.atomic
def change(draft: PriceDraft, changes: Mapping[int, Mapping[str, Decimal]], *, reason: str = "") -> None:
    """Set columns of cells, by the cell's key: `{17: {"rate": Decimal("6")}}`. Raises PriceConflict."""
    _lock(draft)
    said: dict[str, list[Any]] = {}
    for cell in draft.cells.filter(pk__in=changes):
        values = changes[cell.pk]
        if not set(values) <= set(CHANGEABLE):
            raise ValueError(f"{sorted(values)} are not all of {CHANGEABLE}.")
        said |= {f"{cell} {name}": [spelled(getattr(cell, name)), spelled(value)] for name, value in values.items()}
        draft.cells.filter(pk=cell.pk).update(**values)
    _record("changed", draft, said, reason)


@transaction.atomic
def change_by_percent(draft: PriceDraft, model: str, percent: int) -> int:
    """Set the rates of a model ("": of all) to those of the draft's base and so many percent more; how many cells.

    Asked for twice it is the same as once. Raises PriceConflict.
    """
    _lock(draft)
    before = {(cell.model, cell.cell): cell.rate for cell in draft.base.cells.all()}
    cells = list(draft.cells.filter(model=model) if model else draft.cells.all())
    for cell in cells:
        cell.rate = raised(before[cell.model, cell.cell], percent)
    DraftCell.objects.bulk_update(cells, ["rate"])
    _record("changed", draft, {f"{model or 'every model'}, percent": [None, percent]})
    return len(cells)


@transaction.atomic
def schedule(draft: PriceDraft, effective_at: datetime | None) -> PriceVersion:
    """Make it the version that prices new tasks from then on (None: from now on). Raises PriceConflict."""
    _lock(draft)
    entries = price_book.entries_of(draft.cells.all())
    draft.version = price_book.publish(entries, effective_at, after=draft.base, note=draft.note)
    draft.save(update_fields=["version"])
    return draft.version


@transaction.atomic
def discard(draft: PriceDraft) -> None:
    _lock(draft)
    draft.discarded_at = timezone.now()
    draft.save(update_fields=["discarded_at"])
    _record("discarded", draft, {"discarded_at": [None, draft.discarded_at]})


def raised(rate: Decimal, percent: int) -> Decimal:
    return (rate * (100 + percent) / 100).quantize(SMALLEST, ROUND_HALF_UP)


def _record(verb: str, draft: PriceDraft, changes: audit_log.Changes, reason: str = "") -> None:
    audit_log.record(action=f"price_draft.{verb}", target=draft, changes=changes, reason=reason)


def _lock(draft: PriceDraft) -> None:
    """Whoever changes a draft does it alone, and only while it is open."""
    if not PriceDraft.objects.select_for_update().get(pk=draft.pk).is_open:
        raise PriceConflict("This draft is no longer open.")
