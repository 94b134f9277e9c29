"""Vouchers: a code gives its credits once to an organization, as often as it may, while it is valid."""

from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from pytest_django import Settings

from accounts import organizations
from accounts.errors import ApiError
from accounts.models import AuditEntry, Organization
from billing import ledger, opening, voucher_tries, vouchers
from billing.errors import GrantRefused
from billing.models import CreditLot, Voucher, VoucherBatch, VoucherRedemption, VoucherTries
from tests.billing.books import findings, totals, wallet_of
from tests.billing.operators import batch, operator
from tests.cast import Person, client_for, give_key, organization_of

ROUTE = "/v1/vouchers/redeem"
NOBODYS = "EVO-7K3Q-9XRT-2M4E"


def code_of(refused: pytest.ExceptionInfo[ApiError]) -> tuple[int, str]:
    return refused.value.status_code, refused.value.code


def nothing_happened(organization: Organization) -> bool:
    return wallet_of(organization).seq == 0 and not VoucherRedemption.objects.exists()


def test_a_redeemed_code_gives_its_credits(alice: Person, clock: time_machine.Traveller) -> None:
    _, [code] = batch(credits=Decimal("12.5"), kind="goodwill", credits_expire_days=30)

    answer = alice.client.post(ROUTE, {"code": code.lower().replace("-", " ")})

    expires_at = timezone.now() + timedelta(days=30)
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "object": "voucher.redemption",
            "credits": 12.5,
            "kind": "goodwill",
            "expires_at": int(expires_at.timestamp()),
            "balance": 12.5,
            "remaining_credits": 12.5,
        },
    )
    voucher, lot, use = Voucher.objects.get(), CreditLot.objects.get(), VoucherRedemption.objects.get()
    assert (lot.granted, lot.kind, lot.expires_at) == (Decimal("12.5"), "goodwill", expires_at)
    assert lot.reference == voucher.reference == f"voucher:{voucher.public_id}"
    assert (use.organization, use.api_key, use.credits, use.credits_expire_at) == (
        *(alice.organization, alice.key, Decimal("12.5"), expires_at),
    )
    assert voucher.redemptions == 1
    assert findings() == []


def test_credits_without_an_expiry_never_expire(alice: Person) -> None:
    _, [code] = batch(credits_expire_days=None)
    assert alice.client.post(ROUTE, {"code": code}).json()["expires_at"] is None
    assert CreditLot.objects.get().expires_at is None


def test_the_balance_counts_what_is_reserved_and_what_remains_does_not(alice: Person) -> None:
    ledger.top_up(alice.organization, Decimal(10), reference="test")
    ledger.reserve(alice.organization, alice.key.pk, Decimal(4))
    _, [code] = batch()
    answer = alice.client.post(ROUTE, {"code": code}).json()
    assert (answer["balance"], answer["remaining_credits"]) == (60, 56)


def test_an_organization_redeems_a_code_once(alice: Person, charlie: Person) -> None:
    _, [code] = batch(max_redemptions=5)
    assert alice.client.post(ROUTE, {"code": code}).status_code == 200

    again = client_for(give_key(alice.organization)[1]).post(ROUTE, {"code": code})

    assert (again.status_code, again.json()["error"]["code"]) == (409, "voucher_already_redeemed")
    assert totals(alice.organization) == (50, 0)
    assert charlie.client.post(ROUTE, {"code": code}).status_code == 200
    assert Voucher.objects.get().redemptions == 2


def test_an_organization_redeems_several_codes(alice: Person) -> None:
    _, codes = batch(count=3)
    assert [alice.client.post(ROUTE, {"code": code}).json()["balance"] for code in codes] == [50, 100, 150]


def test_a_code_is_redeemed_no_more_often_than_it_may(alice: Person, charlie: Person) -> None:
    _, [code] = batch(max_redemptions=1)
    vouchers.redeem(alice.organization, code)

    answer = charlie.client.post(ROUTE, {"code": code})

    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "voucher_used_up")
    assert (totals(charlie.organization), Voucher.objects.get().redemptions) == ((0, 0), 1)


