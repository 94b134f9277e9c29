"""The operators' pages of accounts, one file a noun. The pages of other apps are linked by name, never imported."""

from accounts.admin import announcements, audit_entries, invitations, keys, organizations, users

__all__ = ["announcements", "audit_entries", "invitations", "keys", "organizations", "users"]
