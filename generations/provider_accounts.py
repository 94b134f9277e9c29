"""What is written to provider accounts: operators' switches, workers' pauses, and the accounts at the simulator.

Each writes its own column alone, so what another writes meanwhile stays.
"""

import json
import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts import encryption
from generations import alerts
from generations.models import ProviderAccount
from generations.providers import ADAPTERS, adapter
from generations.providers.base import ProviderError, ProviderRefused

logger = logging.getLogger(__name__)
CALLBACK_KEYS_LIVE = timedelta(hours=12)
PAUSE_SECONDS = {"account": 60, "model": 60, "soft": 2}
MAX_PAUSE_SECONDS = 300


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


def end_pauses(account: ProviderAccount) -> None:
    """Forget that it was to be left alone for a while."""
    ProviderAccount.objects.filter(pk=account.pk).update(pauses={})


def pause(account: ProviderAccount, model: str, refusal: ProviderRefused) -> datetime:
    """Leave the account (or one model on it) alone for a while, tell the operators, and say until when."""
    seconds = min(refusal.retry_after_seconds or PAUSE_SECONDS[refusal.scope], MAX_PAUSE_SECONDS)
    until = timezone.now() + timedelta(seconds=seconds)
    if account.serves == ProviderAccount.Serves.SANDBOX:
        return until
    scope = "*" if refusal.scope == "account" else model
    pause = {"until": until.isoformat(), "reason": refusal.reason[:300], "soft": refusal.scope == "soft"}
    with transaction.atomic():
        current = ProviderAccount.objects.select_for_update(no_key=True).get(pk=account.pk)
        current.pauses[scope] = pause
        current.save(update_fields=["pauses"])
    if refusal.scope != "soft":
        alerts.tell("provider-refused", f"{account} {scope}", refusal.reason)
    return until


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
        account, _ = ProviderAccount.objects.update_or_create(
            name=f"simulator-{serves}",
            defaults={
                "alias": "simulator",
                "provider": "kling",
                "base_url": base_url,
                "serves": serves,
                "simulator": True,
            },
        )
        account.set_credentials({"api_key": api_key})
        account.save(update_fields=["encrypted_credentials"])
