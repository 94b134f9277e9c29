"""GET /v1/usage: what tasks reserved, cost and gave back, grouped as asked, exact to the moment."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest
import time_machine

from accounts import ids
from accounts.errors import InvalidRequest
from billing import ledger, rollups
from generations import usage
from tests.cast import Person
from tests.generations.gateway import Steps, ask

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
NOTHING = {
    "credits_reserved": 0,
    "credits_charged": 0,
    "credits_refunded": 0,
    "credits_used": 0,
    "tasks": 0,
    "tasks_charged": 0,
    "tasks_refunded": 0,
}


@pytest.fixture
def spent(alice: Person) -> Person:
    """Two days, two models, two keys: charged, released, refunded and still reserved."""
    acme, other = alice.organization, alice.key_with("generate")[0]
    with time_machine.travel(NOON, tick=False) as clock:
        ledger.top_up(acme, Decimal(1000), reference="payment")
        first = ledger.reserve(acme, ids.new(), Decimal("35.991"), api_key=alice.key, model="one")
        ledger.capture(first.id, Decimal("30.0001"))
        ledger.release(ledger.reserve(acme, ids.new(), Decimal(7), api_key=other, model="two").id)
        late = ledger.reserve(acme, ids.new(), Decimal(10), api_key=alice.key, model="two")
        clock.shift(timedelta(days=1))
        rollups.roll(acme.pk)
        ledger.capture(late.id)
        ledger.refund(first.id, Decimal("0.5"), reference="sorry")
        ledger.reserve(acme, ids.new(), Decimal(4), model="one")
    return alice


def used(who: Person, query: str = "") -> dict[str, Any]:
    answer = who.client.get(f"/v1/usage?from=2026-11-01&to=2026-11-30{query}")
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def figures(**known: float) -> dict[str, float]:
    return NOTHING | known


def test_the_total_of_a_month(spent: Person) -> None:
    total = figures(
        credits_reserved=56.991,
        credits_charged=40.0001,
        credits_refunded=13.4909,
        credits_used=39.5001,
        tasks=4,
        tasks_charged=2,
        tasks_refunded=1,
    )
    assert used(spent) == {
        "object": "usage",
        "from": "2026-11-01",
        "to": "2026-11-30",
        "time_zone": "UTC",
        "group_by": [],
        "total": total,
        "data": [total],
    }


def test_by_day_and_model(spent: Person) -> None:
    assert used(spent, "&group_by=day,model")["data"] == [
        {"day": "2026-11-23", "model": "one"}
        | figures(
            credits_reserved=35.991,
            credits_charged=30.0001,
            credits_refunded=5.9909,
            credits_used=30.0001,
            tasks=1,
            tasks_charged=1,
        ),
        {"day": "2026-11-23", "model": "two"}
        | figures(credits_reserved=17, credits_refunded=7, tasks=2, tasks_refunded=1),
        {"day": "2026-11-24", "model": "one"}
        | figures(credits_reserved=4, credits_refunded=0.5, credits_used=-0.5, tasks=1),
        {"day": "2026-11-24", "model": "two"} | figures(credits_charged=10, credits_used=10, tasks_charged=1),
    ]


def test_by_key(spent: Person) -> None:
    rows = used(spent, "&group_by=key")["data"]
    told = {(row["key_id"], row["key_name"]): row["credits_reserved"] for row in rows}
    other = spent.organization.api_keys.exclude(pk=spent.key.pk).get()
    assert told == {
        (spent.key.public_id, spent.key.name): 45.991,
        (other.public_id, "generate"): 7,
        (None, None): 4,
    }


@pytest.mark.parametrize(
    "order", [",".join(names) for size in (1, 2, 3) for names in permutations(("day", "model", "key"), size)]
)
def test_any_subset_in_any_order_makes_the_same_total(spent: Person, order: str) -> None:
    found = used(spent, f"&group_by={order}")
    assert found["group_by"] == order.split(",")
    assert found["total"] == used(spent)["total"]
    for name in NOTHING:
        assert sum(Decimal(str(row[name])) for row in found["data"]) == Decimal(str(found["total"][name])), name
    columns = [name for name in found["data"][0] if name not in (*NOTHING, "key_name")]
    assert columns == [name.replace("key", "key_id") for name in order.split(",")]


def test_it_is_exact_however_much_is_rolled_up(spent: Person) -> None:
    with_a_tail = used(spent, "&group_by=day,key,model")
    rollups.roll_all()
    assert used(spent, "&group_by=day,key,model") == with_a_tail
    rollups.start_over(spent.organization.pk)
    assert used(spent, "&group_by=day,key,model") == with_a_tail


def test_both_days_are_included_and_days_are_of_utc(spent: Person) -> None:
    def tasks(since: str, until: str) -> int:
        found: int = spent.client.get("/v1/usage", {"from": since, "to": until}).json()["total"]["tasks"]
        return found

    assert tasks("2026-11-23", "2026-11-23") == 3
    assert tasks("2026-11-23", "2026-11-24") == 4
    assert tasks("2026-11-24", "2026-12-31") == 1
    assert tasks("2026-11-01", "2026-11-22") == 0


def test_without_days_it_is_the_last_30(spent: Person) -> None:
    with time_machine.travel(NOON + timedelta(days=29)):
        found = spent.client.get("/v1/usage").json()
        assert (found["from"], found["to"], found["total"]["tasks"]) == ("2026-11-23", "2026-12-22", 4)


def test_no_movements_are_no_rows(charlie: Person) -> None:
    found = used(charlie, "&group_by=day")
    assert (found["total"], found["data"]) == (NOTHING, [])


def test_a_stranger_sees_nothing_of_it(spent: Person, charlie: Person) -> None:
    assert used(charlie, "&group_by=key,model")["data"] == []
    assert used(charlie, "&group_by=metadata[a]")["data"] == []


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("from=2026-11-31&to=2026-12-01", "from"),
        ("from=yesterday", "from"),
        ("to=1764028800", "to"),
        ("from=2026-11-02&to=2026-11-01", "to"),
        ("from=2026-01-01&to=2027-01-02", "from"),
        ("from=1999-12-31&to=2000-01-01", "from"),
        ("from=9999-12-31&to=9999-12-31", "from"),
        ("from=9998-12-31&to=9999-12-31", "to"),
        ("group_by=week", "group_by"),
        ("group_by=day,", "group_by"),
        ("group_by=,day", "group_by"),
        ("group_by=day,day", "group_by"),
        ("group_by=day model", "group_by"),
        ("group_by=metadata[]", "group_by"),
        ("group_by=metadata", "group_by"),
        ("group_by=metadata[a],metadata[a]", "group_by"),
        ("group_by=metadata[%00]", "group_by"),
        (f"group_by=metadata[{'a' * 41}]", "group_by"),
    ],
)
def test_what_cannot_be_asked_is_named(alice: Person, query: str, param: str) -> None:
    answer = alice.client.get(f"/v1/usage?{query}")
    found = answer.json()["error"]
    assert (answer.status_code, found["code"], found["param"]) == (400, "invalid_parameter", param)


def test_a_whole_year_can_be_asked_for(alice: Person) -> None:
    assert alice.client.get("/v1/usage?from=2028-01-01&to=2028-12-31&group_by=day").status_code == 200


def test_by_metadata_of_the_tasks(alice: Person, gateway: Steps) -> None:
    ask(alice, metadata={"project": "a", "a],b": "1"})
    ask(alice, metadata={"project": "a"}, quality="1080p")
    ask(alice, metadata={"project": "=b"})
    ask(alice)

    found = alice.client.get("/v1/usage?group_by=metadata[project],model").json()

    assert [(row["metadata"], row["model"], row["credits_reserved"], row["tasks"]) for row in found["data"]] == [
        ({"project": "=b"}, "kling-v3-text-to-video", 27, 1),
        ({"project": "a"}, "kling-v3-text-to-video", 62.991, 2),
        ({"project": None}, "kling-v3-text-to-video", 27, 1),
    ]
    assert found["group_by"] == ["metadata[project]", "model"]
    assert found["total"] == alice.client.get("/v1/usage").json()["total"]
    several = alice.client.get("/v1/usage?group_by=metadata[project],metadata[x]").json()["data"]
    assert next(row["metadata"] for row in several) == {"project": "=b", "x": None}


def test_metadata_in_a_time_with_too_many_movements_is_refused(spent: Person) -> None:
    day, by = NOON.date(), usage.groups("metadata[a]")
    assert usage.of(spent.organization, day, day, by, most=7).total.tasks == 3
    with pytest.raises(InvalidRequest) as refused:
        usage.of(spent.organization, day, day, by, most=6)
    assert (refused.value.code, refused.value.param) == ("invalid_parameter", "from")
