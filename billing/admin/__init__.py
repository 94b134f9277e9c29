"""The operators' pages of billing, one file a noun. Credits move only by the verbs of the ledger, with a reason."""

from billing.admin import audits, costs, grants, limits, movements, prices, rollups, top_ups, vouchers, wallets

__all__ = ["audits", "costs", "grants", "limits", "movements", "prices", "rollups", "top_ups", "vouchers", "wallets"]
