"""The demo's receipt finds whatever does not add up."""

from decimal import Decimal

import pytest
from rich.console import Console

from evolink_saas.demo_run.receipt import Line, Receipt

BOUGHT = Line(title="video", status="completed", reserved=Decimal("40.5"), charged=Decimal("40.5"), file="video.mp4")
FAILED = Line(title="failing video", status="failed", reserved=Decimal("16.2"), refunded=Decimal("16.2"))
REFUSED = Line(title="without credits", status="refused: 402")


def receipt(*lines: Line, opening: str = "100", closing: str = "59.5") -> Receipt:
    return Receipt(lines=lines, opening=Decimal(opening), closing=Decimal(closing))


def test_sums_that_equal_the_change_of_the_balance_are_right() -> None:
    right = receipt(BOUGHT, FAILED, REFUSED)
    assert list(right.problems()) == []
    assert right.equation() == (
        "reserved 56.7 = charged 40.5 + refunded 16.2\nbalance before 100 - after 59.5 = 40.5 = charged 40.5"
    )


def test_it_is_readable_on_80_columns() -> None:
    console = Console(width=80)
    with console.capture() as captured:
        console.print(receipt(BOUGHT, FAILED, REFUSED).table())
    assert "…" not in captured.get()
    assert "without credits" in captured.get()


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        (receipt(BOUGHT, FAILED, closing="59.4999"), "The balance changed by 40.5001, not by 40.5."),
        (
            receipt(Line(title="video", status="completed", reserved=Decimal(2), charged=Decimal(1)), closing="99"),
            "video: what was reserved is not what was charged and refunded.",
        ),
        (
            receipt(Line(title="video", status="completed", reserved=Decimal(2), refunded=Decimal(2)), closing="100"),
            "video: it was completed, and yet refunded.",
        ),
        (
            receipt(Line(title="video", status="failed", reserved=Decimal(2), charged=Decimal(2)), closing="98"),
            "video: it came to nothing, and yet was charged.",
        ),
    ],
)
def test_what_does_not_add_up_is_told(wrong: Receipt, problem: str) -> None:
    assert list(wrong.problems()) == [problem]
