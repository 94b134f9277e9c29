"""What Stripe tells us: verified, counted once, in any order, and never believed beyond what we recorded."""

import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from functools import partial
from typing import Any

import httpx
import pytest
from django.db import connection
from pytest_django import Settings

from billing import audit
from billing.models import StripeEvent, TopUp
from billing.top_ups import looks, settling
from billing.top_ups.wire import Payment, State
from generations.models import Alert
from tests.billing.books import totals
from tests.billing.top_ups.conftest import Buy, due, fresh
from tests.cast import Person
from tests.plain_http import http
from tests.stripe_peer.server import SECRET, Peer

pytestmark = pytest.mark.django_db(transaction=True)


def try_to_send(told: Peer, event: dict[str, Any]) -> int | None:
    """None where the test's server had no room for one more connection; Stripe would send it again, too."""
    try:
        return told.send(event)
    except httpx.TransportError:
        return None


def grants_of(top_up: TopUp) -> int:
    return top_up.organization.wallet.transfers.filter(kind="top_up", reference=top_up.public_id).count()


def test_a_paid_page_is_credits(buy: Buy, told: Peer) -> None:
    top_up = buy(pack="10")
    told.account.pay(top_up.session_id)
    assert set(told.deliver()) == {200}
    assert fresh(top_up).status == "paid"
    assert totals(top_up.organization) == (720, 0)
    assert top_up.organization.wallet.lots.get().kind == "paid"
    assert audit.audit_all().findings == []


def test_a_webhook_sent_fifty_times_at_once_is_one_grant(buy: Buy, told: Peer) -> None:
    top_up = buy(pack="10")
    told.account.pay(top_up.session_id)
    event = told.last("checkout.session.completed")
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(partial(try_to_send, told), [event] * 50))
    assert set(answers) <= {200, 503, None} and 200 in answers
    assert set(told.deliver()) == {200}
    assert grants_of(top_up) == 1
    assert totals(top_up.organization) == (720, 0)
    assert StripeEvent.objects.filter(pk=event["id"]).count() == 1


def test_paying_on_the_page_tells_us_at_once(buy: Buy, told: Peer) -> None:
    top_up = buy(pack="10")
    answer = http.post(top_up.checkout_url, data={"outcome": "ok"})
    assert answer.status_code == 303
    assert fresh(top_up).status == "paid"


@pytest.mark.parametrize("break_it", ["secret", "time", "body", "no header"])
def test_what_stripe_did_not_sign_lately_is_refused(buy: Buy, told: Peer, break_it: str) -> None:
    top_up = buy()
    told.account.pay(top_up.session_id)
    event = told.last("checkout.session.completed")
    if break_it == "secret":
        status = told.send(event, secret="whsec_other")
    elif break_it == "time":
        status = told.send(event, signed_at=time.time() - 600)
    else:
        headers = {} if break_it == "no header" else {"Stripe-Signature": f"t={int(time.time())},v1={'0' * 64}"}
        status = http.post(told.webhook_url, json=event, headers=headers).status_code
    assert status == 400
    assert (fresh(top_up).status, StripeEvent.objects.count()) == ("open", 0)


def test_while_a_secret_is_rotated_both_are_accepted(buy: Buy, told: Peer, settings: Settings) -> None:
    settings.STRIPE_WEBHOOK_SECRETS = ["whsec_new", SECRET]
    top_up = buy()
    told.account.pay(top_up.session_id)
    assert told.send(told.last("checkout.session.completed"), secret="whsec_new") == 200
    assert told.send(told.last("payment_intent.succeeded"), secret=SECRET) == 200
    assert grants_of(top_up) == 1


def test_another_amount_than_we_recorded_gives_nothing_and_is_told(buy: Buy, told: Peer) -> None:
    top_up = buy(pack="10")
    told.account.get(top_up.session_id, "checkout.session")["amount_total"] = 500
    told.account.pay(top_up.session_id)
    assert set(told.deliver()) == {200}
    assert fresh(top_up).status == "review"
    assert totals(top_up.organization) == (0, 0)
    assert "Paid: 500 usd" in Alert.objects.get(kind="top-up-mismatch").message


def test_another_currency_gives_nothing(buy: Buy, told: Peer) -> None:
    top_up = buy(pack="10")
    told.account.get(top_up.session_id, "checkout.session")["currency"] = "jpy"
    told.account.pay(top_up.session_id)
    told.deliver()
    assert (fresh(top_up).status, totals(top_up.organization)) == ("review", (0, 0))


