"""Make tasks and watch them."""

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import Scope
from accounts.requests import ApiRequest
from generations import cancellation, creation, dispatch, task_list, timeline
from generations.models import Task
from generations.serializers import shapes
from generations.serializers.tasks import task_object
from generations.serializers.timeline import TimelineShape, timeline_object

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="Sending the same request again with the same key gives the first answer again, and no second task.",
)
METADATA = OpenApiParameter(
    "metadata",
    {"type": "object", "additionalProperties": {"type": "string"}},
    OpenApiParameter.QUERY,
    style="deepObject",
    explode=True,
    description="`metadata[key]=value` finds the tasks with this pair; several of them must all hold.",
)


def seen(task: Task) -> dict[str, object]:
    """The task as its customer sees it now, with its place in the queue while it only waits."""
    waits = task.status == Task.Status.PENDING and not task.under_way
    return task_object(task, queue_position=dispatch.position(task) if waits else 0)


class Generations(APIView):
    required_scope = Scope.GENERATE
    refusals = (402, 404, 409, 422, 503)

    @extend_schema(
        operation_id="create_generation", request=dict, parameters=[IDEMPOTENCY_KEY], responses=shapes.TaskShape
    )
    def post(self, request: ApiRequest) -> HttpResponse:
        """Ask for a video or an element. The credits are reserved now, and charged when it is done."""
        answer = creation.create(
            request.organization, request.auth, request.data, request.headers.get("Idempotency-Key")
        )
        response = HttpResponse(answer.text, content_type="application/json")
        if answer.replayed:
            response["Idempotency-Replayed"] = "true"
        return response


class Tasks(APIView):
    required_scope = Scope.READ

    @extend_schema(operation_id="list_tasks", parameters=[shapes.TaskQuery, METADATA], responses=shapes.TaskPage)
    def get(self, request: ApiRequest) -> Response:
        """List the organization's tasks, newest first."""
        query = shapes.TaskQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        wanted, filters = query.validated_data, query.filters()
        size = wanted["page_size"]
        if "cursor" in wanted:
            rows, after = task_list.by_cursor(request.organization, filters, wanted["cursor"], size)
            return Response({"data": [task_object(row) for row in rows], "page_size": size, "next_cursor": after})
        rows, total, after = task_list.by_page(request.organization, filters, wanted["page"], size)
        place = {"total": total, "page": wanted["page"], "page_size": size, "next_cursor": after}
        return Response({"data": [task_object(row) for row in rows], **place})


class TaskBatch(APIView):
    required_scope = Scope.READ

    @extend_schema(operation_id="get_tasks", request=shapes.TaskBatch, responses=shapes.TaskList)
    def post(self, request: ApiRequest) -> Response:
        """Look at up to 50 tasks at once; ids that do not exist are absent from the answer."""
        body = shapes.TaskBatch(data=request.data)
        body.is_valid(raise_exception=True)
        rows = task_list.find_many(request.organization, body.validated_data["task_ids"])
        return Response({"data": [task_object(row) for row in rows]})


class OneTask(APIView):
    required_scope = Scope.READ

    @extend_schema(operation_id="get_task", responses=shapes.TaskShape)
    def get(self, request: ApiRequest, task_id: str) -> Response:
        """Look at one task."""
        return Response(seen(task_list.find(request.organization, task_id)))


class TaskTimeline(APIView):
    required_scope = Scope.READ

    @extend_schema(operation_id="get_timeline", responses=TimelineShape)
    def get(self, request: ApiRequest, task_id: str) -> Response:
        """Say what happened to a task, in its order, and what it cost."""
        return Response(timeline_object(timeline.of(task_list.find(request.organization, task_id))))


class CancelTask(APIView):
    required_scope = Scope.GENERATE
    refusals = (409,)

    @extend_schema(operation_id="cancel_task", request=None, responses=shapes.TaskShape)
    def post(self, request: ApiRequest, task_id: str) -> Response:
        """Cancel a task, with a full refund. Certain while nothing was sent to a provider."""
        return Response(seen(cancellation.cancel(task_list.find(request.organization, task_id))))
