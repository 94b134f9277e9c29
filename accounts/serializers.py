"""API keys as the API reads and writes them."""

from ipaddress import ip_network
from typing import Any

from django.utils import timezone
from rest_framework import serializers

from accounts.fields import Credits, UnixTime
from accounts.models import ApiKey, Scope

MAX_ENTRIES = 100
MAX_GRACE_HOURS = 30 * 24
MAX_COUNT = 2**31 - 1


class Network(serializers.CharField):
    """A network in CIDR notation; a single address is a network of one."""

    def to_internal_value(self, data: Any) -> str:
        try:
            return str(ip_network(super().to_internal_value(data)))
        except ValueError:
            raise serializers.ValidationError("This is no network in CIDR notation, such as 203.0.113.0/24.") from None


class KeyInput(serializers.Serializer):
    """What may be said of a key. PATCH takes any part of it; null takes a limit away."""

    name = serializers.CharField(max_length=80)
    scopes = serializers.ListField(
        child=serializers.ChoiceField(choices=Scope.choices), required=False, allow_empty=False, max_length=len(Scope)
    )
    allowed_models = serializers.ListField(
        child=serializers.CharField(max_length=80), required=False, max_length=MAX_ENTRIES, help_text="Empty: all."
    )
    allowed_networks = serializers.ListField(
        child=Network(max_length=50), required=False, max_length=MAX_ENTRIES, help_text="CIDR. Empty: from anywhere."
    )
    total_limit = Credits(required=False, allow_null=True)
    daily_limit = Credits(required=False, allow_null=True, help_text="Credits a UTC day.")
    monthly_limit = Credits(required=False, allow_null=True, help_text="Credits a UTC month.")
    requests_per_minute = serializers.IntegerField(required=False, allow_null=True, min_value=1, max_value=MAX_COUNT)
    running_limit = serializers.IntegerField(required=False, allow_null=True, min_value=1, max_value=MAX_COUNT)
    expires_at = UnixTime(required=False, allow_null=True)

    def validate_scopes(self, scopes: list[str]) -> list[str]:
        return [scope for scope in Scope.values if scope in scopes]

    def validate_expires_at(self, moment: Any) -> Any:
        if moment is not None and moment <= timezone.now():
            raise serializers.ValidationError("This field must lie in the future.")
        return moment


class KeyChange(KeyInput):
    enabled = serializers.BooleanField(required=False)


class RollInput(serializers.Serializer):
    grace_hours = serializers.IntegerField(
        default=24, min_value=0, max_value=MAX_GRACE_HOURS, help_text="How long the old key keeps working."
    )


class KeyOutput(serializers.ModelSerializer):
    id = serializers.CharField(source="public_id")
    object = serializers.CharField(read_only=True, default="api_key")
    total_limit = Credits(source="budget.total_limit", allow_null=True)
    daily_limit = Credits(source="budget.daily_limit", allow_null=True)
    monthly_limit = Credits(source="budget.monthly_limit", allow_null=True)
    paused_at = UnixTime(allow_null=True, help_text="Since when it may not spend, because its spending jumped.")
    expires_at = UnixTime(allow_null=True)
    last_used_at = UnixTime(allow_null=True)
    created_at = UnixTime()

    class Meta:
        model = ApiKey
        fields = (
            "id",
            "object",
            "name",
            "hint",
            "scopes",
            "allowed_models",
            "allowed_networks",
            "total_limit",
            "daily_limit",
            "monthly_limit",
            "requests_per_minute",
            "running_limit",
            "enabled",
            "paused_at",
            "expires_at",
            "last_used_at",
            "created_at",
        )


class NewKey(KeyOutput):
    """A key with its text, which is shown this once."""

    secret = serializers.CharField()

    class Meta(KeyOutput.Meta):
        fields = (*KeyOutput.Meta.fields, "secret")


class KeyList(serializers.Serializer):
    object = serializers.CharField(read_only=True, default="list")
    data = KeyOutput(many=True)
    next_cursor = serializers.CharField(allow_null=True)
