"""What credits cost: 72 a dollar, in packs or any amount between two limits, in whole cents."""

from decimal import ROUND_HALF_UP, Decimal

from django.conf import settings

from accounts.errors import InvalidRequest
from billing.amounts import SMALLEST, exact

CREDITS_A_DOLLAR = 72
PACKS = {"10": 1_000, "50": 5_000, "100": 10_000, "300": 30_000, "1000": 100_000, "2000": 200_000}
"""Cents by the name of the pack, which is its price in dollars."""


def credits_for(cents: int) -> Decimal:
    """Exact: a cent is 0.72 credits."""
    return exact(Decimal(cents) * CREDITS_A_DOLLAR / 100)


def cents_of(pack: str | None, amount_usd: Decimal | None) -> int:
    """The price of a pack, or of an amount of one's own. Raises InvalidRequest outside the limits."""
    if pack is not None:
        return PACKS[pack]
    assert amount_usd is not None
    least, most = settings.TOP_UP_MIN_USD, settings.TOP_UP_MAX_USD
    if not least <= amount_usd <= most:
        message = f"`amount_usd` must be between {least} and {most}."
        raise InvalidRequest("invalid_parameter", message, param="amount_usd")
    return int(amount_usd * 100)


def share(credits: Decimal, cents: int, of_cents: int) -> Decimal:
    """The credits that belong to `cents` of a price: in proportion, rounded half up to 4 places."""
    return (credits * cents / of_cents).quantize(SMALLEST, ROUND_HALF_UP)
