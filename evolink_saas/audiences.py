"""For whom an address answers: pages for people, the API for programs, the admin for operators.

Pages speak the visitor's language, carry the strict content policy and say in HTML what went wrong. A new group of
pages adds its prefix here.
"""

from django.http import HttpRequest

PAGES = ("/console", "/account/", "/preferences/", "/invitations/", "/models", "/status", "/keys/resume")
ADMIN, DOCS = "/admin/", "/docs"
API = ("/v1/", "/api/")


def is_page(path: str) -> bool:
    return path.startswith(PAGES)


def is_admin(path: str) -> bool:
    return path.startswith(ADMIN)


def is_opened(request: HttpRequest) -> bool:
    """Whether a person's browser opens it, wherever that is but in the API."""
    return not request.path.startswith(API) and "text/html" in request.headers.get("Accept", "")


def is_docs(path: str) -> bool:
    return path == DOCS
