"""Whether a callback is the provider's own; all raise CallbackRefused. What it says is never believed alone."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

from generations.providers.base import CallbackRefused
from generations.providers.wire import text

TOLERANCE_SECONDS = 300


def check_standard_webhook(secret: str, headers: Mapping[str, str], body: bytes) -> None:
    """Standard Webhooks (https://www.standardwebhooks.com): any of the signatures, within five minutes of now."""
    try:
        Webhook(secret).verify(body, dict(headers))
    except (WebhookVerificationError, ValueError) as error:
        raise CallbackRefused(f"the signature is wrong: {error}") from error


def check_age(timestamp: str, now: datetime) -> None:
    """`timestamp` in unix seconds, within five minutes of now."""
    if not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 12:
        raise CallbackRefused("there is no timestamp")
    if abs(now.timestamp() - int(timestamp)) > TOLERANCE_SECONDS:
        raise CallbackRefused("the timestamp is too old or in the future")


def read_object(body: bytes) -> dict[str, Any]:
    """The JSON object of a callback."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise CallbackRefused("the body is no JSON") from error
    if not isinstance(found, dict):
        raise CallbackRefused("the body is no JSON object")
    return found


def named_in(found: Mapping[str, Any], *names: str) -> str:
    """The upstream id that stands under the first of these names."""
    upstream_id = next((text(found[name]) for name in names if text(found.get(name))), "")
    if not upstream_id:
        raise CallbackRefused("the body names no work")
    return upstream_id
