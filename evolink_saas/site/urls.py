"""/ and /models…: what we offer."""

from django.urls import path
from django.views.generic import RedirectView

from evolink_saas.site import views

app_name = "site"
urlpatterns = [
    path("", RedirectView.as_view(pattern_name="site:kling-3", query_string=True), name="home"),
    path("models", views.show_models, name="models"),
    path("models/kling-3", views.show_kling_3, name="kling-3"),
    path("models/<str:model_id>", views.show_model, name="model"),
]
