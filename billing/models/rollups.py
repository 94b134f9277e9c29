"""Roll-ups: sums of transfers that reports read, and how far each wallet has been rolled up (`billing.rollups`)."""

from django.db import models
from django.db.models import Q

from accounts.models import ApiKey
from billing.amounts import ZERO, CreditsField
from billing.models.transfers import Account, Kind
from billing.models.wallets import CreditLot, Wallet


class RollUp(models.Model):
    """The transfers of one wallet in one hour, or on one UTC day, that agree in everything a report asks for.

    `postings` counts those that come first in their posting: of `reserve` that is the number of tasks. `model` is empty
    where no task is behind it. Each transfer counts in one row of either span.
    """

    class Span(models.TextChoices):
        HOUR = "hour"
        DAY = "day"

    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="roll_ups", db_index=False)
    span = models.CharField(max_length=4, choices=Span)
    starts_at = models.DateTimeField()
    api_key = models.ForeignKey(
        ApiKey, on_delete=models.PROTECT, null=True, blank=True, related_name="roll_ups", db_index=False
    )
    model = models.CharField(max_length=80, blank=True)
    kind = models.CharField(max_length=8, choices=Kind)
    debit = models.CharField(max_length=12, choices=Account)
    credit = models.CharField(max_length=12, choices=Account)
    lot_kind = models.CharField(max_length=8, choices=CreditLot.Kind)
    amount = CreditsField(default=ZERO)
    transfers = models.BigIntegerField(default=0)
    postings = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "wallet",
                    "span",
                    "starts_at",
                    "api_key",
                    "model",
                    "kind",
                    "debit",
                    "credit",
                    "lot_kind",
                ],
                nulls_distinct=False,
                name="one_roll_up_per_span_and_group",
            ),
            models.CheckConstraint(condition=Q(span__in=["hour", "day"]), name="roll_up_span_is_known"),
            models.CheckConstraint(
                condition=Q(amount__gt=0, transfers__gt=0, postings__gte=0, postings__lte=models.F("transfers")),
                name="roll_up_counts_something",
            ),
        ]
        indexes = [models.Index(fields=["span", "starts_at"], name="roll_ups_by_time")]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount} in the {self.span} from {self.starts_at:%Y-%m-%d %H:%M}"


class RollUpCursor(models.Model):
    """The `seq` of a wallet's last transfer that the roll-ups hold; what comes after it is the tail."""

    wallet = models.OneToOneField(Wallet, on_delete=models.CASCADE, primary_key=True, related_name="roll_up_cursor")
    seq = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.wallet_id} rolled up to {self.seq}"
