"""Provider costs: one row a reference, numbered without gaps, never changed, and exact sums of them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest
import time_machine
from django.conf import settings
from django.core.management import call_command
from django.db import Error, connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts import ids
from accounts.models import Organization
from billing import audit, ledger, provider_costs
from billing.models import CostCursor, CostRollUp, ProviderCost
from tests.billing.books import findings, give, reserve, wallet_of
from tests.generations.gateway import at_once

pytestmark = pytest.mark.django_db(transaction=True)
DAY = datetime(2026, 11, 23, tzinfo=UTC)
NOON = DAY.replace(hour=12)
WEEK = {"since": DAY, "until": DAY + timedelta(days=7)}
EVERYTHING = tuple(provider_costs.COLUMNS)


def cost(amount: object = "0.42", **facts: Any) -> ProviderCost:
    """The cost of a new attempt at the account `kling-one`, not written yet."""
    attempt: UUID = facts.pop("attempt_id", None) or ids.new()
    about = {
        "kind": "attempt",
        "reference": f"attempt:{attempt}",
        "task_id": ids.new(),
        "attempt_id": attempt,
        "provider": "kling",
        "account_id": 1,
        "account_name": "kling-one",
        "model": "kling-v3-text-to-video",
        "user_group": "default",
        "is_estimate": False,
        "told_amount": Decimal(3),
        "told_unit": "unit",
    }
    return ProviderCost(amount=Decimal(str(amount)), **about | facts)


def numbers(organization: Organization) -> list[int]:
    return list(ProviderCost.objects.filter(wallet=organization.pk).order_by("seq").values_list("seq", flat=True))


def added_up() -> list[dict[str, Any]]:
    """What `sums` has to say of everything by day, from the rows one by one."""
    found: dict[tuple[Any, ...], list[Any]] = {}
    for row in ProviderCost.objects.order_by("pk"):
        day = row.at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        values = {name: getattr(row, column, day) for name, column in provider_costs.COLUMNS.items()}
        sums = found.setdefault(tuple(values.values()), [Decimal(0), 0])
        sums[0] += row.amount
        sums[1] += 1
    names = (*EVERYTHING, "amount", "costs")
    return [dict(zip(names, (*group, *found[group]), strict=True)) for group in sorted(found)]


def test_a_captures_cost_is_written_with_it_and_counts_in_the_same_moment(acme: Organization) -> None:
    give(acme, 100)
    held = reserve(acme, 27)

    ledger.capture(held.id, cost=cost(task_id=held.id))

    row, wallet = ProviderCost.objects.get(), wallet_of(acme)
    captured = wallet.transfers.get(kind="capture")
    assert (row.wallet_id, row.seq, row.task_id, row.amount) == (acme.pk, 1, held.id, Decimal("0.42"))
    assert row.at == captured.created_at
    assert (wallet.cost_seq, wallet.seq) == (1, 3)


def test_a_captures_cost_takes_no_statement_of_its_own(acme: Organization) -> None:
    give(acme, 100)
    without, with_a_cost = reserve(acme, 27), reserve(acme, 27)

    with CaptureQueriesContext(connection) as plain:
        ledger.capture(without.id)
    with CaptureQueriesContext(connection) as costly:
        ledger.capture(with_a_cost.id, cost=cost())

    assert (len(costly), numbers(acme)) == (len(plain), [1])


def test_work_that_costs_the_customer_nothing_may_cost_us(acme: Organization) -> None:
    held = reserve(acme, 0)
    ledger.capture(held.id, cost=cost())
    assert (numbers(acme), wallet_of(acme).cost_seq, wallet_of(acme).seq) == ([1], 1, 0)


def test_a_capture_that_was_done_before_writes_no_second_cost(acme: Organization) -> None:
    give(acme, 100)
    held = reserve(acme, 27)
    mine = ids.new()
    for _ in range(2):
        ledger.capture(held.id, cost=cost(attempt_id=mine))
    assert numbers(acme) == [1]


def test_a_reference_is_recorded_once_and_its_first_word_stands(acme: Organization) -> None:
    mine = ids.new()

    assert provider_costs.record(acme, cost("0.42", attempt_id=mine)) is True
    assert provider_costs.record(acme, cost("0.50", attempt_id=mine)) is False

    assert ProviderCost.objects.get().amount == Decimal("0.42")
    assert wallet_of(acme).cost_seq == 1


def test_a_cost_that_is_rolled_back_leaves_no_gap(acme: Organization) -> None:
    provider_costs.record(acme, cost())
    with pytest.raises(RuntimeError), transaction.atomic():
        provider_costs.record(acme, cost())
        raise RuntimeError
    provider_costs.record(acme, cost())
    assert numbers(acme) == [1, 2]


@pytest.mark.parametrize(
    ("amount", "kind", "is_allowed"),
    [
        ("0", "attempt", True),
        ("-0.1", "attempt", False),
        ("0", "orphan", True),
        ("-0.1", "orphan", False),
        ("-0.1", "correction", True),
        ("0.1", "correction", True),
        ("0", "correction", False),
        ("1", "guess", False),
    ],
)
def test_only_a_correction_is_signed(acme: Organization, amount: str, kind: str, is_allowed: bool) -> None:
    def record() -> bool:
        return provider_costs.record(acme, cost(amount, kind=kind))

    if is_allowed:
        assert record() is True
    else:
        with pytest.raises(Error, match="only_a_correction_of_a_cost_is_signed"):
            record()
        assert (numbers(acme), wallet_of(acme).cost_seq) == ([], 0)


STATEMENTS = [
    "UPDATE billing_providercost SET amount = amount + 1",
    "DELETE FROM billing_providercost",
    "TRUNCATE billing_providercost",
]


@pytest.mark.parametrize("statement", STATEMENTS)
def test_no_role_may_change_a_cost(acme: Organization, statement: str) -> None:
    provider_costs.record(acme, cost())

    with pytest.raises(Error, match="permission denied"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    with (
        pytest.raises(psycopg.errors.RaiseException),
        psycopg.connect(settings.DATABASE_OWNER_URL, dbname=connection.settings_dict["NAME"]) as owner,
    ):
        owner.execute(statement)

    assert ProviderCost.objects.get().amount == Decimal("0.42")


def test_costs_are_summed_by_the_hour_and_the_day(acme: Organization, clock: time_machine.Traveller) -> None:
    provider_costs.record(acme, cost("0.42"))
    provider_costs.record(acme, cost("0.08"))
    clock.shift(timedelta(hours=13))
    provider_costs.record(acme, cost("1"))
    assert provider_costs.roll(acme.pk) == 3
    assert (provider_costs.roll(acme.pk), provider_costs.roll_all()) == (0, 0)

    kept = CostRollUp.objects.order_by("span", "starts_at").values_list("span", "starts_at", "amount", "costs")
    assert list(kept) == [
        ("day", DAY, Decimal("0.5"), 2),
        ("day", DAY + timedelta(days=1), Decimal(1), 1),
        ("hour", NOON, Decimal("0.5"), 2),
        ("hour", NOON + timedelta(hours=13), Decimal(1), 1),
    ]
    assert provider_costs.sums(["time"], since=NOON, until=NOON + timedelta(hours=1)) == [
        {"time": NOON, "amount": Decimal("0.5"), "costs": 2}
    ]
    with pytest.raises(ValueError, match="not a range of whole hours"):
        provider_costs.sums([], since=NOON, until=NOON + timedelta(minutes=1))


def test_a_figure_is_exact_however_much_is_rolled_up(
    acme: Organization, zenith: Organization, clock: time_machine.Traveller
) -> None:
    for owner, facts in (
        (acme, {}),
        (acme, {"kind": "orphan", "is_estimate": True}),
        (zenith, {"account_id": 2, "account_name": "kling-two"}),
        (acme, {"kind": "correction", "amount": "-0.02"}),
        (acme, {"user_group": "friends"}),
        (zenith, {"provider": "fal", "model": "another"}),
    ):
        provider_costs.record(owner, cost(**facts))
        provider_costs.record(owner, cost(**facts | {"amount": "0.1"}))
        provider_costs.roll(acme.pk)
        clock.shift(timedelta(hours=9))
    expected = added_up()

    with_a_tail = provider_costs.sums(EVERYTHING, **WEEK)
    provider_costs.roll_all()
    without = provider_costs.sums(EVERYTHING, **WEEK)
    provider_costs.start_over(acme.pk)
    nothing_but_tail = provider_costs.sums(EVERYTHING, **WEEK)

    assert with_a_tail == without == nothing_but_tail == expected
    assert len(expected) == 6
    assert provider_costs.sums([], **WEEK, wallet_id=zenith.pk) == [{"amount": Decimal("1.04"), "costs": 4}]
    assert provider_costs.sums(["organization"], **WEEK, kinds=["orphan"]) == [
        {"organization": acme.pk, "amount": Decimal("0.52"), "costs": 2}
    ]


def test_many_record_and_roll_up_at_once_without_gap_or_loss(acme: Organization) -> None:
    give(acme, 1000)

    def capture() -> object:
        return [ledger.capture(reserve(acme, 3).id, cost=cost("0.01")) for _ in range(5)]

    def record() -> object:
        return [provider_costs.record(acme, cost("0.01", kind="orphan")) for _ in range(5)]

    def roll() -> object:
        return [provider_costs.roll_all() for _ in range(5)]

    calls: list[Callable[[], object]] = [capture, record, roll, capture, record, roll]
    at_once(calls)
    provider_costs.roll_all()

    assert numbers(acme) == list(range(1, 21))
    assert CostCursor.objects.get(pk=acme.pk).seq == wallet_of(acme).cost_seq == 20
    days = CostRollUp.objects.filter(span="day")
    assert sum(row.amount for row in days) == Decimal("0.2")
    assert sum(row.costs for row in days) == 20


WRONG = [
    "UPDATE billing_costrollup SET amount = amount + 1 WHERE span = 'hour' AND kind = 'attempt'",
    "UPDATE billing_costrollup SET costs = 9 WHERE span = 'day'",
    "UPDATE billing_costrollup SET account_name = 'another' WHERE kind = 'orphan'",
    "DELETE FROM billing_costrollup WHERE kind = 'orphan'",
    "UPDATE billing_costcursor SET seq = seq - 1",
    "UPDATE billing_costcursor SET seq = seq + 1",
    "UPDATE billing_wallet SET cost_seq = cost_seq + 1",
]


@pytest.mark.parametrize("statement", WRONG)
def test_the_auditor_finds_wrong_sums_and_freezes_nobody_for_them(acme: Organization, statement: str) -> None:
    provider_costs.record(acme, cost())
    provider_costs.record(acme, cost(kind="orphan"))
    provider_costs.roll(acme.pk)
    assert findings() == []

    with connection.cursor() as cursor:
        cursor.execute(statement)

    run = audit.audit_all()
    assert {finding["invariant"] for finding in run.findings} == {"I24"}
    assert wallet_of(acme).frozen_at is None
    with connection.cursor() as cursor:
        cursor.execute("UPDATE billing_wallet SET cost_seq = 2")
    call_command("roll_up", again=acme.public_id, verbosity=0)
    assert findings() == []


def test_a_wallet_whose_credits_fail_is_frozen_whatever_else_fails(acme: Organization) -> None:
    give(acme, 10)
    provider_costs.record(acme, cost())
    with connection.cursor() as cursor:
        cursor.execute("UPDATE billing_wallet SET cost_seq = 5, reserved = 1")
    audit.audit_all()
    reason = wallet_of(acme).frozen_reason
    assert "I1" in reason and "I24" not in reason
