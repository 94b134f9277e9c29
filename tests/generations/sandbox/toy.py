"""A provider that never was, as small as a face can be: it queues, cancels, forgets, limits, signs and tries again.

`python -m tests.generations.sandbox.toy` runs it beside the real faces.

    POST /toy/make/{size}?tell=https://…/att_1/toy   {"words": "…"}     202 {"id"}       20 creates in 10 s
    GET  /toy/works/{id}                             {"id", "is", "place", "file"}     for an hour after the end
    POST /toy/works/{id}/stop                        204 | 409
"""

import json
import secrets
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from generations.sandbox import FACES, progress, queries
from generations.sandbox.__main__ import main
from generations.sandbox.callbacks import standard_webhook
from generations.sandbox.face import Callback, Caller, Face, Rate, reference_in
from generations.sandbox.orders import Fields, Media, Order, clip_order
from generations.sandbox.refusals import Refusal
from generations.sandbox.store import Account, Store, Task

WHSEC = "whsec_dGVzdHNlY3JldHRlc3RzZWNyZXR0ZXN0c2VjcmV0MTI="
WORDS = {"submitted": "waiting", "processing": "busy", "succeeded": "done", "failed": "broken", "cancelled": "stopped"}
CENTS = 250


def read(caller: Caller, body: Any) -> Order:
    fields = Fields(body)
    words, image = fields.text("words", longest=100, required=True), fields.url("image")
    fields.done()
    size = caller.request.path_params["size"]
    return clip_order(
        f"toy-{size}", CENTS, seconds=4, resolution="720p" if size == "small" else "1080p", ratio="1:1", sound=False,
        text=words, callback_url=caller.request.query_params.get("tell", ""),
        media=(Media(url=image, kind="image", part="first_frame"),) if image else (), said=words,
    )  # fmt: skip


def account_of(request: Request, store: Store) -> Account:
    account = store.account("toy", request.headers.get("x-toy-key", ""))
    if account is None:
        raise Refusal(401, "who are you?")
    return account


def reference(request: Request, body: Any) -> str:
    return reference_in(request.query_params.get("tell", ""))


def refused(code: int, refusal: Refusal) -> Response:
    return JSONResponse({"no": refusal.message or "no", "where": refusal.place}, code)


def created(caller: Caller, task: Task | None) -> Response:
    return JSONResponse({"id": task.id} if task else {}, 202)


def shown(task: Task) -> dict[str, Any]:
    done = task.state == "succeeded"
    file, said = queries.file_url(task) if done else "", task.plan["said"]
    return {"id": task.id, "is": task.word(WORDS), "why": task.message, "said": said, "file": file}


async def found(request: Request) -> tuple[Caller, Task]:
    caller = queries.caller_of(request)
    tasks = await queries.seen(caller, caller.tasks("id = ?", request.path_params["id"]))
    if not tasks or caller.forgot(tasks[0]):
        raise Refusal("unknown")
    return caller, tasks[0]


async def look(request: Request) -> Response:
    caller, task = await found(request)
    return JSONResponse(shown(task) | {"place": progress.place_in_queue(caller.store, task)})


async def stop(request: Request) -> Response:
    return Response(status_code=204 if queries.cancel(*await found(request)) else 409)


def callback(store: Store, account: Account, task: Task, forged: bool) -> Callback | None:
    """Of the end only."""
    if task.is_open:
        return None
    return standard_webhook(account.webhook_secret, json.dumps(shown(task)), forged=forged)


def bill(task: Task) -> int | None:
    """A success, and the half of what was stopped while at work."""
    if task.state == "cancelled" and task.updated_at > task.start_at:
        return task.milliunits // 2
    return task.milliunits if task.state == "succeeded" else None


TOY = Face(
    name="toy",
    prefix="/toy",
    codes={"malformed": 422, "unknown": 404, "empty": 402, "full": 429, "fast": 429, "internal": 500},
    failures={name: f"bad {name}" for name in FACES[0].failures},
    readers={"/make/{size}": read},
    routes=(Route("/works/{id}", look), Route("/works/{id}/stop", stop, methods=["POST"])),
    new_account=lambda key: Account(provider="toy", api_key=key, slots=2, webhook_secret=WHSEC),
    account_of=account_of,
    reference=reference,
    refused=refused,
    created=created,
    callback=callback,
    new_id=lambda now: secrets.token_hex(8),
    bill=bill,
    queues=True,
    rate=Rate(creates=20, seconds=10),
    answer_seconds=3600,
    file_seconds=7200,
    retry_seconds=(5, 5),
)

if __name__ == "__main__":
    main((*FACES, TOY))
