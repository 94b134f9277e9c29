"""/console: where one arrives, one's own settings, and the pages of each organization."""

from django.urls import path

from evolink_saas.console import entrance, pages
from evolink_saas.console.views import start

app_name = "console"
urlpatterns = [
    path("", start.arrive, name="start"),
    path("new", start.new_organization, name="new"),
    path("billing", start.to_billing, name="my-billing"),
    path("me", start.preferences, name="me"),
    *(
        path(f"<str:organization_id>/{page.route}", entrance.guarded(page.view, page.act), name=page.name)
        for page in pages.PAGES
    ),
]
