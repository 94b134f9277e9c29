"""Locks: a verb's transaction, and the wallet's row that every movement locks first."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Subquery

from accounts.compiled import Compiled, Given
from accounts.models import Organization
from billing.models import Reservation, Wallet

WALLET = Compiled(lambda: Wallet.objects.select_for_update(no_key=True).filter(pk=Given("wallet_id")))
RESERVATION = Compiled(lambda: Reservation.objects.filter(pk=Given("reservation_id")))
WALLET_OF_A_RESERVATION = Compiled(
    lambda: Wallet.objects.select_for_update(no_key=True).filter(
        pk=Subquery(Reservation.objects.filter(pk=Given("reservation_id")).values("wallet_id"))
    )
)
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
    _check_transaction()
    found = WALLET(wallet_id=organization.pk) or WALLET(wallet_id=open_wallet(organization).pk)
    return found[0]


def lock_reservation(reservation_id: UUID) -> tuple[Wallet, Reservation]:
    """The reservation, its wallet locked likewise."""
    _check_transaction()
    wallets = WALLET_OF_A_RESERVATION(reservation_id=reservation_id)
    return the_two(wallets, RESERVATION(reservation_id=reservation_id), reservation_id)


def the_two(wallets: list[Wallet], reservations: list[Reservation], reservation_id: UUID) -> tuple[Wallet, Reservation]:
    """What was read with the lock. Raises Reservation.DoesNotExist."""
    if not wallets:
        raise Reservation.DoesNotExist(f"There is no reservation {reservation_id}.")
    return wallets[0], reservations[0]


def _check_transaction() -> None:
    """A lock without a transaction is gone at once, and a query spelled beforehand is not refused for it by Django."""
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("A wallet is locked within a transaction only.")
