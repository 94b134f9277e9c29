"""Every movement of credits: one row = one debit and one credit, so each row balances by construction."""

import pgtrigger
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q

from accounts.models import ApiKey
from billing.amounts import CreditsField
from billing.models.reservations import Reservation
from billing.models.wallets import CreditLot, Wallet


class Account(models.TextChoices):
    """`available` and `reserved` are the customer's; the others are the house's and exist only as names on rows."""

    AVAILABLE = "available"
    RESERVED = "reserved"
    ISSUED_PAID = "issued_paid"
    ISSUED_PROMO = "issued_promo"
    REVENUE = "revenue"
    BREAKAGE = "breakage"
    ADJUSTMENT = "adjustment"


class Kind(models.TextChoices):
    GRANT = "grant"
    TOP_UP = "top_up"
    RESERVE = "reserve"
    CAPTURE = "capture"
    RELEASE = "release"
    REFUND = "refund"
    EXPIRE = "expire"
    ADJUST = "adjust"


IN_THE_BALANCE = (Kind.GRANT, Kind.TOP_UP, Kind.CAPTURE, Kind.REFUND, Kind.EXPIRE, Kind.ADJUST)
"""The kinds that change a wallet's balance; the others move credits between available and reserved."""


class Transfer(models.Model):
    """`amount` credits from the account `debit` to the account `credit`, at place `seq` of the wallet's chain.

    `balance_after`, `reserved_after` and `lot_expires_at` are what holds after the row; `line` numbers the rows of one
    posting; no row is older than the one before it in its wallet; `hash` chains it to that one (billing/chain.py says
    how). A trigger refuses to change any of it.
    """

    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="transfers", db_index=False)
    seq = models.BigIntegerField()
    kind = models.CharField(max_length=8, choices=Kind)
    debit = models.CharField(max_length=12, choices=Account)
    credit = models.CharField(max_length=12, choices=Account)
    amount = CreditsField()
    lot = models.ForeignKey(CreditLot, on_delete=models.PROTECT, related_name="transfers", db_index=False)
    reservation = models.ForeignKey(
        Reservation, on_delete=models.PROTECT, null=True, blank=True, related_name="transfers", db_index=False
    )
    api_key = models.ForeignKey(
        ApiKey, on_delete=models.PROTECT, null=True, blank=True, related_name="transfers", db_index=False
    )
    balance_after = CreditsField()
    reserved_after = CreditsField()
    lot_expires_at = models.DateTimeField(null=True, blank=True)
    reference = models.CharField(max_length=120)
    line = models.PositiveSmallIntegerField()
    reason = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField()
    hash = models.BinaryField(max_length=32)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["wallet", "seq"], name="one_transfer_per_wallet_and_seq"),
            models.UniqueConstraint(
                fields=["wallet", "reference", "line"], name="one_transfer_per_wallet_reference_and_line"
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="transfer_amount_is_positive"),
            models.CheckConstraint(condition=Q(seq__gt=0), name="transfer_seq_starts_at_one"),
            models.CheckConstraint(
                condition=Q(kind="top_up", debit="issued_paid", credit="available")
                | Q(kind="grant", debit__in=["issued_paid", "issued_promo"], credit="available")
                | Q(kind="reserve", debit="available", credit="reserved")
                | Q(kind="release", debit="reserved", credit="available")
                | Q(kind="capture", debit="reserved", credit="revenue")
                | Q(kind="refund", debit="revenue", credit="available")
                | Q(kind="expire", debit="available", credit="breakage")
                | Q(kind="adjust", debit="available", credit="adjustment")
                | Q(kind="adjust", debit="adjustment", credit="available"),
                name="transfer_accounts_fit_its_kind",
            ),
            models.CheckConstraint(
                condition=Q(reserved_after__gte=0, balance_after__gte=models.F("reserved_after")),
                name="no_transfer_overdraws",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["reserve", "capture", "release", "refund"], reservation__isnull=False)
                | Q(kind__in=["grant", "top_up", "expire", "adjust"], reservation__isnull=True),
                name="task_movements_name_their_reservation",
            ),
        ]
        indexes = [
            models.Index(
                fields=["reservation"], condition=Q(reservation__isnull=False), name="transfers_of_a_reservation"
            ),
            models.Index(
                fields=["wallet", "seq"],
                condition=Q(kind__in=["grant", "top_up", "capture", "refund", "expire", "adjust"]),
                name="transfers_in_the_balance",
            ),
            BrinIndex(fields=["created_at"], name="transfers_by_time"),
        ]
        triggers = [
            pgtrigger.Protect(name="transfers_are_append_only", operation=pgtrigger.Update | pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount} ({self.reference})"
