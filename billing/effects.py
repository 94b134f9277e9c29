"""What a movement changes, by its two accounts: the amounts of its lot, the totals of its wallet. The writer and the
replay of the auditor both go by these tables; the database checks that a lot's amounts add up all the same.
"""

from billing.models import Account, CreditLot

HELD = (Account.AVAILABLE, Account.RESERVED)  # the customer's accounts; the wallet's balance is their sum
ISSUERS: dict[str, Account] = {
    CreditLot.Kind.PAID: Account.ISSUED_PAID,
    CreditLot.Kind.PROMO: Account.ISSUED_PROMO,
    CreditLot.Kind.GOODWILL: Account.ISSUED_PROMO,
}

# (debit, credit) -> by which sign the movement changes which amounts of its lot.
ON_LOT: dict[tuple[str, str], dict[str, int]] = {
    (Account.ISSUED_PAID, Account.AVAILABLE): {"granted": 1, "remaining": 1},
    (Account.ISSUED_PROMO, Account.AVAILABLE): {"granted": 1, "remaining": 1},
    (Account.ADJUSTMENT, Account.AVAILABLE): {"granted": 1, "remaining": 1},
    (Account.AVAILABLE, Account.RESERVED): {"remaining": -1, "reserved": 1},
    (Account.RESERVED, Account.AVAILABLE): {"reserved": -1, "remaining": 1},
    (Account.RESERVED, Account.REVENUE): {"reserved": -1, "captured": 1},
    (Account.REVENUE, Account.AVAILABLE): {"refunded": 1, "remaining": 1},
    (Account.AVAILABLE, Account.BREAKAGE): {"remaining": -1, "expired": 1},
    (Account.AVAILABLE, Account.ADJUSTMENT): {"remaining": -1, "adjusted": -1},
}
LOT_AMOUNTS = ("granted", "remaining", "reserved", "captured", "refunded", "expired", "adjusted")


def on_wallet(debit: str, credit: str) -> tuple[int, int]:
    """The signs by which a movement changes a wallet's `balance` and `reserved`."""
    balance = (credit in HELD) - (debit in HELD)
    reserved = (credit == Account.RESERVED) - (debit == Account.RESERVED)
    return balance, reserved
