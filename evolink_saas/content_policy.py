"""What a browser may do with our answers: load from us alone, run no inline script, stand in nobody's frame.

The admin (its theme evaluates expressions) and /docs (its viewer has an inline script) have a looser policy of their
own; neither loads anything from elsewhere. `form-action` binds redirects after a form, too, so the page that pays is
named: Stripe's, or the one of the server that stands in for Stripe in development.
"""

from collections.abc import Callable
from functools import cache
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from evolink_saas import audiences

STRIPE, CHECKOUT = "https://api.stripe.com", "https://checkout.stripe.com"
BASE = {
    "default-src": "'self'",
    "img-src": "'self' data: blob:",
    "media-src": "'self' blob:",
    "object-src": "'none'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
INLINE = {"script-src": "'self' 'unsafe-inline'", "style-src": "'self' 'unsafe-inline'"}
EVALUATED = INLINE | {"script-src": "'self' 'unsafe-inline' 'unsafe-eval'"}
PERMISSIONS = "camera=(), microphone=(), geolocation=(), payment=()"


class ContentPolicy:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", of(request.path))
        response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        return response


def of(path: str) -> str:
    checkout = checkout_origin(settings.STRIPE_API_BASE)
    if audiences.is_admin(path):
        return _policy(checkout, **EVALUATED)
    return _policy(checkout, **INLINE) if audiences.is_docs(path) else _policy(checkout)


def checkout_origin(api_base: str) -> str:
    """Where the page stands on which people pay: a server that stands in for Stripe has it at its own address."""
    parts = urlsplit(api_base)
    return CHECKOUT if api_base == STRIPE else f"{parts.scheme}://{parts.netloc}"


@cache
def _policy(checkout: str, **looser: str) -> str:
    directives = BASE | {"form-action": f"'self' {checkout}"} | looser
    return "; ".join(f"{name} {sources}" for name, sources in directives.items())
