"""What providers cost us: one row for each charge, never changed, and the sums of them that reports read."""

from decimal import Decimal
from typing import Any

import pgtrigger
from django.db import models
from django.db.models import Q

from billing.models.rollups import RollUp
from billing.models.wallets import Wallet


class DollarsField(models.DecimalField):
    """A column of US dollars: `numeric(20,6)`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"max_digits": 20, "decimal_places": 6, **options})


class CostKind(models.TextChoices):
    ATTEMPT = "attempt", "attempt: work that ended, well or not, and was charged"
    ORPHAN = "orphan", "orphan: work that was given up, and proved to be charged"
    CORRECTION = "correction", "correction: what an operator booked after a reconciliation"


class ProviderCost(models.Model):
    """`amount` dollars that a provider charged for one attempt, at place `seq` of its wallet's costs.

    What the row is about stands in it by name and number, as it was then. `is_estimate`: from our own table of costs,
    because the provider did not say, or said it in something whose worth we do not know; `told_amount` and
    `told_unit` are its own words. A correction is signed. A trigger refuses to change any of it.
    """

    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="provider_costs", db_index=False)
    seq = models.BigIntegerField()
    kind = models.CharField(max_length=10, choices=CostKind)
    reference = models.CharField(max_length=120)
    task_id = models.UUIDField()
    attempt_id = models.UUIDField()
    provider = models.CharField(max_length=30)
    account_id = models.BigIntegerField(help_text="The provider account's number.")
    account_name = models.CharField(max_length=60)
    model = models.CharField(max_length=80)
    user_group = models.CharField(max_length=40)
    amount = DollarsField(help_text="US dollars.")
    is_estimate = models.BooleanField(help_text="From our own table of costs.")
    told_amount = DollarsField(null=True, blank=True)
    told_unit = models.CharField(max_length=12, blank=True, help_text="unit, or the currency of cash.")
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["wallet", "seq"], name="one_provider_cost_per_wallet_and_seq"),
            models.UniqueConstraint(fields=["reference"], name="one_provider_cost_per_reference"),
            models.CheckConstraint(condition=Q(seq__gt=0), name="provider_cost_seq_starts_at_one"),
            models.CheckConstraint(
                condition=Q(kind__in=["attempt", "orphan"], amount__gte=0) | (Q(kind="correction") & ~Q(amount=0)),
                name="only_a_correction_of_a_cost_is_signed",
            ),
        ]
        indexes = [
            models.Index(fields=["account_id", "at"], name="provider_costs_of_an_account"),
            models.Index(fields=["task_id"], name="provider_costs_of_a_task"),
        ]
        triggers = [
            pgtrigger.Protect(name="provider_costs_are_append_only", operation=pgtrigger.Update | pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.amount} dollars at {self.account_name} ({self.reference})"


class CostRollUp(models.Model):
    """The provider costs of one wallet in one hour, or on one UTC day, that agree in everything a report asks for."""

    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="cost_roll_ups", db_index=False)
    span = models.CharField(max_length=4, choices=RollUp.Span)
    starts_at = models.DateTimeField()
    kind = models.CharField(max_length=10, choices=CostKind)
    provider = models.CharField(max_length=30)
    account_id = models.BigIntegerField()
    account_name = models.CharField(max_length=60)
    model = models.CharField(max_length=80)
    user_group = models.CharField(max_length=40)
    is_estimate = models.BooleanField()
    amount = DollarsField(default=Decimal(0), help_text="US dollars.")
    costs = models.BigIntegerField(default=0, help_text="How many rows.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "wallet",
                    "span",
                    "starts_at",
                    "kind",
                    "provider",
                    "account_id",
                    "account_name",
                    "model",
                    "user_group",
                    "is_estimate",
                ],
                name="one_cost_roll_up_per_span_and_group",
            ),
            models.CheckConstraint(condition=Q(span__in=["hour", "day"]), name="cost_roll_up_span_is_known"),
            models.CheckConstraint(condition=Q(costs__gt=0), name="cost_roll_up_counts_something"),
        ]
        indexes = [models.Index(fields=["span", "starts_at"], name="cost_roll_ups_by_time")]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount} dollars in the {self.span} from {self.starts_at:%Y-%m-%d %H:%M}"


class CostCursor(models.Model):
    """The `seq` of a wallet's last provider cost that the roll-ups hold; what comes after it is the tail."""

    wallet = models.OneToOneField(Wallet, on_delete=models.CASCADE, primary_key=True, related_name="cost_cursor")
    seq = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(seq__gte=0), name="cost_cursor_is_not_negative")]

    def __str__(self) -> str:
        return f"costs of {self.wallet_id} rolled up to {self.seq}"
