"""What is written to provider accounts: operators' acts, callback keys, and the accounts at the simulator.

Each writes its own column alone, so what another writes meanwhile stays.
"""

import json
import logging
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from accounts import encryption
from generations.models import ProviderAccount
from generations.providers import ADAPTERS, adapter
from generations.providers.base import ProviderError

logger = logging.getLogger(__name__)
CALLBACK_KEYS_LIVE = timedelta(hours=12)
SIMULATED_RATES = {"unit": "0.126"}  # of Kling's largest pack


def enable(account: ProviderAccount) -> None:
    ProviderAccount.objects.filter(pk=account.pk).update(enabled=True)


def disable(account: ProviderAccount) -> None:
    """Nothing new is sent there; what runs is still watched."""
    ProviderAccount.objects.filter(pk=account.pk).update(enabled=False)


def drain(account: ProviderAccount) -> None:
    """Finish what runs, take nothing new."""
    ProviderAccount.objects.filter(pk=account.pk).update(draining=True)


def stop_draining(account: ProviderAccount) -> None:
    ProviderAccount.objects.filter(pk=account.pk).update(draining=False)


def fetch_callback_keys() -> None:
    """Ask the providers what their callbacks are signed with: at once for a new account, then twice a day.

    One that does not answer keeps the keys it had and is asked again with the next housekeeping.
    """
    old = timezone.now() - CALLBACK_KEYS_LIVE
    due = Q(callback_keys_at__isnull=True) | Q(callback_keys_at__lte=old)
    for account in ProviderAccount.objects.filter(due, enabled=True, provider__in=ADAPTERS):
        try:
            keys = adapter(account.provider).callback_keys(account.caller())
        except ProviderError as error:
            logger.warning("%s did not say what it signs callbacks with: %s", account, error)
        else:
            ProviderAccount.objects.filter(pk=account.pk).update(
                encrypted_callback_keys=encryption.encrypt(json.dumps(keys)), callback_keys_at=timezone.now()
            )


def ensure_simulator_accounts(base_url: str, api_key: str) -> None:
    """The development accounts at the simulator: one serves live keys, one serves sandbox keys. Run it again freely."""
    for serves in ProviderAccount.Serves.values:
        values = {
            "alias": "simulator",
            "provider": "kling",
            "base_url": base_url,
            "serves": serves,
            "simulator": True,
        }
        account, _ = ProviderAccount.objects.update_or_create(
            name=f"simulator-{serves}", defaults=values, create_defaults=values | {"rates": SIMULATED_RATES}
        )
        account.set_credentials({"api_key": api_key})
        account.save(update_fields=["encrypted_credentials"])
