"""A voucher's code: unguessable, easy to type, and a typing error is noticed without a look-up."""

import re

import pytest
from pytest_django import Settings

from accounts.ids import ALPHABET
from billing import voucher_codes

CODE = "EVO-7K3Q-9XRT-2M4E"


def test_codes_look_alike_and_are_all_different() -> None:
    made = [voucher_codes.generate() for _ in range(2000)]
    assert len(set(made)) == 2000
    assert all(re.fullmatch(r"EVO(-[0-9A-HJKMNP-TV-Z]{4}){3}", code) for code in made)
    assert all(voucher_codes.read(code) == code for code in made)
    assert {letter for code in made for letter in code[4:].replace("-", "").lower()} == set(ALPHABET)


@pytest.mark.parametrize(
    "typed",
    [
        "evo-7k3q-9xrt-2m4e",
        " EVO 7K3Q 9XRT 2M4E ",
        "EVO7K3Q9XRT2M4E",
        "7k3q9xrt2m4e",
        "EV0-7K3Q-9XRT-2M4E",
        "EVO–7K3Q—9XRT‑2M4E",
        "ＥＶＯ－７Ｋ３Ｑ－９ＸＲＴ－２Ｍ４Ｅ",
        "EVO-\u00a07K3Q-\t9XRT-2M4E\n",
    ],
)
def test_a_code_is_read_however_it_is_typed(typed: str) -> None:
    assert voucher_codes.read(typed) == CODE


def test_letters_that_look_like_digits_are_those_digits() -> None:
    with_digits = next(code for code in iter(voucher_codes.generate, "") if "0" in code[4:] and "1" in code[4:])
    for zero, one in (("O", "I"), ("o", "l"), ("0", "L"), ("o", "i")):
        typed = with_digits[:4] + with_digits[4:].replace("0", zero).replace("1", one)
        assert voucher_codes.read(typed) == with_digits


def test_a_code_that_begins_like_the_prefix_is_read_with_and_without_it() -> None:
    body = next(
        f"ev0{rest:09d}" for rest in range(10**9) if voucher_codes.read(f"ev0{rest:09d}".replace("-", "")) is not None
    )
    assert voucher_codes.read(body) == voucher_codes.read(f"EVO-{body}") is not None


def test_every_wrong_character_is_noticed() -> None:
    plain = CODE[4:].replace("-", "").lower()
    for place in range(len(plain)):
        for letter in set(ALPHABET) - {plain[place]}:
            assert voucher_codes.read(plain[:place] + letter + plain[place + 1 :]) is None


def test_every_swap_of_neighbours_is_noticed() -> None:
    for code in (voucher_codes.generate() for _ in range(200)):
        plain = code[4:].replace("-", "")
        for place in range(len(plain) - 1):
            first, second = plain[place], plain[place + 1]
            if first != second:
                assert voucher_codes.read(plain[:place] + second + first + plain[place + 2 :]) is None


@pytest.mark.parametrize(
    "typed", ["", "EVO", "EVO-7K3Q-9XRT", CODE + "0", "U" * 12, "EVO-7K3Q-9XRT-2M4É", "ABC" + CODE[3:]]
)
def test_what_cannot_be_a_code_is_none(typed: str) -> None:
    assert voucher_codes.read(typed) is None


def test_the_hash_needs_the_pepper_and_the_hint_gives_little_away(settings: Settings) -> None:
    before = voucher_codes.digest(CODE)
    settings.API_KEY_PEPPER = "another"
    assert voucher_codes.digest(CODE) != before and len(before) == 32
    assert voucher_codes.hint(CODE) == "EVO-…-2M4E"
