"""Finding tasks: one, many by their ids, pages, cursors and filters, and never another organization's."""

from datetime import timedelta
from typing import Any

import pytest

from accounts import ids
from generations import lifecycle, routing
from generations.failures import SERVICE_ERROR
from generations.models import Task
from generations.providers.base import Plan
from tests.cast import Person
from tests.generations.gateway import TEXT_TO_VIDEO, Steps, ask, ask_element, seen

pytestmark = pytest.mark.django_db

PHOTO = "https://example.com/a.png"


def listed(person: Person, query: str = "") -> dict[str, Any]:
    answer = person.client.get(f"/v1/tasks{query}")
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def numbers(answer: dict[str, Any]) -> list[str]:
    """Which of `some` these are."""
    return [task["metadata"]["number"] for task in answer["data"]]


def some(person: Person, count: int) -> list[Task]:
    return [ask(person, metadata={"number": str(number)}) for number in range(count)]


def error(answer: Any) -> tuple[int, str, str]:
    found = answer.json()["error"]
    return answer.status_code, found["code"], found["param"]


@pytest.mark.parametrize("task_id", ["x", "task-video-", "task-video-" + "u" * 26, "task-video-" + "7" * 25, "7" * 26])
def test_a_malformed_id_is_named(alice: Person, task_id: str) -> None:
    assert error(alice.client.get(f"/v1/tasks/{task_id}")) == (400, "invalid_task_id", "task_id")


def test_an_unknown_task_is_not_found(alice: Person) -> None:
    answer = alice.client.get(f"/v1/tasks/{ids.encode(Task.PREFIX, ids.new())}")
    assert error(answer) == (404, "task_not_found", "task_id")


def test_a_strangers_task_is_not_found(alice: Person, charlie: Person, gateway: Steps) -> None:
    task = ask(alice)
    assert charlie.client.get(f"/v1/tasks/{task.public_id}").status_code == 404
    assert listed(charlie)["data"] == []
    body = {"task_ids": [task.public_id]}
    assert charlie.client.post("/v1/tasks/batch", body).json() == {"data": []}


def test_the_list_is_newest_first_and_paged(alice: Person, bob: Person, gateway: Steps) -> None:
    some(alice, 5)
    answer = listed(bob, "?page=2&page_size=2")
    assert numbers(answer) == ["2", "1"]
    assert {name: answer[name] for name in ("total", "page", "page_size")} == {"total": 5, "page": 2, "page_size": 2}
    assert numbers(listed(bob)) == ["4", "3", "2", "1", "0"]
    assert listed(bob)["page_size"] == 20
    assert numbers(listed(bob, "?page=9")) == []


def test_a_listed_task_is_the_task(alice: Person, gateway: Steps) -> None:
    task = ask(alice)
    assert listed(alice)["data"] == [seen(alice, task)]
    gateway.due()
    assert listed(alice)["data"] == [seen(alice, task)]


def test_a_listed_task_whose_call_is_under_way_cannot_be_cancelled(alice: Person, gateway: Steps) -> None:
    task = ask(alice)
    account = routing.choose(task).account
    lifecycle.begin_attempt(task, account, plan=Plan(route="/x"), choice=[], cost_estimate=0)
    batch = alice.client.post("/v1/tasks/batch", {"task_ids": [task.public_id]}).json()["data"]
    assert batch == listed(alice)["data"] == [seen(alice, task)]
    assert (batch[0]["status"], batch[0]["task_info"]["can_cancel"]) == ("pending", False)


def test_filters_narrow_the_list(alice: Person, gateway: Steps) -> None:
    pending, failed, element = ask(alice, metadata={"team": "a"}), ask(alice), ask_element(alice, frontal=PHOTO)
    running = ask(alice, metadata={"team": "a", "order": "7"})
    lifecycle.fail(failed, SERVICE_ERROR)
    Task.objects.filter(pk=running.pk).update(status="processing")

    def found(query: str) -> set[str]:
        return {task["id"] for task in listed(alice, query)["data"]}

    def of(*tasks: Task) -> set[str]:
        return {task.public_id for task in tasks}

    assert found("?status=failed") == of(failed)
    assert found("?status=pending") == of(pending, element)
    assert found("?status=processing") == of(pending, running, element)
    assert found("?status=completed") == set()
    assert found("?type=element") == found("?model=kling-custom-element") == of(element)
    assert found("?type=video&status=processing") == of(pending, running)
    assert found("?metadata[team]=a") == of(pending, running)
    assert found("?metadata[team]=a&metadata[order]=7") == of(running)
    assert found("?metadata[team]=b") == set()
    assert listed(alice, "?type=element")["total"] == 1


