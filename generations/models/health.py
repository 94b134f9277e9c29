"""How well each model works, by the hour: what ended, how long it took, and in which minutes a request was accepted.

Only `generations.health` writes these rows. Hours are UTC and begin at the full hour.
"""

from django.db import models
from django.db.models import F, Q


class ModelHour(models.Model):
    """One model in one hour. In the columns of minutes, bit n is minute n of the hour."""

    model = models.CharField(max_length=80)
    hour = models.DateTimeField(help_text="Its beginning.")
    completed = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0, help_text="All of them, by the customer's input too.")
    failed_by_input = models.PositiveIntegerField(default=0, help_text="Of the failed, by the customer's own input.")
    looked = models.BigIntegerField(default=0, help_text="Minutes in which we looked whether a request would be taken.")
    closed = models.BigIntegerField(default=0, help_text="Of these, the minutes in which it would not.")
    refused = models.BigIntegerField(default=0, help_text="Minutes in which a real request was refused.")

    class Meta:
        ordering = ["-hour", "model"]
        constraints = [
            models.UniqueConstraint(fields=["hour", "model"], name="one_row_per_hour_and_model"),
            models.CheckConstraint(
                condition=Q(failed_by_input__lte=F("failed")), name="failed_by_input_is_part_of_failed"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.model} {self.hour:%Y-%m-%d %H:%M}"

    @property
    def minutes_observed(self) -> int:
        return (self.looked | self.refused).bit_count()

    @property
    def minutes_available(self) -> int:
        return (self.looked & ~self.closed & ~self.refused).bit_count()


class ModelHourTime(models.Model):
    """How many tasks of a model and hour took so long: one bucket of a histogram (`generations.histogram`)."""

    class Kind(models.TextChoices):
        MAKING = "making", "accepted until finished, of completed tasks"
        WAITING = "waiting", "created until accepted, of completed tasks"
        REFUND = "refund", "created until refunded, of failed tasks"

    model = models.CharField(max_length=80)
    hour = models.DateTimeField()
    kind = models.CharField(max_length=8, choices=Kind)
    bucket = models.PositiveSmallIntegerField()
    tasks = models.PositiveIntegerField()

    class Meta:
        ordering = ["-hour", "model", "kind", "bucket"]
        constraints = [
            models.UniqueConstraint(
                fields=["hour", "model", "kind", "bucket"], name="one_bucket_per_hour_model_and_kind"
            ),
            models.CheckConstraint(condition=Q(kind__in=["making", "waiting", "refund"]), name="kind_of_time_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.model} {self.hour:%Y-%m-%d %H:%M} {self.kind} {self.bucket}"


class HealthMark(models.Model):
    """How far the hours are counted. There is one row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    counted_until = models.DateTimeField(help_text="Every hour before it is counted.")

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="there_is_one_health_mark")]

    def __str__(self) -> str:
        return f"counted until {self.counted_until:%Y-%m-%d %H:%M}"
