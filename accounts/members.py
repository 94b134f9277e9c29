"""Who belongs to an organization, and as what. An organization always keeps an owner; an operator belongs to none.

`by` is the member who acts; None is an operator or a command. Who may do what stands in `accounts.roles`: owners and
admins manage members, and whatever makes or touches an owner is an owner's business.
"""

from django.db import transaction
from django.db.models import Q

from accounts import audit_log, roles
from accounts.errors import Forbidden, NotFound
from accounts.models import Membership, Organization, Role, User
from accounts.roles import Act


@transaction.atomic
def add(organization: Organization, email: str, role: Role) -> Membership:
    """Make the person with this e-mail address a member, creating the login (without password) if there is none.

    A member already there gets the role. Raises Forbidden `operator_cannot_join`, `last_owner`.
    """
    user = User.objects.filter(email__iexact=email).first() or User.objects.create_user(email)
    if user.is_staff:
        raise Forbidden("operator_cannot_join", "An operator of the gateway belongs to no organization.")
    _lock(organization)
    membership, is_new = organization.memberships.get_or_create(user=user, defaults={"role": role})
    if not is_new:
        return change_role(membership, role)
    changes = {"user": [None, user.email], "role": [None, role]}
    audit_log.record(action="member.added", target=membership, organization=organization, changes=changes)
    return membership


@transaction.atomic
def change_role(membership: Membership, role: Role, *, by: Membership | None = None) -> Membership:
    """Raises Forbidden `last_owner`, `role_not_allowed`."""
    _lock(membership.organization)
    membership.refresh_from_db(fields=["role"])
    _check_by(by, membership.organization, Role(membership.role), role)
    if role != Role.OWNER:
        _check_another_owner(membership)
    before, membership.role = membership.role, role
    membership.save(update_fields=["role"])
    if before != role:
        changes = {"role": [before, role]}
        audit_log.record(
            action="member.role_changed", target=membership, organization=membership.organization, changes=changes
        )
    return membership


@transaction.atomic
def set_notify(membership: Membership, wanted: bool | None, *, by: Membership | None = None) -> None:
    """Whether this member gets e-mails about credits and keys; None: as the role says.

    Members say so for themselves, and whoever manages a member does for them. Raises Forbidden `role_not_allowed`.
    """
    if by is not None and by.pk != membership.pk:
        _check_by(by, membership.organization, Role(membership.role))
    present = Membership.objects.select_for_update(no_key=True).values("notify").get(pk=membership.pk)
    changes = audit_log.compared(present, {"notify": wanted})
    membership.notify = wanted
    membership.save(update_fields=["notify"])
    if changes:
        audit_log.record(
            action="member.notified", target=membership, organization=membership.organization, changes=changes
        )


def to_notify(organization: Organization) -> list[str]:
    """The addresses of the members who want e-mails: owners and admins who did not decline, and others who asked.

    A sandbox twin's members are those of the live one.
    """
    live = organization.sandbox_of_id or organization.pk
    by_role = Q(notify__isnull=True, role__in=(Role.OWNER, Role.ADMIN))
    wanting = Membership.objects.filter(by_role | Q(notify=True), organization=live, user__is_active=True)
    return list(wanting.order_by("pk").values_list("user__email", flat=True))


def gets_notices(membership: Membership) -> bool:
    """Whether `to_notify` names this member: what was said, else what the role says."""
    if membership.notify is not None:
        return membership.notify
    return membership.role in (Role.OWNER, Role.ADMIN)


@transaction.atomic
def transfer(to: Membership, *, by: Membership) -> None:
    """The owner `by` makes `to` an owner and becomes an admin. Raises Forbidden `role_not_allowed`, NotFound."""
    organization = by.organization
    _lock(organization)
    _check_by(by, to.organization, Role.OWNER)
    roles.check(by, Act.TRANSFER)
    if to.pk == by.pk:
        return
    change_role(to, Role.OWNER, by=by)
    change_role(by, Role.ADMIN, by=by)


@transaction.atomic
def leave(membership: Membership) -> None:
    """Raises Forbidden `last_owner`."""
    _take_out(membership)


@transaction.atomic
def remove(membership: Membership, *, by: Membership | None = None) -> None:
    """Raises Forbidden `last_owner`, `role_not_allowed`."""
    _lock(membership.organization)
    membership.refresh_from_db(fields=["role"])
    _check_by(by, membership.organization, Role(membership.role))
    _take_out(membership)


def check_manages(by: Membership, organization: Organization, *touched: Role) -> None:
    """Raise Forbidden `role_not_allowed`, or NotFound for another organization's member."""
    if by.organization_id != organization.pk:
        raise NotFound("member_not_found", "There is no such member.")
    roles.check(by, Act.MANAGE_MEMBERS)
    if Role.OWNER in touched and by.role != Role.OWNER:
        raise Forbidden("role_not_allowed", "Only an owner makes or changes an owner.")


def _check_by(by: Membership | None, organization: Organization, *touched: Role) -> None:
    if by is not None:
        by.refresh_from_db(fields=["role"])
        check_manages(by, organization, *touched)


def _take_out(membership: Membership) -> None:
    _lock(membership.organization)
    _check_another_owner(membership)
    changes = {"user": [membership.user.email, None], "role": [membership.role, None]}
    audit_log.record(action="member.removed", target=membership, organization=membership.organization, changes=changes)
    membership.delete()


def _lock(organization: Organization) -> None:
    """Membership changes of one organization wait for each other, so two owners cannot leave at once."""
    Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)


def _check_another_owner(membership: Membership) -> None:
    """Somebody else is an owner, whatever this member is."""
    others = membership.organization.memberships.filter(role=Role.OWNER).exclude(pk=membership.pk)
    if not others.exists():
        raise Forbidden("last_owner", "An organization must keep an owner.")