def test_the_list_is_narrowed_by_time(alice: Person, gateway: Steps) -> None:
    old, new = some(alice, 2)
    Task.objects.filter(pk=old.pk).update(created_at=new.created_at - timedelta(hours=2))
    hour_ago = int(new.created_at.timestamp()) - 3600
    assert numbers(listed(alice, f"?created_before={hour_ago}")) == ["0"]
    assert numbers(listed(alice, f"?created_after={hour_ago}")) == ["1"]
    assert numbers(listed(alice, f"?created_after={hour_ago}&created_before={hour_ago}")) == []


def test_a_cursor_reaches_everything_once(alice: Person, gateway: Steps) -> None:
    some(alice, 5)
    answer = listed(alice, "?cursor=&page_size=2")
    assert "total" not in answer
    found = numbers(answer)
    ask(alice, metadata={"number": "new"})
    while answer["next_cursor"]:
        answer = listed(alice, f"?cursor={answer['next_cursor']}&page_size=2")
        found += numbers(answer)
    assert found == ["4", "3", "2", "1", "0"]


def test_a_page_by_its_number_says_the_cursor_to_go_on_by(alice: Person, gateway: Steps) -> None:
    some(alice, 5)
    second = listed(alice, "?page=2&page_size=2")
    assert second["next_cursor"] == second["data"][-1]["id"]
    assert numbers(listed(alice, f"?cursor={second['next_cursor']}&page_size=2")) == ["0"]
    for last in ("?page=3&page_size=2", "?page=1&page_size=5", "?page=9"):
        assert listed(alice, last)["next_cursor"] is None


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("?page_size=51", "page_size"),
        ("?page_size=0", "page_size"),
        ("?page=0", "page"),
        ("?page=51", "page"),
        ("?page=21&page_size=50", "page"),
        ("?status=waiting", "status"),
        ("?type=image", "type"),
        ("?cursor=nothing", "cursor"),
        ("?created_after=yesterday", "created_after"),
        ("?created_before=1e400", "created_before"),
        ("?metadata[%00]=a", "metadata"),
        ("?metadata[a]=%00", "metadata"),
    ],
)
def test_a_wrong_query_is_named(alice: Person, gateway: Steps, query: str, param: str) -> None:
    assert error(alice.client.get(f"/v1/tasks{query}")) == (400, "invalid_parameter", param)


def test_deep_pages_are_refused_with_a_hint_at_the_cursor(alice: Person) -> None:
    answer = alice.client.get("/v1/tasks?page=1001&page_size=1")
    assert "cursor" in answer.json()["error"]["message"]
    assert alice.client.get("/v1/tasks?page=20&page_size=50").status_code == 200


def test_a_batch_answers_in_the_order_asked_and_leaves_out_what_is_not_there(alice: Person, gateway: Steps) -> None:
    first, _, third = some(alice, 3)
    unknown = ids.encode(Task.PREFIX, ids.new())
    asked = [third.public_id, "nonsense", first.public_id, unknown, third.public_id]
    answer = alice.client.post("/v1/tasks/batch", {"task_ids": asked})
    assert numbers(answer.json()) == ["2", "0"]


@pytest.mark.parametrize("task_ids", [None, "x", [1] * 51, ["x"] * 51, [["x"]], {}])
def test_a_wrong_batch_is_refused(alice: Person, task_ids: Any) -> None:
    answer = alice.client.post("/v1/tasks/batch", {"task_ids": task_ids})
    assert answer.status_code == 400
    assert answer.json()["error"]["param"].startswith("task_ids")


def test_50_at_once_are_taken(alice: Person) -> None:
    assert alice.client.post("/v1/tasks/batch", {"task_ids": ["x"] * 50}).json() == {"data": []}


def test_a_key_that_only_generates_reads_no_tasks(alice: Person, gateway: Steps) -> None:
    client = alice.client_with("generate")
    task_id = client.post("/v1/videos/generations", TEXT_TO_VIDEO).json()["id"]
    assert client.get(f"/v1/tasks/{task_id}").status_code == 403
    assert client.get("/v1/tasks").status_code == 403
