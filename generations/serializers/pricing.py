"""The price list as the API shows it."""

from datetime import datetime
from decimal import ROUND_HALF_UP
from typing import Any, get_args

from rest_framework import serializers

from accounts.fields import UnixTime
from billing import dollars, price_list
from billing.amounts import SMALLEST, number
from billing.models import Unit
from billing.pricing import Row
from generations.catalog.base import Rounding, Settlement
from generations.published_prices import REQUEST, ModelPrices, Prices

ROUNDINGS = get_args(Rounding)


class Usd(serializers.FloatField):
    """US dollars with 4 decimals."""


class PackShape(serializers.Serializer):
    usd = serializers.IntegerField()
    credits = serializers.IntegerField()


class PriceCellShape(serializers.Serializer):
    """One variant of a model. What a task costs is `rate x factor x seconds` (or one call), rounded once at the end."""

    cell = serializers.CharField(
        help_text="Such as `720p_off` (without sound), `1080p_video` (a video goes in), `call`."
    )
    label = serializers.CharField()
    unit = serializers.ChoiceField(choices=Unit.values)
    rate = serializers.FloatField(help_text="Credits a unit, before the factor.")
    factor = serializers.FloatField()
    credits = serializers.FloatField(help_text="Credits a unit: rate x factor, with 4 decimals.")
    usd = Usd(help_text="The same in US dollars.")
    minimum_seconds = serializers.FloatField(help_text="What is shorter is billed as so long.")
    official_usd = Usd(allow_null=True, help_text="What the model's maker asks a unit, where we know it.")


class PriceSettlement(serializers.Serializer):
    """Whose seconds are charged, and how they are rounded: `half_up`, `up`, or `hundredth_up` (to 0.01 s)."""

    billed_by = serializers.ChoiceField(choices=[REQUEST, "input", "output"])
    reserved_rounding = serializers.ChoiceField(
        choices=ROUNDINGS, allow_null=True, help_text="Of the input's seconds, for what is reserved."
    )
    charged_rounding = serializers.ChoiceField(
        choices=ROUNDINGS, allow_null=True, help_text="Of the measured seconds, for what is charged."
    )


class ModelPrice(serializers.Serializer):
    id = serializers.CharField()
    object = serializers.CharField(default="model.price")
    billing_rule = serializers.ChoiceField(choices=["per_call", "per_second"])
    settlement = PriceSettlement()
    cells = PriceCellShape(many=True)
    changes_at = UnixTime(allow_null=True, help_text="When the prices of this model change; None: no change is known.")
    coming_cells = PriceCellShape(many=True, allow_null=True, help_text="The cells from `changes_at` on.")


class PriceListShape(serializers.Serializer):
    """Prices of the user group `default`; with a key, those that its organization pays."""

    object = serializers.CharField(default="list")
    user_group = serializers.CharField()
    credits_per_usd = serializers.IntegerField()
    packs = PackShape(many=True, help_text="What a top-up may be.")
    changes_at = UnixTime(allow_null=True, help_text="When any of these prices changes next, as far as is known.")
    data = ModelPrice(many=True)

    class Meta:
        ref_name = "PriceList"


def price_list_object(prices: Prices) -> dict[str, Any]:
    """JSON-able. Times are unix seconds."""
    rate = int(dollars.CREDITS_PER_DOLLAR)
    return {
        "object": "list",
        "user_group": prices.user_group,
        "credits_per_usd": rate,
        "packs": [{"usd": usd, "credits": usd * rate} for usd in dollars.PACKS],
        "changes_at": _seconds(prices.changes_at),
        "data": [_model(model) for model in prices.models],
    }


def _model(model: ModelPrices) -> dict[str, Any]:
    return {
        "id": model.spec.id,
        "object": "model.price",
        "billing_rule": model.billing_rule,
        "settlement": _settlement(model.billed_by, model.spec.settlement),
        "cells": [_cell(row) for row in model.cells],
        "changes_at": _seconds(model.changes_at),
        "coming_cells": None if model.coming is None else [_cell(row) for row in model.coming],
    }


def _settlement(billed_by: str, settlement: Settlement | None) -> dict[str, Any]:
    return {
        "billed_by": billed_by,
        "reserved_rounding": settlement and settlement.reserves,
        "charged_rounding": settlement and settlement.charges,
    }


def _cell(row: Row) -> dict[str, Any]:
    credits, asked = row.rate * row.factor, price_list.official().get((row.model, row.cell))
    return {
        "cell": row.cell,
        "label": row.label,
        "unit": row.unit,
        "rate": number(row.rate),
        "factor": number(row.factor),
        "credits": number(credits.quantize(SMALLEST, ROUND_HALF_UP)),
        "usd": number(dollars.usd(credits)),
        "minimum_seconds": number(row.minimum_seconds),
        "official_usd": None if asked is None else number(asked),
    }


def _seconds(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp())
