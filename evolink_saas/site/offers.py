"""A model as the pages offer it: the catalogue's words with the price book's cells, beside what its maker asks.

Prices are those that the visitor pays (`published_prices`), so a table and a quote cannot differ.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_FLOOR, Decimal

from accounts.models import Organization
from billing import dollars, price_list
from billing.amounts import SMALLEST
from billing.models import Unit
from billing.pricing import Row
from evolink_saas.site import wording
from generations import published_prices
from generations.catalog import videos
from generations.catalog.base import Spec
from generations.published_prices import ModelPrices


@dataclass(frozen=True, kw_only=True)
class Variant:
    """A cell: credits and dollars a unit. `official` is in dollars, `coming` in credits from the next change on."""

    row: Row
    words: str
    official: Decimal | None
    coming: Decimal | None

    @property
    def credits(self) -> Decimal:
        return self.row.rate * self.row.factor

    @property
    def usd(self) -> Decimal:
        """Not rounded."""
        return self.credits / dollars.CREDITS_PER_DOLLAR

    @property
    def saving(self) -> int:
        """By how many percent we are below the maker's own price, cut; 0 where we are not."""
        if not self.official:
            return 0
        share = 100 * (1 - self.usd / self.official)
        return max(0, int(share.quantize(Decimal(1), ROUND_FLOOR)))

    @property
    def is_per_call(self) -> bool:
        return self.row.unit == Unit.CALL


@dataclass(frozen=True, kw_only=True)
class Offer:
    """One model."""

    spec: Spec
    description: str
    stability: str
    is_most_stable: bool
    capabilities: tuple[str, ...]
    variants: tuple[Variant, ...]
    changes_at: datetime | None
    billed_by: str

    @property
    def cheapest(self) -> Variant | None:
        return min(self.variants, key=lambda variant: variant.credits, default=None)

    @property
    def has_official(self) -> bool:
        return any(variant.official is not None for variant in self.variants)

    @property
    def minimum_seconds(self) -> Decimal:
        return max((variant.row.minimum_seconds for variant in self.variants), default=Decimal(0))

    @property
    def is_per_second(self) -> bool:
        return bool(self.variants) and not any(variant.is_per_call for variant in self.variants)

    def find(self, cell: str) -> Variant | None:
        return next((variant for variant in self.variants if variant.row.cell == cell), None)


@dataclass(frozen=True, kw_only=True)
class Table:
    """Models that cost the same in every respect share a table; the first speaks for them."""

    offers: tuple[Offer, ...]

    @property
    def first(self) -> Offer:
        return self.offers[0]


@dataclass(frozen=True, kw_only=True)
class Offers:
    """Every model in the order of the catalogue, as this user group pays it, or (`is_own`) an organization in it."""

    user_group: str
    is_own: bool
    all: tuple[Offer, ...]

    def of(self, specs: Iterable[Spec]) -> tuple[Offer, ...]:
        wanted = {spec.id for spec in specs}
        return tuple(offer for offer in self.all if offer.spec.id in wanted)


def read(organization: Organization | None) -> Offers:
    """What this organization is offered; without one, what everybody is."""
    prices = published_prices.prices(organization)
    offered = tuple(_offer(model) for model in prices.models)
    return Offers(user_group=prices.user_group, is_own=organization is not None, all=offered)


def tables(offers: Sequence[Offer]) -> tuple[Table, ...]:
    alike: dict[object, list[Offer]] = {}
    for offer in offers:
        alike.setdefault(_price_of(offer), []).append(offer)
    return tuple(Table(offers=tuple(some)) for some in alike.values())


def _offer(model: ModelPrices) -> Offer:
    spec, coming = model.spec, {row.cell: row.rate * row.factor for row in model.coming or ()}
    variants = [
        Variant(
            row=row,
            words=wording.variant(row.cell, row.label),
            official=price_list.official().get((row.model, row.cell)),
            coming=coming.get(row.cell) if coming.get(row.cell) != row.rate * row.factor else None,
        )
        for row in model.cells
    ]
    return Offer(
        spec=spec,
        description=wording.sentence(spec.description),
        stability=wording.sentence(spec.stability),
        is_most_stable=spec.stability == videos.MOST_STABLE,
        capabilities=tuple(wording.capability(name) for name in spec.capabilities),
        variants=tuple(sorted(variants, key=_place)),
        changes_at=model.changes_at,
        billed_by=str(wording.MEASURED[model.billed_by]),
    )


def _place(variant: Variant) -> tuple[bool, int, Decimal, str]:
    """From small pictures to large ones, and there from the cheapest on."""
    cell = variant.row.cell
    return "4k" in cell, len(cell.partition("_")[0]), variant.credits, cell


def _price_of(offer: Offer) -> object:
    cells = [
        (one.row.cell, one.row.unit, one.credits.quantize(SMALLEST), one.row.minimum_seconds, one.official, one.coming)
        for one in offer.variants
    ]
    return tuple(cells), offer.changes_at, offer.billed_by
