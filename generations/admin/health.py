"""How well each model works, by the hour: what the status page is made of."""

from django.contrib import admin
from unfold.decorators import display

from accounts.admin.pages import ReadOnly
from generations.models import HealthMark, ModelHour, ModelHourTime


@admin.register(ModelHour)
class ModelHourAdmin(ReadOnly):
    list_display = ("hour", "model", "completed", "failed", "failed_by_input", "observed", "available")
    search_fields = ("model",)
    ordering = ("-hour", "model")

    @display(description="minutes observed")
    def observed(self, row: ModelHour) -> int:
        return row.minutes_observed

    @display(description="minutes available")
    def available(self, row: ModelHour) -> int:
        return row.minutes_available


@admin.register(ModelHourTime)
class ModelHourTimeAdmin(ReadOnly):
    list_display = ("hour", "model", "kind", "bucket", "tasks")
    list_filter = ("kind",)
    search_fields = ("model",)
    ordering = ("-hour", "model", "kind", "bucket")


@admin.register(HealthMark)
class HealthMarkAdmin(ReadOnly):
    list_display = ("counted_until",)
    search_fields = ("counted_until",)
