"""Operators give credits, confirm each other's large grants, make vouchers and take their codes away once."""

import csv
import re
from decimal import Decimal
from io import StringIO
from urllib.parse import unquote

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEntry, User
from billing import vouchers
from billing.models import GrantRequest, Transfer, Voucher, VoucherBatch, Wallet
from generations.models import Task
from tests.admin.conftest import PASSWORD
from tests.cast import Person

REASON = "Ticket 4711"
MAKE = "/admin/billing/voucherbatch/make/"
BATCH = {"name": "Fair", "kind": "promo", "credits": "50", "count": "3", "max_redemptions": "10", "reason": REASON}


@pytest.fixture
def other_desk(db: None) -> Client:
    """Another operator's browser."""
    client = Client()
    client.force_login(User.objects.create_superuser("otto@gateway.example", PASSWORD))
    return client


def ask(desk: Client, alice: Person, verb: str = "grant", **given: str) -> GrantRequest:
    usual = {"amount": "6000", "reference": "T-1", "reason": REASON} | ({"kind": "goodwill"} if verb == "grant" else {})
    answer = desk.post(reverse(f"admin:billing_wallet_{verb}", args=[alice.organization.pk]), usual | given)
    assert answer.status_code == 302, answer.content.decode()
    return GrantRequest.objects.latest("asked_at")


def act(desk: Client, request: GrantRequest, verb: str) -> str:
    url = reverse(f"admin:billing_grantrequest_{verb}", args=[request.pk])
    return desk.post(url, {"reason": "Looked at"}, follow=True).content.decode()


def balance(alice: Person) -> Decimal:
    return Wallet.objects.get(pk=alice.organization.pk).balance


@pytest.mark.parametrize(("verb", "amount", "after"), [("grant", "6000", 6000), ("adjust", "-6000", 0)])
def test_a_large_grant_moves_when_another_operator_confirms_it(
    desk: Client, other_desk: Client, alice: Person, verb: str, amount: str, after: int
) -> None:
    asked = ask(desk, alice, verb, amount=amount)
    assert (asked.state, Transfer.objects.exists()) == ("pending", False)
    assert "another operator must" in act(desk, asked, "confirm")
    assert (balance(alice), Transfer.objects.exists()) == (0, False)

    assert "Done:" in act(other_desk, asked, "confirm")

    assert balance(alice) == after
    entry = AuditEntry.objects.latest("pk")
    assert (entry.action, entry.actor, entry.reason) == ("grant.confirmed", "otto@gateway.example", "Looked at")


def test_the_operator_is_told_that_it_waits_and_others_see_how_many_do(
    desk: Client, other_desk: Client, alice: Person
) -> None:
    url = reverse("admin:billing_wallet_grant", args=[alice.organization.pk])
    given = {"amount": "6000.5", "kind": "promo", "reference": "T-1", "reason": REASON}
    page = desk.post(url, given, follow=True).content.decode()
    assert "6000.5 promo credits: another operator must confirm it by" in page
    listed = other_desk.get("/admin/billing/grantrequest/").content.decode()
    assert "+6,000.5000" in listed and "pending" in listed


def test_only_who_may_confirm_confirms(client: Client, desk: Client, alice: Person) -> None:
    asked = ask(desk, alice)
    clerk = User.objects.create_user("carl@gateway.example", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="change_grantrequest"))
    client.force_login(clerk)
    url = reverse("admin:billing_grantrequest_confirm", args=[asked.pk])
    assert client.post(url, {"reason": REASON}).status_code == 403
    asked.refresh_from_db()
    assert asked.state == "pending"
    clerk.user_permissions.add(Permission.objects.get(codename="confirm_grantrequest"))
    assert client.post(url, {"reason": REASON}).status_code == 302
    assert balance(alice) == 6000


def test_welcome_credits_are_no_way_around(desk: Client) -> None:
    given = {"name": "Quartz", "owner_email": "quinn@quartz.example", "credits": "5000.1", "reason": REASON}
    page = desk.post(reverse("admin:billing_wallet_open_organization"), given, follow=True).content.decode()
    assert "another operator must confirm it" in page
    assert (Wallet.objects.get().balance, GrantRequest.objects.get().state) == (0, "pending")


def test_sign_up_credits_come_once(desk: Client, alice: Person, bob: Person) -> None:
    url = reverse("admin:billing_wallet_sign_up_credits", args=[alice.organization.pk])
    first = desk.post(url, {"email": "Alice@acme.example", "reason": REASON}, follow=True).content.decode()
    assert "The sign-up credits are there: 30.0000 credits" in first
    second = desk.post(url, {"email": "bob@acme.example", "reason": REASON}, follow=True).content.decode()
    assert "Nothing was granted" in second
    unknown = desk.post(url, {"email": "nobody@acme.example", "reason": REASON}).content.decode()
    assert "Nobody has this address." in unknown
    assert balance(alice) == 30


