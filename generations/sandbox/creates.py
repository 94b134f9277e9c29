"""One create: who asks, what is asked, what goes wrong, what is logged, what is answered - in that order.

Everything up to the log is one transaction, so the log and the tasks never disagree, whatever the caller sees.
"""

import asyncio
import json
from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from generations.sandbox import connections, faults, limits, progress, queries
from generations.sandbox.face import Caller, Face, Reader
from generations.sandbox.orders import Order
from generations.sandbox.refusals import REASONS, Refusal
from generations.sandbox.simulator import Simulator
from generations.sandbox.store import Task

BAD_GATEWAY = "<html><head><title>502 Bad Gateway</title></head></html>"
Outcome = Task | Refusal | None
"""The task, the provider's refusal, or nothing because of a fault."""


async def create(face: Face, reader: Reader, request: Request) -> Response:
    simulator: Simulator = request.app.state.simulator
    caller = queries.caller_of(request)
    raw = await request.body()
    simulator.advance()
    with simulator.store.transaction():
        outcome, fault = _decide(caller, reader, raw)
    if isinstance(outcome, Refusal):
        return face.refusal(outcome)
    if outcome is not None:
        await _start(simulator, outcome)
    wrong = _answered_wrongly(fault)
    return await _answer(caller, outcome, wrong, fault.get(wrong, ""))


def _decide(caller: Caller, reader: Reader, raw: bytes) -> tuple[Outcome, dict[str, str]]:
    """What became of the create, logged."""
    body = _parsed(raw)
    reference = caller.face.reference(caller.request, body)
    fault: dict[str, str] = {}
    outcome: Outcome
    try:
        if body is None:
            raise Refusal("malformed", "is not JSON", place="body")
        order = reader(caller, body)
        fault = faults.for_create(caller.store, _call(caller, reference, order.text))
        outcome = _accept(caller, order, reference, fault)
    except Refusal as refusal:
        outcome = refusal
    _log(caller, reference, raw, outcome, _answered_wrongly(fault))
    return outcome, fault


def _parsed(raw: bytes) -> Any:
    """None for what is no JSON, and for `null`, which nobody takes."""
    try:
        return json.loads(raw)
    except ValueError:
        return None


def _call(caller: Caller, reference: str, text: str) -> faults.Call:
    return faults.Call(
        provider=caller.face.name,
        account=caller.account.api_key,
        path=caller.request.url.path,
        external_id=reference,
        text=text,
    )


def _answered_wrongly(fault: dict[str, str]) -> str:
    """The fault that decides the answer, of those chosen; empty for a healthy answer."""
    return next((name for name in faults.BEFORE_CREATE | faults.AFTER_CREATE if name in fault), "")


def _accept(caller: Caller, order: Order, reference: str, fault: dict[str, str]) -> Task | None:
    """The new task, or None when a fault prevents it. Raises Refusal as the provider would."""
    if faults.BEFORE_CREATE.keys() & fault.keys():
        return None
    store = caller.store
    has_slot = limits.check(caller, order, reference)
    now = store.now()
    start_at, finish_at = progress.schedule(store, order.kind, fault, now)
    made = progress.seconds_made(order.plan.get("seconds", 0), fault)
    task = Task(
        id=caller.face.new_id(now),
        provider=caller.face.name,
        account=caller.account.api_key,
        path=caller.request.url.path,
        kind=order.kind,
        model=order.model,
        external_id=reference,
        callback_url=order.callback_url,
        origin=caller.origin,
        state="submitted",
        queued=not has_slot,
        failure="",
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


def _log(caller: Caller, reference: str, raw: bytes, outcome: Outcome, wrong: str) -> None:
    refusal = f"refused {caller.face.code(outcome)}" if isinstance(outcome, Refusal) else ""
    caller.store.add(
        "creates",
        at=caller.store.now(),
        provider=caller.face.name,
        account=caller.account.api_key,
        path=caller.request.url.path,
        external_id=reference,
        task_id=outcome.id if isinstance(outcome, Task) else None,
        answer=refusal or wrong or "accepted",
        body=raw.decode(errors="replace"),
    )


async def _start(simulator: Simulator, task: Task) -> None:
    if "callback-early" in task.faults:
        await simulator.tell_early(task)
    elif not task.media_checked:
        simulator.spawn(simulator.look_at_media(task.id))


async def _answer(caller: Caller, task: Task | None, wrong: str, argument: str) -> Response:
    """The healthy answer, or what the fault makes of it."""
    request, face = caller.request, caller.face
    if wrong == "refuse":
        return face.refusal(Refusal(argument if argument in REASONS else int(float(argument))))
    if wrong in ("bad-gateway", "bad-gateway-created"):
        return HTMLResponse(BAD_GATEWAY, 502)
    if wrong == "internal-created":
        return face.refusal(Refusal("internal"))
    if wrong.startswith(("hang", "reset", "close")):
        if wrong.startswith("hang"):
            await connections.silence(request, float(argument))
        return await connections.cut(request, reset=wrong.startswith("reset"))
    if wrong == "slow-create":
        await asyncio.sleep(float(argument))
    healthy = face.created(caller, None if wrong == "no-id" else task)
    if wrong == "garbage":
        return Response(healthy.body[: len(healthy.body) // 2], healthy.status_code, media_type="application/json")
    if wrong == "half-answer":
        return connections.HalfAnswer(healthy.body, healthy.status_code, dict(healthy.headers))
    return healthy
