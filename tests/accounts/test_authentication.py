"""Who gets in with which key, and what is said to the others."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from accounts import key_text, keys, organizations
from accounts.models import ApiKey
from tests.cast import Person, client_for

URL = "/v1/keys"


def refusal(answer: Any) -> tuple[int, str, str]:
    error = answer.json()["error"]
    return answer.status_code, error["type"], error["code"]


def test_a_good_key_gets_in(alice: Person) -> None:
    assert alice.client.get(URL).status_code == 200


def test_without_a_key_the_answer_names_the_header(anyone: APIClient) -> None:
    answer = anyone.get(URL)
    assert refusal(answer) == (401, "authentication_error", "missing_api_key")
    assert answer["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("header", ["Basic YTpi", "Bearer", "Bearer ", "sk-abc"])
def test_a_header_that_is_no_bearer_counts_as_missing(anyone: APIClient, header: str) -> None:
    answer = anyone.get(URL, HTTP_AUTHORIZATION=header)
    assert refusal(answer) == (401, "authentication_error", "missing_api_key")


@pytest.mark.django_db
def test_a_key_that_nobody_made_is_refused() -> None:
    answer = client_for(key_text.generate(sandbox=False)).get(URL)
    assert refusal(answer) == (401, "authentication_error", "invalid_api_key")


def test_a_typo_is_refused_without_a_look_up(django_assert_num_queries: DjangoAssertNumQueries, alice: Person) -> None:
    typo = alice.secret[:-1] + ("0" if alice.secret[-1] != "0" else "1")
    with django_assert_num_queries(0):
        answer = client_for(typo).get(URL)
    assert refusal(answer) == (401, "authentication_error", "invalid_api_key")


def test_a_disabled_key_is_refused(alice: Person) -> None:
    keys.change(alice.key, by=alice.membership, enabled=False)
    assert refusal(alice.client.get(URL)) == (401, "authentication_error", "key_disabled")


def test_a_revoked_key_is_refused(alice: Person) -> None:
    keys.revoke(alice.key, by=alice.membership)
    assert refusal(alice.client.get(URL)) == (401, "authentication_error", "key_disabled")


def test_a_key_works_until_it_expires(alice: Person) -> None:
    now = timezone.now()
    client = alice.client_with("keys", expires_at=now + timedelta(hours=1))
    assert client.get(URL).status_code == 200
    with time_machine.travel(now + timedelta(hours=1), tick=False):
        assert refusal(client.get(URL)) == (401, "authentication_error", "key_expired")


def test_a_suspended_organization_is_refused_until_it_is_resumed(alice: Person) -> None:
    organizations.suspend(alice.organization, "chargeback")
    assert refusal(alice.client.get(URL)) == (403, "permission_error", "organization_suspended")
    organizations.resume(alice.organization)
    assert alice.client.get(URL).status_code == 200


def test_suspending_takes_the_sandbox_along(alice: Person) -> None:
    twin = organizations.sandbox_twin(alice.organization)
    _, secret = keys.create(twin, by=alice.membership, name="test", scopes=["keys"])
    assert client_for(secret).get(URL).status_code == 200
    organizations.suspend(alice.organization, "chargeback")
    assert refusal(client_for(secret).get(URL)) == (403, "permission_error", "organization_suspended")


def test_one_statement_tells_all_about_the_caller(
    alice: Person, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    keys.remember_use(alice.key, timezone.now())
    with django_assert_num_queries(1):
        key = keys.find(alice.secret)
        assert key is not None
        assert (key.organization.user_group.name, key.budget.total_limit) == ("default", None)


def test_the_last_use_is_written_at_most_once_in_five_minutes(alice: Person) -> None:
    start = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    written = []
    for seconds in (0, 60, 299, 300, 301):
        with time_machine.travel(start + timedelta(seconds=seconds), tick=False):
            alice.client.get(URL)
        written.append(ApiKey.objects.get(pk=alice.key.pk).last_used_at)
    later = start + timedelta(seconds=300)
    assert written == [start, start, start, later, later]


def test_the_text_of_a_key_is_stored_nowhere(alice: Person) -> None:
    row = ApiKey.objects.filter(pk=alice.key.pk).values().get()
    assert alice.secret not in str(row)
    assert bytes(row["digest"]) == key_text.digest(alice.secret)
