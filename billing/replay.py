"""Replay: a wallet and its lots made again from nothing but its transfers, checking each row on the way.

What comes out must equal the rows that the ledger keeps (I15), whoever wrote them.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from billing import chain, effects
from billing.amounts import ZERO
from billing.lots import burn_key
from billing.models import Account, CreditLot, Kind, Transfer, Wallet

COMPARED = (*effects.LOT_AMOUNTS, "expires_at")


@dataclass(frozen=True, kw_only=True, order=True)
class Finding:
    """One broken invariant: its number in the list of invariants, what it is about, and what is wrong there."""

    invariant: str
    subject: str
    problem: str


@dataclass(kw_only=True)
class Books:
    """What the transfers say. `lots` holds unsaved rows with the amounts and the expiry that follow from them."""

    balance: Decimal = ZERO
    reserved: Decimal = ZERO
    seq: int = 0
    head: bytes = chain.START
    moved_at: datetime | None = None
    accounts: dict[str, Decimal] = field(default_factory=lambda: defaultdict(lambda: ZERO))
    lots: dict[UUID, CreditLot] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def find(self, invariant: str, subject: object, problem: str) -> None:
        self.findings.append(Finding(invariant=invariant, subject=str(subject), problem=problem))


def replay(transfers: Iterable[Transfer], facts: Mapping[UUID, CreditLot]) -> Books:
    """Replay a wallet's transfers, which come in the order of `seq`. `facts` are its lots, for what never changes."""
    books = Books()
    for transfer in transfers:
        check_link(books, transfer)
        if transfer.lot_id not in facts:
            books.find("I12", f"transfer {transfer.seq}", f"names lot {transfer.lot_id} of another wallet")
            continue
        lot = books.lots.get(transfer.lot_id) or empty_lot(facts[transfer.lot_id], transfer.lot_expires_at)
        if transfer.kind == Kind.RESERVE:
            check_burn(books, transfer, lot)
        apply(books, transfer, lot)
        check_balance(books, transfer, lot)
    return books


def empty_lot(fact: CreditLot, expires_at: datetime | None) -> CreditLot:
    amounts = dict.fromkeys(effects.LOT_AMOUNTS, ZERO)
    return CreditLot(id=fact.id, priority=fact.priority, created_at=fact.created_at, expires_at=expires_at, **amounts)


def check_link(books: Books, transfer: Transfer) -> None:
    if transfer.seq != books.seq + 1:
        books.find("I5", f"transfer {transfer.seq}", f"follows transfer {books.seq}")
    if bytes(transfer.hash) != chain.link(books.head, transfer):
        books.find("I5", f"transfer {transfer.seq}", "its hash does not follow from its content and the hash before")
    if books.moved_at and transfer.created_at < books.moved_at:
        books.find("I5", f"transfer {transfer.seq}", "is older than the one before it")
    books.seq, books.head, books.moved_at = transfer.seq, bytes(transfer.hash), transfer.created_at


def check_burn(books: Books, transfer: Transfer, lot: CreditLot) -> None:
    if lot.is_due(transfer.created_at):
        books.find("I10", f"transfer {transfer.seq}", f"reserves from lot {lot.id}, which expired {lot.expires_at}")
    usable = [other for other in books.lots.values() if other.remaining > 0 and not other.is_due(transfer.created_at)]
    first = min(usable, key=burn_key, default=lot)
    if burn_key(first) < burn_key(lot):
        books.find("I9", f"transfer {transfer.seq}", f"burns lot {lot.id} before lot {first.id}")


def apply(books: Books, transfer: Transfer, lot: CreditLot) -> None:
    balance_sign, reserved_sign = effects.on_wallet(transfer.debit, transfer.credit)
    books.balance += balance_sign * transfer.amount
    books.reserved += reserved_sign * transfer.amount
    books.accounts[transfer.debit] -= transfer.amount
    books.accounts[transfer.credit] += transfer.amount
    for name, sign in effects.ON_LOT[transfer.debit, transfer.credit].items():
        setattr(lot, name, getattr(lot, name) + sign * transfer.amount)
    lot.expires_at = transfer.lot_expires_at
    books.lots[lot.id] = lot


def check_balance(books: Books, transfer: Transfer, lot: CreditLot) -> None:
    subject = f"transfer {transfer.seq}"
    if (transfer.balance_after, transfer.reserved_after) != (books.balance, books.reserved):
        books.find("I5", subject, f"its running balance is not {books.balance}, of which {books.reserved} reserved")
    if not 0 <= books.reserved <= books.balance:
        books.find("I2", subject, f"overdraws: balance {books.balance}, of which {books.reserved} reserved")
    if lot.remaining < 0 or lot.reserved < 0 or lot.remaining + lot.reserved > lot.granted:
        books.find("I4", subject, f"lot {lot.id} then has {lot.remaining} and {lot.reserved} of {lot.granted}")


def compare(books: Books, wallet: Wallet, lots: Mapping[UUID, CreditLot]) -> list[Finding]:
    """What the replay found, and where the kept rows differ from what it made."""
    available, held = books.accounts[Account.AVAILABLE], books.accounts[Account.RESERVED]
    if (available, held) != (wallet.available, wallet.reserved):
        books.find(
            "I1",
            "wallet",
            f"has {wallet.available} available and {wallet.reserved} reserved, "
            f"its transfers say {available} and {held}",
        )
    if sum(books.accounts.values()) != 0:
        books.find("I1", "wallet", "its accounts do not add up to 0")
    if (books.seq, books.head) != (wallet.seq, bytes(wallet.head)):
        books.find("I5", "wallet", f"its head at {wallet.seq} is not that of its last transfer, {books.seq}")
    for lot in lots.values():
        again = books.lots.get(lot.id)
        differing = [name for name in COMPARED if again is None or getattr(lot, name) != getattr(again, name)]
        if differing:
            books.find("I15", f"lot {lot.id}", f"its transfers say otherwise of {', '.join(differing)}")
    return books.findings
