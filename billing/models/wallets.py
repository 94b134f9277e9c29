"""What an organization has: one wallet, and the lots its credits came in by."""

from datetime import datetime
from decimal import Decimal

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accounts import ids
from accounts.models import Organization
from billing.amounts import ZERO, CreditsField


class Wallet(models.Model):
    """An organization's totals, and the one row that every movement locks first.

    `balance` counts reserved credits too; `seq` and `head` are the last transfer's number and hash. What a take-back
    could not find is `debt`. A frozen wallet reserves nothing; captures and releases go on. Debt alone freezes it as
    well; `frozen_at` is an operator's or the auditor's freeze. With a cap, `month_reserved` and `month_captured` are
    of the reservations made in the UTC month that begins with `month`, and true while `month_seq` = `seq`
    (`billing.caps`).
    """

    organization = models.OneToOneField(Organization, on_delete=models.PROTECT, primary_key=True, related_name="wallet")
    balance = CreditsField(default=ZERO)
    reserved = CreditsField(default=ZERO)
    debt = CreditsField(default=ZERO)
    seq = models.BigIntegerField(default=0)
    head = models.BinaryField(max_length=32, default=bytes(32))
    cost_seq = models.BigIntegerField(default=0, db_default=0, help_text="Of the last provider cost.")
    moved_at = models.DateTimeField(null=True, blank=True, help_text="Of the last transfer; the next is not older.")
    frozen_at = models.DateTimeField(null=True, blank=True)
    frozen_reason = models.CharField(max_length=200, blank=True)
    opened_at = models.DateTimeField(default=timezone.now, editable=False)
    monthly_cap = CreditsField(null=True, blank=True, help_text="Credits a UTC month. Empty: no cap.")
    month = models.DateField(null=True, blank=True)
    month_reserved = CreditsField(default=ZERO, db_default=ZERO)
    month_captured = CreditsField(default=ZERO, db_default=ZERO)
    month_seq = models.BigIntegerField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(monthly_cap__isnull=True) | Q(monthly_cap__gte=0), name="monthly_cap_is_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(month_reserved__gte=0, month_captured__gte=0), name="month_amounts_are_not_negative"
            ),
            models.CheckConstraint(condition=Q(reserved__gte=0), name="wallet_reserved_is_not_negative"),
            models.CheckConstraint(condition=Q(balance__gte=F("reserved")), name="wallet_is_never_overdrawn"),
            models.CheckConstraint(condition=Q(debt__gte=0), name="wallet_debt_is_not_negative"),
        ]

    def __str__(self) -> str:
        return f"wallet of {self.organization}"

    @property
    def available(self) -> Decimal:
        return self.balance - self.reserved

    @property
    def is_frozen(self) -> bool:
        return self.frozen_at is not None or self.debt > 0


class CreditLot(models.Model):
    """Credits that came in together: burnt by priority, then soonest expiry, then oldest.

    `granted + adjusted = remaining + reserved + captured - refunded + expired`. `sweep_at` is when the sweep must look
    at the lot: its expiry, until the lot was swept.
    """

    class Kind(models.TextChoices):
        PROMO = "promo"
        PAID = "paid"
        GOODWILL = "goodwill"

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="lots", db_index=False)
    kind = models.CharField(max_length=8, choices=Kind)
    priority = models.SmallIntegerField(help_text="Lower burns first.")
    reference = models.CharField(max_length=120)
    granted = CreditsField()
    remaining = CreditsField(default=ZERO)
    reserved = CreditsField(default=ZERO)
    captured = CreditsField(default=ZERO)
    refunded = CreditsField(default=ZERO)
    expired = CreditsField(default=ZERO)
    adjusted = CreditsField(default=ZERO, help_text="Taken back, so not positive.")
    expires_at = models.DateTimeField(null=True, blank=True)
    sweep_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["wallet", "reference"], name="one_lot_per_wallet_and_reference"),
            models.CheckConstraint(condition=Q(kind__in=["promo", "paid", "goodwill"]), name="lot_kind_is_known"),
            models.CheckConstraint(condition=Q(granted__gt=0), name="lot_granted_is_positive"),
            models.CheckConstraint(
                condition=Q(remaining__gte=0, reserved__gte=0, captured__gte=0, refunded__gte=0, expired__gte=0),
                name="lot_amounts_are_not_negative",
            ),
            models.CheckConstraint(condition=Q(adjusted__lte=0), name="lot_adjusted_is_not_positive"),
            models.CheckConstraint(
                condition=Q(granted__gte=F("remaining") + F("reserved")), name="lot_holds_no_more_than_granted"
            ),
            models.CheckConstraint(
                condition=Q(
                    granted=F("remaining")
                    + F("reserved")
                    + F("captured")
                    - F("refunded")
                    + F("expired")
                    - F("adjusted")
                ),
                name="lot_adds_up",
            ),
        ]
        indexes = [
            models.Index(fields=["sweep_at"], condition=Q(sweep_at__isnull=False), name="lots_to_sweep"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.reference}"

    def is_due(self, now: datetime) -> bool:
        """Whether it is past its expiry."""
        return self.expires_at is not None and self.expires_at <= now


class Adjustment(models.Model):
    """One `ledger.adjust`: what was asked, what the lots gave or got, and by how much the wallet's debt changed."""

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="adjustments", db_index=False)
    reference = models.CharField(max_length=120)
    amount = CreditsField(help_text="Signed: positive gives, negative takes back.")
    moved = CreditsField(help_text="Signed: what the transfers moved.")
    debt_change = CreditsField(default=ZERO, help_text="moved - amount: positive is new debt, negative is debt paid.")
    reason = models.CharField(max_length=300)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["wallet", "reference"], name="one_adjustment_per_wallet_and_reference"),
            models.CheckConstraint(
                condition=Q(debt_change=F("moved") - F("amount")), name="adjustment_is_moved_or_owed"
            ),
            models.CheckConstraint(condition=~Q(amount=0), name="adjustment_is_not_zero"),
        ]

    def __str__(self) -> str:
        return self.reference
