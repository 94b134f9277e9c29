"""Report roll-ups: the coarser sums that the reports of all organizations read (`billing.report_rollups`).

Four grains: all live organizations together (no wallet) and each of them, on one UTC day and in one month.
Sandbox organizations are in none.
"""

from decimal import Decimal
from typing import ClassVar

from django.db import models
from django.db.models import Q

from billing.amounts import ZERO, CreditsField
from billing.models.costs import CostKind, DollarsField
from billing.models.transfers import Account, Kind
from billing.models.wallets import CreditLot, Wallet


class ReportSpan(models.TextChoices):
    DAY = "day"
    MONTH = "month"


class ReportRow(models.Model):
    """What both kinds of rows have. Work that no model, provider account or user group is behind has empty ones."""

    wallet = models.ForeignKey(
        Wallet, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    span = models.CharField(max_length=5, choices=ReportSpan)
    starts_at = models.DateTimeField()
    model = models.CharField(max_length=80, blank=True)
    user_group = models.CharField(max_length=40, blank=True)
    account = models.CharField(max_length=60, blank=True, help_text="The provider account that did the work.")

    GRAIN: ClassVar = ("wallet", "span", "starts_at", "model", "user_group", "account")

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.span} from {self.starts_at:%Y-%m-%d}"


class ReportRollUp(ReportRow):
    """Transfers that agree in everything a report asks for; `postings` counts those that come first in theirs."""

    kind = models.CharField(max_length=8, choices=Kind)
    debit = models.CharField(max_length=12, choices=Account)
    credit = models.CharField(max_length=12, choices=Account)
    lot_kind = models.CharField(max_length=8, choices=CreditLot.Kind)
    amount = CreditsField(default=ZERO)
    postings = models.BigIntegerField(default=0)

    class Meta:
        permissions = (("view_reports", "Can read the reports"),)
        constraints = [
            models.UniqueConstraint(
                fields=[*ReportRow.GRAIN, "kind", "debit", "credit", "lot_kind"],
                nulls_distinct=False,
                name="one_report_roll_up_per_grain_and_group",
            ),
            models.CheckConstraint(condition=Q(span__in=["day", "month"]), name="report_roll_up_has_a_grain"),
        ]
        indexes = [
            models.Index(fields=["span", "starts_at"], condition=Q(wallet__isnull=True), name="report_roll_ups_of_all"),
            models.Index(
                fields=["span", "starts_at"], condition=Q(wallet__isnull=False), name="report_roll_ups_by_time"
            ),
        ]


class CostReportRollUp(ReportRow):
    """Provider costs that agree in everything a report asks for; `costs` is how many."""

    kind = models.CharField(max_length=10, choices=CostKind)
    is_estimate = models.BooleanField()
    amount = DollarsField(default=Decimal(0), help_text="US dollars.")
    costs = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=[*ReportRow.GRAIN, "kind", "is_estimate"],
                nulls_distinct=False,
                name="one_cost_report_roll_up_per_grain_and_group",
            ),
            models.CheckConstraint(condition=Q(span__in=["day", "month"]), name="cost_report_roll_up_has_a_grain"),
        ]
        indexes = [
            models.Index(
                fields=["span", "starts_at"], condition=Q(wallet__isnull=True), name="cost_report_roll_ups_of_all"
            ),
            models.Index(
                fields=["span", "starts_at"], condition=Q(wallet__isnull=False), name="cost_report_roll_ups_by_time"
            ),
        ]


class ReportCursor(models.Model):
    """The `seq` of a wallet's last transfer that the report roll-ups hold; what comes after it is the tail."""

    wallet = models.OneToOneField(Wallet, on_delete=models.CASCADE, primary_key=True, related_name="report_cursor")
    seq = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.wallet_id} reported up to {self.seq}"


class CostReportCursor(models.Model):
    """The `seq` of a wallet's last provider cost that the report roll-ups hold."""

    wallet = models.OneToOneField(Wallet, on_delete=models.CASCADE, primary_key=True, related_name="cost_report_cursor")
    seq = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"costs of {self.wallet_id} reported up to {self.seq}"