def test_the_codes_of_a_batch_are_shown_once_and_work(desk: Client, alice: Person) -> None:
    answer = desk.post(MAKE, BATCH | {"credits_expire_days": "30", "expires_at": "2099-01-01T00:00"})

    page = answer.content.decode()
    assert "no-store" in answer["Cache-Control"] and "3 codes of Fair are made." in page
    link = re.search(r'download="vouchers-fair.csv" href="data:text/csv;charset=utf-8,([^"]+)"', page)
    assert link is not None
    rows = list(csv.DictReader(StringIO(unquote(link[1]))))
    assert [(row["credits"], row["redemptions"], row["valid_until_utc"]) for row in rows] == [
        ("50", "10", "2099-01-01 00:00")
    ] * 3
    for row in rows:
        assert vouchers.redeem(alice.organization, row["code"]).credits == 50
    batch = VoucherBatch.objects.get()
    for url in (f"/admin/billing/voucherbatch/{batch.pk}/change/", "/admin/billing/voucher/", "/admin/"):
        assert not [row for row in rows if row["code"] in desk.get(url).content.decode()]
    again = desk.post(MAKE, BATCH)
    assert again.status_code == 200 and "There is a batch of this name" in again.content.decode()
    assert Voucher.objects.count() == 3


def test_a_batch_page_says_what_it_is_worth_and_what_was_redeemed(desk: Client, alice: Person) -> None:
    batch, codes = vouchers.make(
        by=User.objects.get(email="olga@gateway.example"), name="Fair", count=2, max_redemptions=10, kind="promo",
        credits=Decimal(50), starts_at=None, expires_at=None, credits_expire_days=None, reason="A fair",
    )  # fmt: skip
    vouchers.redeem(alice.organization, codes[0])
    page = desk.get(f"/admin/billing/voucherbatch/{batch.pk}/change/").content.decode()
    assert "1,000.0000" in page
    listed = desk.get("/admin/billing/voucherbatch/").context["cl"].result_list[0]
    assert listed.times == 1
    redeemed = desk.get("/admin/billing/voucherredemption/", {"voucher__batch__id__exact": batch.pk}).content.decode()
    assert "Acme" in redeemed and "Fair" in redeemed
    found = desk.get("/admin/billing/voucher/", {"q": codes[1].lower()}).context["cl"].result_list
    assert [one.hint for one in found] == [f"EVO-…-{codes[1][-4:]}"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("count", "0"),
        ("count", "10001"),
        ("max_redemptions", "0"),
        ("credits", "0"),
        ("credits_expire_days", "0"),
        ("kind", "paid"),
        ("name", ""),
    ],
)
def test_a_batch_that_makes_no_sense_is_refused(desk: Client, field: str, value: str) -> None:
    answer = desk.post(MAKE, BATCH | {field: value})
    assert answer.status_code == 200 and list(answer.context["form"].errors) == [field]
    assert not VoucherBatch.objects.exists()


def test_codes_do_not_expire_before_they_start(desk: Client) -> None:
    start, end = "2099-01-02T00:00", "2099-01-01T00:00"
    answer = desk.post(MAKE, BATCH | {"starts_at": start, "expires_at": end})
    assert list(answer.context["form"].errors) == ["expires_at"]
    past = timezone.now().strftime("%Y-%m-%dT%H:%M")
    answer = desk.post(MAKE, BATCH | {"expires_at": past})
    assert list(answer.context["form"].errors) == ["expires_at"]
    assert not VoucherBatch.objects.exists()


def test_freezing_and_unfreezing_a_wallet_are_logged_with_their_reasons(desk: Client, task: Task) -> None:
    wallet = task.organization.wallet
    for verb in ("freeze", "unfreeze"):
        url = reverse(f"admin:billing_wallet_{verb}", args=[wallet.pk])
        assert desk.post(url, {"reason": ""}).status_code == 200
        assert desk.post(url, {"reason": f"To {verb}"}).status_code == 302
    found = AuditEntry.objects.filter(action__startswith="wallet.").order_by("pk")
    assert [(one.action, one.reason, one.organization_id, one.actor) for one in found] == [
        ("wallet.frozen", "To freeze", wallet.pk, "olga@gateway.example"),
        ("wallet.unfrozen", "To unfreeze", wallet.pk, "olga@gateway.example"),
    ]
    assert found[1].changes["frozen_reason"] == ["To freeze", ""]
