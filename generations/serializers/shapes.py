"""The answers of generations as the OpenAPI document describes them, and the queries it takes."""

from typing import Any

from rest_framework import serializers

from accounts.errors import InvalidRequest
from accounts.fields import Credits, UnixTime
from generations import estimates
from generations.catalog import Spec
from generations.models import Element, Task, Voice
from generations.task_list import Filters

TASK_STATUSES = Task.Status.values


class TaskInfo(serializers.Serializer):
    estimated_time = serializers.IntegerField(help_text="Seconds.")
    can_cancel = serializers.BooleanField()
    video_duration = serializers.IntegerField(required=False, help_text="Seconds.")
    queue_position = serializers.IntegerField(required=False, help_text="Present while the task waits for room.")


class TaskUsage(serializers.Serializer):
    credits_reserved = Credits()
    billing_rule = serializers.ChoiceField(choices=["per_call", "per_second"])
    user_group = serializers.CharField()
    credits_used = Credits(required=False)


class TaskBilling(serializers.Serializer):
    charge_status = serializers.ChoiceField(choices=["reserved", "charged", "released"])
    refund_status = serializers.ChoiceField(choices=["not_required", "completed"])
    reserved_credits = Credits()
    charged_credits = Credits()
    refunded_credits = Credits()
    refunded_at = UnixTime(allow_null=True)


class TaskError(serializers.Serializer):
    code = serializers.CharField()
    message = serializers.CharField()
    type = serializers.CharField()
    retryable = serializers.BooleanField()
    param = serializers.CharField(required=False)


class TaskShape(serializers.Serializer):
    """A task; it grows as the work goes on."""

    id = serializers.CharField()
    object = serializers.CharField()
    created = UnixTime()
    model = serializers.CharField()
    type = serializers.ChoiceField(choices=Task.Type.values)
    status = serializers.ChoiceField(choices=TASK_STATUSES)
    progress = serializers.IntegerField(min_value=0, max_value=100)
    task_info = TaskInfo()
    usage = TaskUsage()
    billing = TaskBilling()
    metadata = serializers.DictField(child=serializers.CharField(), required=False)
    results = serializers.ListField(child=serializers.URLField(), required=False)
    result_data = serializers.JSONField(required=False, help_text="A list of videos, or the element.")
    expires_at = UnixTime(required=False)
    error = TaskError(required=False)

    class Meta:
        ref_name = "Task"


class TaskPage(serializers.Serializer):
    data = TaskShape(many=True)
    total = serializers.IntegerField(required=False)
    page = serializers.IntegerField(required=False)
    page_size = serializers.IntegerField()
    next_cursor = serializers.CharField(required=False, allow_null=True)


class TaskQuery(serializers.Serializer):
    """`metadata[key]=value` filters by metadata; several of them must all hold."""

    status = serializers.ChoiceField(choices=TASK_STATUSES, required=False)
    type = serializers.ChoiceField(choices=Task.Type.values, required=False)
    model = serializers.CharField(max_length=80, required=False)
    page = serializers.IntegerField(min_value=1, default=1)
    page_size = serializers.IntegerField(min_value=1, max_value=50, default=20)
    cursor = serializers.CharField(
        max_length=60, required=False, allow_blank=True, help_text="Empty to begin, then `next_cursor`."
    )
    created_after = UnixTime(required=False)
    created_before = UnixTime(required=False)

    def filters(self) -> Filters:
        names = ("status", "type", "model", "created_after", "created_before")
        return Filters(**{name: self.validated_data.get(name) for name in names}, metadata=self._metadata())

    def _metadata(self) -> dict[str, str]:
        """Raises InvalidRequest for what no task can have: PostgreSQL keeps no NUL character."""
        given: dict[str, Any] = self.initial_data
        names = [name for name in given if name.startswith("metadata[") and name.endswith("]")]
        if any("\0" in name + given[name] for name in names):
            raise InvalidRequest("invalid_parameter", "Metadata holds no NUL character.", param="metadata")
        return {name.removeprefix("metadata[").removesuffix("]"): given[name] for name in names}


class TaskBatch(serializers.Serializer):
    task_ids = serializers.ListField(child=serializers.CharField(max_length=100), max_length=50)


class TaskList(serializers.Serializer):
    data = TaskShape(many=True)


class ElementShape(serializers.ModelSerializer):
    element_id = serializers.CharField(source="pk")
    object = serializers.CharField(read_only=True, default="element")
    voice_id = serializers.CharField(allow_null=True)
    status = serializers.CharField(read_only=True, default="usable")
    task_id = serializers.CharField(source="task.public_id")
    created = UnixTime(source="created_at")

    class Meta:
        model = Element
        fields = ("element_id", "object", "name", "description", "kind", "voice_id", "status", "task_id", "created")
        ref_name = "Element"


class ElementQuery(serializers.Serializer):
    cursor = serializers.IntegerField(required=False, min_value=1, max_value=2**63 - 1)
    page_size = serializers.IntegerField(min_value=1, max_value=100, default=50)


class ElementPage(serializers.Serializer):
    data = ElementShape(many=True)
    next_cursor = serializers.CharField(allow_null=True)


class VoiceShape(serializers.ModelSerializer):
    class Meta:
        model = Voice
        fields = ("voice_id", "name", "description")
        ref_name = "Voice"


class VoiceList(serializers.Serializer):
    object = serializers.CharField(read_only=True, default="list")
    data = VoiceShape(many=True)


class ModelShape(serializers.Serializer):
    id = serializers.CharField()
    object = serializers.CharField(read_only=True, default="model")
    type = serializers.CharField()
    description = serializers.CharField()
    stability = serializers.CharField()
    capabilities = serializers.ListField(child=serializers.CharField())
    estimated_time = serializers.SerializerMethodField(help_text="Seconds: the median of the last day's tasks.")

    class Meta:
        ref_name = "Model"

    def get_estimated_time(self, spec: Spec) -> int:
        return estimates.seconds(spec)


class ModelList(serializers.Serializer):
    object = serializers.CharField(read_only=True, default="list")
    data = ModelShape(many=True)


class CatalogModelShape(ModelShape):
    estimated_time = serializers.IntegerField(help_text="Seconds, roughly; `GET /v1/models` has the median.")
    schema_url = serializers.URLField(help_text="The JSON Schema of its request; read it without a key.")

    class Meta:
        ref_name = "CatalogModel"


class CatalogModelList(serializers.Serializer):
    object = serializers.CharField(read_only=True, default="list")
    data = CatalogModelShape(many=True)
