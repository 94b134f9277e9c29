"""The lines of a price are said in the reader's language, and in English just as the API says them."""

import tomllib
from decimal import Decimal
from typing import Any

import pytest
from django.utils import translation

from billing import price_book, price_lines
from billing.pricing import Line
from evolink_saas.console import price_words

LABELS = [cell["label"] for group in tomllib.loads(price_book.FILE.read_text())["prices"] for cell in group["cells"]]
FROZEN = {"unit": "second", "rate": "5.4", "factor": "1", "seconds": "2", "minimum_seconds": "3", "multiplier": "1"}
OWN = {"of": "organization"}
CASES: list[dict[str, Any]] = [
    FROZEN | {"exact_rate": None},
    FROZEN | {"exact_rate": None, "multiplier": "0.9", "override": None},
    FROZEN | {"exact_rate": None, "multiplier": "0.9", "override": OWN},
    FROZEN | {"exact_rate": "5", "override": OWN},
    FROZEN | {"exact_rate": "5", "override": None},
    FROZEN | {"exact_rate": "5", "override": None, "unit": "call"},
    FROZEN | {"exact_rate": "5", "override": OWN, "unit": "call"},
]


def explained(inputs: dict[str, Any], label: str) -> list[Line]:
    return price_lines.explain(inputs, label, user_group="partners")


@pytest.mark.parametrize("label", sorted(set(LABELS)))
@pytest.mark.parametrize("inputs", CASES)
def test_a_line_is_said_in_every_language(inputs: dict[str, Any], label: str) -> None:
    lines = explained(inputs, label)
    assert [price_words.label(line) for line in lines] == [line.label for line in lines]
    with translation.override("zh-hans"):
        chinese = " ".join(price_words.label(line) + price_words.quantity(line) for line in lines)
    for english in (" a ", "rate", "User group", "Your own", "sound", "video", "element", "second", "call"):
        assert english not in chinese


def test_what_an_operator_has_named_keeps_its_name() -> None:
    (line,) = explained(FROZEN | {"exact_rate": None, "seconds": "5"}, "Sonderpreis")
    with translation.override("zh-hans"):
        assert price_words.label(line) == "Sonderpreis"


@pytest.mark.parametrize(
    ("quantity", "unit", "text"),
    [
        ("1", "call", "1 call"),
        ("5", "second", "5 seconds"),
        ("1.0", "second", "1 second"),
        ("3.5", "second", "3.5 seconds"),
    ],
)
def test_a_quantity_has_its_unit(quantity: str, unit: str, text: str) -> None:
    line = Line(label="", quantity=Decimal(quantity), unit=unit, rate=Decimal(1), factor=Decimal(1), amount=Decimal(1))
    assert price_words.quantity(line) == text
