"""Work that was given up and charged: its cost is written down once, whoever finds out about it and however often."""

from decimal import Decimal

import pytest
from django.utils import timezone

from billing.models import ProviderCost
from generations import lifecycle, lookups, reconciliation
from generations.models import Attempt, OrphanSpend, ProviderAccount, Reconciliation, ReconciliationItem
from generations.reconciliation import NotBookable
from tests.cast import Person
from tests.generations.gateway import Steps, ask, findings
from tests.generations.simulator import RunningSimulator

pytestmark = pytest.mark.django_db(transaction=True)
A_CLIP = Decimal("0.378")  # 3 units of 0.126 dollars


@pytest.fixture
def attempt(alice: Person, gateway: Steps, simulator: RunningSimulator) -> Attempt:
    """Refunded at its deadline; the provider makes it and charges it all the same."""
    given_up = gateway.sent(ask(alice))
    lifecycle.give_up(given_up.task)
    simulator.do("finish", external_id=given_up.reference)
    return given_up


def compare_today() -> ReconciliationItem:
    """Today's item, from a ledger that is read anew."""
    account, now = ProviderAccount.objects.get(name="simulator-live"), timezone.now()
    run, is_new = Reconciliation.objects.get_or_create(account=account, day=now.date(), defaults={"due_at": now})
    if not is_new:
        reconciliation.run_again(run)
    reconciliation.reconcile(run.pk)
    return ReconciliationItem.objects.get()


def look() -> None:
    """As on the day after it was given up."""
    OrphanSpend.objects.update(due_at=timezone.now())
    assert lookups.look_at_orphans() == 1


def costs() -> list[tuple[str, Decimal]]:
    return list(ProviderCost.objects.order_by("seq").values_list("kind", "amount"))


def test_what_an_operator_booked_is_not_written_down_again_by_the_look_the_day_after(attempt: Attempt) -> None:
    found = compare_today()
    assert (found.kind, found.attempt, found.difference) == ("orphan", attempt, A_CLIP)

    assert reconciliation.book(found, note="It was made") is True
    look()

    assert costs() == [("orphan", A_CLIP)]
    compare_today()
    assert Reconciliation.objects.get().difference == 0
    assert findings() == []


def test_what_the_look_wrote_down_is_not_booked_again_and_is_gone_the_next_time(attempt: Attempt) -> None:
    found = compare_today()
    look()

    with pytest.raises(NotBookable, match="changed since"):
        reconciliation.book(found, note="It was made")

    assert (costs(), ReconciliationItem.objects.get().resolved_at) == ([("orphan", A_CLIP)], None)
    assert compare_today().resolution == "gone"


def test_what_is_booked_is_what_the_operator_saw_whatever_the_rates_are_now(attempt: Attempt) -> None:
    found = compare_today()
    ProviderAccount.objects.update(rates={"unit": "9"})
    reconciliation.book(found, note="It was made")
    row = ProviderCost.objects.get()
    assert (row.amount, row.is_estimate, row.told_amount, row.told_unit) == (A_CLIP, False, 3, "unit")


@pytest.mark.parametrize("state", ["running", "fetching", "succeeded"])
def test_work_whose_cost_is_written_down_at_its_end_is_not_booked_before(attempt: Attempt, state: str) -> None:
    """Else its capture would write a second one."""
    found = compare_today()
    Attempt.objects.filter(pk=attempt.pk).update(state=state)

    with pytest.raises(NotBookable, match=f"Its attempt is {state}"):
        reconciliation.book(found, note="?")

    assert (costs(), ReconciliationItem.objects.get().resolved_at) == ([], None)


def test_work_that_failed_and_was_charged_is_booked_as_an_orphan(attempt: Attempt) -> None:
    found = compare_today()
    Attempt.objects.filter(pk=attempt.pk).update(state="failed")
    reconciliation.book(found, note="They charge for it")
    assert (costs(), findings()) == ([("orphan", A_CLIP)], [])


@pytest.mark.parametrize("change", [{"serves": "sandbox"}, {"encrypted_credentials": b"of another key"}])
def test_a_day_is_compared_though_its_account_has_changed_meanwhile(
    attempt: Attempt, change: dict[str, object]
) -> None:
    """It no longer belongs to any account at the provider that is reconciled, but its day was read."""
    account = ProviderAccount.objects.get(name="simulator-live")
    run = Reconciliation.objects.create(account=account, day=timezone.now().date())
    run.lines.create(upstream_id=attempt.upstream_id, amount=3, unit="unit", is_near=False)
    ProviderAccount.objects.update(**change)

    found = reconciliation.comparison.compare(run, reconciliation.windows(run.day)[0])

    assert [(item.kind, item.attempt) for item in found.items] == [("orphan", attempt)]
