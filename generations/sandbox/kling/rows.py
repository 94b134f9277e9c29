"""A task as either generation writes it."""

from typing import Any

from generations.sandbox.queries import file_url
from generations.sandbox.store import Task


def is_legacy(task: Task) -> bool:
    return task.path.startswith("/v1/")


def row(task: Task) -> dict[str, Any]:
    """The task for a query and a callback of its own generation."""
    return _legacy(task) if is_legacy(task) else _new(task)


def created(task: Task) -> dict[str, Any]:
    """The answer to the create."""
    if is_legacy(task):
        whole = _legacy(task)
        return {name: whole[name] for name in ("task_id", "task_info", "task_status", "created_at", "updated_at")}
    whole = _new(task)
    return {name: whole[name] for name in ("id", "status", "create_time", "update_time", "external_id")}


def word(task: Task) -> str:
    """The state as this generation spells it, or the word that a fault puts in its place."""
    return task.word({"succeeded": "succeed"} if is_legacy(task) else {})


def units(milliunits: int) -> str:
    """Kling writes amounts as text, without needless zeros."""
    return f"{milliunits / 1000:.3f}".rstrip("0").rstrip(".")


def _new(task: Task) -> dict[str, Any]:
    done = task.state == "succeeded"
    charge = {
        "charge_type": "unit",
        "cash_type": "",
        "amount": units(task.milliunits),
        "currency": "",
        "package_type": "video",
        "list_price": units(task.milliunits),
    }
    return {
        "id": task.id,
        "status": word(task),
        "message": task.message,
        "create_time": round(task.created_at * 1000),
        "update_time": round(task.updated_at * 1000),
        "external_id": task.external_id,
        "outputs": [{"type": "video"} | _video(task)] if done else [],
        "billing": [charge] if done else [],
    }


def _legacy(task: Task) -> dict[str, Any]:
    return {
        "task_id": task.id,
        "task_status": word(task),
        "task_status_msg": task.message,
        "created_at": round(task.created_at * 1000),
        "updated_at": round(task.updated_at * 1000),
        "task_info": {"external_task_id": task.external_id},
        "task_result": _legacy_result(task) if task.state == "succeeded" else {},
        "final_unit_deduction": units(task.milliunits) if task.state == "succeeded" else "0",
    }


def _legacy_result(task: Task) -> dict[str, Any]:
    if task.kind == "video":
        return {"videos": [_video(task)]}
    element = {
        "element_id": task.plan["element_id"],
        "element_name": task.plan["name"],
        "element_description": task.plan["description"],
        "reference_type": task.plan["reference_type"],
        "element_voice_info": {"voice_id": task.plan["voice_id"]} if task.plan["voice_id"] else {},
        "tag_list": [],
        "owned_by": task.account,
        "status": "succeed",
    }
    return {"elements": [element]}


def _video(task: Task) -> dict[str, Any]:
    return {
        "id": f"{task.id}1",
        "url": file_url(task),
        "watermark_url": file_url(task, watermark=True) if task.plan["watermark"] else "",
        "duration": str(task.plan["seconds_made"]),
    }
