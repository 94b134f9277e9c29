"""Every figure of every report is what the rows themselves add up to, by SQL that knows nothing of roll-ups."""

import math
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import Organization
from billing import audit, ledger, price_book, report_rollups, statements
from evolink_saas.reports import liabilities, outcomes, sales
from evolink_saas.reports.asked import Asked
from evolink_saas.year import growing
from evolink_saas.year.growing import Plan
from generations.figures import BY_INPUT
from generations.models import Task
from tests.reports.conftest import END

pytestmark = pytest.mark.django_db(transaction=True)

FIRST, LAST = date(2026, 8, 20), date(2026, 11, 19)
RAW_TRANSFERS = """
    SELECT {by}
        coalesce(sum(t.amount) FILTER (WHERE t.kind = 'capture'), 0),
        coalesce(sum(t.amount) FILTER (WHERE t.kind = 'refund'), 0),
        coalesce(sum(t.amount) FILTER (WHERE t.kind = 'capture' AND l.kind <> 'paid'), 0)
            - coalesce(sum(t.amount) FILTER (WHERE t.kind = 'refund' AND l.kind <> 'paid'), 0),
        coalesce(sum(t.amount) FILTER (WHERE t.kind = 'expire' AND l.kind = 'paid'), 0),
        count(DISTINCT t.reservation_id) FILTER (WHERE t.kind = 'capture')
    FROM billing_transfer t JOIN billing_creditlot l ON l.id = t.lot_id
    JOIN accounts_organization o ON o.id = t.wallet_id AND o.sandbox_of_id IS NULL
    LEFT JOIN billing_reservation r ON r.id = t.reservation_id
    LEFT JOIN generations_task k ON k.id = t.reservation_id AND t.kind IN ('capture', 'refund')
    LEFT JOIN generations_attempt a ON a.task_id = k.id AND a.state = 'succeeded'
    LEFT JOIN generations_provideraccount p ON p.id = a.account_id
    WHERE t.created_at >= %s AND t.created_at < %s {group}"""
RAW_COSTS = """
    SELECT {by} sum(c.amount) FROM billing_providercost c
    JOIN accounts_organization o ON o.id = c.wallet_id AND o.sandbox_of_id IS NULL
    WHERE c.at >= %s AND c.at < %s {group}"""
MONTH = "date_trunc('month', {} AT TIME ZONE 'UTC')"
GROUPS = {
    ("month",): (MONTH.format("t.created_at"), MONTH.format("c.at")),
    ("model",): ("coalesce(r.model, '')", "c.model"),
    ("organization",): ("t.wallet_id", "c.wallet_id"),
    ("user_group",): ("coalesce(k.user_group, '')", "c.user_group"),
    ("account",): ("coalesce(p.name, '')", "c.account_name"),
}


def asked(*by: str, first: date = FIRST, last: date = LAST, **more: Any) -> Asked:
    return Asked(first=first, last=last, by=by, **more)


