"""The books: what came in (lots), what is promised (reservations), every movement (transfers), and what things cost.

    Organization 1-1 Wallet 1-n CreditLot
                            1-n Reservation n-n CreditLot (ReservationLot)
                            1-n Transfer               append-only, numbered and hash-chained per wallet
                            1-n RollUp                 sums of transfers, up to the wallet's RollUpCursor
    KeyBudget 1-n BudgetWindow                         one for ever, one a UTC day
    PriceVersion 1-n PriceCell · UserGroup 1-n GroupPrice
    Organization 1-n TopUp 1-n MoneyBack, StripeEvent
                 1-1 AutoRecharge

Only `billing.ledger` writes wallets, lots, reservations, windows and transfers; only `load_price_book` writes prices;
only `billing.rollups` writes roll-ups; only `billing.top_ups` writes top-ups and what belongs to them.
"""

from billing.models.audits import AuditMark, AuditRun
from billing.models.prices import GroupPrice, PriceCell, PriceVersion, Unit
from billing.models.reservations import BudgetWindow, Reservation, ReservationLot
from billing.models.rollups import RollUp, RollUpCursor
from billing.models.top_ups import AutoRecharge, MoneyBack, StripeEvent, TopUp
from billing.models.transfers import IN_THE_BALANCE, Account, Kind, Transfer
from billing.models.wallets import Adjustment, CreditLot, Wallet

__all__ = [
    "IN_THE_BALANCE",
    "Account",
    "Adjustment",
    "AuditMark",
    "AuditRun",
    "AutoRecharge",
    "BudgetWindow",
    "CreditLot",
    "GroupPrice",
    "Kind",
    "MoneyBack",
    "PriceCell",
    "PriceVersion",
    "Reservation",
    "ReservationLot",
    "RollUp",
    "RollUpCursor",
    "StripeEvent",
    "TopUp",
    "Transfer",
    "Unit",
    "Wallet",
]
