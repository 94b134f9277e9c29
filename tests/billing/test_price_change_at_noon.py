"""A price change at noon divides a day's revenue exactly: what was made before keeps its price, whenever it ends."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine

from accounts.models import Organization
from billing import drafts, ledger, overrides, price_book, pricing, rollups
from billing.models import Kind, Reservation
from tests.billing.books import findings, give, reserve, summed_up, totals
from tests.billing.conftest import TICK

T2V = "kling-v3-text-to-video"
NOON = datetime(2098, 6, 1, 12, tzinfo=UTC)
MIDNIGHT, DAY = NOON.replace(hour=0), timedelta(days=1)


def by_a_new_version() -> None:
    draft = drafts.start("Dearer")
    drafts.change(draft, {cell.pk: {"rate": Decimal(6)} for cell in draft.cells.filter(model=T2V)})
    drafts.schedule(draft, NOON)


def by_an_exact_rate(organization: Organization) -> None:
    overrides.set_rate(organization, T2V, Decimal(6), reason="test", effective_at=NOON)


def made_at(moment: datetime, organization: Organization) -> tuple[Reservation, pricing.Price]:
    with time_machine.travel(moment, tick=False):
        price = pricing.quote(T2V, "720p_off", 5, organization)
        return reserve(organization, price.credits, model=T2V), price


@pytest.mark.parametrize("change", [by_a_new_version, by_an_exact_rate])
def test_the_day_is_divided_to_the_microsecond(acme: Organization, change: Callable[..., None]) -> None:
    with time_machine.travel(MIDNIGHT - DAY, tick=False):
        price_book.load(price_book.FILE.read_text())
        give(acme, 1000, "paid")
        change(*[acme] if change is by_an_exact_rate else [])
    moments = [NOON - timedelta(hours=1), NOON - timedelta(seconds=1), NOON - TICK, NOON, NOON + TICK]
    made = [made_at(moment, acme) for moment in moments]

    with time_machine.travel(NOON + timedelta(minutes=30), tick=False) as clock:
        for reservation, price in made[1:]:
            ledger.capture(reservation.pk, pricing.settle(price.inputs, None))
        clock.shift(timedelta(hours=2))
        ledger.capture(made[0][0].pk, pricing.settle(made[0][1].inputs, None))

    assert [price.credits for _, price in made] == [27, 27, 27, 30, 30]
    hours = rollups.sums(["time"], since=MIDNIGHT, until=MIDNIGHT + DAY, kinds=[Kind.CAPTURE], span=rollups.Span.HOUR)
    assert hours == [
        {"time": NOON, "amount": 2 * 27 + 2 * 30, "postings": 4},
        {"time": NOON + timedelta(hours=2), "amount": 27, "postings": 1},
    ]
    everything = tuple(rollups.COLUMNS)
    for _ in ("with a tail", "rolled up"):
        sums = rollups.sums(everything, since=MIDNIGHT, until=MIDNIGHT + DAY, span=rollups.Span.HOUR)
        assert sums == summed_up(everything, MIDNIGHT, MIDNIGHT + DAY)
        rollups.roll(acme.pk)
    assert totals(acme) == (1000 - 141, 0)
    assert findings() == []
