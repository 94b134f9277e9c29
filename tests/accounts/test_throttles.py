"""Requests per minute: counted by one statement, and only for keys that have a limit."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts import keys, throttles
from accounts.models import RateWindow
from tests.cast import Person, client_for

URL = "/v1/keys"
NOON = datetime(2026, 3, 1, 12, 0, 15, tzinfo=UTC)


def test_beyond_its_limit_a_key_is_told_when_to_come_back(alice: Person) -> None:
    client = alice.client_with("keys", requests_per_minute=2)
    with time_machine.travel(NOON, tick=False):
        answers = [client.get(URL) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 429, 429]
    error = answers[2].json()["error"]
    assert (error["type"], error["code"], answers[2]["Retry-After"]) == ("rate_limit_error", "rate_limited", "45")
    with time_machine.travel(NOON + timedelta(seconds=45), tick=False):
        assert client.get(URL).status_code == 200


def test_keys_are_counted_apart(alice: Person) -> None:
    first, second = (alice.client_with("keys", requests_per_minute=1) for _ in range(2))
    with time_machine.travel(NOON, tick=False):
        assert [client.get(URL).status_code for client in (first, second, first)] == [200, 200, 429]


def test_a_key_without_a_limit_is_not_counted(alice: Person) -> None:
    alice.client.get(URL)
    assert not RateWindow.objects.exists()


def test_counting_costs_one_statement(alice: Person, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    key, secret = alice.key_with("keys", requests_per_minute=60)
    keys.remember_use(key, timezone.now())
    with django_assert_num_queries(3):  # the key, the count, the list
        assert client_for(secret).get(URL).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_calls_at_once_are_all_counted(alice: Person) -> None:
    key, _ = alice.key_with("keys", requests_per_minute=10)
    start = threading.Barrier(8)

    def call() -> int:
        start.wait()
        try:
            return sum(throttles.count_call(key, 60.0) for _ in range(4))
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        passed = [pool.submit(call) for _ in range(8)]
    assert sum(one.result() for one in passed) == 10
    assert RateWindow.objects.get().calls == 10


def test_past_minutes_are_swept(alice: Person) -> None:
    key, _ = alice.key_with("keys", requests_per_minute=10)
    for minute in (1, 2, 3):
        throttles.count_call(key, 60.0 * minute)
    assert throttles.sweep(60.0 * 3) == 2
    assert RateWindow.objects.get().minute == 3
