"""What operators and the workers themselves need: alerts, possible orphan spend, and who is at work."""

from django.db import models
from django.utils import timezone

from generations.models.tasks import Attempt


class Alert(models.Model):
    """Something an operator should look at. The same trouble again only counts up."""

    kind = models.SlugField(max_length=60)
    subject = models.CharField(max_length=200)
    message = models.CharField(max_length=1000)
    count = models.PositiveIntegerField(default=1)
    first_at = models.DateTimeField(default=timezone.now)
    last_at = models.DateTimeField(default=timezone.now)
    resolved_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject"],
                condition=models.Q(resolved_at__isnull=True),
                name="one_open_alert_per_subject",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.subject}"


class OrphanSpend(models.Model):
    """An attempt given up while its outcome was unknown: it may have cost us. Looked at again the next day."""

    attempt = models.OneToOneField(Attempt, on_delete=models.PROTECT, related_name="orphan_spend")
    reason = models.CharField(max_length=300)
    noted_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField(null=True, blank=True, help_text="When it is looked up again; empty: done.")
    found_state = models.CharField(max_length=40, blank=True)
    cost_amount = models.DecimalField(max_digits=20, decimal_places=6, null=True, blank=True)
    cost_unit = models.CharField(max_length=12, blank=True)

    class Meta:
        verbose_name_plural = "orphan spend"
        indexes = [
            models.Index(fields=["due_at"], name="orphan_spend_to_look_up", condition=models.Q(due_at__isnull=False))
        ]

    def __str__(self) -> str:
        return f"{self.attempt}: {self.reason}"


class LoopLease(models.Model):
    """Which worker runs the polling loop of one shard."""

    shard = models.PositiveSmallIntegerField(primary_key=True)
    leased_by = models.CharField(max_length=80, blank=True)
    lease_token = models.BigIntegerField(default=0)
    leased_until = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"shard {self.shard}"


class WorkerPulse(models.Model):
    """When a worker last claimed something: the supervisor's sign of progress."""

    worker = models.CharField(max_length=80, primary_key=True)
    claimed_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.worker
