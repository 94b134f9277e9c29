"""The operators' pages of accounts, one file a noun. The pages of other apps are linked by name, never imported."""

from accounts.admin import audit_entries, invitations, keys, organizations, users

__all__ = ["audit_entries", "invitations", "keys", "organizations", "users"]
