"""The routes of top-ups."""

from django.urls import path

from billing.top_ups import views

urlpatterns = [
    path("v1/top-ups", views.TopUps.as_view()),
    path("v1/top-ups/auto-recharge", views.AutoRecharge.as_view()),
    path("v1/top-ups/<str:top_up_id>", views.TopUp.as_view()),
    path("webhooks/stripe", views.stripe_webhook),
]
