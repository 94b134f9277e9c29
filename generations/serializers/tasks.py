"""The task object: the one shape in which customers see a task, in answers and callbacks alike."""

from datetime import datetime
from typing import Any

from django.utils import timezone

from billing.amounts import ZERO, number
from generations import files
from generations.models import StoredFile, Task

ALMOST = 95  # what progress by the clock alone never exceeds
CHARGE_STATUS = {
    Task.Status.PENDING: "reserved",
    Task.Status.PROCESSING: "reserved",
    Task.Status.COMPLETED: "charged",
    Task.Status.FAILED: "released",
    Task.Status.CANCELLED: "released",
}


def task_object(task: Task, *, queue_position: int = 0) -> dict[str, Any]:
    """JSON-able. Credits are numbers, times unix seconds. `queue_position` is shown while the task waits for room."""
    answer: dict[str, Any] = {
        "created": seconds(task.created_at),
        "id": task.public_id,
        "model": task.model,
        "object": "video.generation.task",
        "type": task.type,
        "progress": progress(task),
        "status": task.status,
        "task_info": _info(task, queue_position),
        "usage": _usage(task),
        "billing": billing(task),
    }
    if task.metadata:
        answer["metadata"] = task.metadata
    if task.status == Task.Status.COMPLETED:
        answer |= _element(task) if task.type == Task.Type.ELEMENT else _video(task)
    elif task.error_code:
        answer["error"] = _error(task)
    return answer


def seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def progress(task: Task) -> int:
    """Percent, by the clock: how much of the usual time has passed."""
    if task.status != Task.Status.PROCESSING or task.accepted_at is None:
        return task.progress
    passed = (timezone.now() - task.accepted_at).total_seconds()
    return min(ALMOST, int(100 * passed / task.estimated_seconds))


def _info(task: Task, queue_position: int) -> dict[str, Any]:
    info: dict[str, Any] = {
        "estimated_time": task.estimated_seconds,
        "can_cancel": task.status == Task.Status.PENDING and not task.under_way,
    }
    if task.video_duration is not None:
        info["video_duration"] = task.video_duration
    if queue_position:
        info["queue_position"] = queue_position
    return info


def _usage(task: Task) -> dict[str, Any]:
    usage = {
        "credits_reserved": number(task.reserved_credits),
        "billing_rule": task.billing_rule,
        "user_group": task.user_group,
    }
    return usage if task.is_open else usage | {"credits_used": number(task.charged_credits)}


def billing(task: Task) -> dict[str, Any]:
    released = not task.is_open and task.status != Task.Status.COMPLETED
    refunded = task.reserved_credits - task.charged_credits if not task.is_open else ZERO
    return {
        "charge_status": CHARGE_STATUS[Task.Status(task.status)],
        "refund_status": "completed" if released else "not_required",
        "reserved_credits": number(task.reserved_credits),
        "charged_credits": number(task.charged_credits),
        "refunded_credits": number(refunded),
        "refunded_at": seconds(task.finished_at) if released and task.finished_at else None,
    }


def _video(task: Task) -> dict[str, Any]:
    alive = [file for file in results(task) if file.deleted_at is None and not _has_expired(file)]
    answer: dict[str, Any] = {
        "results": [files.public_url(file) for file in alive],
        "result_data": [
            {
                "result_id": file.public_id,
                "video_url": files.public_url(file),
                "duration": float(file.duration_seconds or 0),
                "width": file.width,
                "height": file.height,
                "has_audio": file.has_audio,
            }
            for file in alive
        ],
    }
    return answer | ({"expires_at": seconds(task.expires_at)} if task.expires_at else {})


def results(task: Task) -> list[StoredFile]:
    """From the prefetched files where a list view has them."""
    return [file for file in task.files.all() if file.purpose == StoredFile.Purpose.RESULT]


def _has_expired(file: StoredFile) -> bool:
    return file.expires_at is not None and file.expires_at <= timezone.now()


def _element(task: Task) -> dict[str, Any]:
    element_id = str(task.element.pk)
    return {"results": [], "result_data": {"element_id": element_id, "elements": [{"element_id": element_id}]}}


def _error(task: Task) -> dict[str, Any]:
    error: dict[str, Any] = {
        "code": task.error_code,
        "message": task.error_message,
        "type": "task_error",
        "retryable": task.error_retryable,
    }
    return error | ({"param": task.error_param} if task.error_param else {})
