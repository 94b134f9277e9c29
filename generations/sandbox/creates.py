"""One create: who asks, what is asked, what goes wrong, what is logged, what is answered - in that order.

Everything up to the log is one transaction, so the log and the tasks never disagree, whatever the caller sees.
"""

import asyncio
import json
import secrets
import socket
import struct
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from generations.sandbox import callbacks, elements, faults, motion, omni, progress, rows, videos, wire
from generations.sandbox.orders import Order
from generations.sandbox.simulator import Simulator
from generations.sandbox.store import Account, Store, Task
from generations.sandbox.wire import Refusal

READERS: dict[str, Callable[[Store, Account, Any], Order]] = {
    "/text-to-video/kling-3.0": videos.read_new_text,
    "/image-to-video/kling-3.0": videos.read_new_image,
    "/text-to-video/kling-3.0-turbo": partial(videos.read_new_text, version=videos.TURBO),
    "/image-to-video/kling-3.0-turbo": partial(videos.read_new_image, version=videos.TURBO),
    "/omni-video/kling-3.0-omni": partial(omni.read_new, version=omni.O3),
    "/omni-video/kling-o1": partial(omni.read_new, version=omni.O1),
    "/motion-control/kling-3.0": partial(motion.read_new, version=motion.V3),
    "/motion-control/kling-2.6": partial(motion.read_new, version=motion.V2_6),
    "/v1/videos/omni-video": omni.read_legacy,
    "/v1/videos/motion-control": motion.read_legacy,
    "/v1/videos/text2video": videos.read_legacy_text,
    "/v1/videos/image2video": videos.read_legacy_image,
    "/v1/general/advanced-custom-elements": elements.read,
}
BAD_GATEWAY = "<html><head><title>502 Bad Gateway</title></head></html>"


async def create(request: Request) -> Response:
    simulator: Simulator = request.app.state.simulator
    account = wire.account_of(request, simulator.store)
    raw = await request.body()
    simulator.advance()
    with simulator.store.transaction():
        outcome, fault = _decide(request, account, raw)
    if isinstance(outcome, Refusal):
        raise outcome
    if outcome is not None:
        await _start(simulator, outcome)
    wrong = _answered_wrongly(fault)
    return await _answer(request, outcome, wrong, fault.get(wrong, ""))


def _decide(request: Request, account: Account, raw: bytes) -> tuple[Task | Refusal | None, dict[str, str]]:
    """What became of the create, logged: a task, nothing because of a fault, or Kling's refusal."""
    store: Store = request.app.state.simulator.store
    path = request.url.path
    fault: dict[str, str] = {}
    outcome: Task | Refusal | None
    try:
        order = READERS[path](store, account, parsed(raw))
        call = faults.Call(account=account.api_key, path=path, external_id=order.external_id, text=order.text)
        fault = faults.for_create(store, call)
        outcome = _accept(store, account, order, path, fault, str(request.base_url).rstrip("/"))
    except Refusal as refusal:
        outcome = refusal
    _log(store, account, path, raw, outcome, _answered_wrongly(fault))
    return outcome, fault


def _answered_wrongly(fault: dict[str, str]) -> str:
    """The fault that decides the answer, of those chosen; empty for a healthy answer."""
    return next((name for name in faults.BEFORE_CREATE | faults.AFTER_CREATE if name in fault), "")


