"""Top-ups as the API reads and writes them."""

from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.fields import Credits, UnixTime
from billing.amounts import SMALLEST, number
from billing.models import AutoRecharge, TopUp
from billing.top_ups import packs, recharge

MOST_CREDITS = Decimal(10) ** 12


@extend_schema_field({"type": "number", "minimum": 0, "multipleOf": 0.01})
class Dollars(serializers.DecimalField):
    """US dollars in whole cents."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_digits=9, decimal_places=2, min_value=Decimal(0), **options)

    def to_representation(self, value: Decimal) -> int | float:  # type: ignore[override]
        return number(value)


class Price(serializers.Serializer):
    """What to buy: a pack, or an amount of one's own."""

    pack = serializers.ChoiceField(
        choices=list(packs.PACKS), required=False, help_text="The pack's price in US dollars; 72 credits a dollar."
    )
    amount_usd = Dollars(required=False, help_text="Instead of a pack: any amount within the limits, in whole cents.")

    def validate(self, attributes: dict[str, Any]) -> dict[str, Any]:
        if ("pack" in attributes) == ("amount_usd" in attributes):
            message = "Give either `pack` or `amount_usd`."
            raise serializers.ValidationError({"pack": [message]}, code="required")
        return attributes

    @property
    def cents(self) -> int:
        wanted = self.validated_data
        return packs.cents_of(wanted.get("pack"), wanted.get("amount_usd"))


class TopUpInput(Price):
    save_payment_method = serializers.BooleanField(
        default=False, help_text="Let auto-recharge charge the same card or account later."
    )


class TopUpPageInput(serializers.Serializer):
    cursor = serializers.CharField(required=False, help_text="`next_cursor` of the page before.")
    page_size = serializers.IntegerField(default=20, min_value=1, max_value=100)


class TopUpOutput(serializers.ModelSerializer):
    """`status`: opening, open (at `checkout_url`), processing (the bank has it), paid, failed, expired or review."""

    id = serializers.CharField(source="public_id")
    object = serializers.CharField(read_only=True, default="top_up")
    origin = serializers.ChoiceField(choices=TopUp.Origin.choices)
    status = serializers.ChoiceField(choices=TopUp.Status.choices)
    credits = Credits()
    usd = Dollars()
    checkout_url = serializers.SerializerMethodField()
    problem = serializers.SerializerMethodField(help_text="Why it failed, or is under review.")
    taken_back_credits = Credits(source="back_credits", help_text="After refunds and disputes.")
    created = UnixTime(source="created_at")
    expires_at = UnixTime(allow_null=True, help_text="When the checkout page closes.")
    paid_at = UnixTime(allow_null=True)

    class Meta:
        model = TopUp
        fields = (
            "id",
            "object",
            "origin",
            "status",
            "credits",
            "usd",
            "checkout_url",
            "problem",
            "taken_back_credits",
            "created",
            "expires_at",
            "paid_at",
        )

    def get_checkout_url(self, top_up: TopUp) -> str | None:
        return top_up.checkout_url if top_up.status == TopUp.Status.OPEN else None

    def get_problem(self, top_up: TopUp) -> str | None:
        return top_up.problem or None


class TopUpPage(serializers.Serializer):
    object = serializers.CharField(read_only=True, default="list")
    data = TopUpOutput(many=True, help_text="Newest first.")
    next_cursor = serializers.CharField(allow_null=True, help_text="None on the last page.")


class AutoRechargeInput(Price):
    enabled = serializers.BooleanField()
    threshold_credits = serializers.DecimalField(
        max_digits=20,
        decimal_places=4,
        min_value=SMALLEST,
        max_value=MOST_CREDITS,
        help_text="Buy when fewer than these are available.",
    )
    monthly_maximum_usd = Dollars(help_text="What may be charged by itself in a calendar month of UTC.")


class AutoRechargeOutput(serializers.Serializer):
    object = serializers.CharField(read_only=True, default="auto_recharge")
    enabled = serializers.BooleanField()
    status = serializers.SerializerMethodField()
    threshold_credits = Credits()
    amount_usd = serializers.SerializerMethodField()
    credits = serializers.SerializerMethodField(help_text="What one recharge brings.")
    monthly_maximum_usd = serializers.SerializerMethodField()
    spent_this_month_usd = serializers.SerializerMethodField(help_text="Recharges under way included.")
    payment_method_saved = serializers.SerializerMethodField()
    paused_at = UnixTime(allow_null=True)
    paused_reason = serializers.SerializerMethodField(help_text="PUT again to go on.")

    @extend_schema_field({"type": "string", "enum": ["off", "on", "paused", "monthly_maximum_reached"]})
    def get_status(self, row: AutoRecharge) -> str:
        return recharge.standing(row)

    @extend_schema_field(Dollars)
    def get_amount_usd(self, row: AutoRecharge) -> int | float:
        return _dollars(row.amount_cents)

    @extend_schema_field(Credits)
    def get_credits(self, row: AutoRecharge) -> int | float:
        return number(packs.credits_for(row.amount_cents))

    @extend_schema_field(Dollars)
    def get_monthly_maximum_usd(self, row: AutoRecharge) -> int | float:
        return _dollars(row.monthly_maximum_cents)

    @extend_schema_field(Dollars)
    def get_spent_this_month_usd(self, row: AutoRecharge) -> int | float:
        return _dollars(recharge.spent_this_month(row.organization))

    def get_payment_method_saved(self, row: AutoRecharge) -> bool:
        return bool(row.payment_method_id)

    def get_paused_reason(self, row: AutoRecharge) -> str | None:
        return row.paused_reason or None


def _dollars(cents: int) -> int | float:
    return number(Decimal(cents) / 100)
