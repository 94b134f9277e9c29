"""fal's answers about requests: status, result, cancel, the list of what has ended, and the keys of its webhooks."""

import json
import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, unquote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from generations.sandbox import progress, queries
from generations.sandbox.face import Caller
from generations.sandbox.fal import wire
from generations.sandbox.fal.endpoints import APP
from generations.sandbox.refusals import Refusal
from generations.sandbox.simulator import Simulator
from generations.sandbox.store import Store, Task

WORDS = {"submitted": "IN_QUEUE", "processing": "IN_PROGRESS"}
ENDED = "COMPLETED"
DAY_SECONDS = 24 * 3600.0
MOST_ITEMS, MOST_ENDPOINTS = 100, 50
NUMBER = re.compile(r"[0-9]+\.[0-9]+")
CLASSES = {"success": (200, 300), "user_error": (400, 500), "error": (500, 600)}


def urls(task: Task) -> dict[str, str]:
    """Where a request is asked about: under its owner and app alone."""
    address = f"{task.origin}{wire.PREFIX}{APP}/requests/{task.id}"
    return {"response_url": address, "status_url": f"{address}/status", "cancel_url": f"{address}/cancel"}


async def _found(request: Request) -> tuple[Caller, Task]:
    caller = queries.caller_of(request)
    tasks = await queries.seen(caller, caller.tasks("id = ?", request.path_params["id"]))
    if not tasks:
        raise Refusal("unknown")
    return caller, tasks[0]


async def status(request: Request) -> Response:
    """202 while it is open, 200 once it has ended, also when it failed."""
    caller, task = await _found(request)
    body = {"status": ENDED, "request_id": task.id} | urls(task)
    if not task.is_open:
        error = wire.error_of(task)
        said = {"error": error.message, "error_type": error.type} if error and error.of_request else {}
        return JSONResponse(body | {"logs": None, "metrics": _metrics(task)} | said)
    body["status"] = task.word(WORDS)
    if task.state == "submitted":
        return JSONResponse(body | {"queue_position": progress.place_in_queue(caller.store, task)}, 202)
    return JSONResponse(body | {"logs": None}, 202)


def _metrics(task: Task) -> dict[str, float | None]:
    """How long a machine worked on it; null for what never began. Only that can be cancelled."""
    if task.state == "cancelled":
        return {"inference_time": None}
    return {"inference_time": round(max(0.001, task.updated_at - task.start_at), 3)}


async def result(request: Request) -> Response:
    """The video or the model's own error, for an hour."""
    caller, task = await _found(request)
    if caller.forgot(task):
        raise Refusal("unknown")
    headers = {"x-fal-request-id": task.id}
    if task.is_open:
        return JSONResponse({"detail": "Request is still in progress"}, 400, headers=headers)
    error = wire.error_of(task)
    if error:
        return JSONResponse(error.body, error.status, headers=headers | error.headers)
    return JSONResponse(output(task), headers=headers | {"x-fal-billable-units": str(_units(task))})


def output(task: Task) -> dict[str, Any]:
    video = {"url": queries.file_url(task), "content_type": "video/mp4", "file_name": "output.mp4"}
    return {"video": video | {"file_size": 1_000_000}}


def _units(task: Task) -> int:
    """Seconds, as they are billed."""
    return int(task.plan["seconds_made"] + 0.5)


async def cancel(request: Request) -> Response:
    """What waits is taken out of the queue; what runs is told to stop, and Kling's models do not listen."""
    caller = queries.caller_of(request)
    found = await queries.seen(caller, caller.tasks("id = ?", request.path_params["id"]))
    if not found:
        return JSONResponse({"status": "NOT_FOUND"}, 404)
    if not found[0].is_open:
        return JSONResponse({"status": "ALREADY_COMPLETED"}, 400)
    if found[0].state == "submitted":
        queries.cancel(caller, found[0])
    return JSONResponse({"status": "CANCELLATION_REQUESTED"}, 202)


