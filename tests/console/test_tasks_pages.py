"""The pages of tasks: found by what they are, told in plain words, cancelled by those who may, and nobody else's."""

import html
import json
import re
import shlex
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Role
from evolink_saas.console import task_search
from generations import creation, lifecycle
from generations.models import Delivery, StoredFile, Task
from tests.cast import Person, give_key
from tests.console.visitors import Visitor, joined
from tests.generations.gateway import TEXT_TO_VIDEO, Steps, ask, ask_element, findings, money, upload
from tests.generations.receivers import ended_task
from tests.generations.uploading import FACE

pytestmark = pytest.mark.django_db(transaction=True)

ADDRESS = "https://example.com/hook?token=secret"
XSS = '<script>alert("x")</script>'


def page(who: Visitor, path: str, **query: str) -> str:
    answer = who.get(path, **query)
    assert answer.status_code == 200, answer.content
    return html.unescape(answer.content.decode())


def listed(who: Visitor, **query: str) -> list[str]:
    """The ids of the tasks in the list."""
    return re.findall(r"<code[^>]*>(task-video-\w+)</code>", page(who, "tasks", **query))


def ids(*tasks: Task) -> list[str]:
    return [task.public_id for task in tasks]


def test_an_empty_list_says_what_will_be_there(owner: Visitor) -> None:
    assert "No task yet" in page(owner, "tasks")


def test_tasks_stand_newest_first_with_what_was_asked_for(owner: Visitor, alice: Person, gateway: Steps) -> None:
    first, second = ask(alice, prompt="A heron"), ask(alice, prompt="An otter")
    assert listed(owner) == ids(second, first)
    assert "An otter" in page(owner, "tasks")
    assert "data-refresh" in owner.get("tasks").content.decode()


def test_the_list_rests_when_nothing_runs(owner: Visitor, alice: Person, gateway: Steps) -> None:
    gateway.until(ask(alice), "completed")
    assert "data-refresh" not in owner.get("tasks").content.decode()


def test_each_filter_finds_its_tasks(owner: Visitor, alice: Person, gateway: Steps) -> None:
    done = gateway.until(ask(alice, metadata={"order": "7"}), "completed")
    element = ask_element(alice, frontal=upload(alice.organization, FACE))
    other_key, _ = give_key(alice.organization)
    done.refresh_from_db()

    assert listed(owner, status="completed") == ids(done)
    assert listed(owner, status="processing") == ids(element)
    assert listed(owner, status="failed") == []
    assert listed(owner, type="element") == ids(element)
    assert listed(owner, model="kling-v3-text-to-video") == ids(done)
    assert listed(owner, metadata="order=7") == ids(done)
    assert listed(owner, metadata="order=8") == []
    assert listed(owner, key=alice.key.public_id) == ids(element, done)
    assert listed(owner, key=other_key.public_id) == []
    assert "Nothing was found" in page(owner, "tasks", key=other_key.public_id)


def test_days_are_those_of_the_reader(owner: Visitor, alice: Person, gateway: Steps) -> None:
    alice.membership.user.time_zone = "Pacific/Auckland"
    alice.membership.user.save(update_fields=["time_zone"])
    task = ask(alice)
    late = timezone.now().replace(hour=23, minute=0)  # the day after in Auckland
    Task.objects.filter(pk=task.pk).update(created_at=late)
    there = (late + timedelta(days=1)).date()

    assert listed(owner, since=there.isoformat(), until=there.isoformat()) == ids(task)
    assert listed(owner, until=late.date().isoformat()) == []
    assert listed(owner, since="0001-01-01", until="9999-12-31") == ids(task)


@pytest.mark.parametrize(
    "query", [{"status": "odd"}, {"model": "none"}, {"metadata": "order"}, {"since": "yesterday"}, {"key": "key_x"}]
)
def test_a_search_that_is_wrong_says_so_beside_its_field(owner: Visitor, query: dict[str, str]) -> None:
    answer = owner.get("tasks", **query)
    assert answer.status_code == 400
    assert "errorlist" in answer.content.decode()


def test_a_strangers_key_is_no_choice(owner: Visitor, alice: Person, charlie: Person) -> None:
    assert owner.get("tasks", key=charlie.key.public_id).status_code == 400


def test_pages_follow_each_other_and_keep_the_search(
    owner: Visitor, alice: Person, gateway: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task_search, "PAGE_SIZE", 2)
    tasks = [ask(alice) for _ in range(3)]
    first = page(owner, "tasks", status="processing")
    older = re.search(r'href="\?([^"]*)">Older tasks', first)
    assert older is not None and "status=processing" in older[1]
    query = dict(part.split("=") for part in older[1].split("&"))
    assert listed(owner, **query) == ids(tasks[0])
    assert owner.get("tasks", cursor="nonsense").status_code == 404


