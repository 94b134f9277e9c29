"""The health of the models as the API shows it."""

from typing import Any

from rest_framework import serializers

from accounts.fields import UnixTime
from generations.standing import DEFINITIONS, PROMISED_AVAILABILITY, WINDOWS, Standing

STATUSES = ("operational", "degraded", "unavailable", "maintenance")


class Percentiles(serializers.Serializer):
    p50 = serializers.FloatField()
    p95 = serializers.FloatField()


class HealthWindow(serializers.Serializer):
    """One model over one stretch of time. Null: too little data."""

    availability = serializers.FloatField(allow_null=True)
    minutes_observed = serializers.IntegerField()
    minutes_available = serializers.IntegerField()
    success_rate = serializers.FloatField(allow_null=True)
    completed = serializers.IntegerField()
    failed = serializers.IntegerField()
    failed_by_input = serializers.IntegerField(help_text="Of the failed, those by the customer's own input.")
    making_seconds = Percentiles(allow_null=True)
    waiting_seconds = Percentiles(allow_null=True)
    refund_seconds = Percentiles(allow_null=True)


class HealthWindows(serializers.Serializer):
    """The last hour, the last 24 hours, the last 30 days: field names that no class attribute can have."""

    def get_fields(self) -> dict[str, serializers.Field]:
        return {name: HealthWindow() for name in WINDOWS}


class Notice(serializers.Serializer):
    message = serializers.CharField()
    expected_end_at = UnixTime(allow_null=True)


class ModelHealth(serializers.Serializer):
    id = serializers.CharField(source="model")
    object = serializers.CharField(read_only=True, default="model.health")
    status = serializers.ChoiceField(
        choices=STATUSES, allow_null=True, help_text="Null: nobody has looked for 5 minutes."
    )
    notice = Notice(allow_null=True)
    promised_availability = serializers.SerializerMethodField()
    windows = HealthWindows()

    def get_promised_availability(self, standing: Standing) -> float:
        return float(PROMISED_AVAILABILITY)


class HealthReport(serializers.Serializer):
    object = serializers.CharField(read_only=True, default="list")
    updated_at = UnixTime()
    definitions = serializers.SerializerMethodField(help_text="What each figure means, in words.")
    data = ModelHealth(source="models", many=True)

    def get_definitions(self, report: Any) -> dict[str, str]:
        return DEFINITIONS
