"""Vouchers: make a batch of codes, redeem one, disable some. The only code that writes their tables.

A code is returned by `make` and never again. Redeeming is one transaction: the voucher's row is locked, everything is
looked at, the redemption is written, and the ledger grants the credits under the voucher's reference. That an
organization redeems a code once, and a code no more often than it may, is also a constraint of the database.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import F, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts import audit_log
from accounts.errors import Conflict, Forbidden, InvalidRequest, NotFound
from accounts.models import ApiKey, Organization, User
from billing import confirmations, ledger, voucher_codes, voucher_tries
from billing.amounts import ZERO
from billing.errors import GrantRefused
from billing.models import Voucher, VoucherBatch

MAX_CODES = 10_000
SHOWN = (
    *("name", "kind", "credits", "count", "max_redemptions", "starts_at", "expires_at", "credits_expire_days"),
    "needs_confirmation",
)


@dataclass(frozen=True, kw_only=True)
class Redeemed:
    """What a redemption gave, and what the wallet holds after it."""

    credits: Decimal
    kind: str
    expires_at: datetime | None
    balance: Decimal
    available: Decimal


@transaction.atomic
def make(*, by: User, name: str, count: int, **worth: Any) -> tuple[VoucherBatch, list[str]]:
    """A batch of `count` codes (`worth` as in VoucherBatch), and the codes, which nobody can read again.

    A batch that is worth more than an operator may give alone waits for `confirm`. Raises GrantRefused.
    """
    User.objects.select_for_update(no_key=True).get(pk=by.pk)  # an operator's batches come one by one
    if VoucherBatch.objects.filter(name=name).exists():
        raise GrantRefused("There is a batch of this name; its codes were shown when it was made.")
    if not 0 < count <= MAX_CODES:
        raise GrantRefused(f"A batch has 1 to {MAX_CODES} codes.")
    now = timezone.now()
    batch = VoucherBatch(name=name, count=count, made_by=by, made_at=now, **worth)
    batch.starts_at = batch.starts_at or now
    batch.needs_confirmation = confirmations.needed(value(batch), _made_alone(by, now))
    batch.save(force_insert=True)
    codes = [voucher_codes.generate() for _ in range(count)]
    Voucher.objects.bulk_create(
        Voucher(
            batch=batch,
            digest=voucher_codes.digest(code),
            hint=voucher_codes.hint(code),
            max_redemptions=batch.max_redemptions,
        )
        for code in codes
    )
    changes = audit_log.made(batch, SHOWN)
    audit_log.record(action="voucher_batch.made", target=batch, changes=changes, reason=batch.reason)
    return batch, codes


@transaction.atomic
def confirm(batch: VoucherBatch, *, by: User, reason: str) -> VoucherBatch:
    """Let the codes be redeemed, as another operator than the one who made them. Raises GrantRefused."""
    row = VoucherBatch.objects.select_for_update(no_key=True, of=("self",)).select_related("made_by").get(pk=batch.pk)
    if row.is_confirmed:
        raise GrantRefused("It needs no confirmation.")
    confirmations.check_another(by, row.made_by)
    row.confirmed_by, row.confirmed_at = by, timezone.now()
    row.save(update_fields=["confirmed_by", "confirmed_at"])
    changes = {"confirmed_by": [None, by], "value": [None, value(row)]}
    audit_log.record(action="voucher_batch.confirmed", target=row, changes=changes, reason=reason)
    return row


@transaction.atomic
def disable(batch: VoucherBatch, *, reason: str) -> int:
    """Let no code of the batch be redeemed any more; how many that were. What was redeemed stays."""
    rows = batch.vouchers.filter(disabled_at=None).order_by("pk").select_for_update(no_key=True)
    found = list(rows.values_list("pk", flat=True))
    now = timezone.now()
    Voucher.objects.filter(pk__in=found).update(disabled_at=now, disabled_reason=reason)
    if found:
        changes = {"disabled_at": [None, now], "codes_disabled": [None, len(found)]}
        audit_log.record(action="voucher_batch.disabled", target=batch, changes=changes, reason=reason)
    return len(found)


@transaction.atomic
def disable_one(voucher: Voucher, *, reason: str) -> None:
    """Let this code be redeemed no more; again is the same."""
    now = timezone.now()
    if Voucher.objects.filter(pk=voucher.pk, disabled_at=None).update(disabled_at=now, disabled_reason=reason):
        changes = {"disabled_at": [None, now]}
        audit_log.record(action="voucher.disabled", target=voucher, changes=changes, reason=reason)


def value(batch: VoucherBatch) -> Decimal:
    """What all of its codes together may give."""
    return Decimal(batch.credits) * batch.count * batch.max_redemptions


def find(text: str) -> Voucher | None:
    """The voucher with this code, however it is typed."""
    code = voucher_codes.read(text)
    return None if code is None else Voucher.objects.filter(digest=voucher_codes.digest(code)).first()


def redeem(
    organization: Organization,
    text: str,
    *,
    api_key: ApiKey | None = None,
    address: voucher_tries.Address | None = None,
) -> Redeemed:
    """Give the organization what the code is worth. Not for a caller's transaction: a refused guess must be counted.

    Raises InvalidRequest `invalid_voucher_code`, NotFound `voucher_not_found`, Forbidden `no_credits_for_sandbox`,
    Conflict `voucher_…`, TooManyRequests `too_many_voucher_tries`.
    """
    if organization.is_sandbox:
        raise Forbidden("no_credits_for_sandbox", "A sandbox organization pays with test credits only.")
    if voucher_codes.read(text) is None:
        message = "This is no voucher code, such as `EVO-7K3Q-9XRT-2M4E`; please look for a typing error."
        raise InvalidRequest("invalid_voucher_code", message, param="code")
    hour = voucher_tries.take(organization, address)
    voucher = find(text)
    if voucher is None:
        raise NotFound("voucher_not_found", "There is no such voucher.", param="code")
    voucher_tries.give_back(organization, address, hour)
    return _redeem(voucher, organization, api_key)


@transaction.atomic
def _redeem(found: Voucher, organization: Organization, api_key: ApiKey | None) -> Redeemed:
    vouchers = Voucher.objects.select_for_update(no_key=True, of=("self",)).select_related("batch")
    voucher, now = vouchers.get(pk=found.pk), timezone.now()
    _check_redeemable(voucher, organization, now)
    batch = voucher.batch
    days = batch.credits_expire_days
    expires_at = None if days is None else now + timedelta(days=days)
    voucher.redemptions += 1
    voucher.save(update_fields=["redemptions"])
    voucher.uses.create(
        organization=organization,
        api_key=api_key,
        credits=batch.credits,
        credits_expire_at=expires_at,
        redeemed_at=now,
    )
    lot = ledger.grant(
        organization,
        batch.credits,
        kind=batch.kind,
        reference=voucher.reference,
        reason=f"Voucher {voucher.hint} of {batch.name}",
        expires_at=expires_at,
    )
    wallet = lot.wallet
    return Redeemed(
        credits=batch.credits,
        kind=batch.kind,
        expires_at=expires_at,
        balance=wallet.balance,
        available=wallet.available,
    )


def _check_redeemable(voucher: Voucher, organization: Organization, now: datetime) -> None:
    """Raise Conflict with the first reason, of a voucher that is locked."""
    batch = voucher.batch
    if voucher.uses.filter(organization=organization).exists():
        raise Conflict("voucher_already_redeemed", "Your organization has redeemed this voucher already.")
    if voucher.disabled_at is not None:
        raise Conflict("voucher_disabled", "This voucher is not valid any more.")
    if not batch.is_confirmed or now < batch.starts_at:
        raise Conflict("voucher_not_yet_valid", "This voucher is not valid yet.")
    if batch.expires_at is not None and batch.expires_at <= now:
        raise Conflict("voucher_expired", "This voucher has expired.")
    if voucher.redemptions >= voucher.max_redemptions:
        raise Conflict("voucher_used_up", "This voucher has been redeemed as often as it may be.")


def _made_alone(by: User, now: datetime) -> Decimal:
    """What the batches are worth that this operator made within 24 hours without a second one."""
    alone = VoucherBatch.objects.filter(made_by=by, made_at__gt=now - confirmations.WINDOW, needs_confirmation=False)
    return alone.aggregate(sum=Coalesce(Sum(F("credits") * F("count") * F("max_redemptions")), ZERO))["sum"]
