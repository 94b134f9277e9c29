"""Usage in the console: the API's figures as a page and as CSV, in days of UTC."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
import time_machine

from billing import ledger
from tests.cast import Person
from tests.console.visitors import Visitor

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HEAD = (
    "credits_reserved,credits_charged,credits_refunded,credits_used,tasks,tasks_charged,tasks_refunded".split(",")
)


@pytest.fixture
def used(alice: Person) -> None:
    """On 23 November alice's key used 27 credits of 30, by a model that nobody knows."""
    with time_machine.travel(NOON, tick=False):
        spend(alice, "task:1", "kling-v3-text-to-video", Decimal(30), Decimal(27))


def spend(person: Person, reference: str, model: str, reserved: Decimal, charged: Decimal) -> None:
    ledger.top_up(person.organization, Decimal(1000), reference=f"test:{reference}")
    raise NotImplementedError
