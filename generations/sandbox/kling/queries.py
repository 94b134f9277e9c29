"""Kling's answers about tasks, elements and the account. It has no cancel."""

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from generations.sandbox.face import Caller
from generations.sandbox.kling import elements, rows, wire
from generations.sandbox.queries import caller_of, seen
from generations.sandbox.refusals import Refusal

MONTH_MILLISECONDS = 30 * 24 * 3600 * 1000
NEW = "path NOT LIKE '/v1/%'"
LEDGER = """
    SELECT charges.seq, charges.task_id, charges.model, balance_before, balance_after,
        CASE WHEN misbooked.task_id IS NULL THEN charges.milliunits ELSE misbooked.milliunits END AS milliunits
    FROM charges LEFT JOIN misbooked ON misbooked.task_id = charges.task_id
    WHERE provider = ? AND account = ? AND charges.seq > ? AND round(at * 1000) BETWEEN ? AND ?
        AND (misbooked.task_id IS NULL OR misbooked.milliunits IS NOT NULL)
    ORDER BY charges.seq LIMIT ?"""
"""The charges, but for what was scripted to be shown otherwise or not at all."""


async def batch(request: Request) -> Response:
    """`GET /tasks` by one of two kinds of id; ids nobody knows are absent."""
    caller = caller_of(request)
    asked = [name for name in ("task_ids", "external_task_ids") if request.query_params.get(name)]
    if len(asked) != 1:
        raise Refusal(1201, "exactly one of task_ids and external_task_ids is required")
    ids = request.query_params[asked[0]].split(",")
    column = "id" if asked == ["task_ids"] else "external_id"
    found = await seen(caller, caller.tasks(f"{NEW} AND {column} IN ({','.join('?' * len(ids))})", *ids))
    return wire.success([rows.row(task) for task in found])


async def one(request: Request) -> Response:
    """A legacy task by its id or by the caller's own."""
    caller = caller_of(request)
    path, _, wanted = request.url.path.rpartition("/")
    latest = caller.tasks("path = ? AND ? IN (id, external_id)", path, wanted, order="ORDER BY id DESC LIMIT 1")
    found = await seen(caller, latest)
    if not found:
        raise Refusal(1203)
    return wire.success(rows.row(found[0]))


async def legacy_list(request: Request) -> Response:
    caller = caller_of(request)
    page, size = (
        _whole(request.query_params.get(name, usual)) for name, usual in (("pageNum", "1"), ("pageSize", "30"))
    )
    if not 1 <= page <= 1000 or not 1 <= size <= 500:
        raise Refusal(1201, "pageNum or pageSize is invalid")
    order = "ORDER BY id DESC LIMIT ? OFFSET ?"
    found = caller.tasks("path = ?", request.url.path, size, (page - 1) * size, order=order)
    return wire.success([rows.row(task) for task in found])


async def cursor_list(request: Request) -> Response:
    """`POST /tasks`: newest first, by time or from a cursor on."""
    caller = caller_of(request)
    body = await _body(request)
    limit, now = _whole(body.get("limit", 100)), round(caller.store.now() * 1000)
    if not 1 <= limit <= 500:
        raise Refusal(1201, "limit is invalid")
    start, end = _whole(body.get("start_time", now - MONTH_MILLISECONDS)), _whole(body.get("end_time", now + 1000))
    values: tuple[Any, ...]
    where, values = f"{NEW} AND created_at * 1000 BETWEEN ? AND ?", (start, end)
    if body.get("cursor"):
        where, values = f"{NEW} AND id < ?", (str(body["cursor"]),)
    wanted = {word for row in body.get("filters", []) if row.get("key") == "status" for word in row.get("values", [])}
    found = caller.tasks(where, *values, limit + 1, order="ORDER BY id DESC LIMIT ?")
    result = [rows.row(task) for task in found[:limit] if not wanted or rows.word(task) in wanted]
    more = len(found) > limit
    return wire.success(
        {"result": result, "count": len(result), "next_cursor": found[limit - 1].id if more else "", "has_more": more}
    )


