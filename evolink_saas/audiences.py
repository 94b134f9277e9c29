"""For whom an address answers: pages for people, the API for programs, the admin for operators.

Pages speak the visitor's language, carry the strict content policy and say in HTML what went wrong. A new group of
pages adds its prefix here.
"""

PAGES = ("/console", "/account/", "/preferences/", "/invitations/", "/models", "/status", "/keys/resume")
ADMIN, DOCS = "/admin/", "/docs"


def is_page(path: str) -> bool:
    return path.startswith(PAGES)


def is_admin(path: str) -> bool:
    return path.startswith(ADMIN)


def is_docs(path: str) -> bool:
    return path == DOCS
