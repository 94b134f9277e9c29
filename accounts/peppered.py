"""Keyed hashes: what we must recognise again and never read back.

HMAC-SHA256 under `settings.API_KEY_PEPPER`; the purpose keeps hashes of two kinds apart. API keys have theirs in
`key_text`, older than this and without a purpose.
"""

import hashlib
import hmac

from django.conf import settings


def digest(purpose: str, text: str) -> bytes:
    """32 bytes."""
    return hmac.digest(settings.API_KEY_PEPPER.encode(), f"{purpose}:{text}".encode(), hashlib.sha256)
