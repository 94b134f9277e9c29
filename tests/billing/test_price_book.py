"""Loading the price book: the same content is no new version, new content has its date, bad content changes nothing."""

from datetime import timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
import time_machine
from django.core.management import call_command
from django.utils import timezone

from accounts.models import Organization
from billing import price_book, pricing
from billing.models import PriceCell, PriceVersion

BOOK = price_book.FILE.read_text()
T2V = "kling-v3-text-to-video"


def test_the_same_content_is_no_new_version(db: None) -> None:
    first, is_new = price_book.load(BOOK)
    again, is_new_again = price_book.load("# a comment\n" + BOOK)

    assert (is_new, is_new_again, again) == (True, False, first)
    assert PriceVersion.objects.count() == 1
    assert PriceCell.objects.count() == 42


def test_new_content_is_a_version_that_begins_when_it_says(acme: Organization) -> None:
    price_book.load(BOOK)
    later = timezone.now() + timedelta(days=1)

    version, is_new = price_book.load(BOOK.replace("rate = 5.4", "rate = 6"), later)

    assert (is_new, version.effective_at) == (True, later)
    assert pricing.quote(T2V, "720p_off", 5, acme).credits == Decimal(27)
    with time_machine.travel(later, tick=False):
        assert pricing.quote(T2V, "720p_off", 5, acme).credits == Decimal(30)


def test_loading_the_old_content_does_not_undo_a_scheduled_change(db: None) -> None:
    price_book.load(BOOK)
    price_book.load(BOOK.replace("rate = 5.4", "rate = 6"), timezone.now() + timedelta(days=1))

    _, is_new = price_book.load(BOOK)

    assert not is_new
    assert PriceVersion.objects.count() == 2


def test_going_back_to_old_prices_is_a_new_version(db: None) -> None:
    for text in (BOOK, BOOK.replace("rate = 5.4", "rate = 6"), BOOK):
        price_book.load(text)

    assert PriceVersion.objects.count() == 3


@pytest.mark.parametrize("wrong", ["rate = 5.40001", "rate = -1", 'rate = "free"', "unknown = 1"])
def test_a_book_with_a_wrong_price_changes_nothing(db: None, wrong: str) -> None:
    with pytest.raises((KeyError, ValueError, ArithmeticError)):
        price_book.load(BOOK.replace("rate = 5.4", wrong))

    assert not PriceVersion.objects.exists()


def test_the_command_loads_a_file_and_says_what_it_did(db: None, tmp_path: Path) -> None:
    said, file = StringIO(), tmp_path / "book.toml"
    file.write_text(BOOK)

    call_command("load_price_book", "--file", str(file), "--effective-at", "2026-01-02T03:04", stdout=said)
    call_command("load_price_book", "--file", str(file), stdout=said)

    assert said.getvalue().splitlines() == [
        f"Price book: 42 prices, new, {PriceVersion.objects.get()}.",
        f"Price book: 42 prices, {PriceVersion.objects.get()}.",
    ]