async def _body(request: Request) -> Any:
    try:
        return json.loads(await request.body() or b"{}")
    except ValueError as error:
        raise Refusal("malformed", "is not JSON", place="body") from error


def _whole(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError) as error:
        raise Refusal(1201, "a number is invalid") from error


async def voices(request: Request) -> Response:
    caller_of(request)
    return wire.success(elements.preset_voices())


async def preset_elements(request: Request) -> Response:
    caller_of(request)
    return wire.success([])


async def delete_element(request: Request) -> Response:
    caller = caller_of(request)
    element_id = elements.delete(caller, await _body(request))
    return wire.success({"task_id": element_id, "task_status": "succeed"})


async def ledger(request: Request) -> Response:
    """`/account/billing/package`: what was taken off the pack, oldest first; `balance` is cash: there is none.

    Both times are in it, in milliseconds; the last 30 days without them.
    """
    caller = caller_of(request)
    await seen(caller, [])  # faults of queries
    body = await _body(request)
    limit, cursor = _whole(body.get("limit", 100)), _whole(body.get("cursor") or 0)
    if not 1 <= limit <= 500:
        raise Refusal(1201, "limit is invalid")
    now = round(caller.store.now() * 1000)
    start, end = _whole(body.get("start_time", now - MONTH_MILLISECONDS)), _whole(body.get("end_time", now + 1000))
    mine = (wire.NAME, caller.account.api_key, cursor, start, end, limit + 1)
    lines = caller.store.rows(LEDGER, *mine) if request.url.path.endswith("/package") else []
    more = len(lines) > limit
    cursor_after = str(lines[limit - 1]["seq"]) if more else ""
    detail = [_line(caller, line) for line in lines[:limit]]
    return wire.success({"result": {"detail": detail}, "next_cursor": cursor_after, "has_more": more})


def _line(caller: Caller, line: Any) -> dict[str, Any]:
    """One deduction, with what decided its price. Work that nobody ordered has only a model."""
    task = caller.store.task(line["task_id"])
    plan = task.plan if task and task.kind == "video" else {}
    return {
        "task_id": line["task_id"],
        "model_name": line["model"],
        "resolution": plan.get("resolution", ""),
        "duration": str(plan.get("seconds_made", "")),
        "video_sound": "on" if plan.get("sound") else "off",
        "deduction_amount": rows.units(line["milliunits"]),
        "balance_before": rows.units(line["balance_before"]),
        "balance_after": rows.units(line["balance_after"]),
        "list_price": rows.units(line["milliunits"]),
        "currency": "",
    }


async def costs(request: Request) -> Response:
    """`GET /account/costs` in its double envelope."""
    caller = caller_of(request)
    account = caller.store.account(wire.NAME, caller.account.api_key)
    pack = {
        "resource_pack_name": "Video",
        "resource_pack_id": "sandbox",
        "resource_pack_type": "decreasing_total",
        "remaining_quantity": account.milliunits / 1000 if account else 0,
        "status": "online",
    }
    return wire.success({"code": 0, "msg": "SUCCEED", "resource_pack_subscribe_infos": [pack]})


def routes(legacy: list[str]) -> tuple[Route, ...]:
    """Everything but the creates; `legacy`: the paths of those that have a list and a query of their own."""
    return (
        *(Route(path, legacy_list) for path in legacy),
        *(Route(path + "/{wanted}", one) for path in legacy),
        Route("/tasks", batch),
        Route("/tasks", cursor_list, methods=["POST"]),
        Route("/v1/general/presets-voices", voices),
        Route("/v1/general/advanced-presets-elements", preset_elements),
        Route("/v1/general/delete-advanced-elements", delete_element, methods=["POST"]),
        Route("/v1/general/delete-elements", delete_element, methods=["POST"]),
        Route("/account/costs", costs),
        Route("/account/billing/balance", ledger, methods=["POST"]),
        Route("/account/billing/package", ledger, methods=["POST"]),
    )
