"""Usage as the API takes and shows it."""

from datetime import timedelta
from typing import Any

from django.utils import timezone
from rest_framework import serializers

from accounts import ids
from accounts.fields import Credits, SignedCredits
from accounts.models import ApiKey
from billing import budgets
from billing.amounts import number
from generations import usage
from generations.usage import Figures, Usage

USUAL_DAYS = 30


class UsageQuery(serializers.Serializer):
    """Days are of UTC, both included; without them: the last 30."""

    group_by = serializers.CharField(
        required=False,
        default="",
        allow_blank=True,
        max_length=500,
        trim_whitespace=False,
        help_text="Any of `day`, `model`, `key` and `metadata[name]`, in any order, separated by commas.",
    )

    def get_fields(self) -> dict[str, serializers.Field]:
        days = {name: serializers.DateField(required=False) for name in ("from", "to")}
        return days | super().get_fields()

    def wanted(self) -> dict[str, Any]:
        """For `usage.of`."""
        given = self.validated_data
        until = given.get("to") or budgets.day_of(timezone.now())
        since = given.get("from") or max(until - timedelta(days=USUAL_DAYS - 1), usage.FIRST_DAY)
        return {"since": since, "until": until, "by": usage.groups(given["group_by"])}


class UsageFigures(serializers.Serializer):
    credits_reserved = Credits(source="reserved")
    credits_charged = Credits(source="charged")
    credits_refunded = Credits(source="refunded", help_text="All that was given back: released, or refunded later.")
    credits_used = SignedCredits(source="used", help_text="Charged, less what was refunded after the charge.")
    tasks = serializers.IntegerField(help_text="Accepted; those that cost nothing are not counted.")
    tasks_charged = serializers.IntegerField()
    tasks_refunded = serializers.IntegerField(help_text="Failed or cancelled: all of it was given back.")


class UsageRow(UsageFigures):
    """What was grouped by stands before the figures."""

    day = serializers.DateField(required=False)
    model = serializers.CharField(required=False)
    key_id = serializers.CharField(required=False, allow_null=True)
    key_name = serializers.CharField(required=False, allow_null=True)
    metadata = serializers.DictField(child=serializers.CharField(allow_null=True), required=False)


class UsageShape(serializers.Serializer):
    object = serializers.CharField()
    time_zone = serializers.CharField()
    group_by = serializers.ListField(child=serializers.CharField())
    total = UsageFigures()
    data = UsageRow(many=True)

    class Meta:
        ref_name = "Usage"

    def get_fields(self) -> dict[str, serializers.Field]:
        return super().get_fields() | {name: serializers.DateField() for name in ("from", "to")}


def usage_object(found: Usage) -> dict[str, Any]:
    return {
        "object": "usage",
        "from": found.since.isoformat(),
        "to": found.until.isoformat(),
        "time_zone": "UTC",
        "group_by": [f"metadata[{group.metadata}]" if group.metadata else group.name for group in found.by],
        "total": _figures(found.total),
        "data": [_group(found, row) | _figures(row) for row in found.rows],
    }


def _figures(row: Figures) -> dict[str, Any]:
    credits = ("reserved", "charged", "refunded", "used")
    counts = ("tasks", "tasks_charged", "tasks_refunded")
    return {f"credits_{name}": number(getattr(row, name)) for name in credits} | {
        name: getattr(row, name) for name in counts
    }


def _group(found: Usage, row: Figures) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for group, value in zip(found.by, row.group, strict=True):
        match group.name:
            case "day":
                shown["day"] = budgets.day_of(value).isoformat()
            case "key":
                shown["key_id"] = value and ids.encode(ApiKey.PREFIX, value)
                shown["key_name"] = found.keys.get(value)
            case "metadata":
                shown.setdefault("metadata", {})[group.metadata] = value
            case _:
                shown[group.name] = value
    return shown