async def ended(request: Request) -> Response:
    """`/v1/models/requests/by-endpoint`: what has ended, the latest first, by the page."""
    caller = queries.caller_of(request)
    asked = request.query_params
    endpoints = [name for name in asked.get("endpoint_id", "").split(",") if name]
    if not 1 <= len(endpoints) <= MOST_ENDPOINTS:
        raise Refusal("malformed", "is required", place="endpoint_id")
    limit, (where, values) = _limit(asked.get("limit", "50")), _window(caller.store, asked)
    paths = [f"{wire.PREFIX}/{name}" for name in endpoints]
    marks = ",".join("?" * len(paths))
    order = "ORDER BY updated_at DESC, id DESC LIMIT ?"
    found = caller.tasks(f"path IN ({marks}) AND {where}", *paths, *values, limit + 1, order=order)
    payloads = "payloads" in asked.get("expand", "")
    items = [_item(task, payloads) for task in await queries.seen(caller, found[:limit])]
    wanted = CLASSES.get(asked.get("status", ""), (0, 1000))
    items = [item for item in items if wanted[0] <= item["status_code"] < wanted[1]]
    more = len(found) > limit
    return JSONResponse({"items": items, "next_cursor": _cursor(found[limit - 1]) if more else None, "has_more": more})


def _window(store: Store, asked: Any) -> tuple[str, list[Any]]:
    """Ended requests of the last day, or of the time that is asked for, behind the cursor."""
    now = store.now()
    where = "state NOT IN ('submitted', 'processing') AND updated_at BETWEEN ? AND ?"
    start = _moment(asked["start"], "start") if "start" in asked else now - DAY_SECONDS
    values: list[Any] = [start, _moment(asked["end"], "end") if "end" in asked else now]
    if "request_id" in asked:
        where, values = f"{where} AND id = ?", [*values, asked["request_id"]]
    if asked.get("cursor"):
        moment, _, task_id = unquote(asked["cursor"]).partition(" ")
        if not NUMBER.fullmatch(moment):
            raise Refusal("malformed", "is none of ours", place="cursor")
        where, values = f"{where} AND (updated_at, id) < (?, ?)", [*values, float(moment), task_id]
    return where, values


def _cursor(task: Task) -> str:
    return quote(f"{task.updated_at!r} {task.id}")


def _limit(value: str) -> int:
    if not value.isdigit() or not 1 <= int(value) <= MOST_ITEMS:
        raise Refusal("malformed", f"must be 1 to {MOST_ITEMS}", place="limit")
    return int(value)


def _moment(value: str, name: str) -> float:
    try:
        return datetime.fromisoformat(value).timestamp()
    except ValueError as error:
        raise Refusal("malformed", "is no time", place=name) from error


def _item(task: Task, payloads: bool) -> dict[str, Any]:
    error = wire.error_of(task)
    item = {
        "request_id": task.id,
        "endpoint_id": task.path.removeprefix(f"{wire.PREFIX}/"),
        "sent_at": _written(task.created_at),
        "started_at": _written(task.start_at),
        "ended_at": _written(task.updated_at),
        "status_code": error.status if error else 200,
        "duration": _metrics(task)["inference_time"] or 0,
    }
    if payloads:
        item |= {"json_input": task.plan["input"], "json_output": error.body if error else output(task)}
    return item


def _written(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat().replace("+00:00", "Z")


async def keys(request: Request) -> Response:
    """Public: no credential is asked for."""
    simulator: Simulator = request.app.state.simulator
    return Response(json.dumps(wire.key_set(simulator.store)), media_type="application/json")


ROUTES = (
    Route(f"{APP}/requests/{{id}}/status", status),
    Route(f"{APP}/requests/{{id}}/cancel", cancel, methods=["PUT"]),
    Route(f"{APP}/requests/{{id}}", result),
    Route("/v1/models/requests/by-endpoint", ended),
    Route("/.well-known/jwks.json", keys),
)
