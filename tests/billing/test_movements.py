"""A moment is found among a wallet's transfers by halving, wherever it lies."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts import ids
from accounts.models import Organization
from billing import movements
from billing.models import Transfer
from tests.billing.books import give
from tests.cast import organization_of

pytestmark = pytest.mark.django_db
START = datetime(2026, 11, 1, tzinfo=UTC)


def counted(wallet_id: UUID, moment: datetime) -> int:
    return Transfer.objects.filter(wallet=wallet_id, created_at__lt=moment).count()


@given(gaps=st.lists(st.integers(0, 3), max_size=12))
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
def test_it_is_found_whatever_the_times_are(gaps: list[int]) -> None:
    with time_machine.travel(START, tick=False) as clock:
        acme = organization_of("Acme", f"alice@{ids.new()}.example")
        for gap in gaps:
            clock.shift(timedelta(hours=gap))
            give(acme, 1)
    for hour in range(-1, sum(gaps) + 2):
        moment = START + timedelta(hours=hour)
        assert movements.last_before(acme.pk, moment) == counted(acme.pk, moment)


def test_a_wallet_that_is_not_there_has_no_transfers() -> None:
    assert movements.last_before(ids.new(), START) == 0


def test_it_takes_one_statement(acme: Organization) -> None:
    give(acme, 1)
    with CaptureQueriesContext(connection) as captured:
        assert movements.last_before(acme.pk, datetime(9999, 1, 1, tzinfo=UTC)) == 1
    assert len(captured) == 1
