"""`/__sim/*`: the hand that scripts faults, moves the clock and reads the simulator's own books.

Only from the same machine, and only with the secret in `x-sim-secret` (health needs none).
"""

import hmac
import ipaddress
import json
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from generations.sandbox import creates, faults, store
from generations.sandbox.simulator import Simulator
from generations.sandbox.wire import Refusal

Handler = Callable[[Simulator, dict[str, Any]], dict[str, Any]]


def health(simulator: Simulator, body: dict[str, Any]) -> dict[str, Any]:
    row = simulator.store.row("SELECT COUNT(*) AS n FROM tasks")
    return {"status": "ok", "now": simulator.store.now(), "tasks": row["n"] if row else 0}


def script(simulator: Simulator, body: dict[str, Any]) -> dict[str, Any]:
    """`{"match": {"path"?, "text"?, "external_id"?, "account"?}, "faults": ["refuse 1303", …], "times": 1}`.

    Each fault serves `times` creates (or queries), in the order given.
    """
    unknown = [fault for fault in body["faults"] if faults.parse(fault) is None]
    if unknown:
        raise Refusal(1201, f"unknown faults: {unknown}")
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
        task.start_at = task.finish_at = simulator.store.now()
        simulator.store.save(task)
    simulator.advance()
    return {"finished": [task.id for task in found]}


def settings(simulator: Simulator, body: dict[str, Any]) -> dict[str, Any]:
    """Any of speed, media (check, strict, off), unique_external_ids, rates, seed."""
    unknown = sorted(body.keys() - (store.SETTINGS.keys() - {"clock_offset_seconds"}))
    unknown += [fault for fault in body.get("rates", {}) if faults.parse(fault) is None]
    if unknown:
        raise Refusal(1201, f"unknown: {unknown}")
    for name, value in body.items():
        simulator.store.set(name, value)
    return {name: simulator.store.setting(name) for name in store.SETTINGS}


def account(simulator: Simulator, body: dict[str, Any]) -> dict[str, Any]:
    """Makes or changes an account: `{"api_key", "units"?, "slots"?, "webhook_secret"?, "access_key"?, …}`."""
    known = simulator.store.account(body["api_key"])
    changes: dict[str, Any] = {
        name: body[name] for name in ("slots", "webhook_secret", "access_key", "secret_key") if name in body
    }
    if "units" in body:
        changes["milliunits"] = round(body["units"] * 1000)
    fresh = {"access_key": secrets.token_hex(8), "secret_key": secrets.token_hex(16)}
    before = vars(known) if known else fresh | {"api_key": body["api_key"]}
    simulator.store.save_account(store.Account(**(before | changes)))
    return {"account": vars(simulator.store.account(body["api_key"]))}


def tasks(simulator: Simulator, body: dict[str, Any]) -> dict[str, Any]:
    simulator.advance()
    return {"tasks": [vars(task) for task in simulator.store.tasks("TRUE ORDER BY id")]}


def requests(simulator: Simulator, body: dict[str, Any]) -> dict[str, Any]:
    """The log of creates, and how often each reference was sent and led to a task."""
    log = [dict(row) for row in simulator.store.rows("SELECT * FROM creates ORDER BY seq")]
    counts: dict[str, dict[str, int]] = {}
    for row in log:
        count = counts.setdefault(row["external_id"], {"requests": 0, "tasks": 0})
        count["requests"] += 1
        count["tasks"] += row["task_id"] is not None
    return {"requests": log, "by_external_id": counts}


def ledger(simulator: Simulator, body: dict[str, Any]) -> dict[str, Any]:
    """What was booked, in thousandths of a unit."""
    charges = [dict(row) for row in simulator.store.rows("SELECT * FROM charges ORDER BY seq")]
    return {"charges": charges, "milliunits": sum(charge["milliunits"] for charge in charges)}


def callbacks(simulator: Simulator, body: dict[str, Any]) -> dict[str, Any]:
    return {"callbacks": [dict(row) for row in simulator.store.rows("SELECT * FROM callbacks ORDER BY seq")]}


def reset(simulator: Simulator, body: dict[str, Any]) -> dict[str, Any]:
    """Forgets everything but the rendered files."""
    simulator.cancel_background()
    simulator.store.reset()
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
            return JSONResponse(handler(simulator, creates.parsed(raw) if raw else {}))
        except (KeyError, TypeError, ValueError) as error:
            return JSONResponse({"error": f"{type(error).__name__}: {error}"}, 400)

    return answer


READS = {"faults": fault_list, "tasks": tasks, "requests": requests, "ledger": ledger, "callbacks": callbacks}
ACTS: dict[str, Handler] = {
    "script": script,
    "advance": advance,
    "finish": finish,
    "settings": settings,
    "accounts": account,
    "reset": reset,
}
ROUTES = [
    Route("/__sim/health", _guarded(health, open_to_all=True)),
    *(Route(f"/__sim/{name}", _guarded(handler)) for name, handler in READS.items()),
    *(Route(f"/__sim/{name}", _guarded(handler), methods=["POST"]) for name, handler in ACTS.items()),
]
