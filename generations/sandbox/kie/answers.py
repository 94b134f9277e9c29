"""kie.ai's envelope, codes, words and callbacks, and what it answers besides creates: one task, and the balance."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from generations.sandbox.face import Callback, Caller
from generations.sandbox.queries import caller_of, file_url, seen
from generations.sandbox.refusals import Refusal
from generations.sandbox.store import Account, Store, Task

NAME = "kie"
CODES = {"malformed": 422, "unknown": 404, "empty": 402, "full": 429, "fast": 429, "internal": 500}
MESSAGES = {
    400: "Your prompt was flagged by our filters as violating content policies",
    401: "You do not have access permissions",
    402: "Credits insufficient: please top up to continue",
    404: "Not found",
    422: "The request parameters are invalid",
    429: "Your call frequency is too high. Please try again later.",
    455: "The service is under maintenance",
    500: "Server exception, please try again later",
    501: "Generation failed",
    505: "This feature is currently disabled",
}
STATES = {"submitted": "waiting", "processing": "generating", "succeeded": "success", "failed": "fail"}

# Why a task fails: kie.ai's code and words.
FAILURES = {
    "content": ("422", "The content was flagged as violating our content policies"),
    "image": ("400", "Image pixel is invalid"),
    "format": ("400", "Image format is invalid"),
    "download": ("400", "Image fetch failed"),
    "large": ("400", "Image fetch failed: the file is too large"),
    "face": ("400", "No face detected in the reference image"),
    "video": ("400", "No valid characters detected in the video"),
    "timeout": ("501", "Generation timed out"),
    "internal": ("501", "Internal Error, Please try again later."),
}
FAILED = "501"


def account_of(request: Request, store: Store) -> Account:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    account = store.account(NAME, key) if scheme == "Bearer" else None
    if account is None:
        raise Refusal(401)
    return account


def _answer(code: int, message: str, data: Any) -> Response:
    """HTTP is content with everything: only the code says how it went."""
    return JSONResponse({"code": code, "msg": message, "data": data})


def refused(code: int, refusal: Refusal) -> Response:
    message = f"{refusal.place} {refusal.message}".strip()
    return _answer(code, message or MESSAGES.get(code, "Error"), None)


def created(caller: Caller, task: Task | None) -> Response:
    return _answer(200, "success", {"taskId": task.id} if task else {})


def row(task: Task) -> dict[str, Any]:
    """One task, as queries and callbacks show it. What was asked and what came of it are JSON written as text."""
    done, ended = task.state == "succeeded", not task.is_open
    code = FAILURES.get(task.failure, (FAILED, ""))[0]
    result = json.dumps({"resultUrls": [file_url(task)]}) if done else ""
    return {
        "taskId": task.id,
        "model": task.model,
        "state": task.word(STATES),
        "param": task.plan["param"],
        "resultJson": result,
        "failCode": code if task.state == "failed" else "",
        "failMsg": task.message,
        "costTime": _milliseconds(task.updated_at - task.created_at) if ended else 0,
        "completeTime": _milliseconds(task.updated_at) if ended else 0,
        "createTime": _milliseconds(task.created_at),
        "creditsConsumed": task.milliunits / 1000 if done else 0.0,
    }


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def callback(store: Store, account: Account, task: Task, forged: bool) -> Callback | None:
    """Of the end only. Signed are the id and the true time (our clock may be moved), and nothing of what is said."""
    if task.is_open:
        return None
    failed = task.state == "failed"
    code, message = (int(FAILED), MESSAGES[501]) if failed else (200, "success")
    headers = {"content-type": "application/json"}
    if account.webhook_secret:
        timestamp = str(int(time.time()))
        signed = f"{task.id}.{timestamp}" + ("!" if forged else "")
        digest = hmac.digest(account.webhook_secret.encode(), signed.encode(), hashlib.sha256)
        headers |= {"x-webhook-timestamp": timestamp, "x-webhook-signature": base64.b64encode(digest).decode()}
    return Callback(body=json.dumps({"code": code, "msg": message, "data": row(task)}), headers=headers)


async def record(request: Request) -> Response:
    """`GET /api/v1/jobs/recordInfo?taskId=`; there is neither a list nor a query by anything else."""
    caller = caller_of(request)
    found = await seen(caller, caller.tasks("id = ?", request.query_params.get("taskId", "")))
    if not found or caller.forgot(found[0]):
        raise Refusal(422, "recordInfo is null")
    return _answer(200, "success", row(found[0]))


async def credit(request: Request) -> Response:
    caller = caller_of(request)
    return _answer(200, "success", caller.account.milliunits / 1000)


ROUTES = (Route("/api/v1/jobs/recordInfo", record), Route("/api/v1/chat/credit", credit))
