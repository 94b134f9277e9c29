"""Buying credits: what may be bought, what Stripe is asked, and what is there when an answer gets lost."""

from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import Organization, Scope
from billing.models import TopUp
from billing.top_ups import looks, settling
from generations.models import Alert
from tests.billing.books import totals
from tests.billing.top_ups.conftest import API, Buy, due, fresh
from tests.cast import Person, give_key
from tests.stripe_peer.account import Problem
from tests.stripe_peer.server import Peer

pytestmark = pytest.mark.django_db(transaction=True)

SESSIONS = "/v1/checkout/sessions"


def test_a_pack_is_a_page_of_stripe_and_no_credits_yet(buy: Buy, buyer: APIClient, stripe_peer: Peer) -> None:
    top_up = buy(pack="100")
    shown = buyer.get(f"{API}/{top_up.public_id}").json()
    assert (shown["status"], shown["credits"], shown["usd"], shown["origin"]) == ("open", 7200, 100, "checkout")
    assert shown["checkout_url"] == f"{stripe_peer.url}/pay/{top_up.session_id}"
    [asked] = stripe_peer.made(SESSIONS)
    assert asked["line_items"]["0"]["price_data"]["unit_amount"] == "10000"
    assert asked["metadata"]["top_up"] == asked["payment_intent_data"]["metadata"]["top_up"] == top_up.public_id
    assert totals(top_up.organization) == (0, 0)


@pytest.mark.parametrize(
    ("pack", "credits"), [("10", 720), ("50", 3600), ("100", 7200), ("300", 21600), ("1000", 72000), ("2000", 144000)]
)
def test_every_pack_gives_72_credits_a_dollar(buy: Buy, pack: str, credits: int) -> None:
    top_up = buy(pack=pack)
    assert (top_up.credits, top_up.usd) == (credits, Decimal(pack))


def test_an_amount_of_ones_own_counts_in_whole_cents(buy: Buy) -> None:
    assert buy(amount_usd="12.34").credits == Decimal("888.48")


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "pack"),
        ({"pack": "10", "amount_usd": 10}, "pack"),
        ({"pack": "11"}, "pack"),
        ({"amount_usd": "4.99"}, "amount_usd"),
        ({"amount_usd": "5000.01"}, "amount_usd"),
        ({"amount_usd": "10.001"}, "amount_usd"),
        ({"amount_usd": -5}, "amount_usd"),
        ({"amount_usd": "much"}, "amount_usd"),
    ],
)
def test_what_cannot_be_bought_is_refused_by_its_field(
    buyer: APIClient, stripe_peer: Peer, body: dict[str, Any], param: str
) -> None:
    answer = buyer.post(API, body, format="json")
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)
    assert not TopUp.objects.exists() and stripe_peer.calls == []


def test_without_a_key_of_stripe_nothing_can_be_bought(buyer: APIClient, settings: Settings) -> None:
    settings.STRIPE_API_KEY = ""
    answer = buyer.post(API, {"pack": "10"}, format="json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "top_ups_unavailable")
    assert not TopUp.objects.exists()


def test_a_sandbox_organization_buys_nothing(alice: Person, stripe_peer: Peer) -> None:
    sandbox = Organization.objects.create(
        name="Acme sandbox", user_group=alice.organization.user_group, sandbox_of=alice.organization
    )
    client = APIClient(headers={"Authorization": f"Bearer {give_key(sandbox, scopes=[Scope.BILLING])[1]}"})
    answer = client.post(API, {"pack": "10"}, format="json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "sandbox_cannot_buy")
    assert stripe_peer.calls == []


def test_a_lost_answer_is_asked_for_again_with_the_same_key(buyer: APIClient, stripe_peer: Peer) -> None:
    stripe_peer.lose_answers = 1
    answer = buyer.post(API, {"pack": "10"}, format="json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "top_ups_unavailable")
    top_up = TopUp.objects.get()
    assert top_up.status == "opening"
    due(top_up)
    assert looks.run(seconds=10) == 1
    assert fresh(top_up).status == "open"
    assert len(stripe_peer.account.all_of("checkout.session")) == 1
    assert len(stripe_peer.made(SESSIONS)) == 2


def test_a_process_that_died_before_it_asked_stripe_loses_nothing(alice: Person, stripe_peer: Peer) -> None:
    top_up = settling.begin(alice.organization, TopUp.Origin.CHECKOUT, 1000)
    due(top_up)
    assert looks.run(seconds=10) == 1
    assert fresh(top_up).status == "open"


def test_what_stripe_refuses_fails_and_operators_are_told(buyer: APIClient, stripe_peer: Peer) -> None:
    stripe_peer.refuse_with = Problem(401, "invalid_request_error", "Invalid API Key provided: sk_****")
    answer = buyer.post(API, {"pack": "10"}, format="json")
    assert answer.status_code == 503
    assert TopUp.objects.get().status == "failed"
    assert Alert.objects.get(kind="stripe-refused").message == "Invalid API Key provided: sk_****"


def test_a_page_that_nobody_pays_expires(buy: Buy, stripe_peer: Peer, buyer: APIClient) -> None:
    top_up = buy()
    stripe_peer.account.expire(top_up.session_id)
    due(top_up)
    looks.run(seconds=10)
    shown = buyer.get(f"{API}/{top_up.public_id}").json()
    assert (shown["status"], shown["checkout_url"]) == ("expired", None)
    assert fresh(top_up).due_at is None


def test_top_ups_are_listed_newest_first_in_pages(buy: Buy, buyer: APIClient, bob: Person) -> None:
    made = [buy(pack=pack).public_id for pack in ("10", "50", "100")]
    first = buyer.get(f"{API}?page_size=2").json()
    rest = buyer.get(f"{API}?page_size=2&cursor={first['next_cursor']}").json()
    assert [one["id"] for one in first["data"] + rest["data"]] == made[::-1]
    assert rest["next_cursor"] is None


def test_no_more_than_twenty_unpaid_ones_at_once(buy: Buy, buyer: APIClient, alice: Person) -> None:
    for _ in range(20):
        settling.begin(alice.organization, TopUp.Origin.CHECKOUT, 1000)
    answer = buyer.post(API, {"pack": "10"}, format="json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "too_many_open_top_ups")


def test_a_top_up_not_yet_due_is_left_alone(buy: Buy, stripe_peer: Peer) -> None:
    top_up = buy()
    assert top_up.due_at > timezone.now()
    assert looks.run(seconds=10) == 0
