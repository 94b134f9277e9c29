"""The operators' pages of billing, one file a noun. Credits move only by the verbs of the ledger, with a reason."""

from billing.admin import audits, grants, movements, prices, rollups, vouchers, wallets

__all__ = ["audits", "grants", "movements", "prices", "rollups", "vouchers", "wallets"]
