"""A price in lines: what was asked for, the minimum, another rate; and the amounts add up to the price exactly."""

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from billing import price_lines, pricing
from billing.pricing import Line

LABEL = "1080p without sound"
INPUTS: dict[str, Any] = {
    "unit": "second",
    "rate": "5.4",
    "factor": "1.333",
    "multiplier": "1",
    "exact_rate": None,
    "minimum_seconds": "3",
    "seconds": "5",
}


def told(inputs: dict[str, Any], **how: Decimal) -> list[tuple[str, Decimal, Decimal, Decimal]]:
    """Label, quantity, rate and amount of each line; all have the unit and the factor of the inputs."""
    lines: list[Line] = price_lines.explain(inputs, LABEL, user_group="partners", **how)
    assert {(line.unit, line.factor) for line in lines} == {(inputs["unit"], Decimal(inputs["factor"]))}
    return [(line.label, line.quantity, line.rate, line.amount) for line in lines]


def test_an_ordinary_price_is_one_line() -> None:
    assert told(INPUTS) == [(LABEL, Decimal(5), Decimal("5.4"), Decimal("35.991"))]


def test_what_is_shorter_than_the_minimum_has_a_line_for_the_rest() -> None:
    assert told(INPUTS | {"seconds": "2.5"}) == [
        (LABEL, Decimal("2.5"), Decimal("5.4"), Decimal("17.9955")),
        ("Billed as 3 seconds, the minimum", Decimal("0.5"), Decimal("5.4"), Decimal("3.5991")),
    ]


def test_a_request_for_less_than_is_made_says_so_too() -> None:
    assert told(INPUTS | {"seconds": "3"}, asked=Decimal(2)) == [
        (LABEL, Decimal(2), Decimal("5.4"), Decimal("14.3964")),
        ("Billed as 3 seconds, the minimum", Decimal(1), Decimal("5.4"), Decimal("7.1982")),
    ]


def test_a_multiplier_has_a_line_with_what_it_changes() -> None:
    assert told(INPUTS | {"multiplier": "0.9"}) == [
        (LABEL, Decimal(5), Decimal("5.4"), Decimal("35.991")),
        ("User group partners: rate x 0.9", Decimal(5), Decimal("-0.54"), Decimal("-3.5991")),
    ]


def test_an_exact_rate_has_a_line_with_what_it_changes() -> None:
    assert told(INPUTS | {"exact_rate": "6", "multiplier": "0.9", "seconds": "1"}) == [
        (LABEL, Decimal(1), Decimal("5.4"), Decimal("7.1982")),
        ("Billed as 3 seconds, the minimum", Decimal(2), Decimal("5.4"), Decimal("14.3964")),
        ("User group partners: 6 a second instead of 5.4", Decimal(3), Decimal("0.6"), Decimal("2.3994")),
    ]


def test_what_costs_a_call_has_one_call() -> None:
    call = INPUTS | {"unit": "call", "rate": "1", "factor": "1", "minimum_seconds": "0", "seconds": None}
    assert told(call) == [(LABEL, Decimal(1), Decimal(1), Decimal(1))]


def test_measured_seconds_make_lines_of_their_own() -> None:
    assert told(INPUTS, seconds=Decimal(4)) == [(LABEL, Decimal(4), Decimal("5.4"), Decimal("28.7928"))]


@given(
    rate=st.decimals(0, 100, places=4),
    factor=st.decimals(0, 10, places=4),
    multiplier=st.decimals(0, 3, places=4),
    exact=st.none() | st.decimals(0, 100, places=4),
    seconds=st.decimals(0, 60, places=3),
    minimum=st.decimals(0, 10, places=2),
)
def test_the_amounts_add_up_to_the_price_and_each_is_its_product_to_the_last_digit(
    rate: Decimal, factor: Decimal, multiplier: Decimal, exact: Decimal | None, seconds: Decimal, minimum: Decimal
) -> None:
    inputs = INPUTS | {
        "rate": str(rate),
        "factor": str(factor),
        "multiplier": str(multiplier),
        "exact_rate": None if exact is None else str(exact),
        "seconds": str(seconds),
        "minimum_seconds": str(minimum),
    }
    lines = price_lines.explain(inputs, LABEL, user_group="partners")

    assert sum(line.amount for line in lines) == pricing.price(inputs)
    assert all(abs(line.amount - line.quantity * line.rate * line.factor) <= Decimal("0.0001") for line in lines)
