"""What became of tasks: counted by hour and day, exact with what is not counted yet, and percentiles of refunds."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection, transaction

from accounts.models import Organization
from billing import audit
from billing.models import Wallet
from generations import histogram, jobs, outcomes
from generations.models import Attempt, OutcomeMark, OutcomeRollUp, ProviderAccount, Task
from tests.cast import Person
from tests.generations.ended import MODEL, ended, save
from tests.generations.gateway import Steps, ask, at_once

pytestmark = pytest.mark.django_db

DAY = datetime(2026, 3, 2, tzinfo=UTC)
NOON, HOUR, MINUTE = DAY.replace(hour=12), timedelta(hours=1), timedelta(minutes=1)
WEEK = {"since": DAY, "until": DAY + timedelta(days=7)}
EVERYTHING = tuple(outcomes.COLUMNS)
NAMES = ("tasks", "completed", "failed", "failed_by_input", "cancelled")


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    with time_machine.travel(moment, tick=False):
        yield


def roll_up(moment: datetime) -> int:
    with at(moment):
        return outcomes.roll_up(patience_seconds=0)


def account(name: str) -> ProviderAccount:
    return ProviderAccount.objects.get_or_create(name=name, defaults={"provider": "kling", "base_url": "https://k"})[0]


def some(owner: Organization, start: datetime) -> None:
    """One of each outcome, in an hour or two from `start`; each failure takes its own time."""
    save(
        [
            ended(owner, start),
            ended(owner, start + 59 * MINUTE, user_group="friends"),
            ended(owner, start + MINUTE, status="failed", code="generation_timeout", waited=2, made=1800),
            ended(owner, start + 61 * MINUTE, status="failed", code="face_not_found", waited=1, made=2),
            ended(owner, start + MINUTE, status="cancelled", code="request_cancelled", waited=5, made=0),
            ended(owner, start + MINUTE, model="another"),
        ]
    )


def sent(task: Task, *names: str) -> None:
    for number, name in enumerate(names, 1):
        Attempt.objects.create(task=task, account=account(name), number=number, state="failed", route="/x")


def counts(by: list[str], **range_of: Any) -> dict[Any, tuple[int, ...]]:
    rows = outcomes.sums(by, **WEEK | range_of)
    return {tuple(row[name] for name in by): tuple(row[name] for name in NAMES) for row in rows}


def test_tasks_are_counted_by_what_became_of_them(alice: Person) -> None:
    some(alice.organization, NOON)

    assert counts([]) == {(): (6, 3, 1, 1, 1)}
    assert counts(["model"]) == {(MODEL,): (5, 2, 1, 1, 1), ("another",): (1, 1, 0, 0, 0)}
    assert counts(["user_group"]) == {("default",): (5, 2, 1, 1, 1), ("friends",): (1, 1, 0, 0, 0)}
    assert counts(["error_code"]) == {
        ("",): (3, 3, 0, 0, 0),
        ("face_not_found",): (1, 0, 0, 1, 0),
        ("generation_timeout",): (1, 0, 1, 0, 0),
        ("request_cancelled",): (1, 0, 0, 0, 1),
    }
    assert counts(["time"]) == {(DAY,): (6, 3, 1, 1, 1)}
    assert counts(["time"], span=outcomes.Span.HOUR) == {
        (NOON,): (5, 3, 1, 0, 1),
        (NOON + HOUR,): (1, 0, 0, 1, 0),
    }


def test_tasks_that_have_not_ended_are_in_no_count(alice: Person, gateway: Steps) -> None:
    ask(alice)
    assert outcomes.sums([], since=DAY, until=DAY.replace(year=2040)) == []


def test_a_task_counts_for_the_account_that_it_was_sent_to_last(alice: Person) -> None:
    one, two, none = (ended(alice.organization, NOON, status="failed", code="service_error") for _ in range(3))
    save([one, two, none])
    sent(one, "first", "second")
    sent(two, "first")

    assert counts(["account"]) == {("first",): (1, 0, 1, 0, 0), ("second",): (1, 0, 1, 0, 0), (None,): (1, 0, 1, 0, 0)}
    before = counts(["account_id", "account"])
    roll_up(NOON + 2 * HOUR)
    assert counts(["account_id", "account"]) == before
    assert (account("second").pk, "second") in before


def test_a_figure_is_exact_however_much_is_counted(alice: Person, charlie: Person) -> None:
    for number in range(5):
        some(alice.organization, NOON + number * 9 * HOUR)
        some(charlie.organization, NOON + number * 11 * HOUR)
    tail_alone = [counts(list(EVERYTHING)), counts(list(EVERYTHING), span=outcomes.Span.HOUR)]

    for hours in (3, 15, 16, 40, 60, 80):
        assert roll_up(NOON + hours * HOUR) > 0
        assert [counts(list(EVERYTHING)), counts(list(EVERYTHING), span=outcomes.Span.HOUR)] == tail_alone

    assert len(tail_alone[0]) > 20
    assert OutcomeMark.objects.get().counted_until == NOON + 79 * HOUR
    assert counts([], organization_id=charlie.organization.pk) == {(): (30, 15, 5, 5, 5)}
    with at(NOON + 80 * HOUR):
        assert [list(outcomes.wrong(person.organization.pk)) for person in (alice, charlie)] == [[], []]


def test_counting_again_changes_nothing_and_mends_what_came_late(alice: Person) -> None:
    some(alice.organization, NOON)
    roll_up(NOON + 3 * HOUR)
    assert roll_up(NOON + 3 * HOUR) == 0
    before = sorted(OutcomeRollUp.objects.values_list("span", "starts_at", "outcome", "tasks"))

    save([ended(alice.organization, NOON)])  # a clock that was slow by hours
    roll_up(NOON + 4 * HOUR)
    assert sorted(OutcomeRollUp.objects.values_list("span", "starts_at", "outcome", "tasks")) == before

    roll_up(NOON + 26 * HOUR)
    assert counts([]) == {(): (7, 4, 1, 1, 1)}
    assert counts([], until=NOON + HOUR, since=NOON) == {(): (6, 4, 1, 0, 1)}


def test_an_hour_in_which_a_task_may_still_end_is_not_counted(alice: Person) -> None:
    save([ended(alice.organization, NOON)])
    assert roll_up(NOON + HOUR + 4 * MINUTE) == 0
    assert roll_up(NOON + HOUR + 5 * MINUTE) == 1


@pytest.mark.django_db(transaction=True)
def test_two_that_count_at_once_count_once(alice: Person) -> None:
    some(alice.organization, NOON)
    with at(NOON + 9 * HOUR):
        hours = at_once([lambda: outcomes.roll_up(patience_seconds=5)] * 3)
    assert sum(hours) >= 1
    roll_up(NOON + 9 * HOUR)
    assert counts([]) == {(): (6, 3, 1, 1, 1)}
    assert sum(OutcomeRollUp.objects.filter(span="day").values_list("tasks", flat=True)) == 6


def test_a_count_that_dies_leaves_the_hour_uncounted(alice: Person) -> None:
    some(alice.organization, NOON)
    with pytest.raises(RuntimeError), transaction.atomic():
        roll_up(NOON + 9 * HOUR)
        raise RuntimeError
    assert not OutcomeRollUp.objects.exists() and not OutcomeMark.objects.exists()
    assert counts([]) == {(): (6, 3, 1, 1, 1)}


def test_refund_times_are_percentiles_of_all_that_was_not_completed(alice: Person, charlie: Person) -> None:
    slow = [ended(alice.organization, NOON, status="failed", code="x", waited=0, made=600) for _ in range(2)]
    quick = [ended(alice.organization, NOON, status="cancelled", waited=0, made=4) for _ in range(38)]
    save([*slow, *quick, ended(alice.organization, NOON), ended(charlie.organization, NOON)])
    expected = [
        {
            "organization": alice.organization.pk,
            "tasks": 40,
            "seconds": {0.5: histogram.middle(8), 0.95: histogram.middle(8), 0.96: histogram.middle(36)},
        }
    ]
    assert (histogram.middle(8), histogram.middle(36)) == (3.9, 647.0)

    for _ in range(2):
        shares = (0.5, 0.95, 0.96)
        assert outcomes.refund_times(["organization"], **WEEK, shares=shares) == expected
        roll_up(NOON + 9 * HOUR)


@pytest.mark.django_db(transaction=True)
def test_what_the_gateway_does_is_counted_by_the_housekeeping(alice: Person, gateway: Steps) -> None:
    task = gateway.until(ask(alice), Task.Status.COMPLETED)
    later = task.finished_at + 2 * HOUR
    with at(later):
        jobs.housekeeping()
    day = task.finished_at.replace(hour=0, minute=0, second=0, microsecond=0)
    assert outcomes.sums(["account", "outcome", "organization"], since=day, until=day + timedelta(days=1)) == [
        {
            "account": "simulator-live",
            "outcome": "completed",
            "organization": alice.organization.pk,
            **dict.fromkeys(NAMES, 0),
            "tasks": 1,
            "completed": 1,
        }
    ]
    assert OutcomeRollUp.objects.count() == 2


WRONG = [
    "UPDATE generations_outcomerollup SET tasks = tasks + 1 WHERE span = 'hour' AND outcome = 'completed'",
    "UPDATE generations_outcomerollup SET tasks = 9 WHERE span = 'day' AND outcome = 'cancelled'",
    "UPDATE generations_outcomerollup SET refund_bucket = 0 WHERE outcome = 'failed'",
    "DELETE FROM generations_outcomerollup WHERE span = 'day'",
    "UPDATE generations_task SET model = 'another' WHERE status = 'cancelled'",
]


@pytest.mark.parametrize("statement", WRONG)
def test_the_auditor_finds_wrong_counts_and_freezes_nobody_for_them(
    alice: Person, gateway: Steps, statement: str
) -> None:
    some(alice.organization, NOON)
    roll_up(NOON + 30 * HOUR)
    with connection.cursor() as cursor:
        cursor.execute(statement)

    found = {problem for _, problem in outcomes.wrong(alice.organization.pk)}
    assert found and found <= {"its rows are not the counts of its tasks", "its rows are not the sums of its hours"}
    Task.objects.all().delete()  # they have no reservations
    assert {finding["invariant"] for finding in audit.audit_all().findings} == {"I25"}
    assert Wallet.objects.get(pk=alice.organization.pk).frozen_at is None