@pytest.mark.parametrize("paid", [True, False])
def test_a_bank_that_takes_its_time(buy: Buy, told: Peer, paid: bool) -> None:
    top_up = buy(pack="10")
    told.account.pay(top_up.session_id, outcome="processing")
    told.deliver()
    assert (fresh(top_up).status, totals(top_up.organization)) == ("processing", (0, 0))
    told.account.bank_answers(top_up.session_id, paid=paid)
    assert set(told.deliver()) == {200}
    assert fresh(top_up).status == ("paid" if paid else "failed")
    assert totals(top_up.organization) == (720 if paid else 0, 0)


def test_events_in_the_wrong_order_end_the_same(buy: Buy, told: Peer) -> None:
    top_up = buy(pack="10")
    session = told.account.pay(top_up.session_id)
    told.account.refund(session["payment_intent"], 250)
    events = [event for event in told.account.events if event["id"] in told.account.undelivered]
    assert {told.send(event) for event in reversed(events)} == {200}
    for _ in range(2):
        due(top_up)
        looks.run(seconds=10)
    assert fresh(top_up).status == "paid"
    assert totals(top_up.organization) == (540, 0)


def test_a_lost_webhook_loses_nothing(buy: Buy, stripe_peer: Peer) -> None:
    top_up = buy(pack="10")
    stripe_peer.account.pay(top_up.session_id)
    due(top_up)
    assert looks.run(seconds=10) == 1
    assert (fresh(top_up).status, totals(top_up.organization)) == ("paid", (720, 0))


def test_events_that_never_reached_us_are_caught_up_with(buy: Buy, told: Peer) -> None:
    top_up = buy(pack="10")
    session = told.account.pay(top_up.session_id)
    told.deliver()
    told.account.dispute(session["payment_intent"])
    assert totals(top_up.organization) == (720, 0)
    looks.catch_up()
    looks.catch_up()
    assert totals(top_up.organization) == (0, 0)


def test_catching_up_reads_every_page(buy: Buy, told: Peer) -> None:
    top_up = buy(pack="10")
    session = told.account.pay(top_up.session_id)
    told.deliver()
    told.account.dispute(session["payment_intent"])
    other = told.account.create("charge", "ch", payment_intent="pi_of_a_shop", metadata={}, currency="usd")
    for _ in range(510):
        told.account.tell("charge.refunded", other)
    looks.catch_up()
    assert totals(top_up.organization) == (0, 0)


def test_what_concerns_no_top_up_of_ours_is_taken_and_leaves_nothing(told: Peer, alice: Person) -> None:
    other = told.account.create("charge", "ch", payment_intent="pi_of_a_shop", metadata={}, currency="usd")
    assert told.send(told.account.tell("charge.refunded", other)) == 200
    assert told.send(told.account.tell("customer.created", other)) == 200
    assert StripeEvent.objects.count() == 0


def test_an_event_of_live_mode_is_nothing_to_a_test_key(buy: Buy, told: Peer) -> None:
    top_up = buy()
    told.account.pay(top_up.session_id)
    assert told.send(told.last("checkout.session.completed") | {"livemode": True}) == 200
    assert fresh(top_up).status == "open"


def test_sweeps_and_webhooks_at_once_are_one_grant(buy: Buy, told: Peer) -> None:
    top_up = buy(pack="50")
    told.account.pay(top_up.session_id)
    due(top_up)
    event = told.last("checkout.session.completed")

    def one(number: int) -> None:
        if number % 2:
            try_to_send(told, event)
        else:
            try:
                looks.look(fresh(top_up))
            finally:
                connection.close()

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(one, range(16)))
    assert (grants_of(top_up), totals(top_up.organization)) == (1, (Decimal(3600), 0))


def test_what_is_paid_a_second_time_by_another_payment_is_told_and_gives_nothing(buy: Buy, told: Peer) -> None:
    top_up = buy(pack="10")
    told.account.pay(top_up.session_id)
    told.deliver()
    again = Payment(state=State.PAID, cents=1000, currency="usd", payment_intent_id="pi_of_a_second_payment")
    assert settling.settle(top_up.pk, again) == "paid already"
    assert "Paid again?" in Alert.objects.get(kind="top-up-mismatch").message
    assert grants_of(top_up) == 1


def test_a_payment_that_is_told_before_its_page_fills_in_the_page(buy: Buy, told: Peer) -> None:
    top_up = buy(pack="10")
    session = told.account.pay(top_up.session_id)
    TopUp.objects.filter(pk=top_up.pk).update(session_id="")
    assert set(told.deliver()) == {200}
    assert (fresh(top_up).session_id, fresh(top_up).status) == (session["id"], "paid")
    assert not Alert.objects.filter(kind="top-up-mismatch").exists()
