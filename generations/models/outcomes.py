"""What became of tasks: counts by hour and UTC day that reports read. Only `generations.outcomes` writes them."""

from django.db import models
from django.db.models import Q

from accounts.models import Organization
from billing.models import RollUp
from generations.models.providers import ProviderAccount


class OutcomeRollUp(models.Model):
    """The tasks of one organization that ended in one hour, or on one UTC day, and agree in all that a report asks for.

    `account` is that of the last attempt, empty where nothing was sent. `refund_bucket` is of what was given back: how
    long after its creation (`generations.histogram`).
    """

    class Outcome(models.TextChoices):
        COMPLETED = "completed"
        FAILED = "failed", "failed, not by the customer's input"
        FAILED_BY_INPUT = "failed_by_input", "failed by the customer's input"
        CANCELLED = "cancelled"

    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="outcome_roll_ups", db_index=False
    )
    span = models.CharField(max_length=4, choices=RollUp.Span)
    starts_at = models.DateTimeField()
    model = models.CharField(max_length=80)
    user_group = models.CharField(max_length=40)
    account = models.ForeignKey(
        ProviderAccount,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="outcome_roll_ups",
        db_index=False,
    )
    outcome = models.CharField(max_length=16, choices=Outcome)
    error_code = models.CharField(max_length=60, blank=True)
    refund_bucket = models.PositiveSmallIntegerField(null=True, blank=True)
    tasks = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "organization",
                    "span",
                    "starts_at",
                    "model",
                    "user_group",
                    "account",
                    "outcome",
                    "error_code",
                    "refund_bucket",
                ],
                nulls_distinct=False,
                name="one_outcome_roll_up_per_span_and_group",
            ),
            models.CheckConstraint(condition=Q(span__in=["hour", "day"]), name="outcome_roll_up_span_is_known"),
            models.CheckConstraint(condition=Q(tasks__gt=0), name="outcome_roll_up_counts_something"),
            models.CheckConstraint(
                condition=Q(outcome="completed", refund_bucket__isnull=True)
                | Q(outcome__in=["failed", "failed_by_input", "cancelled"], refund_bucket__isnull=False),
                name="what_was_not_completed_was_given_back",
            ),
        ]
        indexes = [models.Index(fields=["span", "starts_at"], name="outcome_roll_ups_by_time")]

    def __str__(self) -> str:
        return f"{self.tasks} {self.outcome} in the {self.span} from {self.starts_at:%Y-%m-%d %H:%M}"


class OutcomeDay(models.Model):
    """The same of all live organizations together on one UTC day: what the reports of a year read."""

    starts_at = models.DateTimeField()
    model = models.CharField(max_length=80)
    user_group = models.CharField(max_length=40)
    account = models.ForeignKey(
        ProviderAccount, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    outcome = models.CharField(max_length=16, choices=OutcomeRollUp.Outcome)
    error_code = models.CharField(max_length=60, blank=True)
    refund_bucket = models.PositiveSmallIntegerField(null=True, blank=True)
    tasks = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["starts_at", "model", "user_group", "account", "outcome", "error_code", "refund_bucket"],
                nulls_distinct=False,
                name="one_outcome_day_per_group",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tasks} {self.outcome} on {self.starts_at:%Y-%m-%d}"


class OutcomeMark(models.Model):
    """How far the outcomes are counted. There is one row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    counted_until = models.DateTimeField(help_text="Every hour before it is counted.")

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="there_is_one_outcome_mark")]

    def __str__(self) -> str:
        return f"counted until {self.counted_until:%Y-%m-%d %H:%M}"
