"""Prices: the worked examples, user groups, the minimum, one rounding, and that frozen inputs are enough."""

import json
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Organization
from billing import overrides, price_book, pricing
from billing.errors import PriceMissing
from billing.models import PriceCell

T2V, I2V, ELEMENT = "kling-v3-text-to-video", "kling-v3-image-to-video", "kling-custom-element"
WORKED = [
    (T2V, "720p_off", 5, "27"),
    (T2V, "720p_on", 5, "40.5"),
    (T2V, "1080p_off", 5, "35.991"),
    (T2V, "1080p_on", 15, "162"),
    (T2V, "720p_on", 2, "24.3"),
    (T2V, "1080p_off", 15, "107.973"),
    (T2V, "4k_off", 3, "81"),
    (I2V, "4k_on", 10, "270"),
    (I2V, "720p_off", 1, "16.2"),
    (ELEMENT, "call", None, "1"),
]


@pytest.fixture(autouse=True)
def the_price_book(db: None) -> None:
    price_book.load(price_book.FILE.read_text())


@pytest.mark.parametrize(("model", "cell", "seconds", "credits"), WORKED)
def test_worked_examples_cost_what_the_price_page_says(
    acme: Organization, model: str, cell: str, seconds: int | None, credits: str
) -> None:
    quoted = pricing.quote(model, cell, seconds, acme)

    assert quoted.credits == Decimal(credits)
    assert quoted.credits.as_tuple().exponent == -4
    assert [line.amount for line in quoted.lines] == [quoted.credits]


def test_the_line_shows_the_billed_seconds_and_the_rate(acme: Organization) -> None:
    (line,) = pricing.quote(T2V, "720p_on", 2, acme).lines

    assert line == pricing.Line(
        label="720p with sound",
        quantity=Decimal(3),
        unit="second",
        rate=Decimal("5.4"),
        factor=Decimal("1.5"),
        amount=Decimal("24.3"),
    )


def test_a_quote_costs_one_sql_statement(acme: Organization) -> None:
    with CaptureQueriesContext(connection) as statements:
        pricing.quote(T2V, "720p_off", 5, acme)

    assert len(statements) == 1


def test_a_multiplier_changes_the_rate_and_an_exact_price_wins_over_it(acme: Organization) -> None:
    overrides.set_multiplier(acme.user_group, Decimal("0.9"), reason="test")
    assert pricing.quote(T2V, "720p_off", 5, acme).credits == Decimal("24.3")
    assert pricing.quote(ELEMENT, "call", None, acme).credits == Decimal("0.9")

    overrides.set_rate(acme.user_group, T2V, Decimal(4), reason="test")

    assert pricing.quote(T2V, "1080p_off", 5, acme).credits == Decimal("26.66")
    assert pricing.quote(I2V, "720p_off", 5, acme).credits == Decimal("24.3")


def test_it_rounds_once_half_up_at_the_end() -> None:
    inputs = {
        "unit": "second",
        "rate": "0.00005",
        "factor": "1",
        "multiplier": "1",
        "exact_rate": None,
        "minimum_seconds": "0",
        "seconds": "1",
    }

    assert pricing.price(inputs) == Decimal("0.0001")
    assert pricing.price(inputs, seconds=3) == Decimal("0.0002")
    assert pricing.price({**inputs, "multiplier": "0.9999"}) == Decimal("0.0000")


def test_frozen_inputs_survive_a_price_change_and_a_trip_through_json(acme: Organization) -> None:
    quoted = pricing.quote(T2V, "1080p_off", 5, acme)
    dearer = price_book.FILE.read_text().replace("rate = 5.4", "rate = 6")
    price_book.load(dearer)

    frozen = json.loads(json.dumps(quoted.inputs))

    assert pricing.price(frozen) == Decimal("35.991")
    assert pricing.price(frozen, seconds=Decimal("4.5")) == Decimal("32.3919")
    assert pricing.price(frozen, seconds=2) == Decimal("21.5946")
    assert pricing.quote(T2V, "1080p_off", 5, acme).credits == Decimal("39.99")


@given(seconds=st.integers(0, 60), more=st.integers(0, 60))
def test_more_seconds_never_cost_less(seconds: int, more: int) -> None:
    inputs = {
        "unit": "second",
        "rate": "8.1648",
        "factor": "1.334",
        "multiplier": "0.85",
        "exact_rate": None,
        "minimum_seconds": "3",
        "seconds": "0",
    }

    assert pricing.price(inputs, seconds) <= pricing.price(inputs, seconds + more)


def test_a_cell_without_a_price_is_an_error_of_ours(acme: Organization) -> None:
    with pytest.raises(PriceMissing):
        pricing.quote(T2V, "8k_off", 5, acme)


def test_the_table_has_every_cell_as_a_quote_prices_it(acme: Organization) -> None:
    rows = pricing.table(acme)

    assert rows == pricing.table(None)
    assert [(row.model, row.cell) for row in rows] == sorted(PriceCell.objects.values_list("model", "cell"))
    for row in rows:
        (line,) = pricing.quote(row.model, row.cell, None if row.unit == "call" else 1, acme).lines
        assert (row.rate, row.factor, row.label, row.unit) == (line.rate, line.factor, line.label, line.unit)
        assert row.minimum_seconds == (line.quantity if row.unit == "second" else 0)
