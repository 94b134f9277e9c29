"""`/__sim/*`: the hand that scripts faults, moves the clock and reads the simulator's own books.

Only from the same machine, and only with the secret in `x-sim-secret` (health needs none).
"""

import hmac
import ipaddress
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from generations.sandbox import faults, progress, store
from generations.sandbox.simulator import Simulator

OF_PROVIDER = "provider = COALESCE(?, provider)"
Handler = Callable[[Simulator, dict[str, Any]], dict[str, Any]]


def health(simulator: Simulator, body: dict[str, Any]) -> dict[str, Any]:
    row = simulator.store.row("SELECT COUNT(*) AS n FROM tasks")
    return {"status": "ok", "now": simulator.store.now(), "tasks": row["n"] if row else 0}


def script(simulator: Simulator, body: dict[str, Any]) -> dict[str, Any]:
    """`{"faults": ["refuse full", …], "times": 1, "match": {…}}`: each serves `times` creates or queries, in order.

    A match names any of provider, account, path, external_id, and a piece of the text.
    """
    unknown = [fault for fault in body["faults"] if faults.parse(fault) is None]
    if unknown:
        raise ValueError(f"unknown faults: {unknown}")
    for fault in body["faults"]:
        match = json.dumps(body.get("match", {}))
        simulator.store.add("scripts", fault=fault, times=int(body.get("times", 1)), match=match)
    return {"scripted": body["faults"]}


def fault_list(simulator: Simulator, body: dict[str, Any]) -> dict[str, Any]:
    """What can be asked for, what it does, and its argument."""
    return {"faults": {name: {"what": what, "argument": usual} for name, (what, usual) in faults.FAULTS.items()}}


def advance(simulator: Simulator, body: dict[str, Any]) -> dict[str, Any]:
    """`{"seconds": 600}`: moves the clock, and every task with it."""
    offset = simulator.store.setting("clock_offset_seconds") + float(body["seconds"])
    simulator.store.set("clock_offset_seconds", offset)
    simulator.advance()
    return {"now": simulator.store.now()}


def finish(simulator: Simulator, body: dict[str, Any]) -> dict[str, Any]:
    """`{"external_id": …}` or `{"task_id": …}`: this task ends now."""
    found = simulator.store.tasks("id = ? OR external_id = ?", body.get("task_id", ""), body.get("external_id", "-"))
    for task in found:
        progress.finish(simulator.store, task)
    simulator.advance()
    return {"finished": [task.id for task in found]}


def settings(simulator: Simulator, body: dict[str, Any]) -> dict[str, Any]:
    """Any of speed, media (check, strict, off), unique_external_ids, rate_limits, rates, seed."""
    unknown = sorted(body.keys() - (store.SETTINGS.keys() - {"clock_offset_seconds"}))
    unknown += [fault for fault in body.get("rates", {}) if faults.parse(fault) is None]
    if unknown:
        raise ValueError(f"unknown: {unknown}")
    for name, value in body.items():
        simulator.store.set(name, value)
    return {name: simulator.store.setting(name) for name in store.SETTINGS}


def account(simulator: Simulator, body: dict[str, Any]) -> dict[str, Any]:
    """Makes or changes an account: `{"api_key", "provider"?, "units"?, "slots"?, "webhook_secret"?, …}`."""
    face = simulator.faces[body.get("provider", "kling")]
    before = simulator.store.account(face.name, body["api_key"]) or face.new_account(body["api_key"])
    changes: dict[str, Any] = {
        name: body[name] for name in ("slots", "webhook_secret", "access_key", "secret_key") if name in body
    }
    if "units" in body:
        changes["milliunits"] = round(body["units"] * 1000)
    changed = replace(before, **changes)
    simulator.store.save_account(changed)
    for row in simulator.store.rows("SELECT DISTINCT model FROM tasks WHERE queued AND provider = ?", face.name):
        progress.admit(simulator.store, face, changed, row["model"], simulator.store.now())
    return {"account": vars(changed)}


