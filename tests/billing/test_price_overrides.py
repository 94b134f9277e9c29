"""What a group or an organization pays instead: who wins, from which microsecond on, and that no row is changed."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib import import_module
from itertools import product
from typing import Any

import pytest
import time_machine
from django.db import Error, connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts import organizations
from accounts.models import Organization, UserGroup
from billing import overrides, price_book, price_list, pricing
from billing.errors import PriceConflict
from billing.models import PriceOverride
from tests.billing.conftest import NOW, TICK
from tests.billing.racing import at_once

T2V, I2V = "kling-v3-text-to-video", "kling-v3-image-to-video"
FAR = datetime(2099, 1, 1, tzinfo=UTC)
RATES = {
    "organization_rate": Decimal(2),
    "organization_multiplier": Decimal("0.7"),
    "user_group_rate": Decimal(4),
    "user_group_multiplier": Decimal("0.9"),
}
PAID = {
    "organization_rate": Decimal(2),
    "organization_multiplier": Decimal("3.78"),
    "user_group_rate": Decimal(4),
    "user_group_multiplier": Decimal("4.86"),
}
"""What each makes of a rate of 5.4."""


@pytest.fixture(autouse=True)
def the_price_book(db: None) -> None:
    price_book.load(price_book.FILE.read_text())


def put(kind: str, value: Decimal | None, organization: Organization, at: datetime | None = None) -> PriceOverride:
    payer = organization if kind.startswith("organization") else organization.user_group
    if kind.endswith("rate"):
        return overrides.set_rate(payer, T2V, value, reason="test", effective_at=at)
    return overrides.set_multiplier(payer, value, reason="test", effective_at=at)


def rate(organization: Organization | None, at: datetime | None = None, model: str = T2V) -> Decimal:
    (row,) = [row for row in pricing.table(organization, at) if (row.model, row.cell) == (model, "720p_off")]
    return row.rate


@pytest.mark.parametrize("there", list(product([False, True], repeat=4)))
def test_an_organizations_wins_over_its_groups_and_exact_wins_over_a_multiplier(
    acme: Organization, there: tuple[bool, ...]
) -> None:
    kinds = [kind for kind, is_there in zip(overrides.KINDS, there, strict=True) if is_there]
    rows = {kind: put(kind, RATES[kind], acme) for kind in reversed(kinds)}

    quoted = pricing.quote(T2V, "720p_off", 5, acme)

    paid = PAID[kinds[0]] if kinds else Decimal("5.4")
    assert (quoted.credits, quoted.lines[0].rate, rate(acme)) == (5 * paid, paid, paid)
    assert pricing.price(quoted.inputs) == quoted.credits
    of = kinds[0].rsplit("_", 1)[0] if kinds else ""
    assert quoted.inputs["override"] == ({"of": of, "id": rows[kinds[0]].pk} if kinds else None)
    assert quoted.inputs["user_group"] == acme.user_group_id


def test_an_exact_rate_is_for_its_model_and_each_cell_keeps_its_factor(acme: Organization) -> None:
    put("organization_rate", Decimal(2), acme)

    assert pricing.quote(T2V, "1080p_off", 10, acme).credits == Decimal("26.66")
    assert pricing.quote(I2V, "720p_off", 10, acme).credits == 54


def test_others_of_the_group_pay_what_the_group_does(acme: Organization, zenith: Organization) -> None:
    put("user_group_multiplier", Decimal("0.9"), acme)
    put("organization_rate", Decimal(2), acme)

    assert (rate(acme), rate(zenith), rate(None)) == (2, Decimal("4.86"), Decimal("4.86"))


@pytest.mark.parametrize("kind", overrides.KINDS)
def test_it_counts_from_its_microsecond_on(acme: Organization, kind: str) -> None:
    put(kind, RATES[kind], acme, FAR)

    assert rate(acme, FAR - TICK) == Decimal("5.4")
    assert rate(acme, FAR) == PAID[kind]
    for moment, paid in ((FAR - TICK, Decimal("5.4")), (FAR, PAID[kind])):
        assert pricing.quote(T2V, "720p_off", 10, acme, at=moment).credits == 10 * paid
        with time_machine.travel(moment, tick=False):
            assert pricing.quote(T2V, "720p_off", 10, acme).credits == 10 * paid


@pytest.mark.parametrize("kind", overrides.KINDS)
def test_a_later_row_without_a_value_ends_it_and_the_next_in_the_order_counts(acme: Organization, kind: str) -> None:
    put("user_group_multiplier", Decimal(3), acme)
    first = put(kind, RATES[kind], acme)
    put(kind, None, acme, FAR)

    assert rate(acme, FAR - TICK) == PAID[kind]
    assert rate(acme, FAR) == (Decimal("5.4") if kind == "user_group_multiplier" else Decimal("16.2"))
    first.refresh_from_db()
    assert first.withdrawn_at is None and first.effective_at < FAR


def test_a_change_is_a_further_row_and_the_past_stays_what_it_was(acme: Organization) -> None:
    put("organization_multiplier", Decimal("0.5"), acme, FAR)
    put("organization_multiplier", Decimal("0.25"), acme, FAR + timedelta(days=1))

    moments = [FAR - TICK, FAR, FAR + timedelta(days=1) - TICK, FAR + timedelta(days=1)]
    assert [rate(acme, at) for at in moments] == [Decimal(one) for one in ("5.4", "2.7", "2.7", "1.35")]
    assert PriceOverride.objects.count() == 2


def test_a_sandbox_twin_pays_what_its_live_organization_does(acme: Organization) -> None:
    twin = organizations.sandbox_twin(acme)
    put("organization_rate", Decimal(2), acme)

    assert rate(twin) == 2
    with pytest.raises(PriceConflict, match="sandbox twin"):
        overrides.set_multiplier(twin, Decimal(2), reason="test")


def test_what_cannot_be_is_refused_and_nothing_is_written(acme: Organization) -> None:
    put("organization_rate", Decimal(2), acme, FAR)

    with pytest.raises(PriceConflict, match="lies in the past"):
        put("organization_rate", Decimal(3), acme, NOW - timedelta(days=9))
    with pytest.raises(PriceConflict, match="has no model"):
        overrides.set_rate(acme, "kling-v9", Decimal(3), reason="test")
    with pytest.raises(PriceConflict, match="begins at that moment"):
        put("organization_rate", Decimal(3), acme, FAR)

    assert [row.rate for row in PriceOverride.objects.all()] == [2]


def test_what_has_not_begun_can_be_withdrawn_and_its_moment_is_free_again(acme: Organization) -> None:
    mistaken = put("organization_rate", Decimal(2), acme, FAR)

    overrides.withdraw(mistaken, "a mistake")
    assert (mistaken.withdrawn_reason, mistaken.rate) == ("a mistake", 2)
    assert rate(acme, FAR) == Decimal("5.4")
    with pytest.raises(PriceConflict):
        overrides.withdraw(mistaken, "again")
    put("organization_rate", Decimal(3), acme, FAR)
    assert rate(acme, FAR) == 3


def test_what_has_begun_cannot_be_withdrawn(acme: Organization) -> None:
    row = put("organization_rate", Decimal(2), acme)

    with pytest.raises(PriceConflict, match="in effect"):
        overrides.withdraw(row, "a mistake")
    assert rate(acme) == 2


CHANGES = [
    "UPDATE billing_priceoverride SET rate = 1",
    "UPDATE billing_priceoverride SET withdrawn_at = now(), rate = 1",
    "UPDATE billing_priceoverride SET effective_at = effective_at - interval '1 year'",
    "DELETE FROM billing_priceoverride",
]


@pytest.mark.parametrize("statement", CHANGES)
@pytest.mark.parametrize("begins", [None, FAR])
def test_a_trigger_refuses_every_other_change(acme: Organization, statement: str, begins: datetime | None) -> None:
    put("organization_rate", Decimal(2), acme, begins)

    with pytest.raises(Error, match="never changed"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert rate(acme, FAR) == 2


def test_a_trigger_refuses_to_withdraw_what_is_in_effect(acme: Organization) -> None:
    put("organization_rate", Decimal(2), acme)

    with pytest.raises(Error, match="never changed"), transaction.atomic():
        PriceOverride.objects.update(withdrawn_at=FAR)


def test_a_quote_takes_one_statement_however_many_overrides_there_are(acme: Organization) -> None:
    for kind in overrides.KINDS:
        for days in range(3):
            put(kind, RATES[kind], acme, FAR + timedelta(days=days))

    with CaptureQueriesContext(connection) as statements:
        pricing.quote(T2V, "720p_off", 5, acme, at=FAR + timedelta(days=9))
    assert len(statements) == 1


def test_inputs_frozen_before_overrides_were_recorded_make_the_same_price() -> None:
    old = {"version": 1, "model": T2V, "cell": "720p_off", "unit": "second", "rate": "5.4", "factor": "1"}
    old |= {"multiplier": "0.9", "exact_rate": "4", "minimum_seconds": "3", "seconds": "5"}

    assert pricing.price(old) == 20
    assert pricing.price(old | {"exact_rate": None}) == Decimal("24.3")


def test_what_user_groups_paid_before_rows_had_dates_is_carried_over(acme: Organization, zenith: Organization) -> None:
    """The migration's last statement, over the old column and table, which stay while a release rolls out."""
    migration = import_module("billing.migrations.0010_dated_prices").Migration
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO accounts_usergroup (name, label, multiplier, max_files) VALUES ('old', '', 0.9, 1)")
        cursor.execute(
            "INSERT INTO billing_groupprice (user_group_id, model, rate)"
            " SELECT id, %s, 4 FROM accounts_usergroup WHERE name = 'old'",
            [T2V],
        )
        cursor.execute(migration.operations[-1].sql)
    acme.user_group = UserGroup.objects.get(name="old")

    assert (rate(acme), rate(acme, model=I2V), rate(zenith)) == (4, Decimal("4.86"), Decimal("5.4"))
    begins = price_book.in_effect(FAR)
    assert begins is not None
    assert {row.effective_at for row in PriceOverride.objects.all()} == {begins.effective_at}


def test_the_next_change_of_an_organizations_prices_is_listed(acme: Organization, zenith: Organization) -> None:
    put("organization_rate", Decimal(2), acme, FAR)

    coming = price_list.of(acme, datetime.now(UTC))
    assert coming.changes_at == FAR and coming.coming == pricing.table(acme, FAR)
    assert price_list.of(zenith, datetime.now(UTC)).changes_at is None


@pytest.mark.django_db(transaction=True)
def test_of_two_operators_at_the_same_moment_one_is_told(acme: Organization) -> None:
    def set_to(value: int) -> Any:
        return lambda: put("organization_rate", Decimal(value), acme, FAR).rate

    done = at_once([set_to(value) for value in (2, 3, 4, 5)])

    assert done.count(PriceConflict) == 3
    assert [PriceOverride.objects.get().rate] == [one for one in done if one is not PriceConflict]
