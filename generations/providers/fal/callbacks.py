"""Whether fal wrote a callback: ED25519 over four lines, by a key of the set that it publishes (docs.fal.ai)."""

import json
from base64 import urlsafe_b64decode
from binascii import Error
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from generations.providers import signatures
from generations.providers.base import CallbackRefused

KEYS = "jwks"
PREFIX = "x-fal-webhook-"


def key_set(found: Any) -> dict[str, str]:
    """The keys of a JWKS as they are stored; empty when it holds none that we can use."""
    entries = found.get("keys") if isinstance(found, Mapping) else None
    usable = [{"x": entry["x"]} for entry in entries or () if isinstance(entry, dict) and _public_key(entry)]
    return {KEYS: json.dumps(usable)} if usable else {}


def check(keys: Mapping[str, str], headers: Mapping[str, str], body: bytes, now: datetime) -> None:
    """Raises CallbackRefused when a key is known and none of them signed this, or it is not of now."""
    stored = keys.get(KEYS)
    if not stored:
        return
    timestamp = headers.get(f"{PREFIX}timestamp", "")
    signatures.check_age(timestamp, now)
    names = (headers.get(f"{PREFIX}request-id", ""), headers.get(f"{PREFIX}user-id", ""))
    message = "\n".join((*names, timestamp, sha256(body).hexdigest())).encode()
    signature = _from_hex(headers.get(f"{PREFIX}signature", ""))
    if not any(_signed(key, signature, message) for key in map(_public_key, json.loads(stored))):
        raise CallbackRefused("the signature is wrong")


def _from_hex(value: str) -> bytes:
    try:
        return bytes.fromhex(value)
    except ValueError as error:
        raise CallbackRefused("the signature is no hexadecimal number") from error


def _public_key(entry: Mapping[str, Any]) -> Ed25519PublicKey | None:
    """The key that a JWK holds in `x`; None when it is none of this kind."""
    value = entry.get("x")
    if not isinstance(value, str) or entry.get("crv", "Ed25519") != "Ed25519":
        return None
    try:
        return Ed25519PublicKey.from_public_bytes(urlsafe_b64decode(value + "=" * (-len(value) % 4)))
    except (ValueError, Error):
        return None


def _signed(key: Ed25519PublicKey | None, signature: bytes, message: bytes) -> bool:
    if key is None:
        return False
    try:
        key.verify(signature, message)
    except InvalidSignature:
        return False
    return True
