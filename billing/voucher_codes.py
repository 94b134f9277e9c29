"""What a voucher's code looks like: `EVO-7K3Q-9XRT-2M4E`, 11 random characters of Crockford's base32 and one to check.

The last character is the number that the others make, modulo 37 (https://www.crockford.com/base32.html), so every
wrong character and every swap of neighbours is noticed without a look-up. Codes whose check character would be none of
the 32 are not used. People type codes: case, spaces and dashes do not matter, O is 0, I and L are 1, and `EVO` may be
left out. Only the HMAC of a code is stored; without the pepper nobody finds a code by trying 2^55 of them.
"""

import secrets
import unicodedata

from accounts import peppered
from accounts.ids import ALPHABET, VALUES

PREFIX = "EVO"
LENGTH, GROUP = 12, 4
MODULUS = 37
CONFUSED = str.maketrans({"o": "0", "i": "1", "l": "1"})


def generate() -> str:
    """A fresh code, as customers see it."""
    while True:
        body = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH - 1))
        check = _check(body)
        if check < len(ALPHABET):
            return _spelled(body + ALPHABET[check])


def read(text: str) -> str | None:
    """The code that somebody typed, spelled as `generate` spells it; None when it is none."""
    plain = unicodedata.normalize("NFKC", text).lower().translate(CONFUSED)
    code = "".join(letter for letter in plain if not letter.isspace() and unicodedata.category(letter) != "Pd")
    if len(code) == len(PREFIX) + LENGTH:
        code = code.removeprefix(PREFIX.lower().translate(CONFUSED))
    if len(code) != LENGTH or any(letter not in VALUES for letter in code):
        return None
    return _spelled(code) if _check(code[:-1]) == VALUES[code[-1]] else None


def digest(code: str) -> bytes:
    """What is stored and looked up, of a code that `generate` or `read` spelled."""
    return peppered.digest("voucher", code)


def hint(code: str) -> str:
    """How a voucher is recognised once its code is gone: `EVO-…-2M4E`."""
    return f"{PREFIX}-…-{code[-GROUP:]}"


def _check(body: str) -> int:
    number = 0
    for letter in body:
        number = number * len(ALPHABET) + VALUES[letter]
    return number % MODULUS


def _spelled(code: str) -> str:
    groups = (code[start : start + GROUP].upper() for start in range(0, LENGTH, GROUP))
    return "-".join([PREFIX, *groups])
