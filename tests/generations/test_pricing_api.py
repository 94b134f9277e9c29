"""GET /v1/catalog/pricing: everybody's prices without a key, one's own with one, what changes next, and ETags."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from accounts.models import UserGroup
from billing import overrides, price_book, price_list, pricing
from billing.models import PriceCell
from generations import catalog, published_prices
from generations.serializers.pricing import ROUNDINGS
from tests.cast import Person, client_for
from tests.generations.gateway import Steps
from tests.generations.quoting import quote

pytestmark = pytest.mark.django_db

PRICING = "/v1/catalog/pricing"
NOON = datetime(2027, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
T2V = "kling-v3-text-to-video"


@pytest.fixture
def clock(prices: None) -> Iterator[time_machine.Traveller]:
    """It stands at noon, with the prices as they are shipped."""
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def of(answer: Any, model: str = T2V) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in answer.json()["data"] if one["id"] == model)
    return found


def cell(model: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in model["cells"] if one["cell"] == name)
    return found


def load(changes: dict[str, str], at: datetime) -> None:
    text = price_book.FILE.read_text()
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    assert price_book.load(text, at)[1]


@pytest.fixture
def partner(charlie: Person, prices: None) -> Person:
    """Charlie's organization pays other prices: 90 % of all, and an exact rate for one model."""
    group = UserGroup.objects.create(name="partners")
    charlie.organization.user_group = group
    charlie.organization.save(update_fields=["user_group"])
    overrides.set_multiplier(group, Decimal("0.9"), reason="test")
    overrides.set_rate(group, T2V, Decimal(5), reason="test")
    return charlie


def test_everybody_reads_what_every_model_costs(anyone: APIClient, prices: None) -> None:
    answer = anyone.get(PRICING)
    body = answer.json()

    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    assert {name: value for name, value in body.items() if name != "data"} == {
        "object": "list",
        "user_group": "default",
        "credits_per_usd": 72,
        "packs": [
            {"usd": 10, "credits": 720},
            {"usd": 50, "credits": 3600},
            {"usd": 100, "credits": 7200},
            {"usd": 300, "credits": 21600},
            {"usd": 1000, "credits": 72000},
            {"usd": 2000, "credits": 144000},
        ],
        "changes_at": None,
    }
    assert [model["id"] for model in body["data"]] == [spec.id for spec in catalog.SPECS]
    listed = {(model["id"], one["cell"]) for model in body["data"] for one in model["cells"]}
    assert listed == set(PriceCell.objects.values_list("model", "cell"))


def test_a_cell_says_all_that_its_price_is_made_of(anyone: APIClient, prices: None) -> None:
    found = of(anyone.get(PRICING))
    assert {name: value for name, value in found.items() if name != "cells"} == {
        "id": T2V,
        "object": "model.price",
        "billing_rule": "per_second",
        "settlement": {"billed_by": "request", "reserved_rounding": None, "charged_rounding": None},
        "changes_at": None,
        "coming_cells": None,
    }
    assert cell(found, "720p_off") == {
        "cell": "720p_off",
        "label": "720p without sound",
        "unit": "second",
        "rate": 5.4,
        "factor": 1,
        "credits": 5.4,
        "usd": 0.075,
        "minimum_seconds": 3,
        "official_usd": 0.084,
    }
    sums = {name: (cell(found, name)["credits"], cell(found, name)["usd"]) for name in ("1080p_off", "4k_on")}
    assert sums == {"1080p_off": (7.1982, 0.1), "4k_on": (27, 0.375)}


@pytest.mark.parametrize(
    ("model", "settlement"),
    [
        ("kling-v3-motion-control", ("output", "half_up", "half_up")),
        ("kling-v2.6-motion-control", ("output", "half_up", "half_up")),
        ("kling-o3-video-edit", ("output", "up", "half_up")),
        ("kling-o1-video-edit", ("input", "hundredth_up", "hundredth_up")),
        ("kling-o1-video-edit-fast", ("input", "hundredth_up", "hundredth_up")),
        ("kling-o1-image-to-video", ("request", None, None)),
    ],
)
def test_how_a_model_is_settled_is_said(
    anyone: APIClient, prices: None, model: str, settlement: tuple[str | None, ...]
) -> None:
    assert tuple(of(anyone.get(PRICING), model)["settlement"].values()) == settlement


