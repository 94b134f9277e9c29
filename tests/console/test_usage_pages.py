"""Usage in the console: the API's figures as a page and as CSV, in days of UTC."""

import csv
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO

import pytest
import time_machine
from django.http import HttpResponse

from accounts import keys
from accounts.models import Role
from billing import ledger
from generations import usage
from generations.models import Task
from tests.cast import Person
from tests.console.visitors import Visitor, joined
from tests.generations.receivers import ended_task

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
NOVEMBER = {"since": "2026-11-01", "until": "2026-11-30"}
FORMULA = "=cmd|' /C calc'!A0"


@pytest.fixture
def task(alice: Person) -> Task:
    """On 23 November a key with a wicked name reserved 30 credits for a task, and 27 were charged."""
    with time_machine.travel(NOON, tick=False):
        key = alice.key_with("generate")[0]
        keys.change(key, by=alice.membership, name=FORMULA)
        made = ended_task(alice, "")
        ledger.top_up(alice.organization, Decimal(1000), reference="payment")
        ledger.reserve(alice.organization, made.pk, Decimal(30), api_key=key, model="kling-v3-text-to-video")
        ledger.capture(made.pk, Decimal(27))
    return made


def rows(answer: HttpResponse) -> list[list[str]]:
    return list(csv.reader(StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))


def page(visitor: Visitor, **query: str) -> str:
    answer = visitor.get("usage", **NOVEMBER | query)
    assert answer.status_code == 200, answer.content
    return answer.content.decode()


def test_the_days_stand_in_a_chart_and_a_table_with_their_total(owner: Visitor, task: Task) -> None:
    seen = page(owner)
    assert "2026-11-23: 27 credits, $0.38" in seen
    assert seen.count('<td class="number" data-label="Used">27</td>') == 2  # the day's and the total's
    assert "Days are those of UTC" in seen


def test_the_page_has_the_figures_of_the_api(owner: Visitor, task: Task, alice: Person) -> None:
    total = alice.client.get("/v1/usage?from=2026-11-01&to=2026-11-30").json()["total"]
    shown = owner.get("usage", **NOVEMBER, group_by="model").context["page"].found.total
    assert (shown.reserved, shown.charged, shown.refunded, shown.used) == (30, 27, 3, 27)
    assert total["credits_used"] == 27 and total["credits_refunded"] == 3


@pytest.mark.parametrize("group_by", ["model", "key", "day,model", "day,key", "model,key"])
def test_each_grouping_names_what_it_groups_by(owner: Visitor, task: Task, group_by: str) -> None:
    named = {"day": "2026-11-23", "model": "kling-v3-text-to-video", "key": "=cmd|&#x27; /C calc&#x27;!A0"}
    seen = page(owner, group_by=group_by)
    assert all(named[part] in seen for part in group_by.split(","))


def test_metadata_groups_too(owner: Visitor, task: Task) -> None:
    assert '<th scope="row">ü 7</th>' in page(owner, group_by="metadata", metadata="order")
    assert '<th scope="row">not set</th>' in page(owner, group_by="metadata", metadata="project")


def test_the_csv_has_every_row_and_no_formula(owner: Visitor, task: Task) -> None:
    answer = owner.get("usage.csv", **NOVEMBER, group_by="day,key")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == 'attachment; filename="usage-2026-11-01-2026-11-30.csv"'
    head, line = rows(answer)
    assert head[:4] == ["day", "key_id", "key_name", "credits_reserved"]
    assert line[0] == "2026-11-23" and line[1].startswith("key_")
    assert line[2:] == [f"'{FORMULA}", "30.0000", "27.0000", "3.0000", "27.0000", "1", "1", "0"]


def test_a_wicked_metadata_value_is_no_formula_and_no_markup(owner: Visitor, task: Task) -> None:
    Task.objects.filter(pk=task.pk).update(metadata={"order": "@SUM(1)<b>"})
    assert "@SUM(1)&lt;b&gt;" in page(owner, group_by="metadata", metadata="order")
    answer = owner.get("usage.csv", **NOVEMBER, group_by="metadata", metadata="order")
    assert [line[0] for line in rows(answer)] == ["metadata[order]", "'@SUM(1)<b>"]


def test_without_days_it_is_the_last_thirty_of_utc(owner: Visitor, task: Task) -> None:
    with time_machine.travel(datetime(2026, 11, 24, 0, 30, tzinfo=UTC), tick=False):
        found = owner.get("usage").context["page"].found
    assert (f"{found.since}", f"{found.until}") == ("2026-10-26", "2026-11-24")
    assert found.total.used == 27


def test_nothing_used_is_said_so(owner: Visitor) -> None:
    assert "Nothing was used in this time" in page(owner)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"since": "2026-11-30", "until": "2026-11-01"}, "The last day must not be before the first."),
        ({"since": "2025-01-01", "until": "2026-11-01"}, f"Ask for {usage.MOST_DAYS} days at most."),
        ({"since": "1999-01-01", "until": "1999-01-02"}, "is too far from today."),
        ({"since": "soon"}, "Enter a valid date."),
        ({"group_by": "metadata"}, "Say which field."),
        ({"group_by": "metadata", "metadata": "a\0"}, "Null characters are not allowed."),
        ({"group_by": "nothing"}, "Select a valid choice."),
    ],
)
def test_what_cannot_be_asked_is_said_beside_its_field(owner: Visitor, query: dict[str, str], words: str) -> None:
    for path in ("usage", "usage.csv"):
        answer = owner.get(path, **NOVEMBER | query)
        assert (answer.status_code, words in answer.content.decode()) == (400, True)


def test_a_viewer_looks_and_a_stranger_finds_nothing(alice: Person, task: Task, stranger: Visitor) -> None:
    viewer = joined(alice, Role.VIEWER)
    assert [viewer.get(path).status_code for path in ("usage", "usage.csv")] == [200, 200]
    assert [stranger.get(path).status_code for path in ("usage", "usage.csv")] == [404, 404]
