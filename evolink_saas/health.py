"""`/healthz`: this process answers. `/readyz`: it can work, since the database is reachable and migrated.

Whether a worker was heard of lately is told but decides nothing: without one, tasks wait, and none is refused.
"""

from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from generations.models import LoopLease


@require_safe
def live(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "live"})


@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    try:
        executor = MigrationExecutor(connection)
        is_migrated = not executor.migration_plan(executor.loader.graph.leaf_nodes())
        has_worker = is_migrated and LoopLease.objects.filter(leased_until__gt=timezone.now()).exists()
    except Error:
        return JsonResponse({"status": "database unreachable"}, status=503, headers={"Retry-After": "5"})
    if not is_migrated:
        return JsonResponse({"status": "migrations missing"}, status=503, headers={"Retry-After": "30"})
    return JsonResponse({"status": "ready", "worker": has_worker})
