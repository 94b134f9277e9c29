"""The operators' pages of billing, one file a noun. Credits move only by the verbs of the ledger, with a reason."""

from billing.admin import audits, limits, movements, prices, rollups, wallets

__all__ = ["audits", "limits", "movements", "prices", "rollups", "wallets"]
