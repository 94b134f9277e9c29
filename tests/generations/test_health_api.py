"""GET /v1/catalog/health and /status: public, cheap to ask again, honest when nothing is known."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import OperationalError, connection
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from generations import catalog, health, standing, status_page
from generations.switches import Notice
from tests.cast import Person
from tests.generations.ended import MODEL, ended, save

pytestmark = pytest.mark.django_db

NOON = datetime(2027, 3, 2, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HEALTH = "/v1/catalog/health"


@pytest.fixture
def history(alice: Person) -> None:
    """An hour before noon in which one model lost a request, and twelve tasks ended."""
    save([ended(alice.organization, NOON - 20 * MINUTE, made=100, waited=3) for _ in range(12)])
    for number in range(60):
        with time_machine.travel(NOON - (60 - number) * MINUTE, tick=False):
            health.note_looks({spec.id: True for spec in catalog.SPECS})
            if number == 50:
                health.note_refusal(alice.organization, MODEL)


def away(execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
    raise OperationalError("the database is away")


@time_machine.travel(NOON, tick=False)
def test_the_answer_has_every_figure_and_its_definition(anyone: APIClient, history: None) -> None:
    answer = anyone.get(HEALTH)
    body = answer.json()
    assert answer.status_code == 200
    assert (body["object"], body["updated_at"]) == ("list", int(NOON.timestamp()))
    assert body["definitions"] == standing.DEFINITIONS
    assert [one["id"] for one in body["data"]] == [spec.id for spec in catalog.SPECS]
    one = body["data"][0]
    hour = one.pop("windows")["1h"]
    assert one == {
        "id": MODEL,
        "object": "model.health",
        "status": "operational",
        "notice": None,
        "promised_availability": 0.999,
    }
    assert hour == {
        "availability": 0.98333,
        "minutes_observed": 60,
        "minutes_available": 59,
        "success_rate": 1.0,
        "completed": 12,
        "failed": 0,
        "failed_by_input": 0,
        "making_seconds": {"p50": 105.0, "p95": 105.0},
        "waiting_seconds": {"p50": 3.3, "p95": 3.3},
        "refund_seconds": None,
    }


def test_every_figure_is_defined_and_no_other(anyone: APIClient) -> None:
    body = anyone.get(HEALTH).json()
    figures = set(body["data"][0]["windows"]["30d"]) - {"completed", "failed", "failed_by_input"}
    figures -= {"minutes_observed", "minutes_available"}
    assert set(body["definitions"]) == figures | {"percentiles", "status"}


def test_asking_again_costs_nothing_until_something_is_new(anyone: APIClient, history: None) -> None:
    with time_machine.travel(NOON, tick=False):
        first = anyone.get(HEALTH)
        second = anyone.get(HEALTH, headers={"if-none-match": first["ETag"]})
    assert (second.status_code, second.content) == (304, b"")
    assert second["ETag"] == first["ETag"]
    assert first["Cache-Control"] == "public, max-age=30"
    standing.report.forget()
    with time_machine.travel(NOON + MINUTE, tick=False):
        third = anyone.get(HEALTH, headers={"if-none-match": first["ETag"]})
    assert third.status_code == 200


def test_a_process_reads_the_figures_once_in_a_while(anyone: APIClient, django_assert_num_queries: object) -> None:
    anyone.get(HEALTH)
    with django_assert_num_queries(0):
        anyone.get(HEALTH)
        anyone.get("/status")


def test_with_a_key_the_answer_is_the_same(alice: Person, anyone: APIClient) -> None:
    assert alice.client.get(HEALTH).content == anyone.get(HEALTH).content


@time_machine.travel(NOON, tick=False)
def test_the_page_shows_each_model_with_its_word_and_figures(client: Client, history: None) -> None:
    answer = client.get("/status")
    page = answer.content.decode()
    assert (answer.status_code, answer["Cache-Control"]) == (200, "public, max-age=30")
    assert "All models are operational." in page
    assert "2027-03-02 12:00 UTC" in page
    assert all(page.count(f'<span class="name">{spec.id}</span>') == 1 for spec in catalog.SPECS)
    assert page.count('class="day good"') == 13 + 1  # the days, and the legend
    assert page.count('class="day poor"') == 1 + 1
    assert page.count('class="day none"') == 14 * 29 + 1
    assert 'title="2 March 2027: 98.33 %"' in page
    assert "1 min 45 s" in page and "12 tasks" in page


def test_the_page_has_nothing_inline_and_no_stranger(client: Client, history: None) -> None:
    page = client.get("/status").content.decode().lower()
    assert page.count("<script") == page.count('<script type="module" src="/static/') == 1
    assert "style=" not in page and "<style" not in page and "http" not in page
    assert client.get("/static/generations/status.css").status_code == 200


def test_a_shared_cache_may_keep_the_page_for_it_holds_nothing_of_its_visitor(client: Client, history: None) -> None:
    answer = client.get("/status")
    assert "<form" not in answer.content.decode() and answer.cookies == {} and "Cookie" not in answer["Vary"]


def test_an_empty_page_says_when_figures_come(client: Client) -> None:
    page = client.get("/status").content.decode()
    assert "There are no figures yet." in page and "first 10 finished tasks" in page
    assert "<table" not in page


def test_while_the_database_is_away_the_page_shows_what_was_known(client: Client, history: None) -> None:
    with time_machine.travel(NOON, tick=False):
        client.get("/status")
    kept = standing.report.last()
    assert kept is not None
    standing.report._kept = (0.0, kept)  # too old to be shown as it is
    with connection.execute_wrapper(away):
        answer = client.get("/status")
    page = answer.content.decode()
    assert (answer.status_code, answer["Cache-Control"]) == (503, "public, max-age=0")
    assert "Below is what was known before." in page and "2027-03-02 12:00 UTC" in page and MODEL in page


def test_while_the_database_is_away_and_nothing_was_known_the_page_says_so(client: Client) -> None:
    with connection.execute_wrapper(away):
        answer = client.get("/status")
    page = answer.content.decode()
    assert answer.status_code == 503
    assert "the database does not answer" in page and "Below" not in page and "Last updated" not in page
    with connection.execute_wrapper(away):
        assert client.get(HEALTH).json()["error"]["code"] == "maintenance"


def test_a_post_to_the_page_is_refused(client: Client) -> None:
    assert client.post("/status").status_code == 405


@pytest.mark.parametrize(
    ("words", "headline", "tone"),
    [
        (["operational", "operational"], "All models are operational.", "operational"),
        (["operational", None], "All models that were looked at are operational.", "operational"),
        ([None, None], "Nobody has looked at the models in the last 5 minutes.", "unknown"),
        (["degraded", "unavailable"], "1 model is unavailable. 1 model is degraded.", "unavailable"),
        (["maintenance", "maintenance"], "2 models are in maintenance.", "maintenance"),
    ],
)
def test_the_headline_says_the_worst_first(words: list[str | None], headline: str, tone: str) -> None:
    empty = {name: standing.window(standing.Figures()) for name in standing.WINDOWS}
    notice = Notice(message="We move.", expected_end_at=None)
    models = tuple(standing.Standing(model=MODEL, status=word, notice=notice, windows=empty, days=()) for word in words)
    page = status_page.page(standing.Report(updated_at=NOON, models=models))
    assert (page.headline, page.tone) == (headline, tone)


@pytest.mark.parametrize(
    ("share", "text"),
    [(None, "–"), (1.0, "100 %"), (0.99999, "99.99 %"), (0.999, "99.9 %"), (0.98333, "98.33 %"), (0.0, "0 %")],
)
def test_percent_is_cut_and_never_rounded_up(share: float | None, text: str) -> None:
    assert status_page.percent(share) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.5, "0.5 s"), (48, "48 s"), (60, "1 min 0 s"), (3599, "59 min 59 s"), (7500, "2 h 5 min")]
)
def test_durations_are_said_in_words(seconds: float, text: str) -> None:
    assert status_page.duration(seconds) == text


def test_a_report_is_no_settings_matter(settings: Settings) -> None:
    """The page works in production as in development."""
    settings.DEBUG = False
    assert Client().get("/status").status_code == 200
