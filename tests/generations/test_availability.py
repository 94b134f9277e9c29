"""In which minutes a request would have been taken: what we see, what customers met, and what nobody saw."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Event

import pytest
import time_machine

from accounts import organizations
from billing import ledger, price_book
from generations import breaker, catalog, figures, health, jobs
from generations.models import ModelHour, ProviderAccount, Task
from tests.cast import Person, client_for, give_key
from tests.generations.gateway import TEXT_TO_VIDEO, Steps, at_once

pytestmark = pytest.mark.django_db

NOON = datetime(2027, 3, 2, 12, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
MODEL = "kling-v3-text-to-video"
POST = "/v1/videos/generations"


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    with time_machine.travel(moment, tick=False):
        yield


def seen(model: str = MODEL) -> tuple[int, int]:
    """Minutes observed and available."""
    return figures.minutes(NOON, NOON + HOUR).get(model, (0, 0))


def test_a_look_sees_what_a_customer_would_meet(gateway: Steps) -> None:
    with at(NOON):
        jobs.observe()
    assert {model: seen(model) for model in (spec.id for spec in catalog.SPECS)} == {
        spec.id: (1, 1) for spec in catalog.SPECS
    }
    assert Task.objects.count() == 0


def test_without_an_account_that_takes_it_the_minute_is_unavailable(gateway: Steps) -> None:
    ProviderAccount.objects.filter(serves="live").update(enabled=False)
    with at(NOON):
        jobs.observe()
    assert seen() == (1, 0)


def test_a_breaker_of_one_model_closes_that_model_alone(gateway: Steps) -> None:
    account = ProviderAccount.objects.get(serves="live")
    breaker.trip(account, MODEL, "No permission.", until=NOON + HOUR)
    with at(NOON):
        jobs.observe()
    assert seen() == (1, 0)
    assert seen("kling-v3-image-to-video") == (1, 1)


def test_a_model_without_a_price_is_unavailable(gateway: Steps) -> None:
    kept = [block for block in price_book.FILE.read_text().split("[[prices]]") if MODEL not in block]
    assert price_book.load("[[prices]]".join(kept))[1]
    with at(NOON):
        jobs.observe()
    assert seen() == (1, 0)


def test_what_serves_sandbox_keys_makes_nothing_available(gateway: Steps) -> None:
    ProviderAccount.objects.filter(serves="live").delete()
    with at(NOON):
        jobs.observe()
    assert ProviderAccount.objects.filter(serves="sandbox").exists()
    assert seen() == (1, 0)


def test_the_request_that_is_tried_names_nothing_that_a_customer_owns() -> None:
    for spec in catalog.SPECS:
        parsed = spec.parse(spec.plain_request)
        assert (parsed.elements, parsed.voice) == ((), None), spec.id


def test_two_looks_in_one_minute_count_once_and_the_worse_decides(db: None) -> None:
    for first, second in ((True, False), (False, True)):
        ModelHour.objects.all().delete()
        with at(NOON):
            health.note_looks({MODEL: first})
            health.note_looks({MODEL: second})
        assert seen() == (1, 0)


def test_a_refused_request_makes_its_minute_unavailable(alice: Person, gateway: Steps) -> None:
    with at(NOON):
        jobs.observe()
    ProviderAccount.objects.filter(serves="live").update(enabled=False)
    with at(NOON + timedelta(seconds=40)):
        answer = alice.client.post(POST, TEXT_TO_VIDEO)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "model_unavailable")
    assert seen() == (1, 0)
    assert Task.objects.count() == 0


def test_a_refusal_is_written_down_where_nobody_looked(alice: Person, gateway: Steps) -> None:
    ProviderAccount.objects.filter(serves="live").update(enabled=False)
    with at(NOON + 7 * MINUTE):
        for _ in range(3):
            alice.client.post(POST, TEXT_TO_VIDEO, headers={"Idempotency-Key": "order-4711-attempt-1"})
    assert seen() == (1, 0)
    assert ModelHour.objects.get().refused == 1 << 7


def test_a_minute_without_a_look_or_a_refusal_is_not_observed(alice: Person, gateway: Steps) -> None:
    with at(NOON):
        health.note_looks({MODEL: True})
    with at(NOON + MINUTE):
        assert alice.client.post(POST, TEXT_TO_VIDEO).status_code == 200
    assert seen() == (1, 1)


def test_a_refusal_for_another_reason_is_none_of_the_model(alice: Person, gateway: Steps) -> None:
    with at(NOON):
        assert alice.client.post(POST, TEXT_TO_VIDEO | {"duration": 99}).status_code == 400
        assert alice.client.post(POST, TEXT_TO_VIDEO | {"model": "nothing"}).status_code == 404
    assert not ModelHour.objects.exists()


def test_refusals_in_the_sandbox_do_not_count(alice: Person, gateway: Steps) -> None:
    twin = organizations.sandbox_twin(alice.organization)
    ledger.open_wallet(twin)
    _, secret = give_key(twin)
    ProviderAccount.objects.all().update(enabled=False)
    with at(NOON):
        assert client_for(secret).post(POST, TEXT_TO_VIDEO).status_code == 503
    assert not ModelHour.objects.exists()


def test_refusing_again_in_the_same_minute_writes_nothing(db: None, alice: Person) -> None:
    with at(NOON):
        health.note_refusal(alice.organization, MODEL)
        version = ModelHour.objects.extra(select={"version": "xmin::text || ctid::text"}).values("version").get()
        health.note_refusal(alice.organization, MODEL)
    assert ModelHour.objects.extra(select={"version": "xmin::text || ctid::text"}).values("version").get() == version


def test_minutes_of_a_window_begin_in_it(db: None) -> None:
    for number in (0, 1, 30, 59):
        with at(NOON + number * MINUTE + timedelta(seconds=30)):
            health.note_looks({MODEL: True})
    for start, end, minutes in (
        (NOON, NOON + HOUR, 4),
        (NOON + timedelta(seconds=1), NOON + HOUR, 3),
        (NOON, NOON + timedelta(seconds=1), 1),
        (NOON + MINUTE, NOON + 59 * MINUTE, 2),
        (NOON - HOUR, NOON + 2 * HOUR, 4),
        (NOON, NOON, 0),
    ):
        assert figures.minutes(start, end).get(MODEL, (0, 0)) == (minutes, minutes), (start, end)


def test_days_are_those_of_utc(db: None) -> None:
    for moment, taken in ((NOON, True), (NOON + 12 * HOUR, False), (NOON + 13 * HOUR, True)):
        with at(moment):
            health.note_looks({MODEL: taken})
    found = figures.days(NOON - 24 * HOUR, NOON + 24 * HOUR)[MODEL]
    assert found == {NOON.date(): (1, 1), (NOON + 12 * HOUR).date(): (2, 1)}


@pytest.mark.django_db(transaction=True)
def test_several_workers_may_look_at_once(gateway: Steps) -> None:
    with at(NOON):
        at_once([jobs.observe] * 4)
    assert seen() == (1, 1)
    assert ModelHour.objects.count() == len(catalog.SPECS)


@pytest.mark.django_db(transaction=True)
def test_the_loop_looks_by_itself(gateway: Steps) -> None:
    class Twice(Event):
        """Lets two sweeps run."""

        rounds = 0

        def wait(self, timeout: float | None = None) -> bool:
            self.rounds += 1
            return self.rounds > 2

    jobs._sweep_until(Twice(), 0)
    assert set(ModelHour.objects.values_list("model", flat=True)) == {spec.id for spec in catalog.SPECS}
    ModelHour.objects.all().delete()
    jobs._sweep_until(Twice(), 1)
    assert not ModelHour.objects.exists()
