"""The hash chain: its spelling is fixed for ever, and a replay makes the wallet and its lots again from transfers."""

import hashlib
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from accounts.models import Organization
from billing import chain, ledger
from billing.effects import LOT_AMOUNTS
from billing.models import Transfer
from billing.replay import replay
from tests.billing.books import give, key_of, reserve, wallet_of

WALLET, LOT = UUID(int=1), UUID(int=2)


def test_the_content_of_a_transfer_is_spelled_as_documented() -> None:
    transfer = Transfer(
        wallet_id=WALLET,
        seq=7,
        kind="grant",
        debit="issued_promo",
        credit="available",
        amount=Decimal("30"),
        lot_id=LOT,
        balance_after=Decimal("30.5"),
        reserved_after=Decimal(0),
        lot_expires_at=datetime(2027, 1, 2, 3, 4, 5, 6, tzinfo=UTC),
        reference="grüße",
        line=1,
        reason='say "hi"',
        created_at=datetime(2026, 11, 23, 12, tzinfo=UTC),
    )

    content = (
        b'["00000000-0000-0000-0000-000000000001",7,"grant","issued_promo","available","30.0000",'
        b'"00000000-0000-0000-0000-000000000002",null,null,"30.5000","0.0000","2027-01-02T03:04:05.000006+00:00",'
        b'"gr\\u00fc\\u00dfe",1,"say \\"hi\\"","2026-11-23T12:00:00.000000+00:00"]'
    )
    assert chain.content(transfer) == content
    assert chain.link(chain.START, transfer) == hashlib.sha256(bytes(32) + content).digest()


def test_the_hash_in_the_database_is_that_of_the_row_read_back(acme: Organization) -> None:
    give(acme, 30)
    give(acme, 20, "paid")
    ledger.capture(reserve(acme, "35.991", api_key=key_of(acme)).id)

    before = chain.START
    for transfer in wallet_of(acme).transfers.order_by("seq"):
        before = chain.link(before, transfer)
        assert bytes(transfer.hash) == before
    assert bytes(wallet_of(acme).head) == before


def test_a_replay_makes_the_same_wallet_and_lots(acme: Organization) -> None:
    give(acme, 30, expires_at=datetime(2030, 1, 1, tzinfo=UTC))
    give(acme, 20, "paid")
    first, second, third = (reserve(acme, amount) for amount in (12, 25, 3))
    ledger.capture(first.id, Decimal(10))
    ledger.release(second.id)
    ledger.capture(third.id)
    ledger.refund(third.id, Decimal(1), reference="sorry")
    ledger.adjust(acme, Decimal(-5), reference="dispute", reason="test")
    reserve(acme, 4)
    wallet = wallet_of(acme)
    lots = {lot.id: lot for lot in wallet.lots.all()}

    books = replay(wallet.transfers.order_by("seq"), lots)

    assert books.findings == []
    assert (books.balance, books.reserved, books.seq, books.head) == (
        wallet.balance,
        wallet.reserved,
        wallet.seq,
        bytes(wallet.head),
    )
    names = (*LOT_AMOUNTS, "expires_at")
    made = {lot.id: [getattr(lot, name) for name in names] for lot in books.lots.values()}
    assert made == {lot.id: [getattr(lot, name) for name in names] for lot in lots.values()}
