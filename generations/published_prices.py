"""The price list as the API publishes it: every model of the catalogue, its cells, and how it is settled.

Everybody sees the prices of the user group `default`; a process keeps that list for some seconds. Whoever sends a key
sees their own, read for them alone.
"""

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from accounts import organizations
from accounts.models import Organization
from billing import price_list
from billing.models import Unit
from billing.price_list import PriceList
from billing.pricing import Row
from generations import catalog
from generations.catalog.base import BillingRule, Spec
from generations.short_lived import ShortLived

KEPT_SECONDS = 10
REQUEST = "request"


@dataclass(frozen=True, kw_only=True)
class ModelPrices:
    """A model's cells as they are in effect; from `changes_at` on they are `coming`. None: no change is known."""

    spec: Spec
    cells: list[Row]
    changes_at: datetime | None
    coming: list[Row] | None

    @property
    def billing_rule(self) -> BillingRule:
        return "per_call" if any(cell.unit == Unit.CALL for cell in self.cells) else "per_second"

    @property
    def billed_by(self) -> str:
        """Whose seconds are charged: those that were requested, of the input, or of the output."""
        return self.spec.settlement.measures if self.spec.settlement else REQUEST


@dataclass(frozen=True, kw_only=True)
class Prices:
    """The list for one user group or organization."""

    user_group: str
    changes_at: datetime | None
    models: tuple[ModelPrices, ...]


def prices(organization: Organization | None) -> Prices:
    """What this organization pays; without one, what everybody does."""
    if organization is not None:
        return _read(organization)
    kept = public()
    if kept.changes_at is not None and kept.changes_at <= timezone.now():
        public.forget()
    return public()


def _read(organization: Organization | None) -> Prices:
    found = price_list.of(organization, timezone.now())
    return Prices(
        user_group=(organization or organizations.ordinary()).user_group.name,
        changes_at=found.changes_at,
        models=tuple(_of_model(spec, found) for spec in catalog.SPECS),
    )


def _of_model(spec: Spec, found: PriceList) -> ModelPrices:
    cells = [row for row in found.rows if row.model == spec.id]
    coming = [row for row in found.coming or () if row.model == spec.id]
    changes = found.coming is not None and coming != cells
    return ModelPrices(
        spec=spec,
        cells=cells,
        changes_at=found.changes_at if changes else None,
        coming=coming if changes else None,
    )


public = ShortLived(lambda: _read(None), seconds=KEPT_SECONDS)
