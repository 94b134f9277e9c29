"""The price table, cell by cell: what a second costs, what a short one is billed as, and nothing that is not in it."""

from decimal import Decimal

import pytest

from accounts.models import Organization
from billing import price_book, pricing
from billing.models import PriceCell

V3 = ("kling-v3-text-to-video", "kling-v3-image-to-video")
TURBO = ("kling-v3-turbo-text-to-video", "kling-v3-turbo-image-to-video")
O3 = ("kling-o3-text-to-video", "kling-o3-image-to-video")
TABLE: list[tuple[tuple[str, ...], dict[str, str], int]] = [
    (
        V3,
        {
            "720p_off": "54",
            "720p_on": "81",
            "1080p_off": "71.982",
            "1080p_on": "108",
            "4k_off": "270",
            "4k_on": "270",
        },
        3,
    ),
    (
        O3,
        {
            "720p_off": "54",
            "720p_on": "72.036",
            "1080p_off": "72.036",
            "1080p_on": "90.018",
            "4k_off": "270",
            "4k_on": "270",
        },
        3,
    ),
    (
        ("kling-o3-reference-to-video",),
        {"720p": "81", "1080p": "108.054", "720p_video": "81", "1080p_video": "108.054"},
        3,
    ),
    (("kling-o3-video-edit",), {"720p_video": "81", "1080p_video": "108.054"}, 3),
    (("kling-v3-motion-control",), {"720p": "81.648", "1080p": "108.9184"}, 3),
    (("kling-v2.6-motion-control",), {"720p": "45", "1080p": "72"}, 3),
    (TURBO, {"720p": "72", "1080p": "90"}, 3),
    (("kling-o1-image-to-video",), {"1080p": "80"}, 5),
    (("kling-o1-video-edit",), {"1080p_video": "120"}, 3),
    (("kling-o1-video-edit-fast",), {"720p_video": "68"}, 6),
]
"""Models, what ten seconds cost by cell, and the seconds that are billed at least."""
CELLS = [
    (model, cell, credits, minimum)
    for models, cells, minimum in TABLE
    for model in models
    for cell, credits in cells.items()
]


@pytest.fixture(autouse=True)
def the_price_book(db: None) -> None:
    price_book.load(price_book.FILE.read_text())


@pytest.mark.parametrize(("model", "cell", "credits", "minimum"), CELLS)
def test_every_cell_costs_what_the_table_says(
    acme: Organization, model: str, cell: str, credits: str, minimum: int
) -> None:
    assert pricing.quote(model, cell, 10, acme).credits == Decimal(credits)
    shortest = pricing.quote(model, cell, minimum, acme).credits
    assert (
        pricing.quote(model, cell, 1, acme).credits == shortest < pricing.quote(model, cell, minimum + 1, acme).credits
    )


def test_the_table_is_complete() -> None:
    known = {(model, cell) for model, cell, _, _ in CELLS} | {("kling-custom-element", "call")}
    assert set(PriceCell.objects.values_list("model", "cell")) == known


@pytest.mark.parametrize(
    ("model", "cell", "seconds", "credits"),
    [
        ("kling-o1-image-to-video", "1080p", "5", "40"),
        ("kling-o1-image-to-video", "1080p", "10", "80"),
        ("kling-o1-video-edit", "1080p_video", "4.57", "54.84"),
        ("kling-o1-video-edit", "1080p_video", "2", "36"),
        ("kling-o1-video-edit-fast", "720p_video", "5.99", "40.8"),
        ("kling-o1-video-edit-fast", "720p_video", "6.01", "40.868"),
        ("kling-v3-motion-control", "1080p", "7", "76.2429"),
        ("kling-o3-video-edit", "1080p_video", "15", "162.081"),
    ],
)
def test_more_worked_examples(acme: Organization, model: str, cell: str, seconds: str, credits: str) -> None:
    assert pricing.quote(model, cell, Decimal(seconds), acme).credits == Decimal(credits)


@pytest.mark.parametrize(
    ("rounding", "measured", "billed"),
    [
        ("half_up", "7.499", "7"),
        ("half_up", "7.5", "8"),
        ("up", "7.001", "8"),
        ("up", "7", "7"),
        ("hundredth_up", "7.001", "7.01"),
        ("hundredth_up", "7.01", "7.01"),
        ("half_up", "1.2", "3"),
        ("half_up", "11", "10"),
    ],
)
def test_measured_seconds_are_rounded_and_never_cost_more_than_was_reserved(
    acme: Organization, rounding: str, measured: str, billed: str
) -> None:
    """Reserved for 10 seconds of 4.5 credits, at least 3 of them."""
    settled = {"measured": "output", "rounding": rounding}
    quoted = pricing.quote("kling-v2.6-motion-control", "720p", 10, acme, settled=settled)

    assert quoted.credits == Decimal(45)
    assert quoted.inputs["measured"] == "output"
    assert pricing.settle(quoted.inputs, Decimal(measured)) == Decimal(billed) * Decimal("4.5")


def test_a_length_that_was_asked_for_is_not_measured(acme: Organization) -> None:
    quoted = pricing.quote("kling-v3-text-to-video", "720p_off", 5, acme)

    assert pricing.settle(quoted.inputs, Decimal(3)) == Decimal(27)
