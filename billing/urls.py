"""The routes of the books."""

from django.urls import path

from billing import views

urlpatterns = [
    path("v1/credits", views.Credits.as_view()),
    path("v1/ledger", views.Ledger.as_view()),
]
