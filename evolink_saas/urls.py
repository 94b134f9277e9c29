"""Every URL."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.contrib.staticfiles.views import serve as serve_static
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularSwaggerView

from evolink_saas import errors, health, openapi
from evolink_saas.console.views import invited

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("accounts.urls")),
    path("", include("billing.urls")),
    path("", include("generations.urls")),
    path("openapi.json", openapi.serve, name="openapi"),
    path("docs", SpectacularSwaggerView.as_view(url_name="openapi"), name="docs"),
    path("healthz", health.live),
    path("readyz", health.ready),
    path("console", RedirectView.as_view(pattern_name="console:start")),
    path("console/", include("evolink_saas.console.urls")),
    path("invitations/<str:token>", invited.show, name="invitation"),
    path("account/", include("evolink_saas.account_urls")),
    path("preferences/", include("evolink_saas.preference_urls")),
    path("", include("evolink_saas.site.urls")),
    path("admin/reports/", include("evolink_saas.reports.urls")),
    path("admin/login/", secure_admin_login(admin.site.login)),  # by /account/login/, where wrong tries are counted
    path("admin/", admin.site.urls),
    re_path(r"^static/(?P<path>.*)$", serve_static, {"insecure": True}),
    re_path(r"^(?!admin$)", errors.invalid_url),
]

handler400, handler403 = errors.handler400, errors.handler403
handler404, handler500 = errors.handler404, errors.handler500
