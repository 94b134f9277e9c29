"""Credits are Decimals with 4 places, everywhere; only an answer's JSON shows them as numbers."""

from decimal import Decimal
from typing import Any

from django.db import models

ZERO = Decimal("0.0000")
SMALLEST = Decimal("0.0001")


class CreditsField(models.DecimalField):
    """A column of credits: `numeric(20,4)`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"max_digits": 20, "decimal_places": 4, **options})


def exact(amount: Decimal | int) -> Decimal:
    """The same amount with exactly 4 places. Raises ValueError for a float or for more places: nothing rounds here."""
    if isinstance(amount, bool) or not isinstance(amount, Decimal | int):
        raise ValueError(f"Credits are Decimals, not {type(amount).__name__}.")
    quantized = Decimal(amount).quantize(SMALLEST)
    if quantized != amount:
        raise ValueError(f"{amount} has more than 4 decimals.")
    return quantized


def number(amount: Decimal) -> int | float:
    """Credits as a JSON number: 27 for 27.0000, 35.991 for 35.9910."""
    return int(amount) if amount == amount.to_integral_value() else float(amount)
