"""Prices are data with a date: a version of the price book, its cells, and exact rates for a user group."""

from django.db import models
from django.utils import timezone


class Unit(models.TextChoices):
    SECOND = "second"
    CALL = "call"


class PriceVersion(models.Model):
    """One state of `price_book.toml`. The youngest version that is in effect prices every new task."""

    effective_at = models.DateTimeField(unique=True)
    digest = models.CharField(max_length=64, editable=False, help_text="SHA-256 of the content.")
    note = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        get_latest_by = "effective_at"

    def __str__(self) -> str:
        return f"since {self.effective_at:%Y-%m-%d %H:%M} ({self.digest[:8]})"


class PriceCell(models.Model):
    """What one variant of a model costs: `rate x factor` a second (at least `minimum_seconds`), or a call."""

    version = models.ForeignKey(PriceVersion, on_delete=models.CASCADE, related_name="cells", db_index=False)
    model = models.CharField(max_length=80)
    cell = models.CharField(max_length=40, help_text="The variant: 720p_off, 1080p_on, call, …")
    label = models.CharField(max_length=80, help_text="The variant in words, for quotes.")
    unit = models.CharField(max_length=6, choices=Unit)
    rate = models.DecimalField(max_digits=12, decimal_places=4)
    factor = models.DecimalField(max_digits=8, decimal_places=4)
    minimum_seconds = models.DecimalField(max_digits=8, decimal_places=2, default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["version", "model", "cell"], name="one_price_per_version_model_and_cell"),
            models.CheckConstraint(condition=models.Q(rate__gte=0, factor__gte=0), name="price_is_not_negative"),
            models.CheckConstraint(condition=models.Q(minimum_seconds__gte=0), name="minimum_seconds_is_not_negative"),
            models.CheckConstraint(condition=models.Q(unit__in=Unit.values), name="price_unit_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.model} {self.cell}"


class GroupPrice(models.Model):
    """An exact rate of a user group for a model. It replaces the cell's rate and wins over the group's multiplier."""

    user_group = models.ForeignKey(
        "accounts.UserGroup", on_delete=models.CASCADE, related_name="prices", db_index=False
    )
    model = models.CharField(max_length=80)
    rate = models.DecimalField(max_digits=12, decimal_places=4)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user_group", "model"], name="one_group_price_per_model"),
            models.CheckConstraint(condition=models.Q(rate__gte=0), name="group_price_is_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.user_group} {self.model}"
