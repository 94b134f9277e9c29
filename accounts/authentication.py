"""Who is calling: `Authorization: Bearer sk-…` becomes `request.auth` (the ApiKey) and `request.organization`.

One SQL statement fetches the key with its organization, user group and budget. A request without a key passes through
with `request.organization = None`; `permissions.HasScope` refuses it wherever a view asks for a scope. A person never
calls the API, so there is no `request.user`.
"""

from datetime import datetime

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from accounts import keys, organizations
from accounts.errors import Unauthenticated
from accounts.models import ApiKey


class ApiKeyAuthentication(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[None, ApiKey] | None:
        request.organization = None  # type: ignore[attr-defined]
        text = _bearer(request.META.get("HTTP_AUTHORIZATION", ""))
        if text is None:
            return None
        key = authenticate(text, timezone.now())
        request.organization = key.organization  # type: ignore[attr-defined]
        return None, key

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def authenticate(text: str, now: datetime) -> ApiKey:
    """The usable key with this text. Raises Unauthenticated, or Forbidden `organization_suspended`."""
    key = keys.find(text)
    if key is None:
        raise Unauthenticated("invalid_api_key", "This API key does not exist.")
    if key.revoked_at is not None or not key.enabled:
        raise Unauthenticated("key_disabled", "This API key is disabled.")
    if key.has_expired(now):
        raise Unauthenticated("key_expired", "This API key has expired.")
    organizations.check_not_suspended(key.organization)
    keys.remember_use(key, now)
    return key


def _bearer(header: str) -> str | None:
    scheme, _, text = header.strip().partition(" ")
    if not scheme:
        return None
    if scheme.lower() != "bearer" or not text.strip():
        raise Unauthenticated("missing_api_key", "Send your API key as `Authorization: Bearer sk-…`.")
    return text.strip()
