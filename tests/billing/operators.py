"""Operators, and vouchers that they made."""

from decimal import Decimal
from typing import Any

from accounts.models import User
from billing import vouchers
from billing.models import VoucherBatch


def operator(name: str = "olga") -> User:
    email = f"{name}@gateway.example"
    return User.objects.filter(email=email).first() or User.objects.create_user(email, is_staff=True)


def batch(name: str = "Fair", *, by: User | None = None, **worth: Any) -> tuple[VoucherBatch, list[str]]:
    """One code for 50 promo credits that one organization may redeem, unless `worth` says otherwise."""
    usual = {
        "kind": "promo",
        "credits": Decimal(50),
        "count": 1,
        "max_redemptions": 1,
        "starts_at": None,
        "expires_at": None,
        "credits_expire_days": 30,
        "reason": "A fair",
    }
    return vouchers.make(by=by or operator(), name=name, **usual | worth)
