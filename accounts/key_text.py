"""What an API key looks like: `sk-` (or `sk-test-` for a sandbox) + 30 random characters + 6 characters of checksum.

The checksum is the CRC32 of everything before it, in base62: a typo is refused without a look-up, and a scanner can
tell a leaked key from noise. Only the HMAC of the text is stored; the key is random, so a slow hash would add nothing.
"""

import hashlib
import hmac
import re
import secrets
import string
import zlib

from django.conf import settings

BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
LIVE, SANDBOX = "sk-", "sk-test-"
RANDOM_LENGTH, CHECKSUM_LENGTH = 30, 6
SHAPE = re.compile(r"sk-(?:test-)?[0-9A-Za-z]{36}", re.ASCII)


def generate(*, sandbox: bool) -> str:
    """A fresh key text."""
    body = (SANDBOX if sandbox else LIVE) + "".join(secrets.choice(BASE62) for _ in range(RANDOM_LENGTH))
    return body + _checksum(body)


def is_well_formed(text: str) -> bool:
    """Whether `text` can be a key at all: shape and checksum."""
    return bool(SHAPE.fullmatch(text)) and _checksum(text[:-CHECKSUM_LENGTH]) == text[-CHECKSUM_LENGTH:]


def digest(text: str) -> bytes:
    """What is stored and looked up: HMAC-SHA256 under `settings.API_KEY_PEPPER`, 32 bytes."""
    return hmac.digest(settings.API_KEY_PEPPER.encode(), text.encode(), hashlib.sha256)


def hint(text: str) -> str:
    """How a key is recognised once its text is gone: `sk-Ab1…x9Yz`."""
    prefix = SANDBOX if text.startswith(SANDBOX) else LIVE
    return f"{text[: len(prefix) + 3]}…{text[-4:]}"


def _checksum(body: str) -> str:
    number, characters = zlib.crc32(body.encode()), ""
    for _ in range(CHECKSUM_LENGTH):
        number, value = divmod(number, 62)
        characters = BASE62[value] + characters
    return characters
