"""The rules of a reconciliation: what is one charge, what accuses nobody, and that the items explain the sums."""

from decimal import Decimal

import pytest
from django.utils import timezone

from billing.models import ProviderCost
from generations import comparison, reconciliation
from generations.models import Attempt, ProviderAccount, Reconciliation, ReconciliationItem, Task, UpstreamCharge
from tests.cast import Person
from tests.generations.gateway import Steps, ask, at_once, findings
from tests.generations.simulator import RunningSimulator

pytestmark = pytest.mark.django_db(transaction=True)
A_CLIP = Decimal("0.378")  # 3 units of 0.126 dollars


@pytest.fixture
def attempt(alice: Person, gateway: Steps) -> Attempt:
    """A film that was made and paid for today."""
    return gateway.until(ask(alice), Task.Status.COMPLETED).attempts.get()


@pytest.fixture
def run(attempt: Attempt) -> Reconciliation:
    """Of today, with nothing read."""
    return Reconciliation.objects.create(account=attempt.account, day=timezone.now().date(), due_at=timezone.now())


def line(run: Reconciliation, upstream_id: str, amount: object, unit: str = "unit", *, is_near: bool = False) -> None:
    UpstreamCharge.objects.create(
        reconciliation=run, upstream_id=upstream_id, amount=Decimal(str(amount)), unit=unit, is_near=is_near
    )


def compare(run: Reconciliation) -> comparison.Comparison:
    return comparison.compare(run, reconciliation.windows(run.day)[0])


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([("unit", 3)], []),
        ([("unit", 5), ("unit", -2)], []),
        ([("USD", "0.378")], []),
        ([("unit", 2), ("USD", "0.126")], []),
        ([("unit", 2), ("USD", "0.2")], [("amount", Decimal("0.074"))]),
        ([("unit", 2), ("CNY", 1)], []),
        ([("unit", 3), ("unit", -3)], [("amount", -A_CLIP)]),
        ([("unit", 4)], [("amount", Decimal("0.126"))]),
    ],
)
def test_several_lines_of_one_piece_of_work_are_one_charge(
    attempt: Attempt, run: Reconciliation, lines: list[tuple[str, object]], expected: list[tuple[str, Decimal]]
) -> None:
    for unit, amount in lines:
        line(run, attempt.upstream_id, amount, unit)

    found = compare(run)

    assert [(one.kind, one.difference) for one in found.items] == expected
    assert found.theirs - found.ours == sum(difference for _, difference in expected)
    assert found.unpriced == (("CNY", 1) in lines)


def test_what_was_given_back_for_work_that_nobody_ordered_is_no_item(attempt: Attempt, run: Reconciliation) -> None:
    line(run, attempt.upstream_id, 3)
    line(run, "u", 3)
    line(run, "u", -3)
    assert compare(run).items == []


def test_work_at_the_edge_of_a_day_is_matched_and_not_accused(attempt: Attempt, run: Reconciliation) -> None:
    """The provider booked it before midnight, we after it."""
    assert [(one.kind, one.difference) for one in compare(run).items] == [("missing", -A_CLIP)]
    line(run, attempt.upstream_id, 3, is_near=True)
    found = compare(run)
    assert (found.items, found.charges, found.costs, found.ours) == ([], 0, 0, 0)

    before = Reconciliation.objects.create(account=run.account, day=run.day - reconciliation.DAY)
    line(before, attempt.upstream_id, 3)
    found = compare(before)
    assert (found.items, found.charges, found.theirs, found.ours) == ([], 1, A_CLIP, A_CLIP)


def test_work_of_another_of_our_accounts_there_is_nobodys_difference(
    attempt: Attempt, run: Reconciliation, second_account: str
) -> None:
    """Two keys of one account at the provider see one ledger."""
    other = Reconciliation.objects.create(account=ProviderAccount.objects.get(name=second_account), day=run.day)
    line(other, attempt.upstream_id, 3)
    found = compare(other)
    assert (found.items, found.charges) == ([], 0)


def test_a_unit_without_a_rate_is_compared_by_itself_and_cannot_be_booked(
    attempt: Attempt, run: Reconciliation
) -> None:
    ProviderAccount.objects.update(rates={})
    line(run, attempt.upstream_id, 4)

    found = compare(Reconciliation.objects.get())

    (item,) = found.items
    assert (item.kind, item.told_amount, item.told_unit, item.theirs, item.difference) == (
        "amount",
        4,
        "unit",
        None,
        None,
    )
    assert found.unpriced == 1
    item.save()
    with pytest.raises(reconciliation.NotBookable, match="no rate"):
        reconciliation.book(item, note="?")
    assert ProviderCost.objects.count() == 1


def test_operators_who_book_at_once_book_once(
    attempt: Attempt, run: Reconciliation, simulator: RunningSimulator
) -> None:
    simulator.do("misbook", external_id=attempt.reference, units=4)
    reconciliation.reconcile(run.pk)
    item = ReconciliationItem.objects.get()

    done = at_once([lambda: reconciliation.book(item, note="mine")] * 4)

    assert sorted(done) == [False, False, False, True]
    costs = ProviderCost.objects.order_by("seq").values_list("kind", "amount")
    assert list(costs) == [("attempt", A_CLIP), ("correction", Decimal("0.126"))]
    assert findings() == []


def test_a_worker_whose_claim_was_taken_writes_nothing_more(run: Reconciliation) -> None:
    slow = reconciliation.leases.claim(Reconciliation.objects.filter(pk=run.pk), seconds=60)
    assert slow is not None
    reconciliation.run_again(run)

    reconciliation._compare(slow)

    run.refresh_from_db()
    assert (run.finished_at, run.ours) == (None, 0)
    assert not ReconciliationItem.objects.exists()
