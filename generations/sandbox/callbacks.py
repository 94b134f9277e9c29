"""What the simulator sends by itself: a callback on each change of a task's state, signed as Standard Webhooks asks."""

import asyncio
import base64
import hashlib
import hmac
import json
import secrets

import httpx

from generations.sandbox import rows
from generations.sandbox.store import Store, Task

REORDERED_SECONDS = 3.0


def signature(secret: str, message_id: str, timestamp: int, body: str) -> str:
    """`v1,<base64>` over `{id}.{timestamp}.{body}`; the key is the base64 text behind `whsec_`."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.digest(key, f"{message_id}.{timestamp}.{body}".encode(), hashlib.sha256)
    return "v1," + base64.b64encode(digest).decode()


async def send(client: httpx.AsyncClient, store: Store, task: Task) -> None:
    """Tells the task's callback address how it stands, once, and logs how that went."""
    if not task.callback_url or "callback-lost" in task.faults:
        return
    body = json.dumps(rows.row(task, task.origin), ensure_ascii=False)
    headers = _headers(store, task, body)
    if "callback-reordered" in task.faults and task.state == "processing":
        await asyncio.sleep(REORDERED_SECONDS)
    for _ in range(2 if "callback-twice" in task.faults else 1):
        try:
            response = await client.post(task.callback_url, content=body, headers=headers)
            outcome = str(response.status_code)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            outcome = type(error).__name__
        store.add("callbacks", at=store.now(), task_id=task.id, state=task.state, outcome=outcome)


def _headers(store: Store, task: Task, body: str) -> dict[str, str]:
    account = store.account(task.account)
    headers = {"content-type": "application/json"}
    if account is None or not account.webhook_secret:
        return headers
    message_id, timestamp = secrets.token_hex(8), int(store.now())
    signed = body + ("!" if "callback-bad-signature" in task.faults else "")
    return headers | {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(account.webhook_secret, message_id, timestamp, signed),
    }
