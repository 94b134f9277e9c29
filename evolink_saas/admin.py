"""The admin's first page; and the queue's own pages in its dress, to look at: the queue is only a doorbell."""

from django.contrib import admin
from django_q.admin import FailAdmin, QueueAdmin, ScheduleAdmin, TaskAdmin
from django_q.models import Failure, OrmQ, Schedule, Success
from unfold.admin import ModelAdmin

from accounts.admin.pages import ReadOnly

PAGES = ((Schedule, ScheduleAdmin), (Success, TaskAdmin), (Failure, FailAdmin), (OrmQ, QueueAdmin))

SEARCHED = {
    ScheduleAdmin: ("name", "func"),
    TaskAdmin: ("name__exact", "func__exact"),
    FailAdmin: ("name__exact", "func__exact"),
    QueueAdmin: ("key__exact",),
}


def _dressed(page: type[admin.ModelAdmin]) -> type[ModelAdmin]:
    """The page of django-q2 with our looks and without its ways to change anything."""
    return type(
        page.__name__,
        (ReadOnly, page),
        {"actions": (), "fields": None, "readonly_fields": (), "search_fields": SEARCHED[page]},
    )


admin.site.index_template = "dashboard/page.html"
for model, page in PAGES:
    if admin.site.is_registered(model):
        admin.site.unregister(model)
        admin.site.register(model, _dressed(page))
