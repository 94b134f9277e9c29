"""What can be bought: each model in its variants and some lengths, with the frozen price that each user group pays."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils import timezone

from accounts.models import Organization, UserGroup
from billing import price_book, pricing
from billing.models import PriceCell, Unit
from generations import catalog, settlement
from generations.catalog.base import Spec

LENGTHS = (5, 5, 5, 10, 8, 15)
MEASURED_LENGTHS = (Decimal("4.04"), Decimal("5.00"), Decimal("7.52"), Decimal("10.00"))
SHORTER = (Decimal("0.000"), Decimal("0.120"), Decimal("0.760"), Decimal("1.320"))
"""By how much a measured length may fall short of the reserved one."""
CHEAP_CELLS = ("720p_off", "720p", "720p_video", "call")


@dataclass(frozen=True, kw_only=True)
class Offer:
    """`charges` are the measured seconds and credits that it may end with, one pair where the length is asked for."""

    spec: Spec
    cell: str
    seconds: Decimal | None
    credits: Decimal
    price: dict[str, Any]
    inputs: dict[str, Any]
    charges: tuple[tuple[Decimal | None, Decimal], ...]
    weight: int


def of(group: UserGroup) -> dict[str, list[Offer]]:
    """All offers to the group by model."""
    shopper = Organization(user_group=group)
    cells = PriceCell.objects.filter(version=price_book.in_effect(timezone.now())).order_by("pk")
    found: dict[str, list[Offer]] = {}
    for cell in cells:
        spec = catalog.find(cell.model)
        if spec is not None:
            found.setdefault(spec.id, []).extend(_of_a_cell(spec, cell, shopper))
    return found


def some(rng: random.Random, offers: dict[str, list[Offer]], count: int) -> list[list[Offer]]:
    """The offers of a few models, the first of which are used most."""
    models = rng.sample(sorted(offers), min(count, len(offers)))
    return [offers[model] for model in models]


def _of_a_cell(spec: Spec, cell: PriceCell, shopper: Organization) -> Iterator[Offer]:
    settled = settlement.frozen(spec)
    lengths: tuple[Decimal | None, ...] = (None,)
    if cell.unit == Unit.SECOND:
        lengths = MEASURED_LENGTHS if settled else tuple(map(Decimal, LENGTHS))
    for length in lengths:
        if settled and length is not None and spec.settlement is not None:
            length = pricing.rounded(length, spec.settlement.reserves)
        price = pricing.quote(spec.id, cell.cell, length, shopper, settled=settled)
        parsed = spec.parse(spec.plain_request)
        yield Offer(
            spec=spec,
            cell=cell.cell,
            seconds=length,
            credits=price.credits,
            price=price.inputs,
            inputs=parsed.inputs,
            charges=tuple(_charges(price, length if settled else None)),
            weight=4 if cell.cell in CHEAP_CELLS else 1,
        )


def _charges(price: pricing.Price, length: Decimal | None) -> Iterator[tuple[Decimal | None, Decimal]]:
    if length is None:
        yield None, price.credits
        return
    for shorter in SHORTER:
        measured = length - shorter
        yield measured, pricing.settle(price.inputs, measured)
