"""`manage.py load_price_book`: make the price book file the prices of new tasks."""

from argparse import ArgumentParser
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from billing import price_book
from billing.errors import PriceConflict


def moment(text: str) -> datetime:
    parsed = datetime.fromisoformat(text)
    return parsed if timezone.is_aware(parsed) else timezone.make_aware(parsed)


class Command(BaseCommand):
    help = "Load billing/price_book.toml; the same content again changes nothing, nor does it what operators changed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--file", type=Path, default=price_book.FILE)
        parser.add_argument("--effective-at", type=moment, help="ISO 8601, UTC unless it says otherwise; default now.")
        parser.add_argument("--replace", action="store_true", help="Also the prices that operators have changed.")

    def handle(self, *, file: Path, effective_at: datetime | None, replace: bool, **options: Any) -> None:
        try:
            version, is_new = price_book.load(file.read_text(encoding="utf-8"), effective_at, replace=replace)
        except PriceConflict as conflict:
            raise CommandError(str(conflict)) from conflict
        count = version.cells.count()
        self.stdout.write(f"Price book: {count} prices, {'new, ' if is_new else ''}{version}.")
        if version.digest != version.file_digest:
            self.stdout.write("Operators have changed prices: theirs stand. --replace puts the file's in their place.")