def test_a_finished_video_plays_on_its_page_with_its_facts(owner: Visitor, alice: Person, gateway: Steps) -> None:
    task = gateway.until(ask(alice, sound="on"), "completed")
    shown = page(owner, f"tasks/{task.public_id}")
    file = task.files.get(purpose=StoredFile.Purpose.RESULT)
    path = re.search(r'<video[^>]* src="([^"#]+)', shown)
    assert path is not None
    video = owner.client.get(path[1], headers={"range": "bytes=0-3"})
    assert (video.status_code, video["Content-Type"]) == (206, "video/mp4")
    assert f"{file.width} × {file.height} · with sound" in shown
    assert "Kept until" in shown
    assert "40.5" in shown and "720p with sound" in shown
    assert "The task is completed" in shown
    assert "data-refresh" not in shown


def test_an_expired_video_says_what_that_means(owner: Visitor, alice: Person, gateway: Steps) -> None:
    task = gateway.until(ask(alice), "completed")
    task.files.update(expires_at=timezone.now() - timedelta(minutes=1))
    shown = page(owner, f"tasks/{task.public_id}")
    assert "The video is gone" in shown
    assert "<video" not in shown and "Download" not in shown


def test_a_failed_task_says_why_in_plain_words_and_that_it_cost_nothing(
    owner: Visitor, alice: Person, gateway: Steps
) -> None:
    task = gateway.until(ask(alice, prompt="A heron [sim:fail content]"), "failed")
    shown = page(owner, f"tasks/{task.public_id}")
    assert "The content policy does not allow this request." in shown
    assert "Change the prompt or the images, then try again." in shown
    assert "27 credits: you pay nothing for it." in shown
    assert "Credits given back: 27" in shown
    assert money(alice.organization) == (1000, 0)


def test_the_field_to_blame_is_named(owner: Visitor, alice: Person, gateway: Steps) -> None:
    task = ask(alice)
    Task.objects.filter(pk=task.pk).update(
        error_code="face_not_found", error_message="No face.", error_param="image_start"
    )
    assert "<code>image_start</code>" in page(owner, f"tasks/{task.public_id}")


def test_the_receipt_has_the_movements_of_the_ledger(owner: Visitor, alice: Person, gateway: Steps) -> None:
    task = gateway.until(ask(alice), "completed")
    shown = page(owner, f"tasks/{task.public_id}")
    for row in alice.organization.wallet.transfers.filter(reservation=task.pk):
        assert f'<th scope="row">{row.seq}</th>' in shown
    assert ">Reserved<br>" in shown and ">Charged<br>" in shown


def test_the_request_is_copied_as_curl_and_says_nothing_that_was_not_asked(
    owner: Visitor, alice: Person, gateway: Steps
) -> None:
    prompt = 'It\'s a fox; $HOME `id` "quoted"'
    task = ask(alice, prompt=prompt, metadata={"order": "7"})
    shown = page(owner, f"tasks/{task.public_id}")
    found = re.search(r'<pre hidden id="request-curl">(.*?)</pre>', shown, re.DOTALL)
    assert found is not None
    words = shlex.split(found[1].replace("\\\n", " "))
    assert words[0] == "curl" and "Authorization: Bearer $API_KEY" in words
    body = json.loads(words[-1])
    assert (body["prompt"], body["metadata"]) == (prompt, {"order": "7"})
    assert alice.secret not in shown
    again = alice.client.post("/v1/videos/generations", body)
    assert again.status_code == 200


def test_nothing_of_a_provider_is_shown(owner: Visitor, alice: Person, gateway: Steps) -> None:
    task = gateway.until(ask(alice, prompt="[sim:fail the secret words of the upstream]"), "failed")
    attempt = task.attempts.get()
    shown = page(owner, f"tasks/{task.public_id}").replace(task.inputs["prompt"], "")
    for secret in (attempt.upstream_id, attempt.upstream_message, attempt.account.name, attempt.reference):
        assert secret and secret not in shown


def test_what_customers_write_is_never_markup(owner: Visitor, alice: Person, gateway: Steps) -> None:
    task = ask(alice, prompt=XSS, metadata={XSS: XSS})
    for path in ("", "tasks", f"tasks/{task.public_id}"):
        raw = owner.get(path).content.decode()
        assert XSS not in raw
        assert html.escape(XSS).replace("&#x27;", "&#39;") in raw


def test_a_waiting_task_is_cancelled_with_its_refund(developer: Visitor, alice: Person, gateway: Steps) -> None:
    task = ask(alice)
    assert "Cancel the task?" in page(developer, f"tasks/{task.public_id}")
    answer = developer.post(f"tasks/{task.public_id}/cancel")
    assert answer.redirect_chain == [(developer.address(f"tasks/{task.public_id}"), 302)]
    task.refresh_from_db()
    assert task.status == "cancelled"
    assert "Its credits are available again." in answer.content.decode()
    assert money(alice.organization) == (1000, 0)
    assert findings() == []


def test_a_task_that_is_under_way_offers_no_cancel_and_refuses_it(
    owner: Visitor, alice: Person, gateway: Steps
) -> None:
    task = gateway.until(ask(alice), "completed")
    assert "Cancel the task" not in page(owner, f"tasks/{task.public_id}")
    answer = owner.post(f"tasks/{task.public_id}/cancel")
    assert "The task cannot be cancelled any more" in answer.content.decode()
    task.refresh_from_db()
    assert task.status == "completed"


