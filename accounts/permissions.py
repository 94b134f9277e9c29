"""What a key may call: every view declares the scope it asks for, and a key may be bound to networks.

    required_scope = Scope.READ                                       for all methods
    required_scope = {"GET": Scope.READ, "POST": Scope.GENERATE}      by method
    required_scope = None                                             public: works without a key

A view that declares nothing is refused loudly, so a forgotten line never opens a route.
"""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING, cast

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts.errors import Forbidden, Unauthenticated
from accounts.models import ApiKey

if TYPE_CHECKING:  # rest_framework.views imports this module by its setting
    from rest_framework.views import APIView


class HasScope(BasePermission):
    def has_permission(self, request: Request, view: "APIView") -> bool:
        """True, or raises Unauthenticated `missing_api_key`, Forbidden `key_ip_not_allowed` or `key_scope_missing`."""
        scope, key = scope_of(view, request.method or "GET"), cast("ApiKey | None", request.auth)
        if key is not None:
            check_network(key, request)
        if scope is None:
            return True
        if key is None:
            raise Unauthenticated("missing_api_key", "Send your API key as `Authorization: Bearer sk-…`.")
        if scope not in key.scopes:
            raise Forbidden("key_scope_missing", f"This API key lacks the scope `{scope}`.")
        return True


def scope_of(view: "APIView", method: str) -> str | None:
    """The scope `view` asks for; of a method it does not have, the first it declares (DRF answers 405 afterwards)."""
    if not hasattr(view, "required_scope"):
        raise ImproperlyConfigured(f"{type(view).__name__} must declare required_scope.")
    declared = view.required_scope
    if isinstance(declared, dict):
        return declared.get("GET" if method == "HEAD" else method, next(iter(declared.values())))
    return declared


def check_network(key: ApiKey, request: Request) -> None:
    """Raise Forbidden `key_ip_not_allowed` unless the caller's address lies in one of the key's networks."""
    if not key.allowed_networks:
        return
    address = client_address(request)
    if address is None or not any(address in ip_network(network) for network in key.allowed_networks):
        raise Forbidden("key_ip_not_allowed", "This API key may not be used from your network address.")


def client_address(request: HttpRequest | Request) -> IPv4Address | IPv6Address | None:
    """Where the caller connects from, as told by the last of our own proxies; None when that is no address.

    Each of `settings.TRUSTED_PROXIES` proxies appends the address it was called from to X-Forwarded-For, so the
    caller's is that many from the right; what stands further left was written by the caller and proves nothing.
    """
    hops = [*request.META.get("HTTP_X_FORWARDED_FOR", "").split(","), request.META.get("REMOTE_ADDR", "")]
    try:
        address = ip_address(hops[-1 - settings.TRUSTED_PROXIES].strip())
    except (IndexError, ValueError):
        return None
    return getattr(address, "ipv4_mapped", None) or address
