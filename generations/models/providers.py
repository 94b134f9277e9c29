"""Our accounts at the upstream providers. Adding one is an operator's act, not a deploy."""

import json

from django.db import models
from django.utils import timezone

from accounts import encryption
from generations.providers.base import Account


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
    serves = models.CharField(max_length=8, choices=Serves, default=Serves.LIVE)
    simulator = models.BooleanField(default=False, help_text="A simulator: never real, never in reports.")
    enabled = models.BooleanField(default=True)
    draining = models.BooleanField(default=False, help_text="Finish what runs, take nothing new.")
    caps = models.JSONField(default=dict, blank=True, help_text='Tasks at once by model: {"*": 20, "model": 5}.')
    costs = models.JSONField(
        default=dict, blank=True, help_text='US dollars by model and cell: {"model": {"720p_off": "0.084"}}.'
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
        return Account(base_url=self.base_url, credentials=credentials)
