"""The addresses of the reports, below the admin's."""

from django.urls import path

from evolink_saas.reports import pages

app_name = "reports"
urlpatterns = [
    path("", pages.for_readers(pages.sales), name="sales"),
    path("customers/", pages.for_readers(pages.customers), name="customers"),
    path("liabilities/", pages.for_readers(pages.liabilities), name="liabilities"),
    path("outcomes/", pages.for_readers(pages.outcomes), name="outcomes"),
]
