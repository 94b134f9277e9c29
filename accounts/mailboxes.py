"""One mailbox has many spellings; this is the one that they share.

    Alice.Smith+shop@GoogleMail.com -> alicesmith@gmail.com

Case, compatibility forms of letters (NFKC) and tags after a plus count for nothing anywhere; at Gmail the dots neither
(https://support.google.com/mail/answer/7436150), and googlemail.com is gmail.com. Mail is never sent to this spelling.
"""

import unicodedata

from accounts import peppered

GMAIL = "gmail.com"
DOMAINS_OF_GMAIL = {GMAIL, "googlemail.com"}


def normal(email: str) -> str:
    name, _, domain = unicodedata.normalize("NFKC", email).strip().lower().rpartition("@")
    domain = _ascii(domain.rstrip("."))
    name = name.partition("+")[0] or name
    if domain in DOMAINS_OF_GMAIL:
        name, domain = name.replace(".", ""), GMAIL
    return f"{name}@{domain}"


def digest(email: str) -> bytes:
    """What is kept of a mailbox that must be recognised after its owner has left: 32 bytes, never read back."""
    return peppered.digest("mailbox", normal(email))


def _ascii(domain: str) -> str:
    """`bücher.example` is `xn--bcher-kva.example`."""
    try:
        return domain.encode("idna").decode()
    except UnicodeError:
        return domain
