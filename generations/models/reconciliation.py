"""A provider's own books compared with ours, a closed UTC day of an account at a time.

    Reconciliation 1-n UpstreamCharge        the provider's lines, while they are being read
                   1-n ReconciliationItem    what does not agree, until an operator has resolved it

Only `generations.reconciliation` writes these rows.
"""

from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone

from generations.models.providers import ProviderAccount
from generations.models.tasks import Attempt, Leased


def dollars(**options: Any) -> models.DecimalField:
    return models.DecimalField(max_digits=20, decimal_places=6, **options)


class Reconciliation(Leased):
    """One day of one account at its provider. Amounts are US dollars.

    `window` and `cursor` say how far the provider's lines are read; `ours` and `theirs` are of the same work.
    """

    account = models.ForeignKey(ProviderAccount, on_delete=models.PROTECT, related_name="reconciliations")
    day = models.DateField(help_text="UTC.")
    window = models.PositiveSmallIntegerField(default=0)
    cursor = models.CharField(max_length=500, blank=True)
    problem = models.CharField(max_length=300, blank=True, help_text="Why it could not go on.")
    charges = models.PositiveIntegerField(default=0, help_text="Pieces of work that the provider charged.")
    costs = models.PositiveIntegerField(default=0, help_text="Of ours, those that cost us something.")
    unpriced = models.PositiveIntegerField(
        default=0, help_text="Charges that nobody can compare: the account has no rate for their unit."
    )
    theirs = dollars(default=Decimal(0), help_text="US dollars that the provider charged.")
    ours = dollars(default=Decimal(0), help_text="US dollars that we had written down.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "day"], name="one_reconciliation_per_account_and_day")
        ]
        indexes = [
            models.Index(fields=["due_at"], name="reconciliations_that_are_due", condition=Q(due_at__isnull=False))
        ]

    def __str__(self) -> str:
        return f"{self.account} on {self.day:%Y-%m-%d}"

    @property
    def difference(self) -> Decimal:
        """Dollars that the provider charged beyond what we had written down."""
        return self.theirs - self.ours


class UpstreamCharge(models.Model):
    """A line of the provider's ledger. `is_near`: of the hours around the day, which belong to its neighbours."""

    reconciliation = models.ForeignKey(Reconciliation, on_delete=models.CASCADE, related_name="lines")
    upstream_id = models.CharField(max_length=200)
    model = models.CharField(max_length=80, blank=True)
    amount = dollars()
    unit = models.CharField(max_length=12, blank=True, help_text="unit, or the currency of cash.")
    is_near = models.BooleanField()

    def __str__(self) -> str:
        return f"{self.upstream_id}: {self.amount} {self.unit}"


class ReconciliationItem(models.Model):
    """One piece of work about which the provider's books and ours disagree.

    A run that finds it again changes nothing that is resolved; one that finds it no more resolves it as gone.
    """

    class Kind(models.TextChoices):
        UNKNOWN = "unknown", "charged, and no work of ours"
        ORPHAN = "orphan", "charged, and we wrote no cost down"
        MISSING = "missing", "a cost of ours that was not charged"
        AMOUNT = "amount", "another amount"

    class Resolution(models.TextChoices):
        BOOKED = "booked", "booked as a cost"
        NOTED = "noted", "looked into, nothing booked"
        GONE = "gone", "a later run did not find it"

    reconciliation = models.ForeignKey(Reconciliation, on_delete=models.PROTECT, related_name="items", db_index=False)
    kind = models.CharField(max_length=8, choices=Kind)
    upstream_id = models.CharField(max_length=200)
    attempt = models.ForeignKey(
        Attempt, on_delete=models.PROTECT, null=True, blank=True, related_name="reconciliation_items"
    )
    model = models.CharField(max_length=80, blank=True)
    told_amount = dollars(null=True, blank=True, help_text="In the provider's own unit.")
    told_unit = models.CharField(max_length=12, blank=True)
    theirs = dollars(null=True, blank=True, help_text="US dollars; empty: the account has no rate for the unit.")
    ours = dollars(default=Decimal(0), help_text="US dollars.")
    found_at = models.DateTimeField(default=timezone.now, editable=False)
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolution = models.CharField(max_length=8, blank=True, choices=Resolution)
    note = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["reconciliation", "upstream_id"], name="one_item_per_reconciliation_and_upstream_id"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["unknown", "orphan", "missing", "amount"]), name="kind_of_item_is_known"
            ),
            models.CheckConstraint(
                condition=Q(resolved_at__isnull=True, resolution="") | Q(resolved_at__isnull=False) & ~Q(resolution=""),
                name="a_resolved_item_says_how",
            ),
        ]
        indexes = [
            models.Index(fields=["found_at"], name="open_reconciliation_items", condition=Q(resolved_at__isnull=True))
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.upstream_id}"

    @property
    def difference(self) -> Decimal | None:
        """Dollars that the provider charged beyond ours; None while nobody can say."""
        return None if self.theirs is None else self.theirs - self.ours
