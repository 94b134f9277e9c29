"""Answers about tasks, elements, the account, and the finished files."""

import asyncio
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response

from generations.sandbox import clips, creates, elements, faults, rows, wire
from generations.sandbox.rows import WATERMARKED
from generations.sandbox.simulator import Simulator
from generations.sandbox.store import Store, Task
from generations.sandbox.wire import Refusal

MONTH_MILLISECONDS = 30 * 24 * 3600 * 1000
NEW_TASKS = "account = ? AND path NOT LIKE '/v1/%'"


def _state(request: Request) -> tuple[Simulator, Store, str]:
    """The simulator, moved to now, and the key of the account that asks."""
    simulator: Simulator = request.app.state.simulator
    account = wire.account_of(request, simulator.store)
    simulator.advance()
    return simulator, simulator.store, account.api_key


async def batch(request: Request) -> Response:
    """`GET /tasks` by one of two kinds of id; ids nobody knows are absent."""
    _, store, account = _state(request)
    asked = [name for name in ("task_ids", "external_task_ids") if request.query_params.get(name)]
    if len(asked) != 1:
        raise Refusal(1201, "exactly one of task_ids and external_task_ids is required")
    ids = request.query_params[asked[0]].split(",")
    column = "id" if asked == ["task_ids"] else "external_id"
    found = store.tasks(f"{NEW_TASKS} AND {column} IN ({','.join('?' * len(ids))})", account, *ids)
    return await _answer(request, store, found, account, wire.success)


async def one(request: Request) -> Response:
    """A legacy task by its id or by the caller's own."""
    _, store, account = _state(request)
    path, _, wanted = request.url.path.rpartition("/")
    where = "account = ? AND path = ? AND ? IN (id, external_id) ORDER BY id DESC LIMIT 1"
    found = store.tasks(where, account, path, wanted)

    def render(data: list[dict[str, Any]]) -> Response:
        if not data:
            raise Refusal(1203)
        return wire.success(data[0])

    return await _answer(request, store, found, account, render)


async def _answer(
    request: Request,
    store: Store,
    found: list[Task],
    account: str,
    render: Callable[[list[dict[str, Any]]], Response],
) -> Response:
    """The rows of these tasks, through whatever faults lie on them or on this query."""
    call = faults.Call(account=account, path=request.url.path)
    wrong = faults.for_query(store, call, found)
    if "poll-slow" in wrong:
        await asyncio.sleep(float(wrong["poll-slow"]))
    if "poll-5xx" in wrong:
        return HTMLResponse("<html><head><title>503 Service Unavailable</title></head></html>", 503)
    if "poll-garbage" in wrong:
        return Response('{"code":0,"data":[{"id":', media_type="application/json")
    data = [] if "absent" in wrong else [rows.row(task, _origin(request)) for task in found]
    return render([_other(row) for row in data] if "wrong-ids" in wrong else data)


def _other(row: dict[str, Any]) -> dict[str, Any]:
    """The same answer, about a task of somebody else."""
    changes = {"id": "1", "task_id": "1", "external_id": "not-yours", "task_info": {"external_task_id": "not-yours"}}
    return row | {name: value for name, value in changes.items() if name in row}


def _origin(request: Request) -> str:
    return str(request.base_url).rstrip("/")


async def legacy_list(request: Request) -> Response:
    _, store, account = _state(request)
    page, size = (
        _whole(request.query_params.get(name, usual)) for name, usual in (("pageNum", "1"), ("pageSize", "30"))
    )
    if not 1 <= page <= 1000 or not 1 <= size <= 500:
        raise Refusal(1201, "pageNum or pageSize is invalid")
    where = "account = ? AND path = ? ORDER BY id DESC LIMIT ? OFFSET ?"
    found = store.tasks(where, account, request.url.path, size, (page - 1) * size)
    return wire.success([rows.row(task, _origin(request)) for task in found])