def test_every_rounding_is_one_that_prices_know() -> None:
    assert set(ROUNDINGS) == set(pricing.ROUNDINGS)


def test_an_element_is_priced_a_call(anyone: APIClient, prices: None) -> None:
    found = of(anyone.get(PRICING), "kling-custom-element")
    (one,) = found["cells"]
    assert (found["billing_rule"], one["unit"], one["credits"], one["usd"]) == ("per_call", "call", 1, 0.0139)
    assert one["official_usd"] is None


def test_official_prices_are_of_cells_that_we_sell_and_of_nearly_all(prices: None) -> None:
    ours = set(PriceCell.objects.values_list("model", "cell"))
    assert ours - set(price_list.official()) == {("kling-custom-element", "call")}
    assert set(price_list.official()) <= ours


def test_a_key_reads_the_prices_of_its_user_group(partner: Person, anyone: APIClient, prices: None) -> None:
    own, public = partner.client.get(PRICING), anyone.get(PRICING)

    assert (own.json()["user_group"], public.json()["user_group"]) == ("partners", "default")
    exact, lower = cell(of(own), "1080p_off"), cell(of(own, "kling-v3-image-to-video"), "720p_off")
    assert (exact["rate"], exact["factor"], exact["credits"], exact["usd"]) == (5, 1.333, 6.665, 0.0926)
    assert (lower["rate"], lower["credits"], lower["usd"]) == (4.86, 4.86, 0.0675)
    assert cell(of(public), "1080p_off")["rate"] == 5.4


def test_a_key_of_the_default_group_reads_what_everybody_does(alice: Person, anyone: APIClient, prices: None) -> None:
    own, public = alice.client.get(PRICING), anyone.get(PRICING)
    assert (own.content, own["ETag"]) == (public.content, public["ETag"])


def test_what_is_listed_is_what_is_quoted(alice: Person, gateway: Steps) -> None:
    overrides.set_multiplier(alice.organization.user_group, Decimal("0.85"), reason="test")
    found = of(alice.client.get(PRICING))
    for quality, sound in (("720p", "off"), ("1080p", "on"), ("4k", "off")):
        one = cell(found, f"{quality}_{sound}")
        expected = Decimal(str(one["rate"])) * Decimal(str(one["factor"])) * 10
        assert Decimal(str(quote(alice, quality=quality, sound=sound, duration=10)["credits"])) == expected


