"""The routes of the books."""

from django.urls import URLPattern, URLResolver, include, path

from billing import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("v1/credits", views.Credits.as_view()),
    path("v1/ledger", views.Ledger.as_view()),
    path("v1/statements/<str:month>.csv", views.MonthStatementCsv.as_view()),
    path("v1/statements/<str:month>.pdf", views.MonthStatementPdf.as_view()),
    path("v1/statements/<str:month>", views.MonthStatement.as_view()),
    path("v1/vouchers/redeem", views.RedeemVoucher.as_view()),
    path("", include("billing.top_ups.urls")),
]
