"""A callback says what a query would. Its signature covers the id and the time alone, so nothing else is read of it."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime

from generations.providers import signatures
from generations.providers.base import CallbackRefused

IDS = ("taskId", "task_id")


def read(secret: str, headers: Mapping[str, str], body: bytes, now: datetime) -> str:
    """The task it is about. Without a secret there is nothing to check. Raises CallbackRefused."""
    found = signatures.read_object(body)
    inner = found.get("data")
    named = inner if isinstance(inner, dict) and any(name in inner for name in IDS) else found
    upstream_id = signatures.named_in(named, *IDS)
    if secret:
        timestamp = headers.get("x-webhook-timestamp", "")
        signatures.check_age(timestamp, now)
        given = headers.get("x-webhook-signature", "")
        if not hmac.compare_digest(given.encode(), signature(secret, upstream_id, timestamp).encode()):
            raise CallbackRefused("the signature is wrong")
    return upstream_id


def signature(secret: str, upstream_id: str, timestamp: str) -> str:
    """base64(HMAC-SHA256(`<id>.<timestamp>`))."""
    digest = hmac.digest(secret.encode(), f"{upstream_id}.{timestamp}".encode(), hashlib.sha256)
    return base64.b64encode(digest).decode()