def parsed(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError as error:
        raise Refusal(1201, "body is not JSON") from error


def _accept(store: Store, account: Account, order: Order, path: str, fault: dict[str, str], origin: str) -> Task | None:
    """The new task, or None when a fault prevents it. Raises Refusal as Kling would."""
    if faults.BEFORE_CREATE.keys() & fault.keys():
        return None
    _check_limits(store, account, order)
    start_at, finish_at = progress.schedule(store, order.kind, fault)
    made = progress.seconds_made(order.plan.get("seconds", 0), fault)
    now = store.now()
    task = Task(
        id=f"{int(now * 1000)}{secrets.randbelow(10**6):06}",
        account=account.api_key,
        path=path,
        kind=order.kind,
        model=order.model,
        external_id=order.external_id,
        callback_url=order.callback_url,
        origin=origin,
        state="submitted",
        message="",
        milliunits=order.milliunits,
        created_at=now,
        updated_at=now,
        start_at=start_at,
        finish_at=finish_at,
        media_checked=not order.media,
        plan=order.plan | {"seconds_made": made, "media": [asdict(reference) for reference in order.media]},
        faults={name: argument for name, argument in fault.items() if name not in faults.AFTER_CREATE},
    )
    store.save(task)
    return task


def _check_limits(store: Store, account: Account, order: Order) -> None:
    sql = "SELECT 1 FROM tasks WHERE account = ? AND external_id = ?"
    duplicate = order.external_id and store.row(sql, account.api_key, order.external_id)
    if duplicate and store.setting("unique_external_ids"):
        raise Refusal(1201, "external_task_id already exists")
    running, reserved = progress.open_tasks(store, account.api_key, order.model)
    if order.kind == "video" and running >= account.slots:
        raise Refusal(1303)
    if order.milliunits and account.milliunits - reserved < order.milliunits:
        raise Refusal(1102)


def _log(store: Store, account: Account, path: str, raw: bytes, outcome: Task | Refusal | None, wrong: str) -> None:
    store.add(
        "creates",
        at=store.now(),
        account=account.api_key,
        path=path,
        external_id=_reference(raw),
        task_id=outcome.id if isinstance(outcome, Task) else None,
        answer=f"refused {outcome.code}" if isinstance(outcome, Refusal) else wrong or "accepted",
        body=raw.decode(errors="replace"),
    )


def _reference(raw: bytes) -> str:
    """The caller's own id, wherever the generation puts it; empty in a body that cannot be read."""
    try:
        body = json.loads(raw)
        return str(body.get("options", body).get("external_task_id", ""))
    except (ValueError, AttributeError):
        return ""


async def _start(simulator: Simulator, task: Task) -> None:
    if not task.media_checked:
        simulator.spawn(simulator.look_at_media(task.id))
    if "callback-early" in task.faults:
        await callbacks.send(simulator.client, simulator.store, task)


async def _answer(request: Request, task: Task | None, wrong: str, argument: str) -> Response:
    """The healthy answer, or what the fault makes of it."""
    if wrong == "refuse":
        return wire.refused(Refusal(int(float(argument))))
    if wrong in ("bad-gateway", "bad-gateway-created"):
        return HTMLResponse(BAD_GATEWAY, 502)
    if wrong == "internal-created":
        return wire.refused(Refusal(5000))
    if wrong == "garbage":
        return Response('{"code":0,"message":"SUCCEED","data":{"id":"8', media_type="application/json")
    if wrong == "no-id" or task is None:
        return wire.success({}) if task else await _cut(request, wrong, argument)
    if wrong == "slow-create":
        await asyncio.sleep(float(argument))
    elif wrong:
        return await _cut(request, wrong, argument)
    return wire.success(rows.created(task))


async def _cut(request: Request, wrong: str, argument: str) -> Response:
    """Ends the connection without an answer: after a silence, with a reset, or with an orderly close."""
    if wrong.startswith("hang"):
        await _silence(request, float(argument))
    transport = request.receive.__self__.transport  # type: ignore[attr-defined]  # the server's own connection
    if wrong.startswith("reset"):
        unsent = struct.pack("ii", 1, 0)
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, unsent)
    transport.abort()
    await asyncio.sleep(0)
    return Response()


async def _silence(request: Request, seconds: float) -> None:
    """Until the caller gives up, at most so long."""
    try:
        async with asyncio.timeout(seconds):
            while not await request.is_disconnected():
                await asyncio.sleep(0.05)
    except TimeoutError:
        return
