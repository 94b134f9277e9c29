"""What a browser may do with our answers: load from us alone, run no inline script, stand in nobody's frame.

The admin (its theme evaluates expressions) and /docs (its viewer has an inline script) have a looser policy of their
own; neither loads anything from elsewhere. `form-action` binds redirects after a form, too, so the page that pays is
named.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from evolink_saas import audiences

CHECKOUT = "https://checkout.stripe.com"
BASE = {
    "default-src": "'self'",
    "img-src": "'self' data: blob:",
    "media-src": "'self' blob:",
    "object-src": "'none'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
    "form-action": f"'self' {CHECKOUT}",
}
INLINE = {"script-src": "'self' 'unsafe-inline'", "style-src": "'self' 'unsafe-inline'"}


def _policy(directives: dict[str, str]) -> str:
    return "; ".join(f"{name} {sources}" for name, sources in directives.items())


STRICT = _policy(BASE)
FOR_DOCS = _policy(BASE | INLINE)
FOR_ADMIN = _policy(BASE | INLINE | {"script-src": "'self' 'unsafe-inline' 'unsafe-eval'"})
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
    if audiences.is_admin(path):
        return FOR_ADMIN
    return FOR_DOCS if audiences.is_docs(path) else STRICT
