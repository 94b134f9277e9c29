"""A task as either generation writes it."""

from typing import Any

from generations.sandbox.store import Task

WATERMARKED = "-watermark"


def row(task: Task, origin: str) -> dict[str, Any]:
    """The task for a query and a callback of its own generation."""
    return _legacy(task, origin) if task.is_legacy else _new(task, origin)


def created(task: Task) -> dict[str, Any]:
    """The answer to the create."""
    if task.is_legacy:
        whole = _legacy(task, "")
        return {name: whole[name] for name in ("task_id", "task_info", "task_status", "created_at", "updated_at")}
    whole = _new(task, "")
    return {name: whole[name] for name in ("id", "status", "create_time", "update_time", "external_id")}


def word(task: Task) -> str:
    """The state as this generation spells it, or the word that a fault puts in its place."""
    if task.state == "processing":
        return task.faults.get("unknown-status", "processing")
    return "succeed" if task.state == "succeeded" and task.is_legacy else task.state


def units(milliunits: int) -> str:
    """Kling writes amounts as text, without needless zeros."""
    return f"{milliunits / 1000:.3f}".rstrip("0").rstrip(".")


def _new(task: Task, origin: str) -> dict[str, Any]:
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
        "outputs": [{"type": "video"} | _video(task, origin)] if done else [],
        "billing": [charge] if done else [],
    }


def _legacy(task: Task, origin: str) -> dict[str, Any]:
    return {
        "task_id": task.id,
        "task_status": word(task),
        "task_status_msg": task.message,
        "created_at": round(task.created_at * 1000),
        "updated_at": round(task.updated_at * 1000),
        "task_info": {"external_task_id": task.external_id},
        "task_result": _legacy_result(task, origin) if task.state == "succeeded" else {},
        "final_unit_deduction": units(task.milliunits) if task.state == "succeeded" else "0",
    }


def _legacy_result(task: Task, origin: str) -> dict[str, Any]:
    if task.kind == "video":
        return {"videos": [_video(task, origin)]}
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


def _video(task: Task, origin: str) -> dict[str, Any]:
    marked = f"{origin}/results/{task.id}{WATERMARKED}.mp4" if task.plan["watermark"] else ""
    return {
        "id": f"{task.id}1",
        "url": f"{origin}/results/{task.id}.mp4",
        "watermark_url": marked,
        "duration": str(task.plan["seconds_made"]),
    }