def test_a_code_is_valid_between_its_start_and_its_expiry(alice: Person, clock: time_machine.Traveller) -> None:
    start = timezone.now() + timedelta(hours=1)
    _, [code] = batch(starts_at=start, expires_at=start + timedelta(hours=1), max_redemptions=2)
    for moment, problem in (
        (start - timedelta(microseconds=1), "voucher_not_yet_valid"),
        (start + timedelta(hours=1), "voucher_expired"),
    ):
        clock.move_to(moment)
        with pytest.raises(ApiError) as refused:
            vouchers.redeem(alice.organization, code)
        assert code_of(refused) == (409, problem)
    assert nothing_happened(alice.organization)
    clock.move_to(start)
    assert vouchers.redeem(alice.organization, code).balance == 50


def test_a_disabled_code_gives_nothing_and_what_it_gave_stays(alice: Person, charlie: Person) -> None:
    made, [first, second] = batch(count=2, max_redemptions=2)
    vouchers.redeem(alice.organization, first)
    vouchers.disable_one(vouchers.find(second), reason="Leaked")
    assert vouchers.disable(made, reason="The fair is over") == 1
    assert vouchers.disable(made, reason="Again") == 0

    for code in (first, second):
        with pytest.raises(ApiError) as refused:
            vouchers.redeem(charlie.organization, code)
        assert code_of(refused) == (409, "voucher_disabled")
    assert (totals(alice.organization), totals(charlie.organization)) == ((50, 0), (0, 0))
    assert set(Voucher.objects.values_list("disabled_reason", flat=True)) == {"Leaked", "The fair is over"}
    assert [entry.action for entry in AuditEntry.objects.filter(action__startswith="voucher").order_by("pk")] == [
        *("voucher_batch.made", "voucher.disabled", "voucher_batch.disabled"),
    ]


def test_a_sandbox_organization_redeems_nothing(alice: Person) -> None:
    twin = opening.open_sandbox(alice.organization, Decimal(0))
    _, [code] = batch()

    answer = client_for(give_key(twin)[1]).post(ROUTE, {"code": code})

    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "no_credits_for_sandbox")
    assert nothing_happened(twin) and Voucher.objects.get().redemptions == 0


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"code": NOBODYS}, 404, "voucher_not_found"),
        ({"code": "EVO-7K3Q-9XRT-2M4F"}, 400, "invalid_voucher_code"),
        ({"code": "hello"}, 400, "invalid_voucher_code"),
        ({"code": ""}, 400, "invalid_parameter"),
        ({}, 400, "missing_parameter"),
    ],
)
def test_a_code_that_does_not_exist_is_refused_with_its_param(
    alice: Person, body: dict[str, str], status: int, code: str
) -> None:
    answer = alice.client.post(ROUTE, body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert answer.json()["error"]["param"] == "code"
    assert nothing_happened(alice.organization)


def test_wrong_codes_are_counted_per_organization(
    alice: Person, charlie: Person, clock: time_machine.Traveller
) -> None:
    for _ in range(voucher_tries.OF_AN_ORGANIZATION):
        assert alice.client.post(ROUTE, {"code": NOBODYS}).status_code == 404
    _, [code] = batch()

    refused = alice.client.post(ROUTE, {"code": code})

    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "too_many_voucher_tries")
    assert refused["Retry-After"] == "3600"
    assert nothing_happened(alice.organization)
    assert charlie.client.post(ROUTE, {"code": NOBODYS}).status_code == 404
    clock.shift(3600)
    assert alice.client.post(ROUTE, {"code": code}).status_code == 200


def test_wrong_codes_are_counted_per_address_whatever_the_organization(settings: Settings, db: None) -> None:
    settings.TRUSTED_PROXIES = 1
    strangers = [organization_of(f"O{number}", f"o{number}@x.example") for number in range(4)]

    def tries(organization: Organization, address: str, times: int) -> list[int]:
        client = client_for(give_key(organization)[1])
        headers = {"X-Forwarded-For": address}
        return [client.post(ROUTE, {"code": NOBODYS}, headers=headers).status_code for _ in range(times)]

    for number in range(3):
        assert tries(strangers[number], f"2001:db8:0:1::{number}", 10) == [404] * 10
    assert tries(strangers[3], "2001:db8:0:1::ffff", 2) == [429, 429]
    assert tries(strangers[3], "2001:db8:0:2::1", 1) == [404]


def test_codes_that_exist_and_codes_that_cannot_are_no_guesses(alice: Person) -> None:
    _, [code] = batch()
    for typed in [code, *[code] * 20, *["EVO-7K3Q-9XRT-2M4F"] * 20]:
        assert alice.client.post(ROUTE, {"code": typed}).status_code in (200, 400, 409)
    assert set(VoucherTries.objects.values_list("tries", flat=True)) == {0}


