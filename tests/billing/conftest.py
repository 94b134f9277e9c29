"""The organizations of the cast, for tests of their books."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from pytest_django.fixtures import Settings

from accounts.models import Organization
from tests.cast import organization_of

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)
"""The least by which two moments differ in the database."""


@pytest.fixture(autouse=True)
def the_books_alone(settings: Settings) -> None:
    """Let the auditor look at nothing but the books."""
    settings.AUDIT_CHECKS = []


@pytest.fixture
def acme(db: None) -> Organization:
    """Alice's organization: its wallet is open and empty."""
    return organization_of("Acme", "alice@acme.example")


@pytest.fixture
def zenith(db: None) -> Organization:
    """Charlie's."""
    return organization_of("Zenith", "charlie@zenith.example")


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """A clock that stands at noon, UTC, and moves when told to."""
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller
