"""The hours of a model: counted once each, never one task too few or too many, whatever happens meanwhile."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts import organizations
from generations import figures, health, histogram
from generations.models import HealthMark, ModelHour, ModelHourTime, Task
from generations.providers import causes
from tests.cast import Person
from tests.generations.ended import MODEL, ended, save
from tests.generations.gateway import at_once
from tests.generations.simulator import wait_for

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    with time_machine.travel(moment, tick=False):
        yield


def bucket(seconds: float) -> int:
    return sum(bound <= seconds for bound in histogram.BOUNDS)


def roll_up(moment: datetime) -> int:
    with at(moment):
        return health.roll_up(patience_seconds=0)


def counted_until() -> datetime:
    return HealthMark.objects.get().counted_until


def rows() -> list[tuple[object, ...]]:
    """The roll-up, without the numbers of its rows."""
    hours = ModelHour.objects.order_by("hour", "model").values_list("hour", "model", "completed", "failed")
    times = ModelHourTime.objects.order_by("hour", "model", "kind", "bucket")
    return [*hours, *times.values_list("hour", "model", "kind", "bucket", "tasks")]


def test_an_hour_holds_what_ended_in_it(alice: Person) -> None:
    one = alice.organization
    save(
        [
            ended(one, NOON, made=100, waited=3),
            ended(one, NOON + 59 * MINUTE, made=700, waited=0.2),
            ended(one, NOON + MINUTE, status="failed", code="generation_timeout", made=1800),
            ended(one, NOON + MINUTE, status="failed", code="content_policy_violation", made=8),
            ended(one, NOON + MINUTE, status="cancelled", code="request_cancelled"),
            ended(one, NOON + HOUR),
        ]
    )
    assert roll_up(NOON + HOUR + 5 * MINUTE) == 1
    row = ModelHour.objects.get()
    assert (row.model, row.hour, row.completed, row.failed, row.failed_by_input) == (MODEL, NOON, 2, 2, 1)
    times = {
        (kind, number): tasks for kind, number, tasks in ModelHourTime.objects.values_list("kind", "bucket", "tasks")
    }
    assert times == {
        ("making", bucket(100)): 1,
        ("making", bucket(700)): 1,
        ("waiting", bucket(3)): 1,
        ("waiting", 0): 1,
        ("refund", bucket(1802)): 1,
        ("refund", bucket(10)): 1,
    }


def test_an_hour_is_counted_five_minutes_after_its_end(alice: Person) -> None:
    save([ended(alice.organization, NOON)])
    assert roll_up(NOON + HOUR + 4 * MINUTE) == 0
    assert roll_up(NOON + HOUR + 5 * MINUTE) == 1
    assert counted_until() == NOON + HOUR


def test_sandbox_organizations_are_left_out(alice: Person) -> None:
    twin = organizations.sandbox_twin(alice.organization)
    save([ended(twin, NOON), ended(twin, NOON, status="failed", code="service_error")])
    assert figures.window(NOON, NOON + HOUR) == {}
    assert roll_up(NOON + 2 * HOUR) == 1
    assert rows() == []


def test_counting_again_changes_nothing(alice: Person) -> None:
    save([ended(alice.organization, NOON + number * MINUTE) for number in range(150)])
    assert roll_up(NOON + 4 * HOUR) == 3
    before = rows()
    assert roll_up(NOON + 4 * HOUR) == 0
    with transaction.atomic():
        health._count(NOON)
    assert rows() == before


def test_after_two_days_of_rest_every_hour_is_caught_up(alice: Person) -> None:
    save([ended(alice.organization, NOON + number * HOUR) for number in range(50)])
    assert roll_up(NOON + HOUR + 6 * MINUTE) == 1
    whole = figures.window(NOON - HOUR, NOON + 60 * HOUR)
    assert roll_up(NOON + 50 * HOUR + 6 * MINUTE) == 49
    assert ModelHour.objects.filter(completed=1).count() == 50
    assert figures.window(NOON - HOUR, NOON + 60 * HOUR) == whole
    assert whole[MODEL].completed == 50


def test_what_is_left_over_has_its_turn_in_the_next_run(alice: Person) -> None:
    save([ended(alice.organization, NOON)])
    with at(NOON + 10 * HOUR):
        assert health.roll_up(seconds=0) == 0
        assert health.roll_up() == 9


def test_a_crash_in_the_middle_leaves_the_mark_and_the_rows_alone(alice: Person) -> None:
    save([ended(alice.organization, NOON), ended(alice.organization, NOON + HOUR)])
    roll_up(NOON + HOUR + 6 * MINUTE)
    before = rows(), counted_until()

    def crash_at_the_mark(execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        if sql.startswith('UPDATE "generations_healthmark"'):
            raise RuntimeError("killed")
        return execute(sql, parameters, many, context)

    with connection.execute_wrapper(crash_at_the_mark), pytest.raises(RuntimeError, match="killed"):
        roll_up(NOON + 2 * HOUR + 6 * MINUTE)
    assert (rows(), counted_until()) == before
    assert roll_up(NOON + 2 * HOUR + 6 * MINUTE) == 1
    assert figures.window(NOON, NOON + 2 * HOUR)[MODEL].completed == 2


def test_a_task_that_a_wrong_clock_put_into_a_counted_hour_is_found_a_day_later(alice: Person) -> None:
    save([ended(alice.organization, NOON)])
    roll_up(NOON + HOUR + 6 * MINUTE)
    save([ended(alice.organization, NOON + MINUTE)])
    roll_up(NOON + 24 * HOUR + 6 * MINUTE)
    assert figures.window(NOON, NOON + HOUR)[MODEL].completed == 1
    roll_up(NOON + 25 * HOUR + 6 * MINUTE)
    assert figures.window(NOON, NOON + HOUR)[MODEL].completed == 2


def test_the_edges_of_a_window_are_exact_to_the_moment(alice: Person) -> None:
    moments = [NOON + number * 7 * MINUTE for number in range(60)]
    save([ended(alice.organization, moment) for moment in moments])
    roll_up(NOON + 5 * HOUR)
    for start, end in (
        (NOON + 8 * MINUTE, NOON + 6 * HOUR),
        (NOON, NOON + 7 * MINUTE),
        (NOON + 14 * MINUTE, NOON + 14 * MINUTE + timedelta(microseconds=1)),
        (NOON + HOUR, NOON + 3 * HOUR),
        (NOON + 61 * MINUTE, NOON + 118 * MINUTE),
        (NOON + 2 * HOUR, NOON + 2 * HOUR),
    ):
        inside = sum(start <= moment < end for moment in moments)
        assert figures.window(start, end).get(MODEL, figures.Figures()).completed == inside, (start, end)


def test_a_window_reads_no_task_of_a_counted_hour_but_the_first(alice: Person) -> None:
    save([ended(alice.organization, NOON + number * HOUR) for number in range(30)])
    roll_up(NOON + 30 * HOUR + 6 * MINUTE)
    with CaptureQueriesContext(connection) as captured:
        found = figures.window(NOON + 90 * MINUTE, NOON + 30 * HOUR + 7 * MINUTE)
    assert found[MODEL].completed == 28
    scans = [query["sql"] for query in captured if "generations_task" in query["sql"]]
    assert len(scans) == 2
    assert f"{NOON + 2 * HOUR:%Y-%m-%d %H:%M}" in scans[0] and f"{NOON + 30 * HOUR:%Y-%m-%d %H:%M}" in scans[1]


def test_the_index_of_ends_holds_finished_tasks_alone(alice: Person) -> None:
    """So a POST, which inserts an unfinished task, writes nothing into it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = 'tasks_by_their_end'")
        ((definition,),) = cursor.fetchall()
    assert definition.endswith("USING btree (finished_at) WHERE (finished_at IS NOT NULL)")


