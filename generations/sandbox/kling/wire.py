"""Kling's envelope, codes and words, and how a caller proves which account it is."""

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

from generations.sandbox.refusals import Refusal
from generations.sandbox.store import Account, Store

NAME = "kling"
CODES = {"malformed": 1201, "unknown": 1202, "empty": 1102, "full": 1303, "fast": 1302, "internal": 5000}
STATUS_OF = {
    **dict.fromkeys((1000, 1001, 1002, 1003, 1004), 401),
    **dict.fromkeys((1100, 1101, 1102, 1302, 1303, 1304), 429),
    1103: 403,
    **dict.fromkeys((1200, 1201, 1300, 1301), 400),
    **dict.fromkeys((1202, 1203), 404),
    5000: 500,
    5001: 503,
    5002: 504,
}
MESSAGES = {
    1000: "Authentication failed",
    1001: "Authorization is empty",
    1002: ("Authentication error. The current API does not support AK/SK; please go to the console to create API key."),
    1003: "Authorization is not yet valid",
    1004: "Authorization has expired",
    1100: "Account exception",
    1101: "Account in arrears",
    1102: "Account balance not enough",
    1103: "No permission for the requested model",
    1200: "Invalid request parameters",
    1201: "Invalid request parameters",
    1202: "The requested method is invalid",
    1203: "The requested resource does not exist",
    1300: "Trigger the platform's policy",
    1301: "Trigger the platform's content security policy",
    1302: "Request too fast, exceeded the platform's rate limit",
    1303: "parallel task over resource pack limit",
    1304: "Trigger the platform's IP whitelist policy",
    5000: "Server internal error",
    5001: "Server temporarily unavailable, under maintenance",
    5002: "Server internal timeout",
}


# Kling's words where they are known from live answers; the rest in its style.
FAILURES = {
    "content": "Failure to pass the risk control system",
    "image": "Image pixel is invalid",
    "format": "Image format is invalid",
    "download": "Failed to download the reference image",
    "large": "Failed to download the reference image: file too large",
    "face": "No face detected in the reference image",
    "video": "The reference video format is not supported",
    "timeout": "Task timed out",
    "internal": "Service internal error",
}


def _answer(status: int, code: int, message: str, **data: Any) -> JSONResponse:
    return JSONResponse({"code": code, "message": message, "request_id": secrets.token_hex(16), **data}, status)


def success(data: Any) -> JSONResponse:
    return _answer(200, 0, "SUCCEED", data=data)


def refused(code: int, refusal: Refusal) -> JSONResponse:
    """The code's usual text, or a more exact one that names the field."""
    message = f"{refusal.place} {refusal.message}".strip() or MESSAGES.get(code, "Unknown error")
    return _answer(STATUS_OF.get(code, 400), code, message)


def new_account(api_key: str) -> Account:
    access_key = f"{api_key}-access-key"
    return Account(provider=NAME, api_key=api_key, access_key=access_key, secret_key=secrets.token_hex(16))


def reference(request: Request, body: Any) -> str:
    """The caller's own id, wherever the generation puts it; empty in a body that cannot be read."""
    options = body.get("options", body) if isinstance(body, dict) else None
    return str(options.get("external_task_id", "")) if isinstance(options, dict) else ""


def account_of(request: Request, store: Store) -> Account:
    """The account of an API key; on legacy paths also of a JWT signed with its secret key."""
    scheme, _, credential = request.headers.get("authorization", "").partition(" ")
    if scheme != "Bearer" or not credential:
        raise Refusal(1001)
    account = store.account(NAME, credential)
    if account is None and credential.count(".") == 2 and request.url.path.startswith("/v1/"):
        account = _jwt_account(credential, store)
    if account is None:
        raise Refusal(1002)
    return account


def _jwt_account(token: str, store: Store) -> Account | None:
    signed, _, signature = token.rpartition(".")
    try:
        header, claims = (json.loads(_base64url(part)) for part in signed.split("."))
        given = _base64url(signature)
        issuer, not_before, expires = str(claims["iss"]), float(claims.get("nbf", 0)), float(claims["exp"])
        algorithm = header["alg"]
    except (ValueError, KeyError, TypeError, binascii.Error) as error:
        raise Refusal(1000) from error
    account = store.account_by_access_key(NAME, issuer)
    if account is None or algorithm != "HS256":
        return None
    if not hmac.compare_digest(hmac.digest(account.secret_key.encode(), signed.encode(), hashlib.sha256), given):
        return None
    if not_before > store.now():
        raise Refusal(1003)
    if expires <= store.now():
        raise Refusal(1004)
    return account


def _base64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