async def cursor_list(request: Request) -> Response:
    """`POST /tasks`: newest first, by time or from a cursor on."""
    _, store, account = _state(request)
    body = creates.parsed(await request.body() or b"{}")
    limit, now = _whole(body.get("limit", 100)), round(store.now() * 1000)
    if not 1 <= limit <= 500:
        raise Refusal(1201, "limit is invalid")
    start, end = _whole(body.get("start_time", now - MONTH_MILLISECONDS)), _whole(body.get("end_time", now + 1000))
    where, values = f"{NEW_TASKS} AND created_at * 1000 BETWEEN ? AND ?", [account, start, end]
    if body.get("cursor"):
        where, values = f"{NEW_TASKS} AND id < ?", [account, str(body["cursor"])]
    wanted = {word for row in body.get("filters", []) if row.get("key") == "status" for word in row.get("values", [])}
    found = store.tasks(f"{where} ORDER BY id DESC LIMIT ?", *values, limit + 1)
    result = [rows.row(task, _origin(request)) for task in found[:limit] if not wanted or rows.word(task) in wanted]
    more = len(found) > limit
    return wire.success(
        {"result": result, "count": len(result), "next_cursor": found[limit - 1].id if more else "", "has_more": more}
    )


def _whole(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError) as error:
        raise Refusal(1201, "a number is invalid") from error


async def voices(request: Request) -> Response:
    _state(request)
    return wire.success(elements.preset_voices())


async def preset_elements(request: Request) -> Response:
    _state(request)
    return wire.success([])


async def delete_element(request: Request) -> Response:
    simulator: Simulator = request.app.state.simulator
    account = wire.account_of(request, simulator.store)
    element_id = elements.delete(simulator.store, account, creates.parsed(await request.body()))
    return wire.success({"task_id": element_id, "task_status": "succeed"})


async def ledger(request: Request) -> Response:
    """`/account/billing/package`: what was taken off the pack, oldest first; `balance` is cash: there is none."""
    _, store, account = _state(request)
    body = creates.parsed(await request.body() or b"{}")
    limit, cursor = _whole(body.get("limit", 100)), _whole(body.get("cursor") or 0)
    sql = "SELECT * FROM charges WHERE account = ? AND seq > ? ORDER BY seq LIMIT ?"
    charges = store.rows(sql, account, cursor, limit + 1) if request.url.path.endswith("/package") else []
    detail = [
        {
            "task_id": charge["task_id"],
            "model_name": charge["model"],
            "deduction_amount": rows.units(charge["milliunits"]),
            "balance_before": rows.units(charge["balance_before"]),
            "balance_after": rows.units(charge["balance_after"]),
        }
        for charge in charges[:limit]
    ]
    more = len(charges) > limit
    cursor_after = str(charges[limit - 1]["seq"]) if more else ""
    return wire.success({"result": {"detail": detail}, "next_cursor": cursor_after, "has_more": more})


async def costs(request: Request) -> Response:
    """`GET /account/costs` in its double envelope."""
    _, store, key = _state(request)
    account = store.account(key)
    pack = {
        "resource_pack_name": "Video",
        "resource_pack_id": "sandbox",
        "resource_pack_type": "decreasing_total",
        "remaining_quantity": account.milliunits / 1000 if account else 0,
        "status": "online",
    }
    return wire.success({"code": 0, "msg": "SUCCEED", "resource_pack_subscribe_infos": [pack]})


async def result(request: Request) -> Response:
    """The MP4 of a finished task, whole or by ranges."""
    simulator: Simulator = request.app.state.simulator
    name = str(request.path_params["name"])
    task = simulator.store.task(name.removesuffix(WATERMARKED))
    if task is None or task.state != "succeeded" or task.kind != "video":
        return Response("Not Found", 404)
    for fault, status in (("result-403", 403), ("result-404", 404)):
        if fault in task.faults:
            faults.use_up(simulator.store, task, fault)
            return Response("Forbidden" if status == 403 else "Not Found", status)
    clip = clips.of(task.plan, watermark=name.endswith(WATERMARKED))
    return FileResponse(await simulator.clips.file(clip), media_type="video/mp4")
