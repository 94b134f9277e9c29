"""What the simulator sends by itself: a callback when a task's state changes, as its face writes and signs it."""

import asyncio
import base64
import hashlib
import hmac
import secrets
import time

import httpx

from generations.sandbox.face import Callback, Face
from generations.sandbox.store import Store, Task

REORDERED_SECONDS = 3.0


def signature(secret: str, message_id: str, timestamp: int, body: str) -> str:
    """`v1,<base64>` over `{id}.{timestamp}.{body}`; the key is the base64 text behind `whsec_`."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.digest(key, f"{message_id}.{timestamp}.{body}".encode(), hashlib.sha256)
    return "v1," + base64.b64encode(digest).decode()


def standard_webhook(secret: str, body: str, *, forged: bool) -> Callback:
    """A JSON message as Standard Webhooks asks, signed unless the secret is empty; `forged`: over another body.

    The time in it is the real one, since a receiver's clock does not move with the simulator's.
    """
    headers = {"content-type": "application/json"}
    if secret:
        message_id, timestamp = secrets.token_hex(8), int(time.time())
        headers |= {
            "webhook-id": message_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature(secret, message_id, timestamp, body + ("!" if forged else "")),
        }
    return Callback(body=body, headers=headers)


async def send(client: httpx.AsyncClient, store: Store, face: Face, task: Task) -> bool:
    """Tells the task's callback address how it stands, and logs how that went. False: there is nothing to tell."""
    account = store.account(task.provider, task.account)
    if not task.callback_url or "callback-lost" in task.faults or account is None:
        return False
    callback = face.callback(store, account, task, "callback-bad-signature" in task.faults)
    if callback is None:
        return False
    if "callback-reordered" in task.faults and task.state == "processing":
        await asyncio.sleep(REORDERED_SECONDS)
    for _ in range(2 if "callback-twice" in task.faults else 1):
        await _deliver(client, store, face, task, callback)
    return True


async def _deliver(client: httpx.AsyncClient, store: Store, face: Face, task: Task, callback: Callback) -> None:
    """Once, and again after each of the face's waits until somebody takes it."""
    for wait in (0.0, *face.retry_seconds):
        await asyncio.sleep(wait / float(store.setting("speed")))
        try:
            response = await client.post(task.callback_url, content=callback.body, headers=dict(callback.headers))
            outcome, taken = str(response.status_code), response.is_success
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            outcome, taken = type(error).__name__, False
        store.add(
            "callbacks", at=store.now(), provider=task.provider, task_id=task.id, state=task.state, outcome=outcome
        )
        if taken:
            return
