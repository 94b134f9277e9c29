"""The account over HTTP: Stripe's API for the product, a page where people pay, and webhooks that go out signed."""

import json
import time
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import stripe

from tests.plain_http import http
from tests.stripe_peer.account import Account, Object, Problem, shallow

KEY = "sk_test_peer"
SECRET = "whsec_peer"
PAGE = """<!doctype html><title>Pay</title><h1>{amount}</h1>
<form method="post"><button name="outcome" value="ok">Pay</button>
<button name="outcome" value="processing">Pay by bank, which takes a while</button></form>"""


class Peer:
    """A running server. `lose_answers` calls are done and not answered; `refuse_with` answers every call instead."""

    def __init__(self, port: int = 0) -> None:
        self.account = Account()
        self.webhook_url = ""
        self.lose_answers = 0
        self.refuse_with: Problem | None = None
        self.calls: list[tuple[str, str, Object]] = []
        self.answered: dict[str, tuple[tuple[str, Object], int, bytes]] = {}
        self.one_key_at_a_time = Lock()
        self.server = ThreadingHTTPServer(("127.0.0.1", port), type("Bound", (Handler,), {"peer": self}))
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def start(self) -> None:
        Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def made(self, path: str) -> list[Object]:
        """The bodies of the POSTs to this path, those with a known idempotency key included."""
        return [form for method, called, form in self.calls if (method, called) == ("POST", path)]

    def send(self, event: Object, *, secret: str = SECRET, signed_at: float | None = None) -> int:
        """Deliver one event over HTTP, and say what the receiver answered."""
        body = json.dumps(event)
        moment = int(time.time() if signed_at is None else signed_at)
        header = stripe.WebhookSignature.generate_signature_header(body, secret, moment)
        headers = {"Stripe-Signature": header, "Content-Type": "application/json"}
        answer = http.post(self.webhook_url, content=body, headers=headers, timeout=30)
        if answer.is_success:
            self.account.undelivered.discard(event["id"])
        return answer.status_code

    def deliver(self, *types: str) -> list[int]:
        """Deliver what has not been, all or these types, oldest first."""
        waiting = [event for event in self.account.events if event["id"] in self.account.undelivered]
        return [self.send(event) for event in waiting if not types or event["type"] in types]

    def last(self, event_type: str) -> Object:
        return next(event for event in reversed(self.account.events) if event["type"] == event_type)


class Handler(BaseHTTPRequestHandler):
    peer: Peer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if url.path.startswith("/pay/"):
            self._page(url.path)
        else:
            self._answer(*self._try(lambda: read(self.peer, url.path, nested(url.query))))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        url, form = urlsplit(self.path), nested(body)
        if url.path.startswith("/pay/"):
            self._paid(url.path, form)
            return
        key = self.headers.get("Idempotency-Key", "")
        with self.peer.one_key_at_a_time:
            self.peer.calls.append(("POST", url.path, form))
            status, answer = self._try(lambda: self._once(key, url.path, form))
        self._answer(status, answer)

    def _once(self, key: str, path: str, form: Object) -> tuple[int, bytes]:
        """The same key gives the same answer, refusals of the card included; with other parameters it is refused."""
        known = self.peer.answered.get(key)
        if known is not None:
            if known[0] != (path, form):
                words = "Keys for idempotent requests can only be used with the same parameters."
                raise Problem(400, "idempotency_error", words)
            return known[1], known[2]
        try:
            status, body = 200, encoded(write(self.peer, path, form))
        except Problem as problem:
            status, body = problem.status, encoded({"error": problem.error})
        self.peer.answered[key] = ((path, form), status, body)
        return status, body

    def _try(self, act: Callable[[], Any]) -> tuple[int, bytes]:
        try:
            if self.peer.refuse_with is not None:
                raise self.peer.refuse_with
            if self.headers.get("Authorization") != f"Bearer {KEY}":
                raise Problem(401, "invalid_request_error", "Invalid API Key provided: sk_****")
            with self.peer.account.lock:
                done = act()
            return done if isinstance(done, tuple) else (200, encoded(done))
        except Problem as problem:
            return problem.status, encoded({"error": problem.error})

    def _answer(self, status: int, body: bytes, kind: str = "application/json", **headers: str) -> None:
        if self.peer.lose_answers and kind == "application/json":
            self.peer.lose_answers -= 1
            self.close_connection = True
            return
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _page(self, path: str) -> None:
        session = self.peer.account.get(path.rpartition("/")[2], "checkout.session")
        amount = f"{session['amount_total'] / 100:.2f} {session['currency']}, {session['status']}"
        self._answer(200, PAGE.format(amount=amount).encode(), "text/html")

    def _paid(self, path: str, form: Object) -> None:
        with self.peer.account.lock:
            session = self.peer.account.pay(path.rpartition("/")[2], outcome=form.get("outcome", "ok"))
        if self.peer.webhook_url:
            with suppress(httpx.HTTPError):
                self.peer.deliver()
        self._answer(303, b"", "text/html", Location=session["success_url"])

    def log_message(self, *_: Any) -> None:
        """Silence."""


def write(peer: Peer, path: str, form: Object) -> Object:
    match path:
        case "/v1/checkout/sessions":
            session = peer.account.create_session(form)
            session["url"] = f"{peer.url}/pay/{session['id']}"
            return session
        case "/v1/payment_intents":
            return peer.account.create_payment(form)
    raise Problem(404, "invalid_request_error", f"Unrecognized request URL (POST: {path}).")


def read(peer: Peer, path: str, query: Object) -> Object:
    account = peer.account
    facts = {name: query[name] for name in ("payment_intent", "customer") if name in query}
    match path.removeprefix("/v1/").split("/"):
        case ["checkout", "sessions", session_id]:
            session = shallow(account.get(session_id, "checkout.session"))
            if "payment_intent" in query.get("expand", {}).values() and session["payment_intent"]:
                session["payment_intent"] = account.get(session["payment_intent"], "payment_intent")
            return session
        case ["payment_intents", intent_id]:
            return account.get(intent_id, "payment_intent")
        case ["payment_intents"]:
            return listed(path, account.all_of("payment_intent", **facts), query)
        case ["refunds"]:
            return listed(path, account.all_of("refund", **facts), query)
        case ["disputes"]:
            return listed(path, account.all_of("dispute", **facts), query)
        case ["events"]:
            types = set(query.get("types", {}).values())
            rows = [event for event in reversed(account.events) if event["type"] in types]
            if query.get("delivery_success") == "false":
                rows = [event for event in rows if event["id"] in account.undelivered]
            return listed(path, rows, query)
    raise Problem(404, "invalid_request_error", f"Unrecognized request URL (GET: {path}).")


def listed(path: str, rows: list[Object], query: Object) -> Object:
    """A page of a list."""
    since = int(query.get("created", {}).get("gte", 0))
    rows = [row for row in rows if row["created"] >= since]
    if after := query.get("starting_after"):
        rows = rows[[row["id"] for row in rows].index(after) + 1 :]
    size = int(query.get("limit", 10))
    return {"object": "list", "url": path, "data": rows[:size], "has_more": len(rows) > size}


def nested(text: str) -> Object:
    """`a[b][0]=c` as `{"a": {"b": {"0": "c"}}}`, as Stripe reads forms and queries."""
    found: Object = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        first, *rest = name.replace("]", "").split("[")
        inner, steps = found, [first, *rest]
        for step in steps[:-1]:
            inner = inner.setdefault(step, {})
        inner[steps[-1]] = value
    return found


def encoded(answer: Object) -> bytes:
    return json.dumps(shallow(answer)).encode()
