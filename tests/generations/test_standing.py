"""How a model stands: the word, the figures that are told, and those that are not because too little is known."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from generations import catalog, health, standing, switches
from generations.figures import Figures
from generations.standing import Percentiles, status
from tests.cast import Person
from tests.generations.ended import MODEL, ended, save

NOON = datetime(2027, 3, 2, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def windows(**hour: Any) -> dict[str, standing.Window]:
    """A day without anything special, and an hour with these figures."""
    day = standing.window(Figures())
    values = {name: getattr(day, name) for name in day.__dataclass_fields__}
    made = Percentiles(p50=100, p95=200)
    return {"1h": standing.Window(**values | hour), "24h": standing.Window(**values | {"making_seconds": made})}


@pytest.mark.parametrize(
    ("lately", "hour", "word"),
    [
        (None, {}, None),
        (1.0, {}, "operational"),
        (0.8, {}, "degraded"),
        (0.5, {}, "degraded"),
        (0.4, {}, "unavailable"),
        (0.0, {"success_rate": 0.1}, "unavailable"),
        (1.0, {"availability": 0.98}, "operational"),
        (1.0, {"availability": 0.97}, "degraded"),
        (1.0, {"success_rate": 0.9}, "operational"),
        (1.0, {"success_rate": 0.89}, "degraded"),
        (1.0, {"making_seconds": Percentiles(p50=200, p95=200)}, "operational"),
        (1.0, {"making_seconds": Percentiles(p50=201, p95=201)}, "degraded"),
    ],
)
def test_the_word_follows_from_the_rules(lately: float | None, hour: dict[str, Any], word: str | None) -> None:
    assert status(lately, windows(**hour), announced=False) == word


@pytest.mark.parametrize(("lately", "word"), [(0.0, "maintenance"), (0.9, "degraded"), (1.0, "operational")])
def test_what_was_announced_is_maintenance_only_while_nothing_is_taken(lately: float, word: str) -> None:
    assert status(lately, windows(), announced=True) == word


def test_a_figure_with_too_little_behind_it_is_not_told() -> None:
    few = Figures(completed=9, failed=5, failed_by_input=5, minutes_observed=9, minutes_available=9)
    few.times["making"][20] = few.times["waiting"][3] = 9
    few.times["refund"][20] = 5
    told = standing.window(few)
    assert (told.completed, told.failed, told.failed_by_input, told.minutes_observed) == (9, 5, 5, 9)
    assert (told.success_rate, told.availability) == (None, None)
    assert (told.making_seconds, told.waiting_seconds, told.refund_seconds) == (None, None, None)


def test_failures_by_the_customers_input_are_left_out_of_the_rate() -> None:
    assert standing.window(Figures(completed=9, failed=3, failed_by_input=2)).success_rate == 0.9
    assert standing.window(Figures(completed=0, failed=10)).success_rate == 0


def test_a_share_is_never_rounded_up() -> None:
    assert standing.share(999_999, 1_000_000, at_least=1) == 0.99999
    assert standing.share(1, 3, at_least=1) == 0.33333
    assert standing.share(7, 7, at_least=1) == 1


@pytest.mark.django_db
def test_the_report_tells_of_every_model_up_to_the_full_minute(alice: Person) -> None:
    save([ended(alice.organization, NOON - 20 * MINUTE, made=100, waited=3) for _ in range(12)])
    save(
        [ended(alice.organization, NOON - 5 * MINUTE, status="failed", code="service_error", made=57) for _ in range(3)]
    )
    for number in range(30):
        with time_machine.travel(NOON - (30 - number) * MINUTE, tick=False):
            health.note_looks({spec.id: spec.id != MODEL or number > 0 for spec in catalog.SPECS})
    with time_machine.travel(NOON + timedelta(seconds=59), tick=False):
        report = standing.report()
    assert report.updated_at == NOON
    assert [one.model for one in report.models] == [spec.id for spec in catalog.SPECS]
    one = report.models[0]
    hour = one.windows["1h"]
    assert (hour.completed, hour.failed, hour.success_rate) == (12, 3, 0.8)
    assert (hour.minutes_observed, hour.minutes_available, hour.availability) == (30, 29, 0.96666)
    assert hour.making_seconds.p50 == pytest.approx(100, rel=0.1)
    assert hour.waiting_seconds.p95 == pytest.approx(3, rel=0.12)
    assert hour.refund_seconds is None
    assert one.windows["24h"] == one.windows["30d"] == hour
    assert one.status == "degraded"
    assert {other.status for other in report.models[1:]} == {"operational"}
    assert len(one.days) == 30
    assert [day.availability for day in one.days[-2:]] == [None, 0.96666]
    assert one.days[-1].date == NOON.date()


@pytest.mark.django_db
def test_without_anything_the_report_is_empty() -> None:
    report = standing.report()
    assert report.is_empty
    assert {one.status for one in report.models} == {None}


@pytest.mark.django_db
def test_a_model_that_an_operator_switched_off_is_in_maintenance_and_says_why() -> None:
    end = NOON + timedelta(hours=2)
    switches.set_on(model=MODEL, reason="Ticket 4711", message="We move to a new home.", expected_end_at=end)
    for number in range(5):
        with time_machine.travel(NOON - (5 - number) * MINUTE, tick=False):
            health.note_looks({spec.id: spec.id != MODEL for spec in catalog.SPECS})
    with time_machine.travel(NOON, tick=False):
        first, *others = standing.report().models
    assert (first.model, first.status) == (MODEL, "maintenance")
    assert first.notice == switches.Notice("We move to a new home.", end)
    assert {(one.status, one.notice) for one in others} == {("operational", None)}
