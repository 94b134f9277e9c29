"""Members and invitations. Who may do what to whom is decided in `accounts.members`."""

from collections.abc import Callable

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts import invitations, members, tenancy
from accounts.errors import ApiError, NotFound
from accounts.models import Invitation, Membership, Role
from evolink_saas.console import error_words, forms, inviting, wording
from evolink_saas.console.entrance import ConsoleRequest


def listing(request: ConsoleRequest) -> HttpResponse:
    return _page(request, forms.InvitationForm(may_make_owners=_is_owner(request)))


@require_POST
def invite(request: ConsoleRequest) -> HttpResponse:
    form = forms.InvitationForm(request.POST, may_make_owners=_is_owner(request))
    if form.is_valid():
        email, role = form.cleaned_data["email"], Role(form.cleaned_data["role"])
        try:
            inviting.invite(request.membership, email, role, request.LANGUAGE_CODE)
        except ApiError as error:
            forms.refuse(form, error)
        else:
            messages.success(request, _("An invitation is on its way to %(email)s.") % {"email": email})
            return redirect("console:members", request.organization.public_id)
    return _page(request, form, status=400)


@require_POST
def invite_again(request: ConsoleRequest, invitation_id: str) -> HttpResponse:
    found = _invitation(request, invitation_id)
    done = _("An invitation is on its way to %(email)s.") % {"email": found.email}
    role = Role(found.role)
    return _do(request, lambda: inviting.invite(request.membership, found.email, role, found.language), done)


@require_POST
def revoke(request: ConsoleRequest, invitation_id: str) -> HttpResponse:
    found = _invitation(request, invitation_id)
    return _do(request, lambda: invitations.revoke(found, by=request.membership), _("The invitation was revoked."))


@require_POST
def change_role(request: ConsoleRequest, number: int) -> HttpResponse:
    member, form = _member(request, number), forms.RoleForm(request.POST)
    if not form.is_valid():
        raise Http404
    role = Role(form.cleaned_data["role"])
    return _do(request, lambda: members.change_role(member, role, by=request.membership), _("The role was changed."))


@require_POST
def remove(request: ConsoleRequest, number: int) -> HttpResponse:
    member = _member(request, number)
    done = _("%(person)s is no member any more.") % {"person": member.user.email}
    return _do(request, lambda: members.remove(member, by=request.membership), done)


@require_POST
def transfer(request: ConsoleRequest, number: int) -> HttpResponse:
    member = _member(request, number)
    done = _("%(person)s owns the organization now; you are an admin.") % {"person": member.user.email}
    return _do(request, lambda: members.transfer(member, by=request.membership), done)


@require_POST
def leave(request: ConsoleRequest) -> HttpResponse:
    done = _("You have left %(name)s.") % {"name": request.membership.organization.name}
    left = _do(request, lambda: members.leave(request.membership), done)
    return left if request.membership.pk else redirect("console:start")


def _do(request: ConsoleRequest, act: Callable[[], object], done: str) -> HttpResponse:
    """Do it, and say so or why not on the list."""
    try:
        act()
    except ApiError as error:
        messages.error(request, error_words.refusal(error))
    else:
        messages.success(request, done)
    return redirect("console:members", request.organization.public_id)


def _page(request: ConsoleRequest, form: forms.InvitationForm, *, status: int = 200) -> HttpResponse:
    live = request.membership.organization
    page = {
        "form": form,
        "members": live.memberships.select_related("user").order_by("pk"),
        "invitations": live.invitations.filter(accepted_at=None, revoked_at=None).order_by("-created_at"),
        "roles": forms.role_choices(_is_owner(request)),
        "role_rights": [(name, wording.ROLE_RIGHTS[role]) for role, name in wording.ROLES.items()],
        "is_owner": _is_owner(request),
        "now": timezone.now(),
    }
    return render(request, "console/members.html", page, status=status)


def _is_owner(request: ConsoleRequest) -> bool:
    return request.membership.role == Role.OWNER


def _member(request: ConsoleRequest, number: int) -> Membership:
    found = request.membership.organization.memberships.select_related("user", "organization").filter(pk=number).first()
    if found is None:
        raise Http404
    return found


def _invitation(request: ConsoleRequest, invitation_id: str) -> Invitation:
    rows = request.membership.organization.invitations.select_related("organization")
    try:
        return tenancy.owned(rows, invitation_id, NotFound("invitation_not_found", "There is no such invitation."))
    except NotFound:
        raise Http404 from None
