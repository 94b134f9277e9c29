"""Ids: primary keys are ULIDs kept as UUIDs; customers see them as a prefix and 26 lower-case characters.

48 bits of milliseconds come first, so inserts into an index stay local; 80 random bits follow, so nobody can guess one.
The alphabet is Crockford's base32 (https://www.crockford.com/base32.html) in lower case.
"""

import secrets
import time
import uuid

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
VALUES = {character: value for value, character in enumerate(ALPHABET)}
LENGTH = 26


def new() -> uuid.UUID:
    """A fresh, time-ordered, unguessable id."""
    milliseconds = time.time_ns() // 1_000_000
    return uuid.UUID(int=(milliseconds << 80) | secrets.randbits(80))


def encode(prefix: str, identifier: uuid.UUID) -> str:
    """`encode("task-video-", id)` -> `"task-video-01jm3x…"`."""
    number = identifier.int
    digits = [ALPHABET[(number >> shift) & 31] for shift in range(5 * (LENGTH - 1), -1, -5)]
    return prefix + "".join(digits)


def decode(prefix: str, text: str) -> uuid.UUID | None:
    """The id that `encode` wrote, or None when `text` is not one (wrong prefix, length or characters)."""
    suffix = text.removeprefix(prefix)
    if suffix == text or len(suffix) != LENGTH or any(character not in VALUES for character in suffix):
        return None
    number = 0
    for character in suffix:
        number = number << 5 | VALUES[character]
    return uuid.UUID(int=number) if number < 1 << 128 else None


def new_number() -> int:
    """A fresh 18-digit number for objects that customers know by digits: time-ordered, 22 random bits, below 2^63."""
    return ((time.time_ns() // 1_000_000) << 22 | secrets.randbits(22)) % 9_000_000_000_000_000_000