def test_a_wrong_key_is_refused_rather_than_shown_other_prices(anyone: APIClient, prices: None) -> None:
    answer = anyone.get(PRICING, headers={"authorization": "Bearer sk-wrong"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_api_key")
    assert "ETag" not in answer and "Cache-Control" not in answer


def test_no_cache_gives_ones_own_prices_to_others(partner: Person, anyone: APIClient, prices: None) -> None:
    own, public = partner.client.get(PRICING), anyone.get(PRICING)
    assert {word.strip() for word in own["Vary"].split(",")} >= {"Authorization"}
    assert {word.strip() for word in public["Vary"].split(",")} >= {"Authorization"}
    assert "Cookie" not in own["Vary"] + public["Vary"]
    assert (own["Cache-Control"], public["Cache-Control"]) == ("private, max-age=60", "public, max-age=60")
    assert own["ETag"] != public["ETag"]


def test_who_has_it_already_gets_304_and_no_body(partner: Person, anyone: APIClient, prices: None) -> None:
    for client in (anyone, partner.client):
        first = client.get(PRICING)
        again = client.get(PRICING, headers={"if-none-match": first["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert {name: again[name] for name in ("ETag", "Cache-Control")} == {
            name: first[name] for name in ("ETag", "Cache-Control")
        }
        assert "Authorization" in again["Vary"]


def test_the_tag_of_other_prices_does_not_count(partner: Person, anyone: APIClient, prices: None) -> None:
    answer = partner.client.get(PRICING, headers={"if-none-match": anyone.get(PRICING)["ETag"]})
    assert (answer.status_code, answer.json()["user_group"]) == (200, "partners")


def test_the_tag_changes_with_the_prices(partner: Person, prices: None) -> None:
    first = partner.client.get(PRICING)
    overrides.set_rate(partner.organization.user_group, T2V, Decimal("4.9"), reason="test")
    second = partner.client.get(PRICING, headers={"if-none-match": first["ETag"]})
    assert (second.status_code, cell(of(second), "720p_off")["rate"]) == (200, 4.9)


def test_a_change_is_announced_with_the_new_prices(anyone: APIClient, clock: time_machine.Traveller) -> None:
    load({"rate = 7.2": "rate = 8", "rate = 6.8": "rate = 6"}, NOON + HOUR)
    body = anyone.get(PRICING).json()
    at = int((NOON + HOUR).timestamp())

    assert body["changes_at"] == at
    changing = {model["id"]: model for model in body["data"] if model["changes_at"] is not None}
    assert list(changing) == [
        "kling-v3-turbo-text-to-video",
        "kling-v3-turbo-image-to-video",
        "kling-o1-video-edit-fast",
    ]
    fast = changing["kling-o1-video-edit-fast"]
    assert (fast["changes_at"], fast["cells"][0]["rate"], fast["coming_cells"][0]["rate"]) == (at, 6.8, 6)
    assert all(model["coming_cells"] is None for model in body["data"] if model["id"] not in changing)


def test_the_nearest_change_is_announced_first(anyone: APIClient, clock: time_machine.Traveller) -> None:
    load({"rate = 7.2": "rate = 8"}, NOON + HOUR)
    load({"rate = 7.2": "rate = 9"}, NOON + 2 * HOUR)
    assert anyone.get(PRICING).json()["changes_at"] == int((NOON + HOUR).timestamp())


def test_a_change_that_an_exact_price_hides_is_not_announced(
    partner: Person, anyone: APIClient, clock: time_machine.Traveller
) -> None:
    load({"rate = 5.4": "rate = 6"}, NOON + HOUR)
    own, public = partner.client.get(PRICING), anyone.get(PRICING)
    assert of(public)["changes_at"] == of(own, "kling-v3-image-to-video")["changes_at"] == own.json()["changes_at"]
    assert of(own)["changes_at"] is None


def test_no_cache_keeps_a_price_beyond_its_change(
    alice: Person, anyone: APIClient, clock: time_machine.Traveller
) -> None:
    load({"rate = 5.4": "rate = 6"}, NOON + timedelta(seconds=20))
    before = anyone.get(PRICING)
    assert before["Cache-Control"] == "public, max-age=20"
    assert alice.client.get(PRICING)["Cache-Control"] == "private, max-age=20"
    clock.move_to(NOON + timedelta(seconds=20))
    after = anyone.get(PRICING, headers={"if-none-match": before["ETag"]})
    assert (after.status_code, after["Cache-Control"]) == (200, "public, max-age=60")
    assert (cell(of(after), "720p_off")["rate"], after.json()["changes_at"]) == (6, None)


def test_a_process_reads_everybodys_prices_once_in_a_while(
    anyone: APIClient, prices: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    anyone.get(PRICING)
    with django_assert_num_queries(0):
        anyone.get(PRICING)


def test_with_a_key_it_takes_three_statements(
    alice: Person, prices: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = client_for(alice.secret)
    client.get(PRICING)
    with django_assert_num_queries(3):
        client.get(PRICING)


def test_a_model_without_a_price_has_no_cells(anyone: APIClient) -> None:
    body = anyone.get(PRICING).json()
    assert {len(model["cells"]) for model in body["data"]} == {0}
    assert published_prices.public().models[0].billing_rule == "per_second"


def test_the_list_cannot_be_written(anyone: APIClient) -> None:
    assert anyone.post(PRICING).status_code == 405
