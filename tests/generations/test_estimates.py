"""How long a task is said to take: the median of the day before, once there is enough to go by."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from generations import catalog, estimates, health
from generations.models import ModelHourTime
from tests.cast import Person
from tests.generations.ended import MODEL, ended, save
from tests.generations.gateway import TEXT_TO_VIDEO, Steps, ask

pytestmark = pytest.mark.django_db

NOON = datetime(2027, 3, 2, 12, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
SPEC = catalog.choose(MODEL)


def history(person: Person, tasks: int, *, made: float, at: datetime = NOON - 2 * HOUR) -> None:
    """So many tasks of the model, ended in one hour and counted."""
    save([ended(person.organization, at + number * timedelta(seconds=1), made=made) for number in range(tasks)])
    with time_machine.travel(NOON + 6 * MINUTE, tick=False):
        health.roll_up(patience_seconds=0)


def estimate(moment: datetime = NOON + 6 * MINUTE) -> int:
    estimates.medians.forget()
    with time_machine.travel(moment, tick=False):
        return estimates.seconds(SPEC)


def test_without_a_history_it_is_the_constant_of_the_catalogue(alice: Person) -> None:
    assert estimate() == SPEC.estimated_seconds == 300


def test_it_is_the_median_to_ten_percent(alice: Person) -> None:
    history(alice, 20, made=100)
    assert estimate() == pytest.approx(100, rel=0.1)
    assert estimates.seconds(catalog.choose("kling-custom-element")) == 600


def test_fewer_than_20_tasks_are_too_few(alice: Person) -> None:
    history(alice, 19, made=100)
    assert estimate() == 300


def test_what_ended_more_than_a_day_ago_is_forgotten(alice: Person) -> None:
    history(alice, 30, made=100)
    assert estimate(NOON + 22 * HOUR) == pytest.approx(100, rel=0.1)
    assert estimate(NOON + 23 * HOUR) == 300


def test_the_quickest_model_still_takes_a_second(alice: Person) -> None:
    history(alice, 20, made=0.01)
    assert estimate() == 1


def test_a_task_and_the_list_of_models_say_it_and_the_task_keeps_it(alice: Person, gateway: Steps) -> None:
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - HOUR
    ModelHourTime.objects.create(model=MODEL, hour=hour, kind="making", bucket=20, tasks=50)
    expected = estimates.seconds(SPEC)
    assert expected == 35
    answer = alice.client.post("/v1/videos/generations", TEXT_TO_VIDEO).json()
    assert answer["task_info"]["estimated_time"] == expected
    models = {model["id"]: model["estimated_time"] for model in alice.client.get("/v1/models").json()["data"]}
    assert models == {spec.id: expected if spec.id == MODEL else spec.estimated_seconds for spec in catalog.SPECS}
    ModelHourTime.objects.update(bucket=40)
    estimates.medians.forget()
    assert estimates.seconds(SPEC) == pytest.approx(1343, rel=0.01)
    shown = alice.client.get(f"/v1/tasks/{answer['id']}").json()
    assert shown["task_info"]["estimated_time"] == expected


def test_posts_ask_the_database_for_it_once_a_minute(alice: Person, gateway: Steps) -> None:
    with CaptureQueriesContext(connection) as captured:
        for _ in range(5):
            ask(alice)
    assert len([query for query in captured if "generations_modelhourtime" in query["sql"]]) == 1
