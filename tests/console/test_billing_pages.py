"""Billing in the console: what is left, buying, vouchers, movements and statements; who may do what."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.http import StreamingHttpResponse
from django.test import Client
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from accounts.models import Role
from billing import ledger
from billing.models import AutoRecharge, TopUp, VoucherRedemption
from billing.top_ups import settling
from tests.billing.books import give, reserve, wallet_of
from tests.billing.operators import batch
from tests.cast import Person
from tests.console.visitors import Visitor, joined, visitor
from tests.stripe_peer.server import Peer

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
SPENDING = {
    "billing/top-ups/new": {"pack": "10"},
    "billing/voucher": {"code": "EVO-7K3Q-9XRT-2M4E"},
    "billing/auto-recharge/change": {"pack": "10", "threshold_credits": "5", "monthly_maximum_usd": "50"},
    "billing/auto-recharge/resume": {},
    "billing/limits/cap": {"monthly_cap": "5"},
    "billing/limits/thresholds": {"thresholds": "5"},
    "billing/limits/guard": {"enabled": "on", "factor": "2", "minimum": "5"},
}
LOOKING = ("", "/movements", "/top-ups", "/auto-recharge", "/statements", "/limits", "/statements/2026-11.csv")


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


def text(visitor: Visitor, path: str = "billing", **query: str) -> str:
    answer = visitor.get(path, **query)
    assert answer.status_code == 200, answer.content
    return answer.content.decode()


def bytes_of(answer: Any) -> bytes:
    return b"".join(answer) if isinstance(answer, StreamingHttpResponse) else bytes(answer.content)


def test_what_is_left_until_when(clock: time_machine.Traveller, owner: Visitor, alice: Person) -> None:
    ledger.top_up(alice.organization, Decimal(720), reference="payment")
    give(alice.organization, 36, expires_at=NOON + timedelta(days=7))
    reserve(alice.organization, 6)
    page = owner.get("billing").context["balance"]
    assert (page.available, page.reserved, page.expiring) == (750, 6, 30)
    assert [(lot.name, lot.remaining, lot.reserved) for lot in page.lots] == [("Promotion", 30, 6), ("Bought", 720, 0)]
    seen = text(owner)
    assert "2026-11-30 12:00" in seen and "worth $10.42" in seen


def test_an_expired_lot_counts_for_nothing(clock: time_machine.Traveller, owner: Visitor, alice: Person) -> None:
    give(alice.organization, 36, expires_at=NOON + timedelta(days=7))
    clock.shift(timedelta(days=8))
    page = owner.get("billing").context["balance"]
    assert (page.available, page.lots, page.expires_next_at) == (0, [], None)


def test_a_debt_is_said(owner: Visitor, alice: Person) -> None:
    give(alice.organization, 10)
    ledger.adjust(alice.organization, Decimal(-25), reference="dispute", reason="a dispute")
    assert "left 15 credits open" in text(owner)


def test_movements_say_what_happened_in_plain_words(owner: Visitor, alice: Person) -> None:
    ledger.top_up(alice.organization, Decimal(100), reference="payment")
    task = reserve(alice.organization, 30, api_key=alice.key, model="kling-v3-text-to-video")
    ledger.capture(task.pk, Decimal(27))
    seen = text(owner, "billing/movements")
    order = ["Given back: not needed", "Charged for a finished task", "Reserved for a task", "Bought"]
    places = [seen.index(f'<th scope="row">{words}</th>') for words in order]
    assert places == sorted(places)
    assert task.task_id in seen
    for cell in ('Available">+100<', 'Available">−30<', 'Reserved">+30<', 'Reserved">−27<', 'Available after it">73<'):
        assert cell in seen


def test_movements_go_on_behind_a_cursor(owner: Visitor, alice: Person) -> None:
    for number in range(51):
        give(alice.organization, 1, reference=f"gift:{number:02d}")
    first = text(owner, "billing/movements")
    assert ("gift:50" in first, "gift:00" in first) == (True, False)
    assert "?cursor=2" in first
    last = text(owner, "billing/movements", cursor="2")
    assert ("gift:00" in last, "gift:01" in last, "Older" in last) == (True, False, False)
    assert "gift:50" in text(owner, "billing/movements", cursor="no number")


def test_buying_leads_to_the_page_that_pays(owner: Visitor, stripe_peer: Peer) -> None:
    answer = owner.client.post(owner.address("billing/top-ups/new"), {"pack": "50", "save_payment_method": "on"})
    top_up = TopUp.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, top_up.checkout_url)
    assert answer["Location"].startswith(f"{stripe_peer.url}/pay/")
    assert (top_up.amount_cents, top_up.credits, top_up.saves_payment_method) == (5000, Decimal(3600), True)
    assert f"form-action 'self' {stripe_peer.url};" in f"{owner.get('billing')['Content-Security-Policy']};"
    seen = text(owner, "billing/top-ups")
    assert "not paid yet" in seen and top_up.checkout_url in seen and "$50.00" in seen


def test_with_stripe_itself_the_policy_names_its_page(owner: Visitor, settings: Settings) -> None:
    settings.STRIPE_API_BASE = "https://api.stripe.com"
    assert "form-action 'self' https://checkout.stripe.com" in owner.get("billing")["Content-Security-Policy"]


def test_what_was_paid_is_there(owner: Visitor, stripe_peer: Peer, live_server: LiveServer, alice: Person) -> None:
    stripe_peer.webhook_url = f"{live_server.url}/webhooks/stripe"
    owner.client.post(owner.address("billing/top-ups/new"), {"pack": "own", "amount_usd": "12.34"})
    stripe_peer.account.pay(TopUp.objects.get().session_id)
    stripe_peer.deliver()
    assert wallet_of(alice.organization).available == Decimal("888.48")
    assert "888.48" in text(owner) and ">paid<" in text(owner)


@pytest.mark.parametrize("amount", ["", "4.99", "5000.01", "12.345", "NaN", "much"])
def test_an_amount_outside_the_limits_buys_nothing(owner: Visitor, stripe_peer: Peer, amount: str) -> None:
    answer = owner.post("billing/top-ups/new", pack="own", amount_usd=amount)
    assert (answer.status_code, TopUp.objects.count()) == (400, 0)
    assert "errorlist" in answer.content.decode()


def test_a_pack_that_nobody_sells_buys_nothing(owner: Visitor, stripe_peer: Peer) -> None:
    assert owner.post("billing/top-ups/new", pack="11").status_code == 400
    assert not TopUp.objects.exists()


def test_without_stripe_the_page_says_so(owner: Visitor, settings: Settings) -> None:
    settings.STRIPE_API_KEY = ""
    assert "no payment is set up" in text(owner) and "no payment is set up" in text(owner, "billing/auto-recharge")
    assert owner.post("billing/top-ups/new", pack="10").status_code == 503
    assert not TopUp.objects.exists()


def test_a_voucher_is_redeemed_once(owner: Visitor, alice: Person) -> None:
    _, [code] = batch(credits=Decimal("12.5"))
    assert "12.5 credits were added." in owner.post("billing/voucher", code=code).content.decode()
    again = owner.post("billing/voucher", code=code)
    assert (again.status_code, "has the credits of this voucher already" in again.content.decode()) == (409, True)
    assert (wallet_of(alice.organization).available, VoucherRedemption.objects.count()) == (Decimal("12.5"), 1)


def test_codes_cannot_be_guessed(owner: Visitor) -> None:
    wrong = owner.post("billing/voucher", code="EVO-7K3Q")
    assert (wrong.status_code, "Look for a typing error." in wrong.content.decode()) == (400, True)
    tries = [owner.post("billing/voucher", code="EVO-7K3Q-9XRT-2M4E").status_code for _ in range(11)]
    assert tries == [404] * 10 + [429]


def test_auto_recharge_wants_a_saved_card_first(owner: Visitor, stripe_peer: Peer) -> None:
    asked = {"enabled": "on", "threshold_credits": "500", "pack": "50", "monthly_maximum_usd": "300"}
    answer = owner.post("billing/auto-recharge/change", **asked)
    assert (answer.status_code, "Buy credits once and let the payment method be saved." in answer.content.decode()) == (
        409,
        True,
    )
    assert not AutoRecharge.objects.exists()


def test_auto_recharge_is_set_paused_and_resumed(owner: Visitor, stripe_peer: Peer, alice: Person) -> None:
    AutoRecharge.objects.create(organization=alice.organization, customer_id="cus_1", payment_method_id="pm_1")
    asked = {"enabled": "on", "threshold_credits": "500", "pack": "50", "monthly_maximum_usd": "300"}
    assert "Below 500 credits, buy for $50.00." in owner.post("billing/auto-recharge/change", **asked).content.decode()
    row = AutoRecharge.objects.get()
    assert (row.enabled, row.amount_cents, row.monthly_maximum_cents) == (True, 5000, 30000)
    settling.pause(alice.organization, "Your card was declined.")
    assert "Your card was declined." in text(owner, "billing/auto-recharge")
    assert "Your card was declined." not in owner.post("billing/auto-recharge/resume").content.decode()
    row.refresh_from_db()
    assert (row.paused_at, row.enabled) == (None, True)


def test_auto_recharge_contradictions_stand_beside_their_field(owner: Visitor, stripe_peer: Peer) -> None:
    asked = {"threshold_credits": "5000", "pack": "50", "monthly_maximum_usd": "300"}
    answer = owner.post("billing/auto-recharge/change", **asked)
    assert answer.context["form"].errors.keys() == {"threshold_credits"}
    asked |= {"threshold_credits": "5", "monthly_maximum_usd": "49"}
    assert owner.post("billing/auto-recharge/change", **asked).context["form"].errors.keys() == {"monthly_maximum_usd"}


def test_the_files_of_a_statement_are_those_of_the_api(
    clock: time_machine.Traveller, owner: Visitor, alice: Person
) -> None:
    ledger.top_up(alice.organization, Decimal(100), reference="payment")
    ledger.capture(reserve(alice.organization, 30, api_key=alice.key, model="=1+1").pk, Decimal(27))
    for kind in ("csv", "pdf"):
        ours = owner.get(f"billing/statements/2026-11.{kind}")
        theirs = alice.client.get(f"/v1/statements/2026-11.{kind}")
        assert bytes_of(ours) == bytes_of(theirs) != b""
        assert ours["Content-Disposition"] == theirs["Content-Disposition"]
        assert ours["Content-Type"] == theirs["Content-Type"]
    whole = json.loads(bytes_of(owner.get("billing/statements/2026-11.json")))
    assert whole == alice.client.get("/v1/statements/2026-11").json()
    assert len(whole["data"]) == 2


def test_months_say_what_they_open_and_close_with(clock: time_machine.Traveller, alice: Person) -> None:
    ledger.top_up(alice.organization, Decimal(100), reference="payment")
    ledger.capture(reserve(alice.organization, 30).pk, Decimal(27))
    clock.move_to(NOON + timedelta(days=30))
    months = visitor(alice.membership).get("billing/statements").context["months"]
    told = [
        (one.statement.month, one.statement.opening_balance, one.came_in, one.went_out, one.statement.closing_balance)
        for one in months
    ]
    assert told == [("2026-12", 73, 0, 0, 73), ("2026-11", 0, 100, 27, 73)]
    assert [one.state for one in months] == ["provisional", "closed"]
    assert [one.lines for one in months] == [0, 2]


def test_months_come_a_year_at_a_time(clock: time_machine.Traveller, alice: Person) -> None:
    clock.move_to(NOON + timedelta(days=400))
    owner = visitor(alice.membership)
    first = owner.get("billing/statements").context
    assert (len(first["months"]), first["older"]) == (12, "2026-12")
    rest = owner.get("billing/statements", until="2026-12").context
    assert ([one.statement.month for one in rest["months"]], rest["older"]) == (["2026-12", "2026-11"], "")
    assert len(owner.get("billing/statements", until="soon").context["months"]) == 12


@pytest.mark.parametrize("name", ["2026-11.exe", "1999-01.csv", "2999-01.pdf", "november.json"])
def test_there_are_no_other_files(owner: Visitor, name: str) -> None:
    assert owner.get(f"billing/statements/{name}").status_code == 404


@pytest.mark.parametrize("role", [Role.DEVELOPER, Role.VIEWER])
def test_only_owners_and_admins_spend(role: Role, alice: Person, stripe_peer: Peer) -> None:
    visitor = joined(alice, role)
    before = wallet_of(alice.organization).seq
    assert {visitor.post(path, **fields).status_code for path, fields in SPENDING.items()} == {403}
    organization = alice.organization
    organization.refresh_from_db()
    assert not TopUp.objects.exists() and not AutoRecharge.objects.exists()
    assert (wallet_of(organization).seq, wallet_of(organization).monthly_cap) == (before, None)
    assert not organization.balance_thresholds.exists() and not hasattr(organization, "spending_guard")
    seen = text(visitor)
    assert "Go to payment" not in seen and 'name="code"' not in seen


def test_viewers_look_at_all_of_it(alice: Person) -> None:
    viewer = joined(alice, Role.VIEWER)
    this_month = f"/statements/{datetime.now(UTC):%Y-%m}.csv"
    assert {viewer.get(f"billing{path}").status_code for path in (*LOOKING[:-1], this_month)} == {200}


def test_a_stranger_finds_nothing_and_changes_nothing(stranger: Visitor, alice: Person, stripe_peer: Peer) -> None:
    assert {stranger.get(f"billing{path}").status_code for path in LOOKING} == {404}
    assert {stranger.post(path, **fields).status_code for path, fields in SPENDING.items()} == {404}
    assert not TopUp.objects.exists() and wallet_of(alice.organization).monthly_cap is None


def test_the_sandbox_sells_nothing(owner: Visitor, alice: Person, stripe_peer: Peer) -> None:
    owner.post("sandbox")
    alice.organization.refresh_from_db()
    twin = Visitor(client=owner.client, organization=alice.organization.sandbox)
    assert "A sandbox pays with test credits." in text(twin)
    refused = [twin.post(path, **SPENDING[path]).status_code for path in ("billing/top-ups/new", "billing/voucher")]
    assert refused == [403, 403]


def test_the_address_of_a_refusal_leads_to_the_billing_page(owner: Visitor) -> None:
    owner.get()
    answer = owner.client.get("/console/billing")
    assert (answer.status_code, answer["Location"]) == (302, owner.address("billing"))
    assert Client().get("/console/billing")["Location"] == "/account/login/?next=/console/billing"
