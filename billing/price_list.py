"""What an organization pays for every cell, the next change of it that is known, and what makers ask themselves.

Priced by the same statement as a quote (`pricing.table`), so that what is printed and what is charged cannot differ.
"""

import tomllib
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from pathlib import Path

from accounts import organizations
from accounts.models import Organization
from billing import overrides, pricing
from billing.models import PriceVersion
from billing.pricing import Row

OFFICIAL = Path(__file__).with_name("official_prices.toml")


@dataclass(frozen=True, kw_only=True)
class PriceList:
    """`rows` are in effect; from `changes_at` on it will be `coming`. Both are None while no change is known."""

    rows: list[Row]
    changes_at: datetime | None
    coming: list[Row] | None


def of(organization: Organization | None, now: datetime) -> PriceList:
    """Without an organization, for the user group `default`."""
    payer = organization or organizations.ordinary()
    rows = pricing.table(payer, now)
    for moment in _moments(payer, now):
        coming = pricing.table(payer, moment)
        if coming != rows:
            return PriceList(rows=rows, changes_at=moment, coming=coming)
    return PriceList(rows=rows, changes_at=None, coming=None)


@cache
def official() -> dict[tuple[str, str], Decimal]:
    """Dollars a unit that the model's maker asks on its own price page, by model and cell, where we know it."""
    blocks = tomllib.loads(OFFICIAL.read_text(encoding="utf-8"), parse_float=Decimal)["prices"]
    return {
        (model, cell): Decimal(usd)
        for block in blocks
        for model in block["models"]
        for cell, usd in block["usd"].items()
    }


def _moments(payer: Organization, after: datetime) -> list[datetime]:
    """When prices may change, soonest first."""
    versions = PriceVersion.objects.filter(withdrawn_at=None, effective_at__gt=after)
    moments = [rows.values_list("effective_at", flat=True) for rows in (versions, overrides.coming(payer, after))]
    return list(moments[0].union(moments[1]).order_by("effective_at"))
