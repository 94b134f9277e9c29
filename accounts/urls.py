"""The routes of API keys."""

from django.urls import path

from accounts import resume_page, views

urlpatterns = [
    path("v1/keys", views.Keys.as_view()),
    path("v1/keys/<str:key_id>", views.Key.as_view()),
    path("v1/keys/<str:key_id>/roll", views.RollKey.as_view()),
    path("v1/keys/<str:key_id>/resume", views.ResumeKey.as_view()),
    path("keys/resume", resume_page.resume),
]