def test_the_codes_that_the_customers_input_causes_are_those_of_the_adapters() -> None:
    codes = {cause.code for cause in vars(causes).values() if isinstance(cause, causes.Cause) and cause.by_input}
    assert codes == figures.BY_INPUT


@pytest.mark.django_db(transaction=True)
def test_an_hour_waits_for_the_transaction_that_is_about_to_end_a_task_in_it(alice: Person) -> None:
    task = ended(alice.organization, NOON, status="processing")
    task.finished_at = None
    task.save()
    started, go_on = threading.Event(), threading.Event()

    def end_it_slowly() -> None:
        with transaction.atomic():
            locked = Task.objects.select_for_update(no_key=True).get(pk=task.pk)
            started.set()
            go_on.wait(timeout=30)
            Task.objects.filter(pk=locked.pk).update(status="completed", finished_at=NOON + 59 * MINUTE)
        connection.close()

    save([ended(alice.organization, NOON)])
    slow = threading.Thread(target=end_it_slowly)
    slow.start()
    assert started.wait(timeout=30)
    try:
        assert roll_up(NOON + 3 * HOUR) == 0
        assert not HealthMark.objects.exists()
        assert figures.window(NOON, NOON + HOUR)[MODEL].completed == 1
    finally:
        go_on.set()
        slow.join()
    assert roll_up(NOON + 3 * HOUR) == 2
    assert ModelHour.objects.get(hour=NOON).completed == 2


@pytest.mark.django_db(transaction=True)
def test_a_short_transaction_is_waited_for(alice: Person) -> None:
    save([ended(alice.organization, NOON)])
    waited = threading.Event()

    def hold_a_task() -> None:
        with transaction.atomic():
            Task.objects.select_for_update(no_key=True).get()
            waited.set()
            wait_for(lambda: go_on.is_set())
        connection.close()

    go_on = threading.Event()
    holder = threading.Thread(target=hold_a_task)
    holder.start()
    assert waited.wait(timeout=30)
    threading.Timer(0.3, go_on.set).start()
    with at(NOON + HOUR + 6 * MINUTE):
        assert health.roll_up(patience_seconds=30) == 1
    holder.join()


@pytest.mark.django_db(transaction=True)
def test_workers_that_count_at_once_count_every_hour_once(alice: Person) -> None:
    save([ended(alice.organization, NOON + number * 10 * MINUTE) for number in range(60)])
    with at(NOON + 10 * HOUR + 6 * MINUTE):
        done = at_once([health.roll_up] * 4)
        while health.roll_up():
            pass
    assert sum(done) <= 10
    assert counted_until() == NOON + 10 * HOUR
    assert Counter(ModelHour.objects.values_list("completed", flat=True)) == {6: 10}
    assert ModelHourTime.objects.filter(kind="making", tasks=6).count() == 10
