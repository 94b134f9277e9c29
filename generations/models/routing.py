"""What routing goes by besides the accounts themselves: breakers, kill switches, the margin guard and a day's loss."""

from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import Organization
from generations.models.providers import ProviderAccount
from generations.models.tasks import Attempt


class Breaker(models.Model):
    """Whether a provider account, or one model on it, is trusted with work (`generations.breaker`). No row: it is."""

    ALL = "*"

    class State(models.TextChoices):
        CLOSED = "closed"
        OPEN = "open"
        PROBING = "probing"

    account = models.ForeignKey(ProviderAccount, on_delete=models.CASCADE, related_name="breakers")
    model = models.CharField(max_length=80, help_text="One model, or * for the whole account.")
    state = models.CharField(max_length=8, choices=State, default=State.CLOSED)
    reason = models.CharField(max_length=300, blank=True)
    opened_at = models.DateTimeField(null=True, blank=True)
    probe_at = models.DateTimeField(
        null=True, blank=True, help_text="When one task may try it; empty: on a reset only."
    )
    openings = models.PositiveSmallIntegerField(default=0, help_text="In a row: each waits longer for its probe.")
    needs_result = models.BooleanField(default=False, help_text="A probe must end well, not only be accepted.")
    probe = models.ForeignKey(Attempt, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    probing_until = models.DateTimeField(null=True, blank=True, help_text="Then another task may try it.")
    closed_at = models.DateTimeField(null=True, blank=True, help_text="Faults before that count no more.")
    rest_until = models.DateTimeField(null=True, blank=True, help_text="It said to slow down.")
    rest_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "model"], name="one_breaker_per_account_and_model"),
            models.CheckConstraint(condition=Q(state__in=["closed", "open", "probing"]), name="breaker_state_is_known"),
            models.CheckConstraint(
                condition=~Q(state="probing") | Q(probing_until__isnull=False), name="a_probe_is_bounded_in_time"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account} {self.model}"


class KillSwitch(models.Model):
    """An operator has switched off a model, a provider account or an organization. Kept when it is lifted."""

    model = models.CharField(max_length=80, blank=True)
    account = models.ForeignKey(
        ProviderAccount, on_delete=models.PROTECT, null=True, blank=True, related_name="kill_switches"
    )
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, null=True, blank=True, related_name="kill_switches"
    )
    reason = models.CharField(max_length=300, help_text="For operators.")
    message = models.CharField(max_length=300, help_text="For customers, in plain words.")
    expected_end_at = models.DateTimeField(null=True, blank=True, help_text="It lifts nothing by itself.")
    set_at = models.DateTimeField(default=timezone.now)
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        verbose_name_plural = "kill switches"
        constraints = [
            models.CheckConstraint(
                condition=Q(account__isnull=True, organization__isnull=True) & ~Q(model="")
                | Q(model="", account__isnull=False, organization__isnull=True)
                | Q(model="", account__isnull=True, organization__isnull=False),
                name="a_kill_switch_is_of_one_thing",
            ),
            models.UniqueConstraint(
                fields=["model"],
                condition=Q(lifted_at__isnull=True) & ~Q(model=""),
                name="one_kill_switch_at_a_time_per_model",
            ),
            models.UniqueConstraint(
                fields=["account"],
                condition=Q(lifted_at__isnull=True, account__isnull=False),
                name="one_kill_switch_at_a_time_per_account",
            ),
            models.UniqueConstraint(
                fields=["organization"],
                condition=Q(lifted_at__isnull=True, organization__isnull=False),
                name="one_kill_switch_at_a_time_per_organization",
            ),
        ]

    def __str__(self) -> str:
        return str(self.model or self.account or self.organization)


class MarginGuard(models.Model):
    """How much we let ourselves lose. One row at most; without it the settings say so."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    max_loss_share = models.DecimalField(
        max_digits=6,
        decimal_places=4,
        validators=[MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(10))],
        help_text="A provider may cost this much more than the task's price, as a share of it: 0.15 is 15 percent.",
    )
    max_loss_a_day = models.DecimalField(
        max_digits=12,
        decimal_places=2,
        validators=[MinValueValidator(Decimal(0))],
        help_text="US dollars that all tasks together may lose in a UTC day.",
    )

    class Meta:
        verbose_name_plural = "margin guard"
        constraints = [models.CheckConstraint(condition=Q(id=1), name="there_is_one_margin_guard")]

    def __str__(self) -> str:
        return f"{self.max_loss_share:%} a task, {self.max_loss_a_day} USD a day"


class DayLoss(models.Model):
    """What the tasks of one UTC day lose, as far as it is known or feared. Written by `generations.margin` alone."""

    day = models.DateField(primary_key=True)
    lost = models.DecimalField(max_digits=20, decimal_places=6, default=Decimal(0), help_text="US dollars.")
    told_at = models.DateTimeField(null=True, blank=True, help_text="When operators were told that it is used up.")

    class Meta:
        verbose_name_plural = "daily losses"
        constraints = [models.CheckConstraint(condition=Q(lost__gte=0), name="a_days_loss_is_not_negative")]

    def __str__(self) -> str:
        return f"{self.day}: {self.lost} USD"
