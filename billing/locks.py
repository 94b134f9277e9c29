"""Locks: a verb's transaction, and the wallet's row that every movement locks first."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Subquery

from accounts.models import Organization
from billing.models import Reservation, Wallet

P = ParamSpec("P")
R = TypeVar("R")


def in_one_transaction(verb: Callable[P, R]) -> Callable[P, R]:
    """Run in the caller's transaction, or in one of its own; never in a savepoint, which would cost two statements."""

    @wraps(verb)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        if connection.in_atomic_block:
            return verb(*args, **kwargs)
        with transaction.atomic():
            return verb(*args, **kwargs)

    return run


def open_wallet(organization: Organization) -> Wallet:
    """The organization's wallet, made empty when there is none yet."""
    return Wallet.objects.get_or_create(organization=organization)[0]


def lock(organization: Organization) -> Wallet:
    """The wallet, locked until the transaction ends. NO KEY, so that foreign-key checks of its children do not wait."""
    locked = Wallet.objects.select_for_update(no_key=True)
    wallet = locked.filter(pk=organization.pk).first()
    return wallet or locked.get(pk=open_wallet(organization).pk)


def lock_reservation(reservation_id: UUID) -> tuple[Wallet, Reservation]:
    wallet_id = Reservation.objects.filter(pk=reservation_id).values("wallet_id")
    wallet = Wallet.objects.select_for_update(no_key=True).filter(pk=Subquery(wallet_id)).first()
    if wallet is None:
        raise Reservation.DoesNotExist(f"There is no reservation {reservation_id}.")
    return wallet, Reservation.objects.get(pk=reservation_id)
