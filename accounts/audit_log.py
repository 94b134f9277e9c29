"""The audit log: who changed what, when, from where and why. The only code that writes its rows.

Whoever owns a table records each change in the transaction that makes it, so there is no change without its row and no
row without its change:

    audit_log.record(action="key.revoked", target=key, organization=acme, changes={"revoked_at": [None, now]})

Who acts, the request's id and its address come from `acting`, and so does an operator's reason unless one is given.
Secrets never get here: of a field in `SECRETS` the row says only that it changed.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from accounts import acting, permissions
from accounts.models import AuditEntry, Organization

SECRETS = frozenset({"password", "password1", "password2", "digest", "secret", "credentials", "code", "codes"})
HIDDEN = "…"
MAX_TEXT = 300
Changes = Mapping[str, Any]


def record(
    *,
    action: str,
    target: Model | None = None,
    organization: Organization | None = None,
    changes: Changes | None = None,
    reason: str = "",
) -> AuditEntry:
    """Write one entry: `action` as `noun.verb`, the row it was done to, and what changed as `{name: [before, after]}`.

    `target` may be unsaved, or deleted already, as long as it has its key. Raises TransactionManagementError outside a
    transaction: the change and its entry stand or fall together.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("An audit entry is written in the transaction of its change only.")
    actor, request, act = acting.actor(), acting.request(), acting.act()
    entry = AuditEntry.objects.create(
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor=_cut(actor.name),
        action=action,
        organization_id=organization.pk if organization else None,
        organization_name=organization.name if organization else "",
        target_type=target._meta.label_lower if target else "",
        target_id=key_of(target) if target else "",
        target=_cut(str(target)) if target else "",
        changes={name: [_plain(name, value) for value in pair] for name, pair in (changes or {}).items()},
        reason=_cut(reason or (act.reason if act else "")),
        request_id=request.META.get(acting.REQUEST_ID, "") if request else "",
        address=_address(request),
    )
    if act:
        act.entries.append(entry)
    return entry


def compared(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, list[Any]]:
    """What of `after` differs from `before`, as `record` wants it."""
    return {name: [before.get(name), value] for name, value in after.items() if before.get(name) != value}


def values(row: Model, names: Iterable[str]) -> dict[str, Any]:
    """The row's values by name, to compare or to show what was made."""
    return {name: getattr(row, name) for name in names}


def made(row: Model, names: Iterable[str]) -> dict[str, list[Any]]:
    """What a new row was made with, as `record` wants it; what is empty is left out."""
    return {name: [None, value] for name, value in values(row, names).items() if value not in (None, "", [])}


def key_of(target: Model) -> str:
    """The id that customers know, where there is one."""
    return str(getattr(target, "public_id", target.pk))


def of(target: Model) -> QuerySet[AuditEntry]:
    """What was done to this row, newest first."""
    rows = AuditEntry.objects.filter(target_type=target._meta.label_lower, target_id=key_of(target))
    return rows.order_by("-pk")


def _plain(name: str, value: Any) -> Any:
    """A value as JSON has it."""
    if name in SECRETS or name.startswith("encrypted_"):
        return HIDDEN if value else None
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): _plain(str(key), one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | QuerySet):
        return [_plain(name, one) for one in value]
    return str(value)


def _address(request: HttpRequest | None) -> str | None:
    found = permissions.client_address(request) if request else None
    return str(found) if found else None


def _cut(text: str) -> str:
    return text[:MAX_TEXT]
