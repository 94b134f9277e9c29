"""Organizations: open one for an owner, make its sandbox twin, say its limits, suspend and resume it."""

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts import members
from accounts.models import Organization, Role, UserGroup

DEFAULT_GROUP = "default"


@transaction.atomic
def create(name: str, owner_email: str, *, user_group: UserGroup | None = None) -> Organization:
    """A new organization with its owner, in the group `default` unless another is given. It has no wallet yet."""
    group = user_group or UserGroup.objects.get(name=DEFAULT_GROUP)
    organization = Organization.objects.create(name=name, user_group=group)
    members.add(organization, owner_email, Role.OWNER)
    return organization


def ordinary() -> Organization:
    """A live organization of the group `default` that is nobody's and is never saved."""
    return Organization(user_group=UserGroup.objects.get(name=DEFAULT_GROUP))


def sandbox_twin(organization: Organization) -> Organization:
    """The organization that pays with test credits and is served by the simulator only; made when first asked for.

    It has no members of its own: those of the live twin act in it.
    """
    name = f"{organization.name} (sandbox)"[:120]
    fields = {"name": name, "user_group": organization.user_group}
    return Organization.objects.get_or_create(sandbox_of=organization, defaults=fields)[0]


def running_limit(organization: Organization) -> int | None:
    """How many of its tasks may be at work at once: its own number, else that of its kind or group; None = any."""
    if organization.running_limit is not None:
        return organization.running_limit
    return settings.SANDBOX_RUNNING_LIMIT if organization.is_sandbox else organization.user_group.running_limit


def queued_limit(organization: Organization) -> int | None:
    """How many may wait beyond those; None = any."""
    own = organization.queued_limit
    return own if own is not None else organization.user_group.queued_limit


def suspend(organization: Organization, reason: str) -> None:
    """Refuse every call of the organization and its sandbox twin; work under way goes on."""
    twins = Organization.objects.filter(pk=organization.pk) | Organization.objects.filter(sandbox_of=organization)
    twins.filter(suspended_at=None).update(suspended_at=timezone.now(), suspended_reason=reason)


def resume(organization: Organization) -> None:
    twins = Organization.objects.filter(pk=organization.pk) | Organization.objects.filter(sandbox_of=organization)
    twins.update(suspended_at=None, suspended_reason="")
