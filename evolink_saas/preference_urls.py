"""/preferences/…: how pages look and speak, for visitors as well."""

from django.urls import path

from evolink_saas.console.views import preferences

urlpatterns = [
    path("language", preferences.language, name="language"),
    path("theme", preferences.theme, name="theme"),
]
