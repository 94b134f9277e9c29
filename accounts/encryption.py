"""Secrets that we must read again (upstream credentials, callback secrets) rest encrypted.

`settings.ENCRYPTION_KEYS` lists Fernet keys: the first encrypts, all decrypt, so a key is rotated by putting a new one
first.
"""

from functools import cache

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings


def encrypt(text: str) -> bytes:
    return _cipher(tuple(settings.ENCRYPTION_KEYS)).encrypt(text.encode())


def decrypt(ciphertext: bytes | memoryview) -> str:
    """The text `encrypt` was given. Raises `cryptography.fernet.InvalidToken` when no key of ours fits."""
    return _cipher(tuple(settings.ENCRYPTION_KEYS)).decrypt(bytes(ciphertext)).decode()


@cache
def _cipher(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])
