"""fal's errors, words and credentials, and how its webhooks are signed."""

import re
import time
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from starlette.requests import Request
from starlette.responses import JSONResponse

from generations.sandbox.refusals import Refusal
from generations.sandbox.store import Account, Store, Task

NAME, PREFIX = "fal", "/fal"
CODES = {"malformed": 422, "unknown": 404, "empty": 403, "full": 429, "fast": 429, "internal": 500}
SENTENCES = {
    401: "Authentication is required to access this application.",
    403: "User is locked. Reason: Exhausted balance. Top up your balance at fal.ai/dashboard/billing.",
    404: "Not found",
    429: "Too many requests",
}
CONTENT = "content_policy_violation"
SLOTS = 2
USER_ID = "sandbox-user"
DOLLAR = 1000


@dataclass(frozen=True, kw_only=True)
class Error:
    """How a failed request ends: the status of its result, its type, fal's words.

    `of_request`: fal's queue ended it, and not the model.
    """

    status: int
    type: str
    message: str
    retryable: bool = False
    of_request: bool = False

    @property
    def body(self) -> dict[str, Any]:
        if self.of_request:
            return {"detail": self.message, "error_type": self.type}
        return {"detail": [entry(self.type, self.message, ["body"])]}

    @property
    def headers(self) -> dict[str, str]:
        return {"x-fal-error-type": self.type, "x-fal-retryable": str(self.retryable).lower()}


ERRORS = {
    "content": Error(status=422, type=CONTENT, message="The content could not be processed: flagged by a checker."),
    "image": Error(status=422, type="image_too_small", message="The image is too small."),
    "format": Error(status=422, type="unsupported_image_format", message="The image format is not supported."),
    "download": Error(status=422, type="file_download_error", message="Failed to download the file."),
    "large": Error(status=422, type="file_too_large", message="The file is too large."),
    "face": Error(status=422, type="face_detection_error", message="No face was detected."),
    "video": Error(status=422, type="unsupported_video_format", message="The video format is not supported."),
    "timeout": Error(status=504, type="request_timeout", message="Request timed out", retryable=True, of_request=True),
    "internal": Error(status=500, type="internal_server_error", message="Internal server error", retryable=True),
}
FAILURES = {name: error.message for name, error in ERRORS.items()}
CANCELLED = Error(status=499, type="client_cancelled", message="Request was cancelled", of_request=True)


def error_of(task: Task) -> Error | None:
    """Why an ended request has no video; None for a success. Words that are none of ours are Kling's, passed on."""
    if task.state == "cancelled":
        return CANCELLED
    if task.state != "failed":
        return None
    known = ERRORS.get(task.failure)
    return known or Error(status=422, type="downstream_service_error", message=task.message, retryable=True)


def entry(kind: str, message: str, place: list[str | int]) -> dict[str, Any]:
    """One error of a model."""
    return {"loc": place, "msg": message, "type": kind, "url": f"https://docs.fal.ai/errors#{kind}"}


def refused(code: int, refusal: Refusal) -> JSONResponse:
    """422 without a field is a refusal of the content."""
    if code == 422:
        place: list[str | int] = ["body", *_steps(refusal.place)]
        named = entry("value_error", refusal.message, place) if refusal.place else entry(CONTENT, "Flagged.", place)
        return JSONResponse({"detail": [named]}, code, headers={"x-fal-retryable": "false"})
    if code == 500:
        error = ERRORS["internal"]
        return JSONResponse(error.body, code, headers=error.headers)
    return JSONResponse({"detail": SENTENCES.get(code, refusal.message or "Bad request")}, code)


def _steps(place: str) -> list[str | int]:
    """`multi_prompt[0].duration` as fal writes it."""
    return [int(step) if step.isdigit() else step for step in re.findall(r"[^.\[\]]+", place) if step != "body"]


def new_account(api_key: str) -> Account:
    """A new account may run two videos at once; its balance is a million dollars."""
    return Account(provider=NAME, api_key=api_key, slots=SLOTS, milliunits=1_000_000 * DOLLAR)


def account_of(request: Request, store: Store) -> Account:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    account = store.account(NAME, key) if scheme == "Key" else None
    if account is None:
        raise Refusal(401)
    return account


def signing_key(store: Store) -> Ed25519PrivateKey:
    """Drawn once, kept in the simulator's folder."""
    return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(store.secret(NAME)))


def key_set(store: Store) -> dict[str, Any]:
    x = urlsafe_b64encode(signing_key(store).public_key().public_bytes_raw()).decode().rstrip("=")
    return {"keys": [{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": "sandbox", "x": x}]}


def signed(store: Store, request_id: str, body: str, *, forged: bool) -> Mapping[str, str]:
    """The headers of a webhook; `forged`: signed over another body. The time is the real one: a receiver's clock."""
    timestamp = str(int(time.time()))
    digest = sha256((body + ("!" if forged else "")).encode()).hexdigest()
    message = "\n".join((request_id, USER_ID, timestamp, digest)).encode()
    return {
        "content-type": "application/json",
        "x-fal-webhook-request-id": request_id,
        "x-fal-webhook-user-id": USER_ID,
        "x-fal-webhook-timestamp": timestamp,
        "x-fal-webhook-signature": signing_key(store).sign(message).hex(),
    }
