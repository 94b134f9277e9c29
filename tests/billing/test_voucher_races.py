"""Many redeem at once: a voucher gives no more often than it may, and an organization has it once."""

from collections import Counter
from decimal import Decimal

import pytest

from accounts.errors import Conflict, TooManyRequests
from accounts.models import Organization
from billing import audit, voucher_tries, vouchers
from billing.models import Voucher, VoucherBatch, VoucherRedemption, VoucherTries
from tests.billing.books import totals
from tests.billing.operators import batch, operator
from tests.billing.racing import at_once
from tests.cast import organization_of

pytestmark = pytest.mark.django_db(transaction=True)


def test_fifty_organizations_redeem_a_voucher_for_ten() -> None:
    organizations = [organization_of(f"O{number}", f"o{number}@x.example") for number in range(50)]
    _, [code] = batch(max_redemptions=10)

    outcomes = at_once([lambda one=one: vouchers.redeem(one, code).balance for one in organizations])

    assert Counter(outcomes) == {Conflict: 40, Decimal(50): 10}
    assert Voucher.objects.get().redemptions == VoucherRedemption.objects.count() == 10
    got = [organization for organization, outcome in zip(organizations, outcomes, strict=True) if outcome == 50]
    assert {use.organization for use in VoucherRedemption.objects.select_related("organization")} == set(got)
    assert sum(totals(one)[0] for one in organizations) == 500
    assert audit.audit_all().findings == []


def test_one_organization_redeems_twice_at_once(acme: Organization) -> None:
    _, [code] = batch(max_redemptions=20)

    outcomes = at_once([lambda: vouchers.redeem(acme, code).balance] * voucher_tries.OF_AN_ORGANIZATION)

    assert Counter(outcomes) == {Conflict: 9, Decimal(50): 1}
    assert (totals(acme), Voucher.objects.get().redemptions) == ((50, 0), 1)


def test_disabling_and_redeeming_at_once_leave_whole_books(acme: Organization) -> None:
    made, codes = batch(count=12)

    calls = [lambda code=code: vouchers.redeem(acme, code) for code in codes]
    at_once([*calls, lambda: vouchers.disable(made, reason="The fair is over")])

    redeemed = Voucher.objects.filter(redemptions=1).count()
    assert totals(acme) == (50 * redeemed, 0)
    assert Voucher.objects.filter(disabled_at=None).count() == 0
    assert VoucherRedemption.objects.count() == redeemed


def test_a_hundred_guesses_at_once_are_no_way_around_the_limit(acme: Organization) -> None:
    def guess() -> object:
        return voucher_tries.take(acme, None) and "taken"

    outcomes = at_once([guess] * 30)

    assert Counter(outcomes) == {TooManyRequests: 20, "taken": 10}
    assert VoucherTries.objects.get().tries == 10


def test_a_batch_that_is_made_twice_at_once_is_made_once() -> None:
    olga = operator()
    outcomes = at_once([lambda: len(batch(by=olga, count=5)[1])] * 6)
    assert sorted(map(str, outcomes)).count("5") == 1
    assert (VoucherBatch.objects.count(), Voucher.objects.count()) == (1, 5)
