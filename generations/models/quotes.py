"""Quotes: a price promised for a short time, to one organization, for one request."""

from django.db import models
from django.utils import timezone

from accounts import ids
from accounts.models import Organization
from billing.amounts import CreditsField
from generations.models.tasks import Task


class Quote(models.Model):
    """What a request will cost until `expires_at`, with every input of the price frozen. It prices one task."""

    PREFIX = "quote_"

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="quotes")
    model = models.CharField(max_length=80)
    body_digest = models.BinaryField(max_length=32)
    price = models.JSONField(help_text="Every input of the price, frozen.")
    user_group = models.CharField(max_length=40)
    credits = CreditsField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    task = models.OneToOneField(
        Task,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="quote",
        help_text="The task that it priced.",
    )

    class Meta:
        indexes = [models.Index(fields=["expires_at"], name="quotes_by_their_end")]
        constraints = [
            models.CheckConstraint(condition=models.Q(credits__gte=0), name="quoted_credits_are_not_negative")
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def public_id(self) -> str:
        return ids.encode(self.PREFIX, self.id)
