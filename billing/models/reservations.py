"""Promised credits: a reservation a task, the lots it holds, and the key budget windows it counts in.

reserved ──► captured (all or a part; the rest is released)
    └──────► released
"""

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accounts import ids
from accounts.models import ApiKey, KeyBudget
from billing.amounts import ZERO, CreditsField
from billing.models.wallets import CreditLot, Wallet


class Reservation(models.Model):
    """Credits held for one task (same id). Its age is an alarm, never an automatic release."""

    TASK_PREFIX = "task-video-"

    class State(models.TextChoices):
        RESERVED = "reserved"
        CAPTURED = "captured"
        RELEASED = "released"

    id = models.UUIDField(primary_key=True, editable=False)
    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="reservations", db_index=False)
    api_key = models.ForeignKey(
        ApiKey, on_delete=models.PROTECT, null=True, blank=True, related_name="reservations", db_index=False
    )
    budget = models.ForeignKey(
        KeyBudget, on_delete=models.PROTECT, null=True, blank=True, related_name="reservations", db_index=False
    )
    budget_day = models.DateField(null=True, blank=True, help_text="The UTC day whose window it counts in.")
    model = models.CharField(
        max_length=80, blank=True, default="", db_default="", help_text="Of its task: what the roll-ups count by."
    )
    amount = CreditsField()
    captured = CreditsField(default=ZERO)
    refunded = CreditsField(default=ZERO, help_text="Of what was captured.")
    state = models.CharField(max_length=8, choices=State, default=State.RESERVED)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    resolved_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state="captured", resolved_at__isnull=False)
                | Q(state="released", captured=0, resolved_at__isnull=False)
                | Q(state="reserved", captured=0, resolved_at__isnull=True),
                name="reservation_state_fits_its_amounts",
            ),
            models.CheckConstraint(
                condition=Q(captured__gte=0, captured__lte=F("amount")), name="captured_is_at_most_reserved"
            ),
            models.CheckConstraint(
                condition=Q(refunded__gte=0, refunded__lte=F("captured")), name="refunded_is_at_most_captured"
            ),
            models.CheckConstraint(
                condition=Q(budget__isnull=True, budget_day__isnull=True)
                | Q(budget__isnull=False, budget_day__isnull=False),
                name="reservation_remembers_both_windows_or_none",
            ),
        ]
        indexes = [
            models.Index(fields=["wallet", "created_at"], name="reservations_of_a_wallet"),
            models.Index(fields=["created_at"], condition=Q(state="reserved"), name="open_reservations_by_age"),
        ]

    def __str__(self) -> str:
        return self.task_id

    @property
    def task_id(self) -> str:
        """The id of its task as customers see it."""
        return ids.encode(self.TASK_PREFIX, self.id)


class ReservationLot(models.Model):
    """How much of a reservation one lot gives; `line` is its place in the burn order."""

    reservation = models.ForeignKey(Reservation, on_delete=models.PROTECT, related_name="parts", db_index=False)
    lot = models.ForeignKey(CreditLot, on_delete=models.PROTECT, related_name="parts", db_index=False)
    line = models.PositiveSmallIntegerField()
    amount = CreditsField()
    captured = CreditsField(default=ZERO)
    refunded = CreditsField(default=ZERO)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["reservation", "lot"], name="one_part_per_reservation_and_lot"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="part_is_positive"),
            models.CheckConstraint(
                condition=Q(refunded__gte=0, captured__gte=F("refunded"), amount__gte=F("captured")),
                name="part_captured_at_most_reserved_refunded_at_most_captured",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} of {self.lot_id}"


class BudgetWindow(models.Model):
    """What the keys of one budget have reserved and captured: for ever (`total`, no day) or on one UTC day.

    A month is the sum of its days (`billing.budgets`).
    """

    class Kind(models.TextChoices):
        TOTAL = "total"
        DAILY = "daily"

    budget = models.ForeignKey(KeyBudget, on_delete=models.CASCADE, related_name="windows", db_index=False)
    kind = models.CharField(max_length=5, choices=Kind)
    day = models.DateField(null=True, blank=True)
    reserved = CreditsField(default=ZERO)
    captured = CreditsField(default=ZERO)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["budget", "kind", "day"], nulls_distinct=False, name="one_window_per_budget_kind_and_day"
            ),
            models.CheckConstraint(
                condition=Q(kind="total", day__isnull=True) | Q(kind="daily", day__isnull=False),
                name="only_daily_windows_have_a_day",
            ),
            models.CheckConstraint(
                condition=Q(reserved__gte=0, captured__gte=0), name="window_amounts_are_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.budget_id} {self.day or 'total'}"
