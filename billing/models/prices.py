"""Prices are data with a date: versions of the price book with their cells, and what some pay instead.

Nothing here is edited. A change is a further row with its own moment; the youngest row in effect counts. What has not
begun yet can be withdrawn, and then counts for nothing; a trigger refuses everything else.
"""

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils import timezone

WITHDRAWN_ONCE = """
    IF TG_OP = 'UPDATE' AND OLD.withdrawn_at IS NULL AND NEW.withdrawn_at IS NOT NULL
        AND OLD.effective_at > clock_timestamp()
        AND to_jsonb(NEW) - 'withdrawn_at' - 'withdrawn_reason' = to_jsonb(OLD) - 'withdrawn_at' - 'withdrawn_reason'
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'Rows of % are never changed; before they take effect they can be withdrawn.', TG_TABLE_NAME;
"""
IN_FORCE = Q(withdrawn_at__isnull=True)


def dated(name: str) -> pgtrigger.Trigger:
    """Refuse every change of a row but its withdrawal before it takes effect."""
    changes = pgtrigger.Update | pgtrigger.Delete
    return pgtrigger.Trigger(name=name, when=pgtrigger.Before, operation=changes, func=WITHDRAWN_ONCE)


class Unit(models.TextChoices):
    SECOND = "second"
    CALL = "call"


class Dated(models.Model):
    """A row that counts from a moment on, until a younger one does."""

    effective_at = models.DateTimeField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    withdrawn_at = models.DateTimeField(null=True, blank=True, editable=False)
    withdrawn_reason = models.CharField(max_length=300, blank=True, db_default="", editable=False)

    class Meta:
        abstract = True


class PriceVersion(Dated):
    """One state of the price book, from its file or from a draft. The youngest in effect prices every new task."""

    digest = models.CharField(max_length=64, editable=False, help_text="SHA-256 of the content.")
    file_digest = models.CharField(
        max_length=64, blank=True, db_default="", editable=False, help_text="Of the file it was loaded from, if any."
    )
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        get_latest_by = "effective_at"
        constraints = [
            models.UniqueConstraint(fields=["effective_at"], condition=IN_FORCE, name="one_price_version_per_moment"),
        ]
        triggers = [dated("price_versions_are_never_changed")]

    def __str__(self) -> str:
        return f"since {self.effective_at:%Y-%m-%d %H:%M} ({self.digest[:8]})"


class Cell(models.Model):
    """What one variant of a model costs: `rate x factor` a second (at least `minimum_seconds`), or a call."""

    model = models.CharField(max_length=80)
    cell = models.CharField(max_length=40, help_text="The variant: 720p_off, 1080p_on, call, …")
    label = models.CharField(max_length=80, help_text="The variant in words, for quotes.")
    unit = models.CharField(max_length=6, choices=Unit)
    rate = models.DecimalField(max_digits=12, decimal_places=4)
    factor = models.DecimalField(max_digits=8, decimal_places=4)
    minimum_seconds = models.DecimalField(max_digits=8, decimal_places=2, default=0)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.model} {self.cell}"


class PriceCell(Cell):
    version = models.ForeignKey(PriceVersion, on_delete=models.CASCADE, related_name="cells", db_index=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["version", "model", "cell"], name="one_price_per_version_model_and_cell"),
            models.CheckConstraint(condition=Q(rate__gte=0, factor__gte=0), name="price_is_not_negative"),
            models.CheckConstraint(condition=Q(minimum_seconds__gte=0), name="minimum_seconds_is_not_negative"),
            models.CheckConstraint(condition=Q(unit__in=Unit.values), name="price_unit_is_known"),
        ]
        triggers = [
            pgtrigger.Protect(name="prices_are_never_changed", operation=pgtrigger.Update | pgtrigger.Delete),
        ]


class PriceOverride(Dated):
    """What a user group or an organization pays instead: a multiplier for all models, or an exact rate for one.

    The multiplier multiplies the cell's rate, an exact rate replaces it. A row with neither ends what was before.
    """

    user_group = models.ForeignKey(
        "accounts.UserGroup",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="price_overrides",
        db_index=False,
    )
    organization = models.ForeignKey(
        "accounts.Organization",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="price_overrides",
        db_index=False,
    )
    model = models.CharField(max_length=80, blank=True, help_text="Empty: a multiplier for all models.")
    multiplier = models.DecimalField(max_digits=8, decimal_places=4, null=True, blank=True)
    rate = models.DecimalField(max_digits=12, decimal_places=4, null=True, blank=True, help_text="Exact, for a model.")
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user_group", "model", "effective_at"],
                condition=IN_FORCE,
                name="one_override_per_group_model_and_moment",
            ),
            models.UniqueConstraint(
                fields=["organization", "model", "effective_at"],
                condition=IN_FORCE,
                name="one_override_per_organization_model_and_moment",
            ),
            models.CheckConstraint(
                condition=Q(user_group__isnull=True, organization__isnull=False)
                | Q(user_group__isnull=False, organization__isnull=True),
                name="an_override_is_a_groups_or_an_organizations",
            ),
            models.CheckConstraint(
                condition=Q(model="", rate__isnull=True) | (~Q(model="") & Q(multiplier__isnull=True)),
                name="a_multiplier_is_for_all_models_and_a_rate_for_one",
            ),
            models.CheckConstraint(
                condition=(Q(multiplier__isnull=True) | Q(multiplier__gte=0)) & (Q(rate__isnull=True) | Q(rate__gte=0)),
                name="override_is_not_negative",
            ),
        ]
        triggers = [dated("price_overrides_are_never_changed")]

    def __str__(self) -> str:
        return f"{self.organization or self.user_group}: {self.what}"

    @property
    def what(self) -> str:
        """× 0.9, or 4.8 for kling-v3-text-to-video, or that it ended."""
        if self.model:
            ended = f"{self.model} without an exact rate"
            return ended if self.rate is None else f"{self.rate.normalize():f} for {self.model}"
        return "without a multiplier" if self.multiplier is None else f"× {self.multiplier.normalize():f}"
