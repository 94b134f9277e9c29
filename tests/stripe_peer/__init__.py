"""A small Stripe: real HTTP, Stripe's wire format, and only what the product uses of it.

account.py   what there is (sessions, payments, refunds, disputes, events), and how it changes
server.py    the API over HTTP: forms in, JSON out, keys, idempotency, errors, lists; the page to pay; webhooks
fixtures.py  for the tests
python -m tests.stripe_peer    for development
"""
