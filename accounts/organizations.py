"""Organizations: open one for an owner, make its sandbox twin, say its limits, suspend and resume it."""

from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts import audit_log, members, roles
from accounts.errors import Forbidden, InvalidRequest
from accounts.models import Membership, Organization, Role, UserGroup
from accounts.roles import Act

DEFAULT_GROUP = "default"
MOST_RETENTION_HOURS = 30 * 24


@transaction.atomic
def create(name: str, owner_email: str, *, user_group: UserGroup | None = None) -> Organization:
    """A new organization with its owner, in the group `default` unless another is given. It has no wallet yet."""
    group = user_group or UserGroup.objects.get(name=DEFAULT_GROUP)
    organization = Organization.objects.create(name=name, user_group=group)
    _record_opening(organization)
    members.add(organization, owner_email, Role.OWNER)
    return organization


def ordinary() -> Organization:
    """A live organization of the group `default` that is nobody's and is never saved."""
    return Organization(user_group=UserGroup.objects.get(name=DEFAULT_GROUP))


@transaction.atomic
def sandbox_twin(organization: Organization) -> Organization:
    """The organization that pays with test credits and is served by the simulator only; made when first asked for.

    It has no members of its own: those of the live twin act in it.
    """
    fields = {"name": _sandbox_name(organization.name), "user_group": organization.user_group}
    twin, is_new = Organization.objects.get_or_create(sandbox_of=organization, defaults=fields)
    if is_new:
        _record_opening(twin)
    return twin


@transaction.atomic
def change(organization: Organization, *, by: Membership, **wanted: Any) -> None:
    """Set `name` or `result_retention_hours`; the sandbox twin follows. Raises Forbidden, InvalidRequest."""
    roles.check(by, Act.CHANGE_SETTINGS)
    hours = wanted.get("result_retention_hours", 1)
    if not 1 <= hours <= MOST_RETENTION_HOURS and hours != organization.result_retention_hours:
        message = f"Results are kept for 1 to {MOST_RETENTION_HOURS} hours."
        raise InvalidRequest("invalid_parameter", message, param="result_retention_hours")
    for one in _locked_twins(organization.sandbox_of or organization):
        values = wanted | ({"name": _sandbox_name(wanted["name"])} if one.is_sandbox and "name" in wanted else {})
        changes = audit_log.compared(audit_log.values(one, values), values)
        for name, value in values.items():
            setattr(one, name, value)
        one.save(update_fields=list(values))
        if changes:
            audit_log.record(action="organization.changed", target=one, organization=one, changes=changes)


def running_limit(organization: Organization) -> int | None:
    """How many of its tasks may be at work at once: its own number, else that of its kind or group; None = any."""
    if organization.running_limit is not None:
        return organization.running_limit
    return settings.SANDBOX_RUNNING_LIMIT if organization.is_sandbox else organization.user_group.running_limit


def queued_limit(organization: Organization) -> int | None:
    """How many may wait beyond those; None = any."""
    own = organization.queued_limit
    return own if own is not None else organization.user_group.queued_limit


@transaction.atomic
def suspend(organization: Organization, reason: str) -> None:
    """Refuse every call of the organization and its sandbox twin; work under way goes on."""
    for one in _locked_twins(organization).filter(suspended_at=None):
        one.suspended_at, one.suspended_reason = timezone.now(), reason
        one.save(update_fields=["suspended_at", "suspended_reason"])
        changes = {"suspended_at": [None, one.suspended_at]}
        audit_log.record(action="organization.suspended", target=one, organization=one, changes=changes, reason=reason)


def check_not_suspended(organization: Organization) -> None:
    """Raises Forbidden `organization_suspended`."""
    if organization.suspended_at is not None:
        raise Forbidden("organization_suspended", "This organization is suspended; please contact support.")


@transaction.atomic
def resume(organization: Organization) -> None:
    for one in _locked_twins(organization).exclude(suspended_at=None):
        changes = {"suspended_at": [one.suspended_at, None], "suspended_reason": [one.suspended_reason, ""]}
        one.suspended_at, one.suspended_reason = None, ""
        one.save(update_fields=["suspended_at", "suspended_reason"])
        audit_log.record(action="organization.resumed", target=one, organization=one, changes=changes)


def _locked_twins(organization: Organization) -> QuerySet[Organization]:
    """The organization and its sandbox twin, locked in one order."""
    twins = Organization.objects.filter(Q(pk=organization.pk) | Q(sandbox_of=organization))
    return twins.order_by("pk").select_for_update(no_key=True)


def _sandbox_name(name: str) -> str:
    return f"{name} (sandbox)"[:120]


def _record_opening(organization: Organization) -> None:
    changes = audit_log.made(organization, ("name", "user_group", "sandbox_of"))
    audit_log.record(action="organization.opened", target=organization, organization=organization, changes=changes)
