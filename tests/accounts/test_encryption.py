"""Secrets at rest."""

import pytest
from cryptography.fernet import Fernet, InvalidToken
from pytest_django import Settings

from accounts.encryption import decrypt, encrypt


def test_a_secret_is_unreadable_at_rest_and_comes_back_whole() -> None:
    assert b"ak-secret" not in encrypt("ak-secret é")
    assert decrypt(encrypt("ak-secret é")) == "ak-secret é"


def test_a_new_first_key_encrypts_and_the_old_one_still_decrypts(settings: Settings) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.ENCRYPTION_KEYS = [old]
    kept = encrypt("secret")
    settings.ENCRYPTION_KEYS = [new, old]
    assert decrypt(kept) == "secret"
    assert Fernet(new).decrypt(encrypt("secret")) == b"secret"


def test_a_key_that_is_gone_opens_nothing(settings: Settings) -> None:
    kept = encrypt("secret")
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(InvalidToken):
        decrypt(kept)
