"""The cheapest account is down, in each way an account can be: everything is made elsewhere, and operators see why.

CHAOS_TASKS makes it larger.
"""

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from generations.models import Alert, Attempt, Breaker, ProviderAccount, Task
from tests.generations.two_accounts import DOWN, MODEL, add_account, break_down
from tests.system.site import PRICE, Customer, Site, assert_nothing_is_wrong, together

pytestmark = pytest.mark.system

TASKS = int(os.environ.get("CHAOS_TASKS", "40"))


@pytest.fixture
def cheapest(site: Site) -> Iterator[ProviderAccount]:
    """It and a dearer one are all that serve; each test has accounts of its own."""
    usual = list(ProviderAccount.objects.filter(serves="live", enabled=True))
    number = ProviderAccount.objects.count()
    made = [
        add_account(site.simulator, f"{name}-{number}", rate) for name, rate in (("cheap", "0.06"), ("dear", "0.07"))
    ]
    ProviderAccount.objects.filter(pk__in=[account.pk for account in usual]).update(enabled=False)
    yield made[0]
    ProviderAccount.objects.filter(pk__in=[account.pk for account in made]).update(enabled=False)
    ProviderAccount.objects.filter(pk__in=[account.pk for account in usual]).update(enabled=True)


def why_not(attempt: Attempt, account: ProviderAccount) -> str:
    """What stood against the account when the attempt was sent elsewhere."""
    return next(row["reason"] for row in attempt.choice if row["account"] == account.name)


@pytest.mark.parametrize("way", DOWN)
def test_while_the_cheapest_is_down_everything_is_made_elsewhere(
    site: Site, cheapest: ProviderAccount, way: str
) -> None:
    break_down(site.simulator, cheapest, way)
    customer = Customer(site.url, PRICE * TASKS)
    calls: list[Callable[[], str]] = [partial(customer.buy, prompt=f"A lighthouse {n}") for n in range(TASKS)]

    tasks = site.finished(together(calls, threads=4), seconds=90 + TASKS)

    assert Counter(task.status for task in tasks) == {Task.Status.COMPLETED: TASKS}
    assert customer.remaining() == 0
    made = Attempt.objects.filter(task__in=tasks, state=Attempt.State.SUCCEEDED).select_related("account")
    assert {attempt.account.name.partition("-")[0] for attempt in made} == {"dear"}
    reasons = Counter(why_not(attempt, cheapest).partition(":")[0] for attempt in made)
    sys.stderr.write(f"{way}: {dict(reasons)}\n")
    expected = {"told to slow down"} if way == "429" else {"tripped", "the task failed here", "can take it, asked last"}
    assert set(reasons) <= expected
    assert reasons["told to slow down"] == TASKS if way == "429" else reasons["tripped"] > 0
    told = set(Alert.objects.values_list("kind", flat=True))
    assert ("breaker-tripped" in told) == (way != "429")
    tripped = Breaker.objects.filter(account=cheapest).exclude(state=Breaker.State.CLOSED)
    assert [row.model for row in tripped] == {"429": [], "empty balance": ["*"]}.get(way, [MODEL])
    assert_nothing_is_wrong(site)
