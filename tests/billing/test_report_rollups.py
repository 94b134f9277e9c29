"""Report roll-ups: four grains, never a sandbox, exact with their tail, and looked at by the auditor."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.core.management import call_command
from django.db import connection

from accounts import organizations
from accounts.models import Organization
from billing import audit, ledger, report_rollups
from billing.models import CostReportRollUp, ReportRollUp
from billing.report_rollups import COSTS, TRANSFERS
from tests.billing.books import findings, give, reserve, wallet_of
from tests.billing.test_provider_costs import cost
from tests.generations.gateway import at_once

pytestmark = pytest.mark.django_db(transaction=True)
DAY = datetime(2026, 11, 23, tzinfo=UTC)
MONTH = datetime(2026, 11, 1, tzinfo=UTC)
WHOLE = {"since": MONTH, "until": datetime(2027, 1, 1, tzinfo=UTC)}
CAPTURED = {"captured": "sum(amount) FILTER (WHERE kind = 'capture')"}


def charge(organization: Organization, amount: object, **facts: object) -> None:
    """A task that was made, and what that cost us."""
    held = reserve(organization, amount, model="kling-v3-text-to-video")
    ledger.capture(held.id, cost=cost(task_id=held.id, **facts))


def captured(*by: str) -> list[dict[str, object]]:
    rows = report_rollups.sums({TRANSFERS: CAPTURED}, by, **WHOLE)
    return [row for row in rows if row["captured"] is not None]


def test_a_capture_is_in_four_grains_with_the_account_and_group_of_its_cost(
    acme: Organization, clock: time_machine.Traveller
) -> None:
    give(acme, 100, "paid")
    charge(acme, 27, account_name="kling-one", user_group="partner")

    assert report_rollups.roll_all() == 4  # grant, reserve and capture, and the cost

    rows = (
        ReportRollUp.objects.filter(kind="capture")
        .order_by("span", "wallet")
        .values_list("wallet", "span", "starts_at")
    )
    assert list(rows) == [(acme.pk, "day", DAY), (None, "day", DAY), (acme.pk, "month", MONTH), (None, "month", MONTH)]
    told = set(ReportRollUp.objects.filter(kind="capture").values_list("model", "user_group", "account", "amount"))
    assert told == {("kling-v3-text-to-video", "partner", "kling-one", Decimal(27))}
    assert not ReportRollUp.objects.filter(kind="reserve").exists()
    assert set(CostReportRollUp.objects.values_list("account", "amount", "costs")) == {
        ("kling-one", Decimal("0.42"), 1)
    }


def test_a_refund_belongs_to_the_account_that_did_the_work_however_late(
    acme: Organization, clock: time_machine.Traveller
) -> None:
    give(acme, 100, "paid")
    held = reserve(acme, 27)
    ledger.capture(held.id, cost=cost(task_id=held.id, account_name="kling-one"))
    clock.shift(timedelta(days=20))
    ledger.refund(held.id, Decimal(7), reference="late")
    for rolled in (False, True):
        if rolled:
            report_rollups.roll_all()
        refunded = {"refunded": "sum(amount) FILTER (WHERE kind = 'refund')"}
        rows = report_rollups.sums({TRANSFERS: refunded}, ("month", "account"), **WHOLE)
        found = [(row["month"].month, row["account"], row["refunded"]) for row in rows if row["refunded"]]
        assert found == [(12, "kling-one", 7)]


def test_a_sandbox_is_in_no_sum_rolled_up_or_not(acme: Organization) -> None:
    twin = organizations.sandbox_twin(acme)
    ledger.open_wallet(twin)
    for organization in (acme, twin):
        give(organization, 100)
        charge(organization, 27)
    for rolled in (False, True):
        if rolled:
            report_rollups.roll_all()
        assert [row["captured"] for row in captured()] == [27]
        assert [(row["organization"], row["captured"]) for row in captured("organization")] == [(acme.pk, 27)]
        sums = report_rollups.sums({COSTS: {"dollars": "sum(amount)"}}, (), **WHOLE)
        assert sums == [{"dollars": Decimal("0.42")}]
    assert findings() == []


def test_whoever_rolls_up_at_once_nothing_counts_twice(acme: Organization, zenith: Organization) -> None:
    for organization in (acme, zenith):
        give(organization, 1000)
        for _ in range(12):
            charge(organization, 27)
    rolled = at_once([report_rollups.roll_all] * 4)
    assert sum(rolled) == 2 * (1 + 12 * 3)
    assert [row["captured"] for row in captured()] == [2 * 12 * 27]
    assert findings() == [] == audited()


def audited() -> list[object]:
    return list(audit.audit_all().findings)


WRONG = [
    "UPDATE billing_reportrollup SET amount = amount + 1 WHERE wallet_id IS NOT NULL AND span = 'day'",
    "UPDATE billing_reportrollup SET amount = amount + 1 WHERE wallet_id IS NULL AND span = 'month'",
    "UPDATE billing_reportrollup SET postings = postings + 1 WHERE wallet_id IS NULL",
    "UPDATE billing_reportrollup SET account = 'another' WHERE wallet_id IS NOT NULL",
    "DELETE FROM billing_reportrollup WHERE wallet_id IS NULL AND span = 'day'",
    "UPDATE billing_reportcursor SET seq = seq + 1",
    "UPDATE billing_reportcursor SET seq = seq - 1",
    "UPDATE billing_costreportrollup SET amount = amount + 1 WHERE wallet_id IS NOT NULL",
    "UPDATE billing_costreportrollup SET amount = amount + 1 WHERE wallet_id IS NULL",
    "UPDATE billing_costreportcursor SET seq = 0",
]


@pytest.mark.parametrize("statement", WRONG)
def test_the_auditor_finds_wrong_report_rows_and_the_command_makes_them_anew(
    acme: Organization, statement: str
) -> None:
    give(acme, 100)
    charge(acme, 27)
    call_command("roll_up", verbosity=0)
    assert audited() == []
    with connection.cursor() as cursor:
        cursor.execute(statement)

    run = audit.audit_all()

    assert {finding["invariant"] for finding in run.findings} == {"I26"}
    assert wallet_of(acme).frozen_at is None
    call_command("roll_up", reports_again=True, verbosity=0)
    assert audited() == []
    assert [row["captured"] for row in captured()] == [27]
