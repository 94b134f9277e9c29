"""The prices on public pages are those that are charged: for everybody, for a member, after a change, to the digit."""

from dataclasses import astuple
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

import pytest
import time_machine
from django.test import Client

from accounts import organizations
from accounts.models import UserGroup
from billing import dollars, overrides, price_book, price_list, pricing
from billing.models import PriceCell
from evolink_saas.site import calculator, offers
from evolink_saas.templatetags.pages import credits
from evolink_saas.templatetags.prices import exact_dollars, unit_dollars
from generations import catalog, published_prices
from tests.console.visitors import Visitor
from tests.site.conftest import Look
from tests.site.outline import Outline, read

pytestmark = pytest.mark.django_db

KLING_3, T2V = "/models/kling-3", "kling-v3-text-to-video"
HOUR = timedelta(hours=1)
SHOWN_PROBLEM = 'role="alert" data-problem>Write a whole number of seconds from 1 to 15.'
WORDS = ("720p without sound", "720p with sound", "1080p without sound", "1080p with sound")
WORDS_4K = ("4K without sound", "4K with sound")


def table(page: Outline) -> dict[str, tuple[str, ...]]:
    """The rows of the first price table: credits, our price, the official one, what one saves."""
    return {row[0]: tuple(row[1:]) for row in page.rows[:7] if row[0] in WORDS + WORDS_4K}


def load(old: str, new: str, at: datetime | None = None) -> None:
    text = price_book.FILE.read_text()
    assert old in text
    assert price_book.load(text.replace(old, new, 1), at, replace=True)[1]
    published_prices.public.forget()


def test_the_table_shows_each_price_beside_the_official_one(look: Look) -> None:
    assert table(look(KLING_3)) == {
        "720p without sound": ("5.4", "$0.075 / s", "$0.084 / s", "10 %"),
        "720p with sound": ("8.1", "$0.113 / s", "$0.126 / s", "10 %"),
        "1080p without sound": ("7.1982", "$0.100 / s", "$0.112 / s", "10 %"),
        "1080p with sound": ("10.8", "$0.150 / s", "$0.168 / s", "10 %"),
        "4K without sound": ("27", "$0.375 / s", "$0.420 / s", "10 %"),
        "4K with sound": ("27", "$0.375 / s", "$0.420 / s", "10 %"),
    }


def test_every_cell_of_the_price_book_is_on_the_page_of_its_model(look: Look) -> None:
    for model, cell, rate, factor in PriceCell.objects.values_list("model", "cell", "rate", "factor"):
        page = look(f"/models/{model}")
        official = price_list.official().get((model, cell))
        found = [row for row in page.rows if row[1:2] == [credits(rate * factor)]]
        priced = unit_dollars(rate * factor / dollars.CREDITS_PER_DOLLAR)
        assert any(
            row[2].startswith(priced) and (official is None or unit_dollars(official) in row[3]) for row in found
        )


def test_a_price_change_is_on_the_page_at_once(look: Look) -> None:
    load("rate = 5.4", "rate = 6.3")
    page = look(KLING_3)
    assert table(page)["720p without sound"] == ("6.3", "$0.088 / s", "$0.084 / s", "–")
    assert "below the official price" not in page.text and "officially" not in page.text
    assert "Prices from $0.088 / s" in page.text
    assert "The rate of Kling 3.0 is 6.3 credits a second" in page.text


def test_a_change_that_is_known_is_announced_with_its_moment_and_price(look: Look) -> None:
    noon = datetime(2027, 3, 2, 12, tzinfo=UTC)
    with time_machine.travel(noon, tick=False):
        published_prices.public.forget()
        load("rate = 5.4", "rate = 6.3", noon + HOUR)
        page = look(KLING_3)
        assert "Prices change on 2027-03-02 13:00 UTC" in page.text
        assert table(page)["720p without sound"][0] == "5.4 soon 6.3"
    with time_machine.travel(noon + HOUR, tick=False):
        assert table(look(KLING_3))["720p without sound"][0] == "6.3"


def test_models_that_cost_the_same_share_a_table(look: Look) -> None:
    assert "Prices of kling-v3-image-to-video" not in look(KLING_3).text
    overrides.set_rate(UserGroup.objects.get(name="default"), "kling-v3-image-to-video", Decimal(5), reason="test")
    published_prices.public.forget()
    page = look(KLING_3)
    assert "Prices of kling-v3-text-to-video" in page.text and "Prices of kling-v3-image-to-video" in page.text


