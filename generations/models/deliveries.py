"""Callbacks: a delivery is one message about one event; its webhook-id stays the same over all its tries."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts import encryption, ids
from accounts.models import Organization
from generations.models.tasks import Leased, Task


class WebhookSecret(models.Model):
    """What an organization's callbacks are signed with (Standard Webhooks), and the one before while it rotates."""

    organization = models.OneToOneField(Organization, on_delete=models.CASCADE, related_name="webhook_secret")
    encrypted = models.BinaryField(editable=False)
    previous_encrypted = models.BinaryField(editable=False, null=True)
    previous_expires_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return f"secret of {self.organization}"

    @property
    def secret(self) -> str:
        return encryption.decrypt(bytes(self.encrypted))


class Delivery(Leased):
    """One message to one address. A task has at most one for each terminal event; a test message has no task."""

    PREFIX = "dlv_"

    class State(models.TextChoices):
        DUE = "due"
        DELIVERED = "delivered"
        FAILED = "failed", "given up"

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="deliveries")
    task = models.ForeignKey(Task, on_delete=models.PROTECT, null=True, blank=True, related_name="deliveries")
    event = models.CharField(max_length=40)
    url = models.CharField(max_length=2048)
    webhook_id = models.CharField(max_length=64, unique=True)
    state = models.CharField(max_length=10, choices=State, default=State.DUE)
    tries_left = models.PositiveSmallIntegerField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    delivered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "deliveries"
        indexes = [
            models.Index(fields=["organization", "-id"], name="deliveries_of_an_organization"),
            models.Index(fields=["due_at"], name="deliveries_that_are_due", condition=Q(due_at__isnull=False)),
        ]
        constraints = [
            models.UniqueConstraint(fields=["task", "event"], name="one_delivery_per_task_and_event"),
            models.CheckConstraint(
                condition=Q(state__in=["due", "delivered", "failed"]), name="delivery_state_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event} to {self.url}"

    @property
    def public_id(self) -> str:
        return ids.encode(self.PREFIX, self.id)


class DeliveryTry(models.Model):
    """One sending of a delivery and what came back."""

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="tries")
    number = models.PositiveSmallIntegerField()
    started_at = models.DateTimeField(default=timezone.now)
    seconds = models.DecimalField(max_digits=8, decimal_places=3)
    status = models.PositiveSmallIntegerField(null=True, blank=True, help_text="HTTP status; empty: no answer.")
    error = models.CharField(max_length=300, blank=True)
    response_start = models.TextField(blank=True, help_text="The first 2 kB.")

    class Meta:
        verbose_name_plural = "delivery tries"
        constraints = [models.UniqueConstraint(fields=["delivery", "number"], name="tries_of_a_delivery_are_numbered")]

    def __str__(self) -> str:
        return f"{self.delivery} try {self.number}"
