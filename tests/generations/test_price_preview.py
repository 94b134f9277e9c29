"""The preview of a draft: the same as pricing every task again, one by one, and nothing that it should leave out."""

import random
from collections import defaultdict
from collections.abc import Hashable
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import count
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import ids, organizations
from accounts.models import Organization
from billing import drafts, overrides, price_book, pricing
from billing.models import DraftCell, PriceCell, PriceDraft, ProviderCost, Unit
from generations import catalog, price_preview, settlement
from generations.models import Task
from generations.price_preview import Effect, preview
from tests.cast import Person

T2V, MOTION, ELEMENT = "kling-v3-text-to-video", "kling-v2.6-motion-control", "kling-custom-element"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
YESTERDAY = NOW - timedelta(days=1)
numbers = count(1)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def the_price_book(db: None) -> None:
    price_book.load(price_book.FILE.read_text())


def completed(
    organization: Organization,
    model: str = T2V,
    cell: str = "720p_off",
    seconds: Decimal | int | None = 5,
    measured: str | None = None,
    *,
    cost: str | None = None,
    **columns: Any,
) -> Task:
    """A task that was made yesterday and captured, at today's price, as `creation` and `lifecycle` make it."""
    spec = catalog.choose(model)
    price = pricing.quote(model, cell, seconds, organization, settled=settlement.frozen(spec))
    length = None if measured is None else Decimal(measured)
    task = Task(
        organization=organization,
        model=model,
        type=spec.type,
        status="completed",
        inputs={},
        estimated_seconds=300,
        price=price.inputs,
        billing_rule="per_second",
        user_group="default",
        reserved_credits=price.credits,
        charged_credits=min(pricing.settle(price.inputs, length), price.credits),
        measured_seconds=length,
        created_at=YESTERDAY,
        deadline_at=YESTERDAY,
        finished_at=YESTERDAY,
    )
    for name, value in columns.items():
        setattr(task, name, value)
    task.save(force_insert=True)
    if cost is not None:
        booked(task, cost)
    return task


def booked(task: Task, dollars: str, *, is_estimate: bool = False) -> None:
    attempt = ids.new()
    ProviderCost.objects.create(
        wallet_id=task.organization_id,
        seq=next(numbers),
        kind="attempt",
        reference=f"attempt:{attempt}",
        task_id=task.pk,
        attempt_id=attempt,
        provider="kling",
        account_id=1,
        account_name="kling-one",
        model=task.model,
        user_group="default",
        amount=Decimal(dollars),
        is_estimate=is_estimate,
        at=YESTERDAY,
    )


def dearer(percent: int, *models: str) -> PriceDraft:
    draft = drafts.start("Dearer")
    for model in models or ("",):
        drafts.change_by_percent(draft, model, percent)
    return draft


def again(task: Task, draft: PriceDraft) -> Decimal:
    """What the task would have cost: its frozen inputs with the drafted cell, through `pricing` itself."""
    cell = DraftCell.objects.filter(draft=draft, model=task.price["model"], cell=task.price["cell"]).first()
    if cell is None:
        return task.charged_credits
    columns = {name: pricing.spelled(getattr(cell, name)) for name in ("rate", "factor", "minimum_seconds")}
    return pricing.settle(task.price | columns, task.measured_seconds)


def one_by_one(by: str, draft: PriceDraft, tasks: list[Task]) -> dict[Hashable, tuple[int, Decimal, Decimal]]:
    sums: dict[Hashable, list[Any]] = defaultdict(lambda: [0, Decimal(0), Decimal(0)])
    for task in tasks:
        sum_of = sums[getattr(task, by)]
        sum_of[0] += 1
        sum_of[1] += task.charged_credits
        sum_of[2] += again(task, draft)
    return {key: (number, old, new) for key, (number, old, new) in sums.items()}


def figures(rows: list[tuple[Any, Effect]]) -> dict[Hashable, tuple[int, Decimal, Decimal]]:
    return {key: (effect.tasks, effect.old, effect.new) for key, effect in rows}


def anything(rng: random.Random, payers: list[Organization]) -> list[Task]:
    """Some tasks of every cell, with lengths that fall on both sides of every rounding and minimum."""
    tasks = []
    for cell in PriceCell.objects.all():
        measures = catalog.choose(cell.model).settlement is not None
        for organization in rng.choices(payers, k=6):
            seconds = None if cell.unit == Unit.CALL else Decimal(rng.choice(["1", "2.5", "3", "4.57", "7", "10"]))
            measured = f"{rng.randrange(0, 12_000) / 1000:.3f}" if measures and rng.random() < 0.9 else None
            tasks.append(completed(organization, cell.model, cell.cell, seconds, measured))
    return tasks


@pytest.mark.parametrize("seed", range(4))
def test_the_sums_are_those_of_every_task_priced_again(alice: Person, charlie: Person, seed: int) -> None:
    rng = random.Random(seed)
    plain, partner = alice.organization, charlie.organization
    before = anything(rng, [plain, partner])
    overrides.set_multiplier(partner, Decimal("0.8765"), reason="test")
    overrides.set_rate(partner, T2V, Decimal("4.9999"), reason="test")
    tasks = before + anything(rng, [plain, partner])
    draft = dearer(rng.randrange(-60, 60))
    changes = rng.sample(list(draft.cells.all()), 15)
    drafts.change(draft, {cell.pk: {"factor": Decimal(rng.randrange(1, 30_000)) / 10_000} for cell in changes[:8]})
    drafts.change(draft, {cell.pk: {"minimum_seconds": Decimal(rng.randrange(900)) / 100} for cell in changes[7:]})

    found = preview(draft, NOW)

    assert figures(found.organizations) == one_by_one("organization_id", draft, tasks)
    assert figures(found.models) == one_by_one("model", draft, tasks)
    assert (found.total.tasks, found.total.unpriced) == (len(tasks), 0)
    assert found.total.old == sum(task.charged_credits for task in tasks)
    assert found.total.new == sum(again(task, draft) for task in tasks)


