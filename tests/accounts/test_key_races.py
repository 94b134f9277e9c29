"""Everything about keys runs concurrently with itself."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from accounts import keys
from accounts.errors import ApiError
from accounts.models import ApiKey
from tests.cast import Person, client_for

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(times: int, act: Callable[[], Any]) -> list[Any]:
    """What `act` returned or raised, called by that many threads at the same moment."""
    start = threading.Barrier(times)

    def run() -> Any:
        start.wait()
        try:
            return act()
        except ApiError as refused:
            return refused
        finally:
            connection.close()

    with ThreadPoolExecutor(times) as pool:
        return [one.result() for one in [pool.submit(run) for _ in range(times)]]


def test_a_key_that_is_rolled_many_times_at_once_is_rolled_once(alice: Person) -> None:
    key, _ = alice.key_with("read")
    outcome = at_once(8, lambda: keys.roll(key, by=alice.membership))
    assert sum(isinstance(one, tuple) for one in outcome) == 1
    assert {one.code for one in outcome if isinstance(one, ApiError)} == {"invalid_parameter"}
    assert key.rolled_into.count() == 1


def test_rolling_and_revoking_at_once_leaves_no_working_twin_unnoticed(alice: Person) -> None:
    key, secret = alice.key_with("read")
    rolled = at_once(2, lambda: keys.roll(key, by=alice.membership))
    at_once(4, lambda: keys.revoke(key, by=alice.membership))
    assert client_for(secret).get("/v1/keys").json()["error"]["code"] == "key_disabled"
    new = next(one[0] for one in rolled if isinstance(one, tuple))
    assert ApiKey.objects.get(pk=new.pk).revoked_at is None


def test_the_last_use_of_a_busy_key_is_written_once(alice: Person) -> None:
    _, secret = alice.key_with("keys")
    assert {answer.status_code for answer in at_once(8, lambda: client_for(secret).get("/v1/keys"))} == {200}
    key = keys.find(secret)
    assert key is not None
    assert key.last_used_at is not None


def test_two_changes_at_once_both_hold(alice: Person) -> None:
    key, _ = alice.key_with("read")
    changes: Iterator[dict[str, Any]] = iter(
        [{"name": "renamed"}, {"requests_per_minute": 7}, {"daily_limit": 3}, {"running_limit": 2}]
    )
    at_once(4, lambda: keys.change(key, by=alice.membership, **next(changes)))
    now = ApiKey.objects.select_related("budget").get(pk=key.pk)
    assert (now.name, now.requests_per_minute, now.budget.daily_limit, now.running_limit) == ("renamed", 7, 3, 2)
