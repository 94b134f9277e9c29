"""Auto-recharge: once for each crossing, never while one is unpaid, and no more a month than allowed."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from rest_framework.test import APIClient

from billing.models import AutoRecharge, TopUp
from billing.top_ups import looks, recharge
from tests.billing.books import reserve, totals
from tests.billing.top_ups.conftest import due, fresh
from tests.stripe_peer.server import Peer

pytestmark = pytest.mark.django_db(transaction=True)

URL = "/v1/top-ups/auto-recharge"
WANTED: dict[str, Any] = {"enabled": True, "threshold_credits": 500, "pack": "10", "monthly_maximum_usd": 50}


def recharges() -> list[TopUp]:
    return list(TopUp.objects.filter(origin="auto_recharge").order_by("created_at"))


def test_a_wallet_below_the_threshold_is_recharged_once(saved: AutoRecharge, told: Peer) -> None:
    assert recharge.run(seconds=10) == 1
    assert recharge.run(seconds=10) == 0
    [made] = recharges()
    assert (made.status, made.credits, made.usd) == ("paid", 1440, 20)
    assert totals(saved.organization) == (2160, 0)
    told.deliver()
    assert totals(saved.organization) == (2160, 0)


def test_sweeps_at_once_charge_once(saved: AutoRecharge, told: Peer) -> None:
    def sweep(_: int) -> int:
        try:
            return recharge.run(seconds=10)
        finally:
            connection.close()

    with ThreadPoolExecutor(12) as pool:
        counts = Counter(pool.map(sweep, range(12)))
    assert counts == {1: 1, 0: 11}
    assert len(told.account.all_of("payment_intent")) == 2  # the page's, and one charge


def test_each_crossing_is_a_recharge_of_its_own(saved: AutoRecharge) -> None:
    recharge.run(seconds=10)
    reserve(saved.organization, 1500)
    assert recharge.run(seconds=10) == 1
    assert len(recharges()) == 2


def test_the_month_has_a_maximum(saved: AutoRecharge, buyer: APIClient) -> None:
    for spent in (0, 1500, 1500, 1500):
        if spent:
            reserve(saved.organization, spent)
        recharge.run(seconds=10)
    assert len(recharges()) == 3
    shown = buyer.get(URL).json()
    assert (shown["status"], shown["spent_this_month_usd"]) == ("monthly_maximum_reached", 60)


@pytest.mark.parametrize("outcome", ["declined", "authentication_required"])
def test_a_refused_card_pauses_until_somebody_resumes(
    saved: AutoRecharge, told: Peer, buyer: APIClient, outcome: str
) -> None:
    told.account.cards[saved.payment_method_id] = outcome
    assert recharge.run(seconds=10) == 1
    assert recharge.run(seconds=10) == 0
    shown = buyer.get(URL).json()
    assert shown["status"] == "paused" and shown["paused_reason"].startswith("Your card was declined.")
    assert totals(saved.organization) == (720, 0)
    del told.account.cards[saved.payment_method_id]
    recharge.resume(saved)
    assert recharge.run(seconds=10) == 1
    assert totals(saved.organization) == (2160, 0)


def test_while_one_is_on_its_way_there_is_no_other(saved: AutoRecharge, told: Peer) -> None:
    told.account.cards[saved.payment_method_id] = "processing"
    assert recharge.run(seconds=10) == 1
    assert recharge.run(seconds=10) == 0
    [made] = recharges()
    assert made.status == "processing"
    told.account.succeed(told.account.get(made.payment_intent_id, "payment_intent"))
    told.deliver()
    assert (fresh(made).status, totals(saved.organization)) == ("paid", (2160, 0))


def test_a_charge_whose_answer_got_lost_is_made_once(saved: AutoRecharge, told: Peer) -> None:
    told.lose_answers = 1
    assert recharge.run(seconds=10) == 1
    [made] = recharges()
    assert made.status == "opening"
    due(made)
    looks.run(seconds=10)
    assert (fresh(made).status, totals(saved.organization)) == ("paid", (2160, 0))
    assert len(told.account.all_of("payment_intent")) == 2


def test_it_is_configured_over_the_api(saved: AutoRecharge, buyer: APIClient) -> None:
    answer = buyer.put(URL, WANTED, format="json")
    assert answer.status_code == 200
    shown = answer.json()
    assert (shown["status"], shown["credits"], shown["threshold_credits"]) == ("on", 720, 500)
    assert shown["payment_method_saved"] is True
    assert buyer.put(URL, WANTED | {"enabled": False}, format="json").json()["status"] == "off"
    assert recharge.run(seconds=10) == 0


def test_without_a_saved_method_it_cannot_be_switched_on(stripe_peer: Peer, buyer: APIClient) -> None:
    answer = buyer.put(URL, WANTED, format="json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "payment_method_missing")
    assert buyer.get(URL).json()["status"] == "off"


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"threshold_credits": 721}, "threshold_credits"),
        ({"threshold_credits": 0}, "threshold_credits"),
        ({"monthly_maximum_usd": 9}, "monthly_maximum_usd"),
        ({"pack": None}, "pack"),
        ({"enabled": "perhaps"}, "enabled"),
    ],
)
def test_amounts_that_contradict_each_other_are_refused(
    saved: AutoRecharge, buyer: APIClient, change: dict[str, Any], param: str
) -> None:
    answer = buyer.put(URL, WANTED | change, format="json")
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)
    saved.refresh_from_db()
    assert saved.threshold_credits == Decimal(1000)
