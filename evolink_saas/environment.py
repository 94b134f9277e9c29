"""Read settings from the environment, and fail loudly: a wrong value names its variable.

Every function takes the variable's name and what holds when it is missing; without a default the variable is required.
"""

import os
from decimal import Decimal, InvalidOperation
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from dotenv import load_dotenv

REQUIRED = object()
TRUE, FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off"}


def load() -> None:
    """Add what stands in the project's `.env`; what the environment says already wins."""
    load_dotenv(Path(__file__).resolve().parent.parent / ".env")


def text(name: str, default: object = REQUIRED) -> str:
    value = os.environ.get(name, "")
    if value:
        return value
    if default is REQUIRED:
        raise ImproperlyConfigured(f"{name} must be set (docs/configuration.md says what it is).")
    return str(default)


def boolean(name: str, default: bool) -> bool:
    value = text(name, "on" if default else "off").lower()
    if value not in TRUE | FALSE:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(sorted(TRUE | FALSE))}, not {value!r}.")
    return value in TRUE


def choice(name: str, default: str, allowed: tuple[str, ...]) -> str:
    value = text(name, default)
    if value not in allowed:
        raise ImproperlyConfigured(f"{name} must be {' or '.join(allowed)}, not {value!r}.")
    return value


def integer(name: str, default: int, *, minimum: int = 0) -> int:
    value = text(name, default)
    try:
        number = int(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a whole number, not {value!r}.") from None
    if number < minimum:
        raise ImproperlyConfigured(f"{name} must be at least {minimum}, not {number}.")
    return number


def decimal(name: str, default: str) -> Decimal:
    value = text(name, default)
    try:
        return Decimal(value)
    except InvalidOperation:
        raise ImproperlyConfigured(f"{name} must be a number, not {value!r}.") from None


def words(name: str, default: object = "") -> list[str]:
    """A comma-separated list; blanks are dropped."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]
