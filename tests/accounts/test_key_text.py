"""What a key looks like."""

import re
import zlib

import pytest
from pytest_django import Settings

from accounts import key_text


def test_a_live_key_is_sk_and_36_base62_characters() -> None:
    assert re.fullmatch(r"sk-[0-9A-Za-z]{36}", key_text.generate(sandbox=False))


def test_a_sandbox_key_says_test() -> None:
    assert re.fullmatch(r"sk-test-[0-9A-Za-z]{36}", key_text.generate(sandbox=True))


def test_no_two_keys_are_alike() -> None:
    assert len({key_text.generate(sandbox=False) for _ in range(1000)}) == 1000


def test_the_last_six_characters_are_the_crc32_in_base62() -> None:
    text = key_text.generate(sandbox=False)
    number = 0
    for character in text[-6:]:
        number = number * 62 + key_text.BASE62.index(character)
    assert number == zlib.crc32(text[:-6].encode())


@pytest.mark.parametrize("sandbox", [False, True])
def test_every_single_typo_is_noticed(sandbox: bool) -> None:
    text = key_text.generate(sandbox=sandbox)
    assert key_text.is_well_formed(text)
    for position in range(len(text)):
        wrong = "0" if text[position] != "0" else "1"
        assert not key_text.is_well_formed(text[:position] + wrong + text[position + 1 :])


@pytest.mark.parametrize("text", ["", "sk-", "sk-test-", "pk-" + "a" * 36, "sk-" + "é" * 36, "sk-" + "a" * 35, "\n"])
def test_other_texts_are_no_keys(text: str) -> None:
    assert not key_text.is_well_formed(text)


def test_a_key_is_stored_as_an_hmac_under_the_pepper(settings: Settings) -> None:
    text = key_text.generate(sandbox=False)
    digest = key_text.digest(text)
    assert len(digest) == 32
    settings.API_KEY_PEPPER = "another pepper"
    assert key_text.digest(text) != digest


def test_the_hint_shows_both_ends_only() -> None:
    text = key_text.generate(sandbox=True)
    assert key_text.hint(text) == f"sk-test-{text[8:11]}…{text[-4:]}"
