"""The books: what came in (lots), what is promised (reservations), every movement (transfers), and what things cost.

    Organization 1-1 Wallet 1-n CreditLot
                            1-n Reservation n-n CreditLot (ReservationLot)
                            1-n Transfer               append-only, numbered and hash-chained per wallet
                            1-n RollUp                 sums of transfers, up to the wallet's RollUpCursor
                            1-n ProviderCost           append-only, numbered per wallet
                            1-n CostRollUp             sums of provider costs, up to the wallet's CostCursor
    ReportRollUp, CostReportRollUp                     the same, of all live organizations and by month
    KeyBudget 1-n BudgetWindow                         one for ever, one a UTC day
    PriceVersion 1-n PriceCell · UserGroup 1-n GroupPrice

Only `billing.ledger` writes wallets, lots, reservations, windows and transfers; only `load_price_book` writes prices;
only `billing.rollups` writes roll-ups; only `billing.provider_costs` writes provider costs and their roll-ups;
only `billing.report_rollups` writes report roll-ups.
"""

from billing.models.audits import AuditMark, AuditRun
from billing.models.costs import CostCursor, CostKind, CostRollUp, ProviderCost
from billing.models.prices import GroupPrice, PriceCell, PriceVersion, Unit
from billing.models.reports import (
    CostReportCursor,
    CostReportRollUp,
    ReportCursor,
    ReportRollUp,
    ReportSpan,
)
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
    "CostCursor",
    "CostKind",
    "CostReportCursor",
    "CostReportRollUp",
    "CostRollUp",
    "CreditLot",
    "GroupPrice",
    "Kind",
    "PriceCell",
    "PriceVersion",
    "ProviderCost",
    "ReportCursor",
    "ReportRollUp",
    "ReportSpan",
    "Reservation",
    "ReservationLot",
    "RollUp",
    "RollUpCursor",
    "Transfer",
    "Unit",
    "Wallet",
]