def test_a_viewer_looks_and_cancels_nothing(alice: Person, gateway: Steps) -> None:
    viewer, task = joined(alice, Role.VIEWER), ask(alice)
    assert "Cancel the task" not in page(viewer, f"tasks/{task.public_id}")
    assert viewer.post(f"tasks/{task.public_id}/cancel").status_code == 403
    task.refresh_from_db()
    assert task.status == "pending"
    assert money(alice.organization) == (1000, 27)


def called_back(alice: Person) -> tuple[Task, Delivery]:
    """A cancelled task that has told its address so."""
    task = ask(alice, callback_url=ADDRESS)
    lifecycle.cancel(task)
    return task, Delivery.objects.get(task=task)


def test_callbacks_stand_with_their_tries_and_go_out_again(owner: Visitor, alice: Person, gateway: Steps) -> None:
    task, delivery = called_back(alice)
    delivery.tries.create(number=1, seconds="0.5", status=503)
    Delivery.objects.filter(pk=delivery.pk).update(state="failed", due_at=None, tries_left=0)
    shown = page(owner, f"tasks/{task.public_id}")
    assert "HTTP 503" in shown and ADDRESS in shown and "given up" in shown

    answer = owner.post(f"tasks/{task.public_id}/callbacks/{delivery.public_id}")
    assert "The callback is sent once more." in answer.content.decode()
    delivery.refresh_from_db()
    assert (delivery.state, delivery.due_at is not None) == ("due", True)


def test_a_viewer_sees_no_callback_address_and_sends_nothing_again(alice: Person, gateway: Steps) -> None:
    viewer, (task, delivery) = joined(alice, Role.VIEWER), called_back(alice)
    Delivery.objects.filter(pk=delivery.pk).update(state="failed", due_at=None)
    assert "token=secret" not in page(viewer, f"tasks/{task.public_id}")
    assert viewer.post(f"tasks/{task.public_id}/callbacks/{delivery.public_id}").status_code == 403
    delivery.refresh_from_db()
    assert delivery.state == "failed"


def test_a_stranger_finds_nothing_and_changes_nothing(
    owner: Visitor, stranger: Visitor, alice: Person, charlie: Person
) -> None:
    task, theirs = ended_task(alice, ADDRESS), ended_task(charlie, ADDRESS)
    mine, foreign = Delivery.objects.get(task=task), Delivery.objects.get(task=theirs)
    for path in ("tasks", f"tasks/{task.public_id}"):
        assert stranger.get(path).status_code == 404
    for path in (f"tasks/{theirs.public_id}", "tasks/nonsense"):
        assert owner.get(path).status_code == 404
    for path in (
        f"tasks/{theirs.public_id}/cancel",
        f"tasks/{task.public_id}/callbacks/{foreign.public_id}",
        f"tasks/{theirs.public_id}/callbacks/{foreign.public_id}",
        f"tasks/{task.public_id}/callbacks/nonsense",
    ):
        assert owner.post(path).status_code == 404
    assert stranger.post(f"tasks/{task.public_id}/callbacks/{mine.public_id}").status_code == 404


def test_an_element_stands_on_the_page_of_its_task(owner: Visitor, alice: Person, gateway: Steps) -> None:
    task = gateway.until(ask_element(alice, frontal=upload(alice.organization, FACE)), "completed")
    shown = page(owner, f"tasks/{task.public_id}")
    assert f">{task.element.pk}</code>" in shown
    assert "/pictures/file_" in shown


def test_the_overview_leads_to_the_tasks(owner: Visitor, alice: Person, gateway: Steps) -> None:
    task = ask(alice, prompt="A heron")
    shown = page(owner, "")
    assert f'href="{owner.address(f"tasks/{task.public_id}")}">A heron</a>' in shown
    lifecycle.cancel(task)
    assert "cancelled" in page(owner, "")


def test_the_list_asks_as_often_for_many_tasks_as_for_one(owner: Visitor, alice: Person, gateway: Steps) -> None:
    ask(alice)
    with CaptureQueriesContext(connection) as for_one:
        page(owner, "tasks")
    for _ in range(4):
        ask(alice)
    with CaptureQueriesContext(connection) as for_five:
        page(owner, "tasks")
    assert len(for_five) == len(for_one)


def test_a_task_of_the_playground_names_who_ran_it_and_is_run_again(
    owner: Visitor, alice: Person, gateway: Steps
) -> None:
    creation.create(alice.organization, alice.membership, TEXT_TO_VIDEO, None)
    task = alice.organization.tasks.get()
    shown = page(owner, f"tasks/{task.public_id}")
    assert f"<dt>Playground</dt><dd>{alice.membership.user.email}</dd>" in shown
    again = owner.get("playground", **{"from": task.public_id})
    assert f'href="{owner.address("playground")}?from={task.public_id}"' in shown
    assert TEXT_TO_VIDEO["prompt"] in again.content.decode()
