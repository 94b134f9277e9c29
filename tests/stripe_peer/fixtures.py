"""A peer beside the gateway, and the gateway's settings for it."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from tests.stripe_peer.server import KEY, SECRET, Peer


@pytest.fixture
def stripe_peer(settings: Settings) -> Iterator[Peer]:
    """An empty Stripe account that the gateway uses; webhooks go nowhere until `webhook_url` is said."""
    peer = Peer()
    settings.STRIPE_API_KEY, settings.STRIPE_WEBHOOK_SECRETS = KEY, [SECRET]
    settings.STRIPE_API_BASE = peer.url
    settings.TOP_UP_RETURN_URL = "https://customer.example/paid"
    peer.start()
    yield peer
    peer.stop()
