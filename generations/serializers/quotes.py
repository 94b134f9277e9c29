"""A price in lines, and a quote, as the API shows them."""

from typing import Any

from rest_framework import serializers

from accounts.fields import Credits, SignedCredits, UnixTime
from billing import dollars
from billing.amounts import number
from billing.models import Unit
from billing.pricing import Line
from generations.quotes import Quoted


class PriceLine(serializers.Serializer):
    """`quantity x rate x factor` makes `amount`, to the last digit; the amounts add up to the credits exactly."""

    label = serializers.CharField()
    quantity = serializers.FloatField()
    unit = serializers.ChoiceField(choices=Unit.values)
    rate = serializers.FloatField(help_text="Credits a unit; below 0 where a line makes the price less.")
    factor = serializers.FloatField()
    amount = SignedCredits()


class QuoteShape(serializers.Serializer):
    """A price promised until `expires_at`, for one task with exactly the quoted body."""

    quote_id = serializers.CharField()
    model = serializers.CharField()
    billing_rule = serializers.ChoiceField(choices=["per_call", "per_second"])
    maximum = serializers.BooleanField(
        help_text="The charge follows a length that only the media knows: it may be less, and is never more."
    )
    lines = PriceLine(many=True)
    credits = Credits()
    usd = serializers.FloatField(help_text="What the credits sell at, in US dollars with 4 decimals.")
    expires_at = UnixTime()

    class Meta:
        ref_name = "Quote"


def quote_object(quoted: Quoted) -> dict[str, Any]:
    """JSON-able. Times are unix seconds."""
    quote = quoted.quote
    return {
        "quote_id": quote.public_id,
        "model": quote.model,
        "billing_rule": quoted.billing_rule,
        "maximum": quoted.is_maximum,
        "lines": [line_object(line) for line in quoted.lines],
        "credits": number(quote.credits),
        "usd": number(dollars.usd(quote.credits)),
        "expires_at": int(quote.expires_at.timestamp()),
    }


def line_object(line: Line) -> dict[str, Any]:
    numbers = {name: number(getattr(line, name)) for name in ("quantity", "rate", "factor", "amount")}
    return {"label": line.label, "unit": line.unit} | numbers
