"""The books: what came in (lots), what is promised (reservations), every movement (transfers), and what things cost.

    Organization 1-1 Wallet 1-n CreditLot
                            1-n Reservation n-n CreditLot (ReservationLot)
                            1-n Transfer               append-only, numbered and hash-chained per wallet
                            1-n RollUp                 sums of transfers, up to the wallet's RollUpCursor
    KeyBudget 1-n BudgetWindow                         one for ever, one a UTC day
    PriceVersion 1-n PriceCell · UserGroup 1-n GroupPrice
    Organization 1-n BalanceThreshold · 1-n Notice 1-n NoticeMail · 0-1 SpendingGuard · ApiKey 1-n KeyPause

Only `billing.ledger` writes wallets, lots, reservations, windows and transfers; only `load_price_book` writes prices;
only `billing.rollups` writes roll-ups.
"""

from billing.models.audits import AuditMark, AuditRun
from billing.models.notices import BalanceThreshold, KeyPause, Notice, NoticeMail, SpendingGuard
from billing.models.prices import GroupPrice, PriceCell, PriceVersion, Unit
from billing.models.reservations import BudgetWindow, Reservation, ReservationLot
from billing.models.rollups import RollUp, RollUpCursor
from billing.models.transfers import IN_THE_BALANCE, Account, Kind, Transfer
from billing.models.wallets import Adjustment, CreditLot, Wallet

__all__ = [
    "IN_THE_BALANCE",
    "Account",
    "Adjustment",
    "AuditMark",
    "AuditRun",
    "BalanceThreshold",
    "BudgetWindow",
    "CreditLot",
    "GroupPrice",
    "KeyPause",
    "Kind",
    "Notice",
    "NoticeMail",
    "PriceCell",
    "PriceVersion",
    "Reservation",
    "ReservationLot",
    "RollUp",
    "RollUpCursor",
    "SpendingGuard",
    "Transfer",
    "Unit",
    "Wallet",
]
