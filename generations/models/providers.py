"""Our accounts at the upstream providers. Adding one is an operator's act, not a deploy."""

import json
from decimal import Decimal, InvalidOperation
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Value
from django.utils import timezone

from accounts import encryption
from generations.providers.base import Account

MAX_COST = 10_000  # dollars a second or a call


def check_caps(value: Any) -> None:
    """Whole numbers of 0 or more, by model. Raises ValidationError."""
    if not isinstance(value, dict) or not all(type(cap) is int and cap >= 0 for cap in value.values()):
        raise ValidationError('This must look like {"*": 20, "model": 5}, with whole numbers of 0 or more.')


def check_costs(value: Any) -> None:
    """US dollars of 0 or more, by model and cell. Raises ValidationError."""
    by_model = list(value.values()) if isinstance(value, dict) else [value]
    if not all(isinstance(cells, dict) and all(map(_is_cost, cells.values())) for cells in by_model):
        raise ValidationError('This must look like {"model": {"720p_off": "0.084"}}, with dollars of 0 or more.')


def check_rates(value: Any) -> None:
    """US dollars of 0 or more, by the unit or currency. Raises ValidationError."""
    if not isinstance(value, dict) or not all(map(_is_cost, value.values())):
        raise ValidationError('This must look like {"unit": "0.14"}, with dollars of 0 or more.')


def _is_cost(value: Any) -> bool:
    try:
        rate = Decimal(str(value))
    except InvalidOperation:
        return False
    return rate.is_finite() and 0 <= rate < MAX_COST


class ProviderAccount(models.Model):
    """One account: where it is, how we sign in, what it can take at once and what it costs us."""

    class Serves(models.TextChoices):
        LIVE = "live", "live keys"
        SANDBOX = "sandbox", "sandbox keys"

    name = models.SlugField(max_length=60, unique=True)
    alias = models.CharField(max_length=40, help_text="What a customer may read instead of the provider's name.")
    provider = models.CharField(max_length=30)
    base_url = models.URLField(max_length=300)
    encrypted_credentials = models.BinaryField(editable=False, default=bytes)
    encrypted_callback_keys = models.BinaryField(editable=False, null=True)
    callback_keys_at = models.DateTimeField(null=True, blank=True, editable=False, help_text="When asked for.")
    serves = models.CharField(max_length=8, choices=Serves, default=Serves.LIVE)
    simulator = models.BooleanField(default=False, help_text="A simulator: never real, never in reports.")
    enabled = models.BooleanField(default=True)
    draining = models.BooleanField(default=False, help_text="Finish what runs, take nothing new.")
    caps = models.JSONField(
        default=dict, blank=True, validators=[check_caps], help_text='Tasks at once by model: {"*": 20, "model": 5}.'
    )
    costs = models.JSONField(
        default=dict,
        blank=True,
        validators=[check_costs],
        help_text='US dollars by model and cell: {"model": {"720p_off": "0.084"}}.',
    )
    rates = models.JSONField(
        default=dict,
        db_default=Value({}, models.JSONField()),
        blank=True,
        validators=[check_rates],
        help_text='What is worth how many US dollars, where the provider charges in something else: {"unit": "0.14"}.',
    )
    weight = models.PositiveSmallIntegerField(
        default=1,
        db_default=1,
        validators=[MinValueValidator(1)],
        help_text="Of those that cost the same, how much of the work this one gets: 3 is three times as much as 1.",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(serves__in=["live", "sandbox"]), name="account_serves_is_known"),
            models.CheckConstraint(condition=models.Q(weight__gte=1), name="account_weight_is_positive"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_barred(self) -> bool:
        """A simulator that must not serve the live keys it is for."""
        return self.simulator and self.serves == self.Serves.LIVE and not settings.SIMULATORS_SERVE_LIVE_KEYS

    def offers(self, model: str, cell: str | None = None) -> bool:
        """Whether it has a cost for the model (in that cell). A simulator without any is free."""
        if self.simulator and not self.costs:
            return True
        cells = self.costs.get(model, {})
        return bool(cells) if cell is None else cells.get(cell) is not None

    def rate_of(self, unit: str) -> Decimal | None:
        """Dollars for one of what the provider charges in; None when no operator said."""
        rate = self.rates.get(unit)
        return None if rate is None else Decimal(str(rate))

    def set_credentials(self, credentials: dict[str, str]) -> None:
        self.encrypted_credentials = encryption.encrypt(json.dumps(credentials))

    def caller(self) -> Account:
        """What an adapter needs to call it. The credentials never leave by another way."""
        credentials = json.loads(encryption.decrypt(bytes(self.encrypted_credentials)))
        keys = self.encrypted_callback_keys
        callback_keys = json.loads(encryption.decrypt(bytes(keys))) if keys else {}
        return Account(base_url=self.base_url, credentials=credentials, callback_keys=callback_keys)
