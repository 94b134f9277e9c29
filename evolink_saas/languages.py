"""The language of a page: what the visitor chose (a cookie), else what the browser asks for. The API and the admin
speak English always, whatever a program's HTTP library says of languages.

Choosing sets the cookie, and whoever is signed in keeps the choice; signing in elsewhere sets the cookie from it.
"""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.locale import LocaleMiddleware
from django.utils import translation

from evolink_saas import audiences


class Languages(LocaleMiddleware):
    def process_request(self, request: HttpRequest) -> None:
        if audiences.is_page(request.path):
            super().process_request(request)
        else:
            translation.activate(settings.LANGUAGE_CODE)
            request.LANGUAGE_CODE = settings.LANGUAGE_CODE

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if audiences.is_page(request.path):
            return super().process_response(request, response)
        return response


def is_known(code: str) -> bool:
    return code in dict(settings.LANGUAGES)


def remember(response: HttpResponse, code: str) -> None:
    """Let the visitor's next page speak this language."""
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        code,
        max_age=settings.LANGUAGE_COOKIE_AGE,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
    )
