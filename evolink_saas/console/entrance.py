"""Who gets into a page of the console: a member of the organization that the address names, whose role allows it.

A sandbox twin has the members of the live organization. Anybody else finds nothing there, as in the API. The view gets
`request.organization` and `request.membership`, and the member's time zone.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views.decorators.cache import never_cache

from accounts import ids, roles
from accounts.models import Membership, Organization, User
from accounts.roles import Act

CHOSEN = "organization"  # in the session: the one that was looked at last


class SignedIn(HttpRequest):
    """A request behind `login_required`."""

    user: User


class ConsoleRequest(SignedIn):
    """What a view of the console gets."""

    organization: Organization
    membership: Membership


View = Callable[..., HttpResponseBase]


def guarded(view: View, act: Act) -> View:
    """The view behind its door: `view(request, …)` without the organization's id."""

    @never_cache
    @login_required
    @wraps(view)
    def inside(request: HttpRequest, organization_id: str, **parts: Any) -> HttpResponseBase:
        membership, organization = _find(request, organization_id)
        request.membership, request.organization = membership, organization  # type: ignore[attr-defined]
        if not roles.may(membership, act):
            raise PermissionDenied
        if request.session.get(CHOSEN) != organization_id:
            request.session[CHOSEN] = organization_id
        with timezone.override(zone(membership.user)):
            return view(request, **parts)

    return inside


def zone(user: User) -> ZoneInfo:
    try:
        return ZoneInfo(user.time_zone)
    except (ZoneInfoNotFoundError, ValueError):  # one that this machine does not know any more
        return ZoneInfo("UTC")


def _find(request: HttpRequest, organization_id: str) -> tuple[Membership, Organization]:
    identifier = ids.decode(Organization.PREFIX, organization_id)
    rows = request.user.memberships.select_related("organization__sandbox", "user")  # type: ignore[union-attr]
    membership = rows.filter(Q(organization=identifier) | Q(organization__sandbox=identifier)).first()
    if identifier is None or membership is None:
        raise Http404
    live = membership.organization
    return membership, live if live.pk == identifier else live.sandbox
