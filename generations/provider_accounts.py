"""What is written to provider accounts: operators' acts, and the accounts at the simulator.

Each writes its own column alone, so what another writes meanwhile stays.
"""

from generations.models import ProviderAccount


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
