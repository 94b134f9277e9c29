"""How public pages write prices: credits and dollars to the last digit that counts, and no zeros behind it."""

from decimal import ROUND_HALF_UP, Decimal

from django import template

register = template.Library()


@register.filter
def exact_dollars(usd: Decimal) -> str:
    """Dollars with at least 2 decimals and all that are not 0: `$0.375`, `$2.25`."""
    whole, _, part = f"{usd:,.4f}".partition(".")
    return f"${whole}.{part.rstrip('0'):0<2}"


@register.filter
def unit_dollars(usd: Decimal | str | None) -> str:
    """Dollars a second or a call, as price lists write them: 3 decimals, rounded half up; a dash for none."""
    if not isinstance(usd, Decimal):
        return "–"
    return f"${usd.quantize(Decimal('0.001'), ROUND_HALF_UP):,}"
