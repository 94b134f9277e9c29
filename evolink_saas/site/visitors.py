"""Who looks at a public page: anybody, in a language that the address may name (`?lang=zh-hans`).

So every language has an address of its own that works without cookies, as search engines want it; whoever follows one
is remembered. A page is the same for everybody but for members, who see the prices of their own organization.
"""

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.views.decorators.http import require_safe

from accounts import announcements
from accounts.models import Organization
from evolink_saas import languages
from evolink_saas.console.entrance import CHOSEN

View = Callable[..., HttpResponse]
PARAMETER = "lang"


def public(view: View) -> View:
    """The view in the language that was asked for, never kept by a cache that others share."""

    @require_safe
    @wraps(view)
    def shown(request: HttpRequest, **parts: Any) -> HttpResponse:
        asked = request.GET.get(PARAMETER, "")
        if languages.is_known(asked):
            translation.activate(asked)
            request.LANGUAGE_CODE = asked
        response = view(request, **parts)
        if languages.is_known(asked) and request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME) != asked:
            languages.remember(response, asked)
        patch_cache_control(response, private=True, no_cache=True)
        patch_vary_headers(response, ["Cookie"])
        return response

    return shown


def organization(request: HttpRequest) -> Organization | None:
    """Whose prices are shown: the one that the member looked at last, else the first; None: everybody's."""
    if not request.user.is_authenticated:
        return None
    mine = list(request.user.organizations.select_related("user_group").order_by("pk"))
    last = request.session.get(CHOSEN, "")
    return next((one for one in mine if one.public_id == last), mine[0] if mine else None)


def known(request: HttpRequest, now: datetime) -> dict[str, Any]:
    """What the frame of every public page shows."""
    announced = announcements.current(now)
    return {
        "announcement": announced,
        "announced": announced and announcements.text(announced, request.LANGUAGE_CODE),
        "signed_in": request.user.is_authenticated,
        "free_credits": settings.SIGN_UP_CREDITS,
        "languages_here": [(code, name, _address(request, code)) for code, name in settings.LANGUAGES],
        "address": settings.PUBLIC_URL + request.path,
    }


def _address(request: HttpRequest, code: str) -> str:
    """This page, as it was asked for, in another language."""
    query = request.GET.copy()
    query[PARAMETER] = code
    return f"{request.path}?{query.urlencode()}"
