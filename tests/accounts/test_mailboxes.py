"""Two spellings of one mailbox are one, and two mailboxes are two."""

import pytest
from pytest_django import Settings

from accounts import mailboxes


@pytest.mark.parametrize(
    ("email", "normal"),
    [
        ("alice@acme.example", "alice@acme.example"),
        ("  Alice@ACME.example ", "alice@acme.example"),
        ("alice+shop@acme.example", "alice@acme.example"),
        ("alice+a+b@acme.example", "alice@acme.example"),
        ("a.l.i.c.e@acme.example", "a.l.i.c.e@acme.example"),
        ("A.lice.Smith+x@Gmail.com", "alicesmith@gmail.com"),
        ("alice.smith@googlemail.com", "alicesmith@gmail.com"),
        ("alicesmith@GoogleMail.com.", "alicesmith@gmail.com"),
        ("ａｌｉｃｅ@ａｃｍｅ.example", "alice@acme.example"),
        ("ﬁona@acme.example", "fiona@acme.example"),
        ("alice@bücher.example", "alice@xn--bcher-kva.example"),
        ("alice@XN--BCHER-KVA.example", "alice@xn--bcher-kva.example"),
        ("+tag@acme.example", "+tag@acme.example"),
    ],
)
def test_the_spelling_that_all_share(email: str, normal: str) -> None:
    assert mailboxes.normal(email) == normal
    assert mailboxes.normal(normal) == normal
    assert mailboxes.digest(email) == mailboxes.digest(normal)


def test_others_are_others_and_the_hash_needs_the_pepper(settings: Settings) -> None:
    alice = mailboxes.digest("alice@acme.example")
    assert len(alice) == 32
    assert alice not in {mailboxes.digest("alice@zenith.example"), mailboxes.digest("bob@acme.example")}
    settings.API_KEY_PEPPER = "another"
    assert mailboxes.digest("alice@acme.example") != alice
