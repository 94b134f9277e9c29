"""How pages speak and look: chosen by anybody, remembered in a cookie, and with the person who is signed in."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from accounts import people
from evolink_saas import languages
from evolink_saas.console.context import LOOK_COOKIE, LOOKS


@require_POST
def language(request: HttpRequest) -> HttpResponse:
    response, chosen = HttpResponseRedirect(_back(request)), request.POST.get("language", "")
    if languages.is_known(chosen):
        languages.remember(response, chosen)
        if request.user.is_authenticated:
            people.set_preferences(request.user, language=chosen)
    return response


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    response, chosen = HttpResponseRedirect(_back(request)), request.POST.get("look", "")
    if chosen in LOOKS:
        age = settings.LANGUAGE_COOKIE_AGE
        secure = settings.SESSION_COOKIE_SECURE
        response.set_cookie(LOOK_COOKIE, chosen, max_age=age, samesite="Lax", secure=secure, httponly=True)
    return response


def _back(request: HttpRequest) -> str:
    """The page that asked, if it is one of ours."""
    wanted = request.POST.get("next", "")
    ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if ours else reverse("console:start")