def test_an_organization_pays_so_many_percent_more_and_the_margin_gains_points(alice: Person, charlie: Person) -> None:
    completed(alice.organization, seconds=10, cost="0.50")  # 54 credits, 0.75 dollars
    completed(charlie.organization, "kling-v3-turbo-text-to-video", "720p", 10, cost="0.40")  # 72 credits, a dollar

    found = preview(dearer(12, T2V), NOW)

    (first, more), (second, same) = found.organizations
    assert (first, second) == (alice.organization.pk, charlie.organization.pk)
    assert (more.old, more.new, more.percent) == (54, Decimal("60.48"), 12)
    margins = [Decimal("33.3"), Decimal("40.5"), Decimal("7.1")]  # 1 - 0.5 / 0.75, and 1 - 0.5 / 0.84
    assert [more.old_margin, more.new_margin, more.points] == margins
    assert (same.old, same.new, same.percent, same.points) == (72, 72, 0, 0)
    assert (found.total.old, found.total.new, found.total.cost) == (126, Decimal("132.48"), Decimal("0.9"))
    expected = 100 * Decimal("0.9") * 72 * (1 / Decimal(126) - 1 / Decimal("132.48"))
    assert found.total.points == expected.quantize(Decimal("0.1"), ROUND_HALF_UP)


def test_every_attempt_of_a_task_counts_once_and_estimates_are_told_apart(alice: Person) -> None:
    task = completed(alice.organization, cost="0.10")
    completed(alice.organization, cost="0.25")
    booked(task, "0.05", is_estimate=True)

    total = preview(dearer(10), NOW).total

    assert (total.tasks, total.old, total.cost, total.estimated) == (2, 54, Decimal("0.4"), Decimal("0.05"))


def test_what_is_not_in_it(alice: Person) -> None:
    live, sandbox = alice.organization, organizations.sandbox_twin(alice.organization)
    edge = NOW - timedelta(days=price_preview.DAYS)
    tick = timedelta(microseconds=1)
    inside = [completed(live, finished_at=moment) for moment in (edge, NOW - tick)]
    for moment in (edge - tick, NOW):
        completed(live, finished_at=moment, cost="9")
    for status in ("failed", "cancelled"):
        booked(completed(live, status=status, charged_credits=0), "9")
    completed(live, status="processing", finished_at=None, charged_credits=0)
    completed(sandbox)

    found = preview(dearer(10), NOW)

    assert [key for key, _ in found.organizations] == [live.pk]
    assert found.total == Effect(tasks=len(inside), old=Decimal(54), new=Decimal("59.4"))
    assert (found.since, found.until) == (edge, NOW)


def test_an_exact_rate_stays_and_a_multiplier_follows(alice: Person, charlie: Person) -> None:
    overrides.set_rate(alice.organization, T2V, Decimal(4), reason="test")
    overrides.set_multiplier(charlie.organization, Decimal("0.5"), reason="test")
    for person in (alice, charlie):
        completed(person.organization, cell="1080p_off", seconds=10)

    found = dict(preview(dearer(10), NOW).organizations)

    assert (found[alice.organization.pk].old, found[alice.organization.pk].percent) == (Decimal("53.32"), 0)
    assert found[charlie.organization.pk].percent == 10


def test_a_task_with_a_quote_and_one_without_are_priced_alike(alice: Person) -> None:
    for number in range(3):
        task = completed(alice.organization)
        task.price |= {"quote": f"quote_{number}"}
        task.save(update_fields=["price"])

    assert preview(dearer(100), NOW).total.new == 3 * 54


def test_a_cell_that_the_draft_does_not_have_counts_as_it_was(alice: Person) -> None:
    completed(alice.organization)
    book = price_book.FILE.read_text().split("[[prices]]")
    price_book.load("[[prices]]".join(block for block in book if T2V not in block))
    completed(alice.organization, ELEMENT, "call", None)

    total = preview(dearer(100), NOW).total

    assert total == Effect(tasks=2, unpriced=1, old=Decimal(28), new=Decimal(29))


def test_nothing_at_all_has_no_percent_and_no_margin() -> None:
    found = preview(dearer(10), NOW)

    assert (found.organizations, found.models, found.total) == ([], [], Effect())
    assert (found.total.percent, found.total.old_margin, found.total.points) == (None, None, None)


def test_prices_of_nothing_leave_no_margin_to_compare(alice: Person) -> None:
    completed(alice.organization, cost="0.10")
    total = preview(dearer(-100), NOW).total
    assert (total.new, total.percent, total.new_margin, total.points) == (0, -100, None, None)


def test_it_takes_as_many_statements_for_many_tasks_as_for_one(alice: Person) -> None:
    draft = dearer(10)
    taken = []
    for tasks in (1, 30):
        for _ in range(tasks):
            completed(alice.organization, MOTION, "720p", 10, "7.5", cost="0.1")
        with CaptureQueriesContext(connection) as statements:
            preview(draft, NOW)
        taken.append(len(statements))
    assert taken == [2, 2]


def test_a_scheduled_draft_can_still_be_previewed(alice: Person) -> None:
    completed(alice.organization)
    draft = dearer(10)
    drafts.schedule(draft, None)
    assert preview(draft, NOW).total.new == Decimal("29.7")
