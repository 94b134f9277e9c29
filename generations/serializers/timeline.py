"""A task's timeline as the API shows it."""

from typing import Any

from rest_framework import serializers

from accounts.fields import Credits, UnixTime
from billing.amounts import number
from billing.pricing import Line
from generations.models import StoredFile, Task
from generations.serializers.quotes import PriceLine, line_object
from generations.serializers.shapes import TASK_STATUSES, TaskBilling
from generations.serializers.tasks import billing, seconds
from generations.timeline import Event, Timeline

EVENTS = (
    "created",
    "credits_reserved",
    "attempt_sent",
    "attempt_accepted",
    "attempt_ended",
    "result_stored",
    "completed",
    "failed",
    "cancelled",
    "credits_charged",
    "credits_released",
    "credits_refunded",
    "callback_due",
    "callback_tried",
)


class TimelinePrice(serializers.Serializer):
    billing_rule = serializers.ChoiceField(choices=["per_call", "per_second"])
    user_group = serializers.CharField()
    quote_id = serializers.CharField(allow_null=True, help_text="The quote that promised this price, if any.")
    lines = PriceLine(many=True)
    credits = Credits()


class TimelineSettlement(serializers.Serializer):
    """Where only the media knew the length: what it made of the price. Never more than was reserved."""

    measured = serializers.ChoiceField(choices=["input", "output"])
    measured_seconds = serializers.FloatField()
    lines = PriceLine(many=True)
    credits = Credits()


class TimelineEvent(serializers.Serializer):
    """What was told of each kind of event stands beside its name."""

    at = UnixTime()
    event = serializers.ChoiceField(choices=EVENTS)
    key_id = serializers.CharField(required=False, allow_null=True)
    credits = Credits(required=False)
    reason = serializers.CharField(required=False, help_text="Why credits were charged or released.")
    attempt = serializers.IntegerField(required=False)
    provider = serializers.CharField(required=False, help_text="Our name for who makes it.")
    verdict = serializers.CharField(
        required=False,
        help_text="succeeded, not_taken, or the code of a failure. After not_taken it goes on elsewhere.",
    )
    file_id = serializers.CharField(required=False)
    code = serializers.CharField(required=False)
    message = serializers.CharField(required=False)
    delivery_id = serializers.CharField(required=False)
    seconds = serializers.FloatField(required=False)
    status = serializers.IntegerField(required=False, help_text="HTTP status of your server.")
    error = serializers.CharField(required=False)

    def get_fields(self) -> dict[str, serializers.Field]:
        return super().get_fields() | {"try": serializers.IntegerField(required=False)}


class KeptFile(serializers.Serializer):
    what = serializers.ChoiceField(choices=["result", "reference"])
    file_id = serializers.CharField()
    expires_at = UnixTime(allow_null=True, help_text="None: it is kept.")
    deleted_at = UnixTime(allow_null=True)


class TimelineShape(serializers.Serializer):
    """What happened to a task, oldest first, and what it cost."""

    object = serializers.CharField()
    task_id = serializers.CharField()
    model = serializers.CharField()
    status = serializers.ChoiceField(choices=TASK_STATUSES)
    price = TimelinePrice()
    settlement = TimelineSettlement(allow_null=True)
    billing = TaskBilling()
    events = TimelineEvent(many=True)
    retention = KeptFile(many=True)

    class Meta:
        ref_name = "Timeline"


def timeline_object(found: Timeline) -> dict[str, Any]:
    """JSON-able, in the manner of a task."""
    task = found.task
    return {
        "object": "task.timeline",
        "task_id": task.public_id,
        "model": task.model,
        "status": task.status,
        "price": {
            "billing_rule": task.billing_rule,
            "user_group": task.user_group,
            "quote_id": task.price.get("quote"),
            "lines": [line_object(line) for line in found.price],
            "credits": number(task.reserved_credits),
        },
        "settlement": _settlement(task, found.settled) if found.settled else None,
        "billing": billing(task),
        "events": [_event(event) for event in found.events],
        "retention": [_kept(file) for file in found.files],
    }


def _settlement(task: Task, settled: list[Line]) -> dict[str, Any]:
    return {
        "measured": task.price["measured"],
        "measured_seconds": float(task.measured_seconds or 0),
        "lines": [line_object(line) for line in settled],
        "credits": number(task.charged_credits),
    }


def _event(event: Event) -> dict[str, Any]:
    return {"at": seconds(event.at), "event": event.name} | event.facts


def _kept(file: StoredFile) -> dict[str, Any]:
    moments = {name: (moment := getattr(file, name)) and seconds(moment) for name in ("expires_at", "deleted_at")}
    return {"what": file.purpose, "file_id": file.public_id} | moments
