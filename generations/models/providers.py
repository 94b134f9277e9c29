"""Our accounts at the upstream providers. Adding one is an operator's act, not a deploy."""

import json
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
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
    pauses = models.JSONField(
        default=dict, editable=False, help_text='What is left alone: {"*" or model: {"until", "reason", "soft"}}.'
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(serves__in=["live", "sandbox"]), name="account_serves_is_known")
        ]

    def __str__(self) -> str:
        return self.name

    def set_credentials(self, credentials: dict[str, str]) -> None:
        self.encrypted_credentials = encryption.encrypt(json.dumps(credentials))

    def caller(self) -> Account:
        """What an adapter needs to call it. The credentials never leave by another way."""
        credentials = json.loads(encryption.decrypt(bytes(self.encrypted_credentials)))
        keys = self.encrypted_callback_keys
        callback_keys = json.loads(encryption.decrypt(bytes(keys))) if keys else {}
        return Account(base_url=self.base_url, credentials=credentials, callback_keys=callback_keys)
