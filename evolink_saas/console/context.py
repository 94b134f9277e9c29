"""What every page's template knows: the brand, the look, the languages and, in the console, who looks at what.

brand · look (auto, light or dark) · languages · public_url
organization, live (its twin with money), org (its public id), member, mine, may, navigation
"""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from accounts import roles
from accounts.models import Membership, Organization
from accounts.roles import Act
from evolink_saas import audiences, signup
from evolink_saas.console import navigation

LOOKS = ("auto", "light", "dark")
LOOK_COOKIE = "look"


def of_pages(request: HttpRequest) -> dict[str, Any]:
    if not audiences.is_page(request.path):
        return {}
    look = request.COOKIES.get(LOOK_COOKIE, LOOKS[0])
    known: dict[str, Any] = {"brand": signup.BRAND, "look": look if look in LOOKS else LOOKS[0]}
    known |= {"languages": settings.LANGUAGES, "public_url": settings.PUBLIC_URL}
    membership: Membership | None = getattr(request, "membership", None)
    return known if membership is None else known | _of_member(request, membership)


def _of_member(request: HttpRequest, membership: Membership) -> dict[str, Any]:
    organization: Organization = request.organization  # type: ignore[attr-defined]
    page = request.resolver_match.url_name if request.resolver_match else ""
    return {
        "organization": organization,
        "live": membership.organization,
        "org": organization.public_id,
        "member": membership,
        "mine": _organizations(membership),
        "may": {act.value: roles.may(membership, act) for act in Act},
        "navigation": list(navigation.shown(membership, organization, page or "")),
    }


def _organizations(membership: Membership) -> list[Organization]:
    """Those that the member may switch to, the current one among them."""
    return list(membership.user.organizations.order_by("name", "pk"))