def raw(sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall()


def plain(group: Any) -> Any:
    return group.replace(tzinfo=None) if isinstance(group, datetime) else group


@pytest.mark.parametrize("by", GROUPS, ids=lambda by: by[0])
def test_sales_are_what_transfers_and_costs_add_up_to(year: Plan, by: tuple[str]) -> None:
    question = asked(*by)
    moved_by, charged_by = (f"{column} AS g," for column in GROUPS[by])
    between = (question.since, question.until)
    moved = {row[0]: row[1:] for row in raw(RAW_TRANSFERS.format(by=moved_by, group="GROUP BY g"), between)}
    charged = dict(raw(RAW_COSTS.format(by=charged_by, group="GROUP BY g"), between))
    found = {
        plain(row.group[0]): (row.captured, row.refunded, row.promo, row.breakage, row.tasks, row.upstream)
        for row in sales.of(question)
    }
    nothing = (0, 0, 0, 0, 0)
    wanted = {group: (*moved.get(group, nothing), charged.get(group, 0)) for group in moved.keys() | charged.keys()}
    assert found == {group: figures for group, figures in wanted.items() if any(figures)}
    assert found


def test_the_total_is_the_sum_of_any_grouping(year: Plan) -> None:
    whole = sales.total(asked())
    ((captured, refunded, promo, breakage, tasks),) = raw(
        RAW_TRANSFERS.format(by="", group=""), (asked().since, asked().until)
    )
    assert (whole.captured, whole.refunded, whole.promo) == (captured, refunded, promo)
    assert (whole.breakage, whole.tasks) == (breakage, tasks)
    assert whole.revenue == captured - refunded - promo > 0
    for by in [*GROUPS, ("day",), ("model", "user_group"), ("month", "organization")]:
        assert sales.added(sales.of(asked(*by))) == whole


def test_what_happened_since_the_last_roll_up_counts(year: Plan) -> None:
    captured = Task.objects.filter(status="completed", organization__sandbox_of=None, charged_credits__gt=1)
    task = captured.latest("finished_at")
    now = datetime.now(UTC)
    today = asked("day", first=now.date() - timedelta(days=1), last=now.date() + timedelta(days=1))
    before = sales.total(today)
    ledger.refund(task.pk, Decimal(1), reference="late")
    assert sales.total(today).refunded == before.refunded + 1
    report_rollups.roll_all()
    assert sales.total(today).refunded == before.refunded + 1
    report_rollups.start_over()
    assert sales.total(today).refunded == before.refunded + 1


def test_an_organization_alone_and_a_model_alone(year: Plan) -> None:
    for row in sales.of(asked("organization")):
        alone = sales.of(asked("month", wallet_id=row.group[0]))
        assert sales.added(alone).captured == row.captured
    for row in sales.of(asked("model")):
        if row.group[0]:
            assert sales.total(asked(narrowed={"model": row.group[0]})).revenue == row.revenue


def test_a_period_of_whole_months_is_compared_with_as_many_before() -> None:
    assert asked(first=date(2026, 3, 1), last=date(2026, 4, 30)).before().first == date(2026, 1, 1)
    assert asked(first=date(2026, 3, 2), last=date(2026, 3, 11)).before().first == date(2026, 2, 20)


def test_liabilities_at_any_day_are_what_the_lots_would_hold(year: Plan) -> None:
    for day in (FIRST, date(2026, 10, 1), LAST):
        sums = raw(
            """SELECT l.kind, sum(t.amount * ((t.credit IN ('available', 'reserved'))::int
                - (t.debit IN ('available', 'reserved'))::int))
            FROM billing_transfer t JOIN billing_creditlot l ON l.id = t.lot_id
            JOIN accounts_organization o ON o.id = t.wallet_id AND o.sandbox_of_id IS NULL
            WHERE t.created_at < %s GROUP BY 1""",
            [datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)],
        )
        balance = liabilities.at(asked(last=day).until)
        wanted = {"paid": Decimal(0), "promo": Decimal(0), "goodwill": Decimal(0)} | dict(sums)
        assert {"paid": balance.paid, "promo": balance.promo, "goodwill": balance.goodwill} == wanted


def test_today_liabilities_are_the_balances_of_the_wallets(year: Plan) -> None:
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    ((balances,),) = raw(
        """SELECT sum(w.balance) FROM billing_wallet w
        JOIN accounts_organization o ON o.id = w.organization_id AND o.sandbox_of_id IS NULL"""
    )
    assert liabilities.at(asked(last=tomorrow).until).all == balances > 0
    each = liabilities.by_organization(asked(last=tomorrow).until)
    assert sum(one.all for one in each) == balances


def test_the_roll_forward_adds_up(year: Plan) -> None:
    found = liabilities.roll_forward(asked())
    assert found.opening.paid + sum(step.paid for step in found.steps.values()) == found.closing.paid
    assert found.opening.unpaid + sum(step.unpaid for step in found.steps.values()) == found.closing.unpaid
    assert liabilities.day_by_day(asked())[-1].paid == found.closing.paid


