"""GET /v1/credits and GET /v1/ledger: an organization reads its own books, in numbers, page by page."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.utils import timezone

from billing import ledger
from tests.billing.books import give, key_of, reserve
from tests.cast import Person, client_for, give_key


def credits_of(person: Person) -> dict[str, object]:
    answer = person.client.get("/v1/credits")
    assert answer.status_code == 200
    assert (answer.json()["success"], answer.json()["message"]) == (True, "")
    return answer.json()["data"]


def test_credits_say_what_is_left_and_used(alice: Person) -> None:
    give(alice.organization, 100)
    ledger.capture(reserve(alice.organization, "35.991", api_key=alice.key).id)
    ledger.capture(reserve(alice.organization, 10).id)
    reserve(alice.organization, 4, api_key=alice.key)

    assert credits_of(alice) == {
        "user": {"remaining_credits": 50.009, "used_credits": 45.991},
        "token": {"remaining_credits": 50.009, "used_credits": 35.991, "unlimited_credits": True},
    }


@pytest.mark.parametrize(
    ("total", "daily", "remaining"), [(40, None, 9), (None, 35, 4), (40, 35, 4), (10_000, None, 69)]
)
def test_a_limited_key_may_spend_what_its_limits_and_the_organization_leave(
    alice: Person, total: int | None, daily: int | None, remaining: int
) -> None:
    give(alice.organization, 100)
    key, secret = give_key(
        alice.organization, total_limit=total and Decimal(total), daily_limit=daily and Decimal(daily)
    )
    ledger.capture(reserve(alice.organization, 27, api_key=key).id)
    reserve(alice.organization, 4, api_key=key)

    token = client_for(secret).get("/v1/credits").json()["data"]["token"]

    assert token == {"remaining_credits": remaining, "used_credits": 27, "unlimited_credits": False}


def test_expired_credits_are_not_left_even_before_the_sweep(alice: Person) -> None:
    give(alice.organization, 30, expires_at=timezone.now() + timedelta(days=1))
    give(alice.organization, 5)

    with time_machine.travel(timezone.now() + timedelta(days=2)):
        assert credits_of(alice)["user"] == {"remaining_credits": 5, "used_credits": 0}


def test_the_ledger_shows_every_movement_newest_first(alice: Person) -> None:
    give(alice.organization, 100, reference="welcome")
    held = ledger.capture(reserve(alice.organization, "35.991").id, Decimal(30))

    page = alice.client.get("/v1/ledger").json()

    assert page["next_cursor"] is None
    assert [
        (row["seq"], row["kind"], row["amount"], row["balance_after"], row["reserved_after"]) for row in page["data"]
    ] == [
        (4, "release", 5.991, 70, 0),
        (3, "capture", 30, 70, 5.991),
        (2, "reserve", 35.991, 100, 35.991),
        (1, "grant", 100, 100, 0),
    ]
    newest, oldest = page["data"][0], page["data"][-1]
    assert newest["task_id"] == held.task_id
    assert abs(newest.pop("created") - timezone.now().timestamp()) < 60
    assert oldest | {"created": 0} == {
        "object": "ledger.movement",
        "seq": 1,
        "kind": "grant",
        "amount": 100,
        "debit": "issued_promo",
        "credit": "available",
        "reference": "welcome",
        "task_id": None,
        "balance_after": 100,
        "reserved_after": 0,
        "created": 0,
    }


def test_the_cursor_leads_through_all_pages(alice: Person) -> None:
    for _ in range(5):
        give(alice.organization, 1)

    seen, cursor = [], ""
    while cursor is not None:
        page = alice.client.get(f"/v1/ledger?page_size=2{cursor and f'&cursor={cursor}'}").json()
        seen.append([row["seq"] for row in page["data"]])
        cursor = page["next_cursor"]

    assert seen == [[5, 4], [3, 2], [1]]


def test_a_time_narrows_the_ledger_down(alice: Person) -> None:
    start = datetime(2026, 11, 23, 12, tzinfo=UTC)
    with time_machine.travel(start, tick=False) as clock:
        for number in range(9):
            give(alice.organization, 1, reference=f"grant {number // 2}{number % 2}")
            clock.shift(timedelta(minutes=number % 2))

    def seen(**query: object) -> list[int]:
        return [row["seq"] for row in alice.client.get("/v1/ledger", query).json()["data"]]

    minute = [int((start + timedelta(minutes=number)).timestamp()) for number in range(-1, 7)]
    assert seen(created_after=minute[3]) == [9, 8, 7, 6, 5]
    assert seen(created_before=minute[2]) == [2, 1]
    assert seen(created_after=minute[2], created_before=minute[3]) == [4, 3]
    assert seen(created_after=minute[2], page_size=2, cursor=6) == [5, 4]
    assert seen(created_before=minute[0]) == seen(created_after=minute[7]) == []
    assert seen(created_after=minute[0], created_before=minute[7]) == list(range(9, 0, -1))


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("created_after=yesterday", "created_after"),
        ("created_before=-1", "created_before"),
        ("cursor=x", "cursor"),
        ("cursor=0", "cursor"),
        ("page_size=101", "page_size"),
        ("page_size=0", "page_size"),
    ],
)
def test_a_wrong_page_is_refused(alice: Person, query: str, param: str) -> None:
    answer = alice.client.get(f"/v1/ledger?{query}")

    assert answer.status_code == 400
    assert (answer.json()["error"]["code"], answer.json()["error"]["param"]) == ("invalid_parameter", param)


def test_a_stranger_sees_only_his_own_books(alice: Person, charlie: Person) -> None:
    give(alice.organization, 100)

    assert charlie.client.get("/v1/ledger").json() == {"object": "list", "data": [], "next_cursor": None}
    assert credits_of(charlie)["user"] == {"remaining_credits": 0, "used_credits": 0}


def test_reading_the_books_needs_the_scope_read(alice: Person) -> None:
    client = alice.client_with("generate")

    for path in ("/v1/credits", "/v1/ledger"):
        answer = client.get(path)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "key_scope_missing")


def test_a_key_of_another_organization_changes_nothing_here(alice: Person, charlie: Person) -> None:
    give(alice.organization, 100)
    give(charlie.organization, 100)
    ledger.capture(reserve(charlie.organization, 7, api_key=key_of(charlie.organization)).id)

    assert credits_of(alice)["token"] == {"remaining_credits": 100, "used_credits": 0, "unlimited_credits": True}
