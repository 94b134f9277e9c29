"""Ten provider accounts on the four workers of one host: the one that hangs holds up its own work alone."""

from functools import partial

import pytest

from generations import lifecycle
from generations.models import ProviderAccount, Task
from tests.system.site import PRICE, Customer, Site, assert_nothing_is_wrong, together

pytestmark = pytest.mark.system

ACCOUNTS = 10
HANGS = "[sim:poll-slow 600]"


def add_accounts(site: Site) -> list[str]:
    """Nine more accounts that serve live keys, each for one task at a time; the names of all ten that work."""
    ProviderAccount.objects.filter(serves="live").update(caps={"*": 1})
    for number in range(1, ACCOUNTS):
        site.simulator.do("accounts", api_key=f"ten-{number}")
        account = ProviderAccount(name=f"ten-{number}", alias="ten", provider="kling", base_url=site.simulator.url)
        account.simulator, account.caps = True, {"*": 1}
        account.set_credentials({"api_key": f"ten-{number}"})
        account.save()
    return list(ProviderAccount.objects.filter(serves="live", enabled=True).values_list("name", flat=True))


def remove_accounts() -> None:
    ProviderAccount.objects.filter(name__startswith="ten-").update(enabled=False)
    ProviderAccount.objects.filter(serves="live").update(caps={})


def test_one_account_that_hangs_delays_none_of_the_nine_others(site: Site) -> None:
    names = add_accounts(site)
    customer = Customer(site.url, PRICE * 3 * ACCOUNTS)
    hanging = customer.buy(prompt=HANGS)
    site.until(lambda: customer.see(hanging)["status"] == "processing")
    others = together([partial(customer.buy, prompt=f"A lighthouse {n}") for n in range(2 * ACCOUNTS)], threads=4)

    tasks = site.finished(others, seconds=60)

    assert {task.status for task in tasks} == {Task.Status.COMPLETED}
    used = {name for task in tasks for name in task.attempts.values_list("account__name", flat=True)}
    held_up = Task.objects.get(status__in=Task.OPEN)
    assert used == set(names) - {held_up.attempts.get().account.name}
    assert held_up.public_id == hanging

    lifecycle.give_up(held_up)
    remove_accounts()
    assert customer.remaining() == PRICE * ACCOUNTS
    assert_nothing_is_wrong(site)