@pytest.mark.parametrize("by", ["month", "model", "organization", "user_group"])
def test_outcomes_are_counted_as_the_tasks_say(year: Plan, by: str) -> None:
    column = {"month": MONTH.format("finished_at"), "organization": "organization_id"}.get(by, by)
    rows = raw(
        f"""SELECT {column}, status, error_code FROM generations_task
        JOIN accounts_organization o ON o.id = organization_id AND o.sandbox_of_id IS NULL
        WHERE finished_at >= %s AND finished_at < %s""",
        (asked().since, asked().until),
    )
    wanted: dict[Any, Counter[str]] = {}
    for group, status, code in rows:
        outcome = "failed_by_input" if status == "failed" and code in BY_INPUT else status
        wanted.setdefault(group, Counter())[outcome] += 1
    found = {
        plain(one.group[0]): Counter(
            {name: getattr(one, name) for name in ("completed", "failed", "failed_by_input", "cancelled")}
        )
        for one in outcomes.of(asked(by))
    }
    assert {group: +counts for group, counts in found.items()} == wanted
    assert sum(counts["failed"] for counts in wanted.values()) > 0


def test_refund_times_are_those_of_the_tasks_within_their_buckets(year: Plan) -> None:
    rows = raw(
        """SELECT extract(epoch FROM finished_at - t.created_at)::float8 FROM generations_task t
        JOIN accounts_organization o ON o.id = organization_id AND o.sandbox_of_id IS NULL
        WHERE status <> 'completed' AND finished_at >= %s AND finished_at < %s ORDER BY 1""",
        (asked().since, asked().until),
    )
    whole = outcomes.added(outcomes.of(asked("month")))
    for part in (0.5, 0.95):
        (wanted,) = rows[math.ceil(part * len(rows)) - 1]
        assert whole.refund_seconds(part) == pytest.approx(wanted, rel=0.11)
    assert whole.refunded == len(rows) > 10


def test_outcomes_by_provider_account_are_those_of_the_last_attempts(year: Plan) -> None:
    rows = raw(
        """SELECT coalesce(p.name, ''), count(*) FROM generations_task t
        JOIN accounts_organization o ON o.id = t.organization_id AND o.sandbox_of_id IS NULL
        LEFT JOIN generations_attempt a ON a.task_id = t.id
            AND a.number = (SELECT max(number) FROM generations_attempt l WHERE l.task_id = t.id)
        LEFT JOIN generations_provideraccount p ON p.id = a.account_id
        WHERE t.finished_at >= %s AND t.finished_at < %s GROUP BY 1""",
        (asked().since, asked().until),
    )
    assert {one.group[0]: one.tasks for one in outcomes.of(asked("account"))} == dict(rows)


def test_a_year_is_whole_by_every_invariant(year: Plan) -> None:
    assert audit.audit_all().findings == []


def test_the_twelve_statements_of_a_year_chain_and_end_at_the_balance(transactional_db: None) -> None:
    price_book.load(price_book.FILE.read_text(), effective_at=END - timedelta(days=400))
    growing.grow(Plan(tasks=300, end=END, days=365, organizations=1, seed=3), lambda done, what: None)
    organization = Organization.objects.get(sandbox_of=None)
    opened = organization.created_at
    months = [f"2025-{month:02}" for month in (11, 12)] + [f"2026-{month:02}" for month in range(1, 12)]
    made = [statements.of(organization, month, timezone.now()) for month in months if month >= f"{opened:%Y-%m}"]
    assert len(made) >= 12
    assert made[0].opening_balance == 0
    for earlier, later in pairwise(made):
        assert earlier.closing_balance == later.opening_balance
    for one in made:
        assert (
            one.opening_balance + sum(statements.signed(line) for line in statements.lines(one)) == one.closing_balance
        )
        assert sum(one.totals.values()) == one.closing_balance - one.opening_balance
    assert made[-1].closing_balance == organization.wallet.balance > 0