def misbook(simulator: Simulator, body: dict[str, Any]) -> dict[str, Any]:
    """Makes a provider's ledger differ from what was made.

    `{"external_id" | "task_id", "units": 4}`: it shows another amount; `"units": null`: it leaves it out.
    `{"unknown": true, "units": 1.5, "provider"?, "api_key"?}`: it shows work that nobody ordered.
    """
    if body.get("unknown"):
        return {"misbooked": [_charge_for_nothing(simulator, body)]}
    found = simulator.store.tasks("id = ? OR external_id = ?", body.get("task_id", ""), body.get("external_id", "-"))
    shown = None if body["units"] is None else round(body["units"] * 1000)
    for task in found:
        simulator.store.put("misbooked", task_id=task.id, milliunits=shown)
    return {"misbooked": [task.id for task in found]}


def _charge_for_nothing(simulator: Simulator, body: dict[str, Any]) -> str:
    face, now = simulator.faces[body.get("provider", "kling")], simulator.store.now()
    account = simulator.store.account(face.name, body.get("api_key", store.API_KEY))
    if account is None:
        raise ValueError("unknown account")
    task_id, cost = face.new_id(now), round(body["units"] * 1000)
    progress.book(simulator.store, account, task_id, "unknown", cost)
    return task_id


def face_list(simulator: Simulator, body: dict[str, Any]) -> dict[str, Any]:
    """The providers, and where the paths of each begin."""
    return {"faces": {face.name: face.prefix for face in simulator.faces.values()}}


def _log(simulator: Simulator, body: dict[str, Any], table: str) -> list[dict[str, Any]]:
    """A log's rows, oldest first; those of one provider with `?provider=`."""
    rows = simulator.store.rows(f"SELECT * FROM {table} WHERE {OF_PROVIDER} ORDER BY seq", body.get("provider"))
    return [dict(row) for row in rows]


def tasks(simulator: Simulator, body: dict[str, Any]) -> dict[str, Any]:
    simulator.advance()
    found = simulator.store.tasks(f"{OF_PROVIDER} ORDER BY created_at, id", body.get("provider"))
    return {"tasks": [vars(task) for task in found]}


def requests(simulator: Simulator, body: dict[str, Any]) -> dict[str, Any]:
    """The log of creates, and how often each reference was sent and led to a task."""
    log = _log(simulator, body, "creates")
    counts: dict[str, dict[str, int]] = {}
    for row in log:
        count = counts.setdefault(row["external_id"], {"requests": 0, "tasks": 0})
        count["requests"] += 1
        count["tasks"] += row["task_id"] is not None
    return {"requests": log, "by_external_id": counts}


def ledger(simulator: Simulator, body: dict[str, Any]) -> dict[str, Any]:
    """What was booked, in thousandths of what each provider counts in: ask for one provider to have a sum."""
    charges = _log(simulator, body, "charges")
    return {"charges": charges, "milliunits": sum(charge["milliunits"] for charge in charges)}


def callbacks(simulator: Simulator, body: dict[str, Any]) -> dict[str, Any]:
    return {"callbacks": _log(simulator, body, "callbacks")}


def reset(simulator: Simulator, body: dict[str, Any]) -> dict[str, Any]:
    """Forgets everything but the rendered files."""
    simulator.reset()
    return {"status": "ok"}


def _guarded(handler: Handler, *, open_to_all: bool = False) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        simulator: Simulator = request.app.state.simulator
        given = request.headers.get("x-sim-secret", "")
        local = request.client is not None and ipaddress.ip_address(request.client.host).is_loopback
        if not local or not (open_to_all or hmac.compare_digest(given.encode(), simulator.secret.encode())):
            return JSONResponse({"error": "only from this machine, with the secret"}, 403)
        raw = await request.body()
        try:
            return JSONResponse(handler(simulator, json.loads(raw) if raw else dict(request.query_params)))
        except (KeyError, TypeError, ValueError) as error:
            return JSONResponse({"error": f"{type(error).__name__}: {error}"}, 400)

    return answer


READS: dict[str, Handler] = {
    "faces": face_list,
    "faults": fault_list,
    "tasks": tasks,
    "requests": requests,
    "ledger": ledger,
    "callbacks": callbacks,
}
ACTS: dict[str, Handler] = {
    "script": script,
    "advance": advance,
    "finish": finish,
    "settings": settings,
    "accounts": account,
    "misbook": misbook,
    "reset": reset,
}
ROUTES = [
    Route("/__sim/health", _guarded(health, open_to_all=True)),
    *(Route(f"/__sim/{name}", _guarded(handler)) for name, handler in READS.items()),
    *(Route(f"/__sim/{name}", _guarded(handler), methods=["POST"]) for name, handler in ACTS.items()),
]
