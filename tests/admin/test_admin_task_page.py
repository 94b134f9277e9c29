"""One page tells a task's whole story."""

from django.test import Client
from django.urls import reverse

from accounts.models import User
from generations.models import Task
from tests.cast import Person


def page_of(desk: Client, task: Task) -> tuple[str, list[str]]:
    """The page's text, and the titles of its timeline."""
    answer = desk.get(reverse("admin:generations_task_change", args=[task.pk]))
    return answer.content.decode(), [moment.title for moment in answer.context["story"].moments]


def test_a_finished_task_shows_everything_in_its_order(desk: Client, finished: Task) -> None:
    page, titles = page_of(desk, finished)
    assert titles[:4] == [
        "Asked for",
        "Reserve 27.0000 credits",
        "Attempt 1: to be sent to simulator-live",
        "Attempt 1: accepted",
    ]
    assert sorted(titles[4:]) == [
        "Attempt 1: succeeded",
        "Callback due",
        "Callback try 1",
        "Capture 27.0000 credits",
        "Result copied to our storage",
        "Task completed",
    ]
    attempt, delivery = finished.attempts.get(), finished.deliveries.get()
    for shown in (
        "A lighthouse at dusk",
        "A-17",
        "minimum_seconds",
        "u-77",
        "can take it",
        "5 seconds × 5.4 credits",
        "27.0000 credits",
        "Left empty:",
        "3.000000 unit",
        "973.0000",
        f"/admin/generations/delivery/{delivery.pk}/",
        f"/admin/generations/attempt/{attempt.pk}/",
        "1280 × 720, 5.040 s",
        "UTC",
    ):
        assert shown in page, shown


def test_a_task_that_was_never_sent_says_so_calmly(desk: Client, task: Task) -> None:
    page, titles = page_of(desk, task)
    assert titles == ["Asked for", "Reserve 27.0000 credits"]
    for shown in ("It was not sent to any provider.", "The request named no images or videos.", "Nothing to tell yet."):
        assert shown in page
    assert "Cancel task" in page


def test_a_finished_task_offers_no_cancelling(desk: Client, finished: Task) -> None:
    assert "Cancel task" not in page_of(desk, finished)[0]


def test_what_a_customer_wrote_is_never_markup(desk: Client, task: Task) -> None:
    Task.objects.update(inputs=task.inputs | {"prompt": "<script>alert(1)</script>"}, metadata={"<b>": "<i>"})
    page, _ = page_of(desk, task)
    assert "<script>alert(1)" not in page and "&lt;script&gt;alert(1)" in page and "<b>" not in page


def test_an_unknown_task_is_no_server_error(desk: Client, operator: User, alice: Person) -> None:
    for key in (alice.key.pk, "not-a-uuid"):
        assert desk.get(f"/admin/generations/task/{key}/change/").status_code == 302
        assert desk.get(f"/admin/generations/task/{key}/cancel/").status_code == 404
