"""Drafts of price changes: cells that operators change until the draft becomes a version, or is discarded."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from billing.models.prices import Cell, PriceVersion, Unit


class PriceDraft(models.Model):
    """Begins with the cells of the youngest version, and must still follow it when it becomes one itself."""

    note = models.CharField(max_length=200, help_text="What changes. The version will carry it.")
    base = models.ForeignKey(PriceVersion, on_delete=models.PROTECT, related_name="drafts", editable=False)
    version = models.OneToOneField(
        PriceVersion, on_delete=models.PROTECT, null=True, blank=True, related_name="draft", editable=False
    )
    discarded_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(version__isnull=True) | Q(discarded_at__isnull=True),
                name="a_draft_is_scheduled_or_discarded",
            ),
        ]

    def __str__(self) -> str:
        return self.note

    @property
    def is_open(self) -> bool:
        return self.version_id is None and self.discarded_at is None


class DraftCell(Cell):
    draft = models.ForeignKey(PriceDraft, on_delete=models.CASCADE, related_name="cells", db_index=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["draft", "model", "cell"], name="one_price_per_draft_model_and_cell"),
            models.CheckConstraint(
                condition=Q(rate__gte=0, factor__gte=0, minimum_seconds__gte=0), name="drafted_price_is_not_negative"
            ),
            models.CheckConstraint(condition=Q(unit__in=Unit.values), name="drafted_price_unit_is_known"),
        ]
