"""Who is calling: `Authorization: Bearer sk-…` becomes `request.auth` (the ApiKey) and `request.organization`.

One SQL statement fetches the key with its organization, user group and budget. A request without a key passes through
with `request.organization = None`; `permissions.HasScope` refuses it wherever a view asks for a scope. A person never
calls the API, so there is no `request.user`.
"""

from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from accounts import key_text
from accounts.errors import Forbidden, Unauthenticated
from accounts.models import ApiKey

LAST_USED_PRECISION = timedelta(minutes=5)


class ApiKeyAuthentication(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[None, ApiKey] | None:
        request.organization = None
        text = _bearer(request.META.get("HTTP_AUTHORIZATION", ""))
        if text is None:
            return None
        key = authenticate(text, timezone.now())
        request.organization = key.organization
        return None, key

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def authenticate(text: str, now: datetime) -> ApiKey:
    """The usable key with this text. Raises Unauthenticated, or Forbidden `organization_suspended`."""
    key = _find(text)
    if key is None:
        raise Unauthenticated("invalid_api_key", "This API key does not exist.")
    if key.revoked_at is not None or not key.enabled:
        raise Unauthenticated("key_disabled", "This API key is disabled.")
    if key.has_expired(now):
        raise Unauthenticated("key_expired", "This API key has expired.")
    if key.organization.suspended_at is not None:
        raise Forbidden("organization_suspended", "This organization is suspended; please contact support.")
    _remember_use(key, now)
    return key


def _bearer(header: str) -> str | None:
    scheme, _, text = header.strip().partition(" ")
    if not scheme:
        return None
    if scheme.lower() != "bearer" or not text.strip():
        raise Unauthenticated("missing_api_key", "Send your API key as `Authorization: Bearer sk-…`.")
    return text.strip()


def _find(text: str) -> ApiKey | None:
    if not key_text.is_well_formed(text):
        return None
    keys = ApiKey.objects.select_related("organization__user_group", "budget")
    return keys.filter(digest=key_text.digest(text)).first()


def _remember_use(key: ApiKey, now: datetime) -> None:
    """Write `last_used_at`, at most once in five minutes however many calls come at once."""
    stale = now - LAST_USED_PRECISION
    if key.last_used_at is not None and key.last_used_at > stale:
        return
    never_or_long_ago = Q(last_used_at=None) | Q(last_used_at__lte=stale)
    ApiKey.objects.filter(never_or_long_ago, pk=key.pk).update(last_used_at=now)