def test_tries_of_past_hours_are_swept(alice: Person, clock: time_machine.Traveller) -> None:
    alice.client.post(ROUTE, {"code": NOBODYS})
    assert (voucher_tries.sweep(), VoucherTries.objects.count()) == (0, 2)
    clock.shift(3600)
    assert (voucher_tries.sweep(), VoucherTries.objects.count()) == (2, 0)


def test_a_batch_is_made_once_and_its_codes_are_nowhere(db: None) -> None:
    made, codes = batch(count=20)
    assert len(set(codes)) == 20 == made.vouchers.count()
    with pytest.raises(GrantRefused, match="There is a batch of this name"):
        batch(count=20)
    assert Voucher.objects.count() == 20
    stored = str([*Voucher.objects.values(), *AuditEntry.objects.values(), *VoucherBatch.objects.values()])
    assert not [code for code in codes if code in stored or code[:13] in stored]
    assert vouchers.find(codes[7]).hint == f"EVO-…-{codes[7][-4:]}"


@pytest.mark.parametrize("count", [0, -1, vouchers.MAX_CODES + 1])
def test_a_batch_has_some_codes_and_not_too_many(db: None, count: int) -> None:
    with pytest.raises(GrantRefused):
        batch(count=count)
    assert not VoucherBatch.objects.exists()


def test_a_batch_worth_more_than_one_may_give_alone_waits_for_another_operator(
    alice: Person, settings: Settings
) -> None:
    settings.GRANT_CONFIRMATION_CREDITS = Decimal(1000)
    olga, otto = operator(), operator("otto")
    made, [code] = batch(credits=Decimal(100), max_redemptions=11, by=olga)
    with pytest.raises(ApiError) as refused:
        vouchers.redeem(alice.organization, code)
    assert code_of(refused) == (409, "voucher_not_yet_valid")
    with pytest.raises(GrantRefused, match="another operator must"):
        vouchers.confirm(made, by=olga, reason="Mine")
    assert nothing_happened(alice.organization)

    vouchers.confirm(made, by=otto, reason="Agreed")

    assert vouchers.redeem(alice.organization, code).balance == 100
    with pytest.raises(GrantRefused, match="needs no confirmation"):
        vouchers.confirm(made, by=otto, reason="Twice")
    entry = AuditEntry.objects.get(action="voucher_batch.confirmed")
    assert (entry.reason, entry.changes["value"]) == ("Agreed", [None, "1100.0000"])


def test_several_batches_of_one_operator_count_together_for_a_day(
    db: None, settings: Settings, clock: time_machine.Traveller
) -> None:
    settings.GRANT_CONFIRMATION_CREDITS = Decimal(1000)
    assert batch("A", credits=Decimal(600))[0].is_confirmed
    assert batch("B", credits=Decimal(400))[0].is_confirmed
    assert not batch("C", credits=Decimal("0.0001"))[0].is_confirmed
    assert batch("D", credits=Decimal(1000), by=operator("otto"))[0].is_confirmed
    clock.shift(timedelta(hours=24))
    assert batch("E", credits=Decimal(1000))[0].is_confirmed


def test_the_database_refuses_what_the_code_would(alice: Person) -> None:
    made, [code] = batch(max_redemptions=1)
    vouchers.redeem(alice.organization, code)
    for statement in (
        "UPDATE billing_voucherbatch SET confirmed_by_id = made_by_id",
        "UPDATE billing_voucher SET redemptions = 2",
        "UPDATE billing_voucherbatch SET credits = 0",
        "UPDATE billing_voucherbatch SET expires_at = starts_at",
        "INSERT INTO billing_voucherredemption (voucher_id, organization_id, credits, redeemed_at)"
        " SELECT voucher_id, organization_id, credits, redeemed_at FROM billing_voucherredemption",
    ):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    made.refresh_from_db()
    assert (made.confirmed_by, VoucherRedemption.objects.count()) == (None, 1)


def test_a_suspended_organization_redeems_nothing(alice: Person) -> None:
    _, [code] = batch()
    organizations.suspend(alice.organization, "checking")
    assert alice.client.post(ROUTE, {"code": code}).status_code == 403
    assert nothing_happened(alice.organization)
