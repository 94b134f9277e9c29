"""Predictions as they are shown: alone, in the list, cancelled. An hour after its end a prediction shows no data."""

import base64
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from generations.sandbox import queries
from generations.sandbox.face import Caller
from generations.sandbox.refusals import Refusal
from generations.sandbox.store import Task

PAGE = 100
NEWEST_FIRST = "ORDER BY created_at DESC, id DESC LIMIT ?"
WORDS = {"submitted": "starting", "cancelled": "canceled"}
NO_DATA: dict[str, Any] = {"input": {}, "output": None, "logs": None, "data_removed": True}


def shown(task: Task, *, removed: bool = False) -> dict[str, Any]:
    """A prediction, as every answer and callback has it."""
    done, ran = task.state == "succeeded", task.state != "submitted" and task.updated_at >= task.start_at
    address = f"{task.origin}/replicate/v1/predictions/{task.id}"
    row: dict[str, Any] = {
        "id": task.id,
        "model": task.model,
        "version": "hidden",
        "input": task.plan["input"],
        "logs": "",
        "output": queries.file_url(task) if done else None,
        "data_removed": False,
        "error": task.message or None,
        "source": "api",
        "status": task.word(WORDS),
        "created_at": moment(task.created_at),
        "started_at": moment(task.start_at) if ran else None,
        "completed_at": None if task.is_open else moment(task.updated_at),
        "metrics": _metrics(task) if done else {},
        "urls": {"get": address, "cancel": f"{address}/cancel"},
    }
    return row | NO_DATA if removed else row


def _metrics(task: Task) -> dict[str, float]:
    return {
        "predict_time": task.updated_at - task.start_at,
        "total_time": task.updated_at - task.created_at,
        "video_output_duration_seconds": task.plan["seconds_made"],
    }


def moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


async def _found(request: Request) -> tuple[Caller, Task]:
    caller = queries.caller_of(request)
    found = await queries.seen(caller, caller.tasks("id = ?", request.path_params["id"]))
    if not found:
        raise Refusal("unknown")
    return caller, found[0]


async def one(request: Request) -> Response:
    caller, task = await _found(request)
    return JSONResponse(shown(task, removed=caller.forgot(task)))


async def cancel(request: Request) -> Response:
    """The prediction as it stands then; one that has ended stays as it is."""
    caller, task = await _found(request)
    queries.cancel(caller, task)
    return JSONResponse(shown(caller.store.task(task.id) or task, removed=caller.forgot(task)))


async def listed(request: Request) -> Response:
    """Newest first, by pages of a hundred; `next` is the whole address of the following one."""
    caller = queries.caller_of(request)
    where, values = "1", tuple[Any, ...]()
    if cursor := request.query_params.get("cursor"):
        where, values = "(created_at, id) < (?, ?)", _read_cursor(cursor)
    page = caller.tasks(where, *values, PAGE + 1, order=NEWEST_FIRST)
    following = None
    if len(page) > PAGE:
        following = f"{request.url.replace(query=urlencode({'cursor': _cursor(page[PAGE - 1])}))}"
    rows = [shown(task, removed=caller.forgot(task)) for task in await queries.seen(caller, page[:PAGE])]
    return JSONResponse({"previous": None, "next": following, "results": rows})


def _cursor(task: Task) -> str:
    return base64.b64encode(urlencode({"p": repr(task.created_at), "i": task.id}).encode()).decode()


def _read_cursor(cursor: str) -> tuple[float, str]:
    try:
        fields = dict(parse_qsl(base64.b64decode(cursor, validate=True).decode()))
        return float(fields["p"]), fields["i"]
    except (ValueError, KeyError) as error:
        raise Refusal("unknown", "Invalid cursor") from error


async def secret(request: Request) -> Response:
    """What callbacks are signed with."""
    return JSONResponse({"key": queries.caller_of(request).account.webhook_secret})


ROUTES = (
    Route("/predictions", listed),
    Route("/predictions/{id}", one),
    Route("/predictions/{id}/cancel", cancel, methods=["POST"]),
    Route("/webhooks/default/secret", secret),
)
