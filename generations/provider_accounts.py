"""What operators do to a provider account: switch it on or off, drain it, let it be tried again.

Each says it in one UPDATE of its own column, so what a worker writes meanwhile stays.
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


def end_pauses(account: ProviderAccount) -> None:
    """Forget that it was to be left alone for a while."""
    ProviderAccount.objects.filter(pk=account.pk).update(pauses={})
