"""What tests of breakers share: attempts that ended well or not, opened breakers and their probes."""

from datetime import datetime
from typing import Any

from django.utils import timezone

from accounts import ids
from generations import breaker, lifecycle
from generations.models import Attempt, Breaker, ProviderAccount, Task
from generations.providers.base import Plan, ProviderRefused
from tests.generations.two_accounts import MODEL, let_time_pass, row_of

EMPTY = ProviderRefused("empty", scope="account", certain=True)
NO_PERMISSION = ProviderRefused("no permission", scope="model", certain=True)
NO_CONNECTION = ProviderRefused("No connection", scope="account")


def ended(task: Task, account: ProviderAccount, *faults: bool, at: datetime | None = None, **values: Any) -> Attempt:
    """Attempts at the account that ended, each by the provider's fault or not; the last of them."""
    for fault in faults:
        last = Attempt.objects.create(
            task=task,
            account=account,
            model=values.get("model", MODEL),
            number=task.attempts.count() + 1,
            route="/x",
            state="failed",
            fault=fault,
            judged_at=at or timezone.now(),
            accepted_at=values.get("accepted_at"),
            is_probe=values.get("is_probe", False),
        )
    return last


def probe_of(task: Task, account: ProviderAccount) -> Attempt:
    """An attempt that the breaker lets through although it is open, committed as the workers do it."""
    attempt = lifecycle.begin_attempt(
        task, account, plan=Plan(route="/x"), choice=[], cost_estimate=0, is_probe=True, attempt_id=ids.new()
    )
    assert attempt is not None
    return attempt


def opened(task: Task, account: ProviderAccount, refusal: ProviderRefused = NO_PERMISSION) -> Breaker:
    """The breaker of the model on the account, open, with its first wait over."""
    breaker.refused(ended(task, account, True), refusal)
    let_time_pass()
    return row_of(account, "*" if refusal.scope == "account" else MODEL)


def seconds_until(moment: datetime | None) -> float:
    assert moment is not None
    return (moment - timezone.now()).total_seconds()
