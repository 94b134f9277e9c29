"""The books: what came in (lots), what is promised (reservations), every movement (transfers), and what things cost.

    Organization 1-1 Wallet 1-n CreditLot
                            1-n Reservation n-n CreditLot (ReservationLot)
                            1-n Transfer               append-only, numbered and hash-chained per wallet
                            1-n RollUp                 sums of transfers, up to the wallet's RollUpCursor
                            1-n ProviderCost           append-only, numbered per wallet
                            1-n CostRollUp             sums of provider costs, up to the wallet's CostCursor
    ReportRollUp, CostReportRollUp                     the same, of all live organizations and by month
    KeyBudget 1-n BudgetWindow                         one for ever, one a UTC day
    PriceVersion 1-n PriceCell · UserGroup, Organization 1-n PriceOverride · PriceDraft 1-n DraftCell
    Organization 1-n GrantRequest                      what operators gave, took or asked for
    VoucherBatch 1-n Voucher 1-n VoucherRedemption n-1 Organization
    Organization 1-n TopUp 1-n MoneyBack, StripeEvent
                 1-1 AutoRecharge
    Organization 1-n BalanceThreshold · 1-n Notice 1-n NoticeMail · 0-1 SpendingGuard · ApiKey 1-n KeyPause

Only `billing.ledger` writes wallets, lots, reservations, windows and transfers; only `billing.price_book` writes
versions, only `billing.overrides` overrides, only `billing.drafts` drafts; only `billing.rollups` writes roll-ups; only
`billing.provider_costs` writes provider costs and their roll-ups; only `billing.grants` and `billing.vouchers` write
requests and vouchers; only `billing.report_rollups` writes report roll-ups; only `billing.top_ups` writes top-ups and
what belongs to them.
"""

from billing.models.audits import AuditMark, AuditRun
from billing.models.costs import CostCursor, CostKind, CostRollUp, ProviderCost
from billing.models.drafts import DraftCell, PriceDraft
from billing.models.grants import GrantRequest, SignUpCredits
from billing.models.notices import BalanceThreshold, KeyPause, Notice, NoticeMail, SpendingGuard
from billing.models.prices import PriceCell, PriceOverride, PriceVersion, Unit
from billing.models.reports import (
    CostReportCursor,
    CostReportRollUp,
    ReportCursor,
    ReportRollUp,
    ReportSpan,
)
from billing.models.reservations import BudgetWindow, Reservation, ReservationLot
from billing.models.rollups import RollUp, RollUpCursor
from billing.models.top_ups import AutoRecharge, MoneyBack, StripeEvent, TopUp
from billing.models.transfers import IN_THE_BALANCE, Account, Kind, Transfer
from billing.models.vouchers import Voucher, VoucherBatch, VoucherRedemption, VoucherTries
from billing.models.wallets import Adjustment, CreditLot, Wallet

__all__ = [
    "IN_THE_BALANCE",
    "Account",
    "Adjustment",
    "AuditMark",
    "AuditRun",
    "AutoRecharge",
    "BalanceThreshold",
    "BudgetWindow",
    "CostCursor",
    "CostKind",
    "CostReportCursor",
    "CostReportRollUp",
    "CostRollUp",
    "CreditLot",
    "DraftCell",
    "GrantRequest",
    "KeyPause",
    "Kind",
    "MoneyBack",
    "Notice",
    "NoticeMail",
    "PriceCell",
    "PriceDraft",
    "PriceOverride",
    "PriceVersion",
    "ProviderCost",
    "ReportCursor",
    "ReportRollUp",
    "ReportSpan",
    "Reservation",
    "ReservationLot",
    "RollUp",
    "RollUpCursor",
    "SignUpCredits",
    "SpendingGuard",
    "StripeEvent",
    "TopUp",
    "Transfer",
    "Unit",
    "Voucher",
    "VoucherBatch",
    "VoucherRedemption",
    "VoucherTries",
    "Wallet",
]
