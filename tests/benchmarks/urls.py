"""The product's URLs, and the views it is measured against: they authenticate the key and touch one row."""

from django.urls import path
from django.utils import timezone
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import ids
from accounts.models import Scope
from accounts.requests import ApiRequest
from evolink_saas.urls import handler400, handler403, handler404, handler500, urlpatterns
from generations.models import Task

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]


class InsertOneRow(APIView):
    required_scope = Scope.GENERATE

    def post(self, request: ApiRequest) -> Response:
        """The row is a task that has ended, for open ones would be counted by the product's own requests."""
        now = timezone.now()
        task = request.organization.tasks.create(
            model=request.data["model"],
            type=Task.Type.VIDEO,
            status=Task.Status.CANCELLED,
            inputs=request.data,
            estimated_seconds=120,
            price={},
            billing_rule="per_second",
            user_group="default",
            reserved_credits=0,
            deadline_at=now,
            finished_at=now,
        )
        return Response({"id": task.public_id})


class ReadOneRow(APIView):
    required_scope = Scope.READ

    def get(self, request: ApiRequest, task_id: str) -> Response:
        task = request.organization.tasks.get(pk=ids.decode(Task.PREFIX, task_id))
        return Response({"id": task.public_id, "status": task.status})


urlpatterns = [
    path("baseline/insert", InsertOneRow.as_view()),
    path("baseline/read/<str:task_id>", ReadOneRow.as_view()),
    *urlpatterns,
]
