"""Callbacks as the API shows them: the secret, and deliveries with their tries."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.fields import UnixTime
from generations.models import Delivery, DeliveryTry, WebhookSecret

MAX_ADDRESS = 2048


class SecretShape(serializers.ModelSerializer):
    """What callbacks are signed with; until `previous_expires_at` the secret before signs along."""

    secret = serializers.CharField()
    previous_expires_at = serializers.SerializerMethodField()

    class Meta:
        model = WebhookSecret
        fields = ("secret", "previous_expires_at")
        ref_name = "WebhookSecret"

    def get_previous_expires_at(self, row: WebhookSecret) -> int | None:
        moment = row.previous_expires_at
        return int(moment.timestamp()) if moment is not None and moment > timezone.now() else None


class TryShape(serializers.ModelSerializer):
    started_at = UnixTime()
    seconds = serializers.FloatField(help_text="How long the call took.")

    class Meta:
        model = DeliveryTry
        fields = ("number", "started_at", "seconds", "status", "error", "response_start")
        ref_name = "DeliveryTry"


class DeliveryShape(serializers.ModelSerializer):
    id = serializers.CharField(source="public_id")
    object = serializers.CharField(read_only=True, default="webhook.delivery")
    task_id = serializers.CharField(source="task.public_id", allow_null=True, default=None)
    status = serializers.CharField(source="state", help_text="due, delivered or failed.")
    created_at = UnixTime()
    delivered_at = UnixTime(allow_null=True)
    next_try_at = UnixTime(source="due_at", allow_null=True)
    tries = serializers.SerializerMethodField()

    class Meta:
        model = Delivery
        fields = (
            "id",
            "object",
            "event",
            "task_id",
            "url",
            "webhook_id",
            "status",
            "created_at",
            "delivered_at",
            "next_try_at",
            "tries",
        )
        ref_name = "Delivery"

    @extend_schema_field(TryShape(many=True))
    def get_tries(self, delivery: Delivery) -> Any:
        return TryShape(sorted(delivery.tries.all(), key=lambda one: one.number), many=True).data


class DeliveryPage(serializers.Serializer):
    object = serializers.CharField(read_only=True, default="list")
    data = DeliveryShape(many=True)
    next_cursor = serializers.CharField(allow_null=True)


class TestInput(serializers.Serializer):
    url = serializers.CharField(
        max_length=MAX_ADDRESS, required=False, help_text="Absent: where the newest delivery went."
    )
