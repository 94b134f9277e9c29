"""Credits in dollars: at what rate they are sold, and in which packs."""

from decimal import ROUND_HALF_UP, Decimal

CREDITS_PER_DOLLAR = Decimal(72)
PACKS = (10, 50, 100, 300, 1000, 2000)
"""What a top-up may be, in whole dollars."""
SMALLEST = Decimal("0.0001")


def usd(credits: Decimal) -> Decimal:
    """What these credits sell at, in dollars with 4 decimals, rounded half up."""
    return (credits / CREDITS_PER_DOLLAR).quantize(SMALLEST, ROUND_HALF_UP)
