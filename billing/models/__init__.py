"""The books: what came in (lots), what is promised (reservations), every movement (transfers), and what things cost.

    Organization 1-1 Wallet 1-n CreditLot
                            1-n Reservation n-n CreditLot (ReservationLot)
                            1-n Transfer               append-only, numbered and hash-chained per wallet
                            1-n RollUp                 sums of transfers, up to the wallet's RollUpCursor
    KeyBudget 1-n BudgetWindow                         one for ever, one a UTC day
    PriceVersion 1-n PriceCell · UserGroup, Organization 1-n PriceOverride · PriceDraft 1-n DraftCell

Only `billing.ledger` writes wallets, lots, reservations, windows and transfers; only `billing.price_book` writes
versions, only `billing.overrides` overrides, only `billing.drafts` drafts; only `billing.rollups` writes roll-ups.
"""

from billing.models.audits import AuditMark, AuditRun
from billing.models.drafts import DraftCell, PriceDraft
from billing.models.prices import PriceCell, PriceOverride, PriceVersion, Unit
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
    "BudgetWindow",
    "CreditLot",
    "DraftCell",
    "Kind",
    "PriceCell",
    "PriceDraft",
    "PriceOverride",
    "PriceVersion",
    "Reservation",
    "ReservationLot",
    "RollUp",
    "RollUpCursor",
    "Transfer",
    "Unit",
    "Wallet",
]
