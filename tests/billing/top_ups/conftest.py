"""Alice buys at a small Stripe that tells a real server of ours over HTTP."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer
from rest_framework.test import APIClient

from accounts.models import Scope
from billing.models import AutoRecharge, TopUp
from billing.top_ups import recharge
from tests.cast import Person
from tests.stripe_peer.server import Peer

Buy = Callable[..., TopUp]
API = "/v1/top-ups"


@pytest.fixture
def buyer(alice: Person) -> APIClient:
    return alice.client_with(Scope.BILLING)


@pytest.fixture
def told(stripe_peer: Peer, live_server: LiveServer) -> Peer:
    """A Stripe that knows where to tell us."""
    stripe_peer.webhook_url = f"{live_server.url}/webhooks/stripe"
    return stripe_peer


@pytest.fixture
def buy(stripe_peer: Peer, buyer: APIClient) -> Buy:
    """Ask for a top-up over the API; its row."""

    def asked(**body: Any) -> TopUp:
        answer = buyer.post(API, body or {"pack": "10"}, format="json")
        assert answer.status_code == 200, answer.content
        return TopUp.objects.latest("created_at")

    return asked


@pytest.fixture
def saved(told: Peer, buy: Buy, alice: Person) -> AutoRecharge:
    """A paid top-up whose card may be charged again, and a recharge of 1,440 credits below 1,000; 720 are there."""
    top_up = buy(pack="10", save_payment_method=True)
    told.account.pay(top_up.session_id)
    assert set(told.deliver()) == {200}
    return recharge.configure(
        alice.organization,
        enabled=True,
        threshold_credits=Decimal(1000),
        cents=2000,
        monthly_maximum_cents=6000,
    )


def due(top_up: TopUp) -> TopUp:
    """Let the sweep look at it now."""
    TopUp.objects.filter(pk=top_up.pk).update(due_at=timezone.now())
    return fresh(top_up)


def fresh(top_up: TopUp) -> TopUp:
    return TopUp.objects.get(pk=top_up.pk)
