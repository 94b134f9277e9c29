"""Replicate's problem bodies and words, and how a caller proves which account it is."""

import base64
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from generations.sandbox.face import reference_in
from generations.sandbox.refusals import Refusal
from generations.sandbox.store import Account, Store

NAME = "replicate"
CODES = {"malformed": 422, "unknown": 404, "empty": 402, "full": 429, "fast": 429, "internal": 500}
INVALID = "Input validation failed"
PROBLEMS = {
    400: {"title": "Bad request", "detail": "The request could not be read."},
    401: {"title": "Unauthenticated", "detail": "You did not pass a valid authentication token"},
    402: {
        "title": "Insufficient credit",
        "detail": "You have insufficient credit to run this model. Go to your billing page to purchase credit.",
    },
    403: {"detail": "You do not have permission to perform this action."},
    404: {"detail": "The requested resource could not be found."},
    422: {"title": INVALID, "detail": "- input: is invalid\n"},
    429: {"detail": "Request was throttled. Your rate limit resets in ~30s."},
    500: {"title": "Internal server error", "detail": "Internal server error"},
}

# Kling's sentences are handed through; the first and the last are Replicate's own.
FAILURES = {
    "content": "The input or output was flagged as sensitive. Please try again with different inputs. (E005)",
    "image": "ModelError: Image pixel is invalid",
    "format": "ModelError: Image format is invalid",
    "download": "ModelError: Failed to download the reference image",
    "large": "ModelError: Failed to download the reference image: file too large",
    "face": "ModelError: No face detected in the reference image",
    "video": "ModelError: The reference video format is not supported",
    "timeout": "ModelError: Task timed out",
    "internal": "Prediction failed for an unknown reason. It might have run out of memory? (E1001)",
}


@dataclass(frozen=True, kw_only=True)
class InvalidField:
    """One entry of `invalid_fields`. `type` as its schema validator names it, such as `number_lte`."""

    type: str
    field: str
    description: str


class InvalidInput(Refusal):
    """All that is wrong with a body, at once."""

    def __init__(self, fields: Sequence[InvalidField]) -> None:
        lines = (f"{found.field}: {found.description}" if found.field else found.description for found in fields)
        super().__init__("malformed", "".join(f"- {line}\n" for line in lines))
        self.fields = tuple(fields)


def refused(code: int, refusal: Refusal) -> Response:
    problem: dict[str, Any] = {"status": code, "detail": f"HTTP {code}"} | PROBLEMS.get(code, {})
    if refusal.message:
        problem["detail"] = f"- {refusal.place}: {refusal.message}\n" if refusal.place else refusal.message
    if isinstance(refusal, InvalidInput):
        problem["invalid_fields"] = [asdict(field) for field in refusal.fields]
    return JSONResponse(problem, code)


def new_account(api_key: str) -> Account:
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
    return Account(provider=NAME, api_key=api_key, webhook_secret=secret)


def account_of(request: Request, store: Store) -> Account:
    scheme, _, credential = request.headers.get("authorization", "").partition(" ")
    account = store.account(NAME, credential) if scheme == "Bearer" and credential else None
    if account is None:
        raise Refusal(401)
    return account


def reference(request: Request, body: Any) -> str:
    """Only the address of the webhook has it."""
    webhook = body.get("webhook") if isinstance(body, dict) else None
    return reference_in(webhook) if isinstance(webhook, str) else ""
