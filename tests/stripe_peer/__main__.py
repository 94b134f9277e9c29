"""For development: a peer that stays, pays on its page and tells the gateway.

python -m tests.stripe_peer --port 12111 --webhook-url http://127.0.0.1:8000/webhooks/stripe
"""

import argparse

from tests.stripe_peer.server import KEY, SECRET, Peer

if __name__ == "__main__":
    asked = argparse.ArgumentParser(description="A small Stripe for development.")
    asked.add_argument("--port", type=int, default=12111)
    asked.add_argument("--webhook-url", default="http://127.0.0.1:8000/webhooks/stripe")
    given = asked.parse_args()
    peer = Peer(given.port)
    peer.webhook_url = given.webhook_url
    print(f"STRIPE_API_BASE={peer.url} STRIPE_API_KEY={KEY} STRIPE_WEBHOOK_SECRETS={SECRET}", flush=True)  # noqa: T201
    peer.server.serve_forever()