def test_a_member_sees_what_the_organization_pays(owner: Visitor, look: Look) -> None:
    overrides.set_multiplier(owner.organization, Decimal("0.9"), reason="test")
    page = read(owner.client.get(KLING_3).content.decode())
    assert table(page)["720p without sound"][:2] == ("4.86", "$0.068 / s")
    assert "You see the prices of your own organization (user group default)." in page.text
    assert table(look(KLING_3))["720p without sound"][0] == "5.4"


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ({}, "27 credits = $0.375"),
        ({"seconds": 5, "quality": "1080p", "sound": "off"}, "35.991 credits = $0.4999"),
        ({"seconds": 15, "quality": "1080p", "sound": "on"}, "162 credits = $2.25"),
        ({"seconds": 2, "quality": "720p", "sound": "on"}, "24.3 credits = $0.3375"),
        ({"seconds": 15, "quality": "1080p", "sound": "off"}, "107.973 credits = $1.4996"),
        ({"seconds": 15, "quality": "4k", "sound": "off"}, "405 credits = $5.625"),
    ],
)
def test_the_calculator_works_without_a_script(look: Look, asked: dict[str, object], shown: str) -> None:
    assert shown in look(KLING_3, **asked).text


def test_what_is_below_the_minimum_is_said(look: Look) -> None:
    text = look(KLING_3, seconds=2, quality="720p", sound="off").text
    assert "16.2 credits = $0.225" in text and "Billed as the minimum, in seconds: 3" in text


@pytest.mark.parametrize("seconds", ["0", "16", "-3", "4.5", "", "x", "٣", "9" * 5000])
def test_impossible_seconds_are_refused_in_words(client: Client, prices: None, seconds: str) -> None:
    html = client.get(KLING_3, {"seconds": seconds, "quality": "720p"}, headers={"accept-language": "en"})
    assert SHOWN_PROBLEM in html.content.decode()
    assert "<b data-credits></b>" in html.content.decode()
    assert SHOWN_PROBLEM not in client.get(KLING_3, headers={"accept-language": "en"}).content.decode()


@pytest.mark.parametrize("asked", [{"quality": "8k"}, {"sound": "<b>"}, {"quality": "", "sound": ""}])
def test_unknown_choices_fall_back_to_the_first(look: Look, asked: dict[str, str]) -> None:
    assert "27 credits = $0.375" in look(KLING_3, seconds=5, **asked).text


def test_the_calculator_agrees_with_a_quote_for_every_cell_and_length(prices: None) -> None:
    everybody, compared = organizations.ordinary(), 0
    for offer in offers.read(None).all:
        for variant in offer.variants:
            allowed = calculator.lengths(offer.spec)
            seconds_asked = range(allowed.shortest, allowed.longest + 1, allowed.step)
            for seconds in [None] if variant.is_per_call else seconds_asked:
                row, found = variant.row, calculator.cost(variant, seconds)
                assert found.credits == pricing.quote(row.model, row.cell, seconds, everybody).credits
                assert found.usd == dollars.usd(found.credits)
                compared += 1
    assert compared > 42


def test_a_calculator_offers_what_the_model_takes(prices: None) -> None:
    found = {offer.spec.id: calculator.of(offer, {}) for offer in offers.read(None).all if offer.is_per_second}
    assert {one.id for one in catalog.SPECS} - set(found) == {"kling-custom-element"}
    shapes = {name: (*astuple(one.lengths), one.kind) for name, one in found.items()}
    assert shapes[T2V] == (1, 15, 5, 1, "sound")
    assert shapes["kling-o3-reference-to-video"] == (3, 10, 5, 1, "source")
    assert shapes["kling-o1-image-to-video"] == (5, 10, 5, 5, "")
    assert shapes["kling-o1-video-edit-fast"] == (1, 20, 5, 1, "")
    assert all(one.result is not None for one in found.values())


def test_dollars_are_written_to_the_last_digit_that_counts() -> None:
    written = ["0.375", "2.25", "1234.5", "0.4999", "0"]
    assert [exact_dollars(Decimal(one)) for one in written] == ["$0.375", "$2.25", "$1,234.50", "$0.4999", "$0.00"]
    assert unit_dollars(Decimal("0.1125")) == "$0.113" and unit_dollars(None) == "–"
    assert Decimal("0.1125").quantize(Decimal("0.001"), ROUND_HALF_UP) == Decimal("0.113")
