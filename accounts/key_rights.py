"""Who may give what to a key: nobody gives more than they have, and only an owner or admin gives the scope `keys`.

An actor is a member of the organization or another key. Every right is compared for itself; an empty list of models or
networks means all of them, and no limit or expiry means without end, so both count as more than any value.
"""

from collections.abc import Callable, Iterable, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

from accounts.errors import Forbidden
from accounts.models import ApiKey, Membership, Role, Scope, default_scopes

Actor = ApiKey | Membership

LIMITS = ("total_limit", "daily_limit", "monthly_limit")
"""The rights that stand in a key's budget."""
RIGHTS = (
    "scopes",
    "allowed_models",
    "allowed_networks",
    *LIMITS,
    "requests_per_minute",
    "running_limit",
    "expires_at",
)


def of(key: ApiKey) -> dict[str, Any]:
    """The rights of `key` by name, those of its budget included."""
    own = {name: getattr(key, name) for name in RIGHTS if hasattr(key, name)}
    return own | {name: getattr(key.budget, name) for name in LIMITS}


def default_for(actor: Actor) -> dict[str, Any]:
    """What a new key may do when nothing else is asked for: a member's has no limits, a key's inherits them."""
    if isinstance(actor, Membership):
        return {"scopes": default_scopes()}
    rights = of(actor)
    return rights | {"scopes": [scope for scope in default_scopes() if scope in rights["scopes"]]}


def check_manages(actor: Actor) -> None:
    """Raise Forbidden unless `actor` may manage keys at all."""
    if isinstance(actor, Membership) and actor.role == Role.VIEWER:
        raise Forbidden("key_scope_missing", "A viewer cannot manage API keys.")
    if isinstance(actor, ApiKey) and Scope.KEYS not in actor.scopes:
        raise Forbidden("key_scope_missing", f"This API key lacks the scope `{Scope.KEYS}`.")
    if isinstance(actor, ApiKey):
        check_not_paused(actor)


def check_not_paused(key: ApiKey) -> None:
    """Raise Forbidden `key_paused`: a paused key neither spends nor manages keys, or it could help itself."""
    if key.paused_at is not None:
        message = "This API key is paused because its spending jumped; a member or another key can resume it."
        raise Forbidden("key_paused", message)


def check_gives_keys(actor: Actor, scopes: Iterable[str]) -> None:
    """Raise Forbidden when `scopes` hold `keys` and `actor` is neither owner nor admin."""
    if Scope.KEYS not in scopes:
        return
    if not isinstance(actor, Membership) or actor.role not in (Role.OWNER, Role.ADMIN):
        message = "Only an owner or admin of the organization can give the scope `keys`."
        raise Forbidden("key_scope_missing", message, param="scopes")


def check_within(actor: Actor, wanted: Mapping[str, Any]) -> None:
    """Raise Forbidden, with `param`, when a right among `wanted` exceeds the actor's own."""
    if isinstance(actor, Membership):
        return
    own = of(actor)
    for name in RIGHTS:
        if name in wanted and not _COMPARISONS.get(name, _is_no_later_or_larger)(wanted[name], own[name]):
            message = f"An API key cannot give more than it has: `{name}` exceeds its own."
            raise Forbidden(_CODES.get(name, "key_scope_missing"), message, param=name)


def _is_no_later_or_larger(wanted: Any, own: Any) -> bool:
    return own is None or (wanted is not None and wanted <= own)


def _are_among(wanted: list[str], own: list[str]) -> bool:
    return set(wanted) <= set(own)


def _are_models_among(wanted: list[str], own: list[str]) -> bool:
    return not own or (bool(wanted) and _are_among(wanted, own))


def _are_networks_within(wanted: list[str], own: list[str]) -> bool:
    if not own:
        return True
    outer = [ip_network(network) for network in own]
    inner = [ip_network(network) for network in wanted]
    return bool(inner) and all(any(_lies_in(network, other) for other in outer) for network in inner)


def _lies_in(inner: IPv4Network | IPv6Network, outer: IPv4Network | IPv6Network) -> bool:
    return inner.version == outer.version and inner.subnet_of(outer)  # type: ignore[arg-type]


_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "scopes": _are_among,
    "allowed_models": _are_models_among,
    "allowed_networks": _are_networks_within,
}
_CODES = {"allowed_models": "key_model_not_allowed", "allowed_networks": "key_ip_not_allowed"}
