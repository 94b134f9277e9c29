"""The playground: what its pages show, what a run does, and what is refused."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from accounts import organizations
from accounts.models import Role
from billing.models import Transfer
from evolink_saas.playground import code, fields, words
from generations import asked_again, catalog
from generations.catalog.base import Example, Spec
from generations.models import Element, Task
from tests.cast import Person
from tests.console.visitors import Visitor, joined
from tests.generations.gateway import Steps, ask, findings, money
from tests.generations.uploading import FACE

EXAMPLES = [pytest.param(spec, one, id=f"{spec.id}-{one.name}") for spec in catalog.SPECS for one in spec.examples]
PLAIN = {"model": "kling-v3-text-to-video", "prompt": "A lighthouse at dusk", "duration": "5", "quality": "720p"}
OVER_THE_WIRE = pytest.mark.django_db(transaction=True)
KEY = "a-key-of-this-very-page"


def run(visitor: Visitor, **form: Any) -> Any:
    """Send the form as the page's script does."""
    return visitor.client.post(visitor.address("playground/run"), PLAIN | form, headers={"accept": "application/json"})


def price(visitor: Visitor, **form: Any) -> Any:
    return visitor.client.post(visitor.address("playground/price"), PLAIN | form)


@pytest.mark.parametrize("spec", catalog.SPECS, ids=lambda spec: spec.id)
def test_the_page_of_every_model_opens(owner: Visitor, prices: None, spec: Spec) -> None:
    answer = owner.get("playground", model=spec.id)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert all(f'data-field="{one.name}"' in page for one in fields.of(spec))
    assert all(str(words.label(one)) in page for one in fields.of(spec))


def test_the_tag_says_what_an_element_costs(owner: Visitor, prices: None) -> None:
    page = owner.get("playground", model="kling-custom-element").content.decode()
    assert "$0.014, about 1 credit, per request" in page


def test_an_unknown_model_is_not_found(owner: Visitor) -> None:
    assert owner.get("playground", model="kling-v9").status_code == 404
    assert owner.client.post(owner.address("playground/run"), {"model": "kling-v9"}).status_code == 404


def test_the_code_holds_exactly_the_body() -> None:
    body = catalog.choose("kling-custom-element").plain_request | {"metadata": {"who": "it's me"}, "on": True}
    found = code.snippets(body)
    assert json.loads(found["curl"].split("-d '")[1][:-1].replace("'\\''", "'")) == body
    python = found["python"].split("body = ")[1].split("\nanswer =")[0]
    assert eval(python) == body
    javascript = found["javascript"].split("const body = ")[1].split(";\n\nconst answer")[0]
    assert json.loads(javascript) == body


def test_the_price_stands_there_while_the_form_is_incomplete(owner: Visitor, prices: None) -> None:
    found = price(owner, prompt="", duration="15", quality="1080p", sound="on").json()
    assert "<b>$2.25</b>" in found["price"] and "162 credits" in found["price"]
    assert '"duration": 15' in found["code"]["curl"]


def test_a_price_that_follows_the_video_is_the_most_there_can_be(owner: Visitor, prices: None) -> None:
    form = {"model": "kling-o1-video-edit", "video_urls": "https://example.com/street.mp4", "prompt": "Let it snow"}
    found = owner.client.post(owner.address("playground/price"), form).json()
    assert "at most" in found["price"] and "120 credits" in found["price"]


def test_asking_for_a_price_writes_nothing(owner: Visitor, alice: Person, prices: None) -> None:
    price(owner)
    assert (Task.objects.count(), alice.organization.quotes.count(), Transfer.objects.count()) == (0, 0, 0)


@OVER_THE_WIRE
def test_a_run_makes_a_task_of_the_member_and_of_no_key(gateway: Steps, owner: Visitor, alice: Person) -> None:
    answer = run(owner)
    assert answer.status_code == 200
    task = alice.organization.tasks.get()
    assert task.public_id in answer.content.decode()
    assert (task.api_key, task.made_by, task.reserved_credits) == (None, alice.membership.user, Decimal(27))
    assert gateway.until(task, "completed").charged_credits == Decimal(27)
    assert findings() == []


def test_pressed_twice_it_is_bought_once(gateway: Steps, owner: Visitor, alice: Person) -> None:
    first, second = (run(owner, idempotency_key=KEY) for _ in range(2))
    assert first.status_code == second.status_code == 200
    assert alice.organization.tasks.count() == 1
    assert money(alice.organization) == (Decimal(1000), Decimal(27))


def test_without_scripts_the_form_leads_to_its_task(gateway: Steps, owner: Visitor, alice: Person) -> None:
    page = owner.post("playground/run", **PLAIN)
    task = alice.organization.tasks.get()
    assert page.redirect_chain[-1][0].endswith(f"playground?task={task.public_id}&from={task.public_id}")
    assert "Waiting to be sent" in page.content.decode()
    assert "A lighthouse at dusk</textarea>" in page.content.decode()


def test_without_scripts_a_refusal_stands_beside_its_field(owner: Visitor, alice: Person, prices: None) -> None:
    page = owner.client.post(owner.address("playground/run"), PLAIN | {"prompt": "", "negative_prompt": "text"})
    assert page.status_code == 400
    text = page.content.decode()
    assert '<p class="errorlist" id="field-prompt-error" data-error>This is needed.</p>' in text
    assert ">text</textarea>" in text
    assert alice.organization.tasks.count() == 0


@pytest.mark.parametrize(
    ("form", "param", "field"),
    [
        ({"prompt": "x" * 2501}, "prompt", "prompt"),
        ({"duration": "16"}, "duration", "duration"),
        ({"duration": "abc"}, "duration", "duration"),
        ({"callback_url": "http://example.com"}, "callback_url", "callback_url"),
        (
            {
                "model_params.multi_shot": "on",
                "model_params.shot_type": "customize",
                "model_params.multi_prompt.prompt": ["one", "two"],
                "model_params.multi_prompt.duration": ["2", "2"],
            },
            "model_params.multi_prompt",
            "model_params.multi_prompt",
        ),
        (
            {"model": "kling-custom-element", "model_params.element_name": "Mia"},
            "model_params.element_description",
            "model_params.element_description",
        ),
        (
            {
                "model": "kling-custom-element",
                "model_params.element_name": "Mia",
                "model_params.element_description": "A woman",
                "model_params.reference_type": "image_refer",
            },
            "model_params.element_image_list",
            "model_params.element_image_list.frontal_image",
        ),
    ],
)
def test_a_refusal_names_the_field_of_the_form(
    owner: Visitor, alice: Person, prices: None, form: dict[str, Any], param: str, field: str
) -> None:
    answer = run(owner, **form)
    error = answer.json()["error"]
    assert (answer.status_code, error["param"], error["field"]) == (400, param, field)
    assert (alice.organization.tasks.count(), Transfer.objects.count()) == (0, 0)


def test_an_empty_balance_changes_nothing(owner: Visitor, alice: Person, gateway: Steps) -> None:
    ask(alice, duration=15, quality="4k", sound="on")
    ask(alice, duration=15, quality="4k", sound="on")
    before = money(alice.organization), Task.objects.count(), Transfer.objects.count()
    answer = run(owner, duration="15", quality="4k")
    assert answer.status_code == 402
    error = answer.json()["error"]
    assert error["code"] == "account_balance_insufficient"
    assert (
        error["message"]
        == "The available credits do not cover the price. Buy credits, or choose a shorter or plainer video."
    )
    assert error["action_url"]
    assert (money(alice.organization), Task.objects.count(), Transfer.objects.count()) == before


def test_a_viewer_looks_and_runs_nothing(gateway: Steps, alice: Person) -> None:
    viewer, task = joined(alice, Role.VIEWER), ask(alice)
    page = viewer.get("playground").content.decode()
    assert 'id="run"' not in page and '<fieldset class="plain-set stack" disabled>' in page
    assert run(viewer).status_code == 403
    assert price(viewer).status_code == 403
    assert upload(viewer.client, viewer.address("playground/files"), FACE).status_code == 403
    assert viewer.client.post(viewer.address(f"playground/tasks/{task.public_id}/cancel")).status_code == 403
    assert viewer.get(f"playground/tasks/{task.public_id}").status_code == 200
    assert Task.objects.count() == 1 and alice.organization.files.count() == 0


def test_a_suspended_organization_runs_nothing(gateway: Steps, owner: Visitor, alice: Person) -> None:
    organizations.suspend(alice.organization, "unpaid")
    answer = run(owner)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "organization_suspended")
    assert Task.objects.count() == 0


def upload(client: Client, address: str, path: Path, name: str = "") -> Any:
    headers = {"x-file-name": name or path.name}
    return client.post(address, path.read_bytes(), content_type="application/octet-stream", headers=headers)


def test_an_upload_is_kept_and_can_be_used(gateway: Steps, owner: Visitor, alice: Person) -> None:
    answer = upload(owner.client, owner.address("playground/files"), FACE, "Mia%20vorn.png")
    assert answer.status_code == 201
    kept = alice.organization.files.get()
    assert (kept.file_name, kept.upload_path) == ("Mia vorn.png", "playground")
    assert answer.json()["url"].startswith("http")
    form = {"model": "kling-v3-image-to-video", "image_start": answer.json()["url"]}
    assert run(owner, **form).status_code == 200
    assert alice.organization.tasks.get().media.get().file == kept


def test_a_wrong_upload_is_refused_and_nothing_is_kept(gateway: Steps, owner: Visitor, tmp_path: Path) -> None:
    text = tmp_path / "notes.png"
    text.write_text("no picture at all")
    answer = upload(owner.client, owner.address("playground/files"), text)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "file_type_not_allowed")
    assert owner.organization.files.count() == 0


def test_a_foreign_element_is_refused_beside_its_field(
    gateway: Steps, owner: Visitor, alice: Person, charlie: Person
) -> None:
    foreign = element_of(charlie)
    form = {"model": "kling-o3-text-to-video", "model_params.element_list": str(foreign.pk)}
    answer = run(owner, **form)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, "element_not_found")
    assert error["param"] == "model_params.element_list[0].element_id"
    assert error["field"] == "model_params.element_list"
    assert alice.organization.tasks.count() == 0


def element_of(person: Person) -> Element:
    """An element of this person's organization, as a finished task leaves it."""
    task = Task.objects.create(
        organization=person.organization,
        model="kling-custom-element",
        type="element",
        inputs={"name": "Theirs", "description": "Secret", "kind": "image_refer", "voice_id": None},
        estimated_seconds=600,
        price={},
        billing_rule="per_call",
        user_group="default",
        reserved_credits=Decimal(1),
        deadline_at="2026-01-01T00:00:00Z",
    )
    return Element.objects.create(
        organization=person.organization, task=task, name="Theirs", description="Secret", kind="image_refer"
    )


def test_what_belongs_to_others_is_not_found(gateway: Steps, owner: Visitor, charlie: Person) -> None:
    element = element_of(charlie)
    task = element.task
    for query in ({"task": task.public_id}, {"from": task.public_id}, {"element": str(element.pk)}):
        assert owner.get("playground", **query).status_code == 404
    assert owner.get(f"playground/tasks/{task.public_id}").status_code == 404
    assert owner.client.post(owner.address(f"playground/tasks/{task.public_id}/cancel")).status_code == 404
    assert "Nothing to compare" in owner.get("playground/compare", task=task.public_id).content.decode()
    task.refresh_from_db()
    assert task.status == "pending"


def test_a_stranger_finds_no_playground(stranger: Visitor, gateway: Steps) -> None:
    assert stranger.get("playground").status_code == 404
    assert run(stranger).status_code == 404
    assert Task.objects.count() == 0


@pytest.mark.parametrize(("spec", "example"), EXAMPLES)
def test_a_task_says_its_request_again(spec: Spec, example: Example, alice: Person) -> None:
    first = spec.parse(example.body)
    task = Task.objects.create(
        organization=alice.organization,
        model=spec.id,
        type=spec.type,
        inputs=first.inputs,
        metadata=example.body.get("metadata", {}),
        estimated_seconds=1,
        price={},
        billing_rule="per_call",
        user_group="default",
        reserved_credits=Decimal(1),
        deadline_at="2026-01-01T00:00:00Z",
    )
    for medium in first.media:
        task.media.create(role=medium.role, param=medium.param, url=medium.url)
    body = asked_again.body(task)
    assert body is not None
    assert spec.parse(body) == first
    assert body.get("metadata", {}) == task.metadata


def test_run_again_fills_the_form(gateway: Steps, owner: Visitor, alice: Person) -> None:
    task = ask(alice, prompt="A fox & a hare", duration=9, quality="1080p", metadata={"order": "7"})
    page = owner.get("playground", **{"from": task.public_id}).content.decode()
    assert "A fox &amp; a hare</textarea>" in page
    assert 'name="quality" value="1080p" checked' in page
    assert "order=7</textarea>" in page


@OVER_THE_WIRE
def test_an_element_is_made_and_used(gateway: Steps, owner: Visitor, alice: Person, settings: Settings) -> None:
    link = upload(owner.client, owner.address("playground/files"), FACE).json()["url"]
    form = {
        "model": "kling-custom-element",
        "model_params.reference_type": "image_refer",
        "model_params.element_name": "Eileen",
        "model_params.element_description": "A woman in an orange suit",
        "model_params.element_image_list.frontal_image": link,
    }
    assert run(owner, **form).status_code == 200
    task = gateway.until(alice.organization.tasks.get(), "completed")
    element = task.element
    pane = owner.get(f"playground/tasks/{task.public_id}").content.decode()
    assert f"?model=kling-v3-image-to-video&amp;element={element.pk}" in pane
    source = element.sources.get(role="frontal_image").file
    assert f'src="{owner.address(f"pictures/{source.public_id}")}"' in pane
    picture = owner.get(f"pictures/{source.public_id}")
    assert (picture.status_code, picture["Content-Type"]) == (200, "image/png")
    page = owner.get("playground", element=str(element.pk)).content.decode()
    assert f'value="{element.pk}" checked' in page and "kling-v3-image-to-video" in page


@OVER_THE_WIRE
def test_a_failed_task_says_why_and_what_came_back(gateway: Steps, owner: Visitor, alice: Person) -> None:
    run(owner, prompt="A heron [sim:fail content]")
    task = gateway.until(alice.organization.tasks.get(), "failed")
    pane = owner.get(f"playground/tasks/{task.public_id}").content.decode()
    assert "content_policy_violation" in pane and "Given back in full: 27 credits." in pane
    assert money(alice.organization) == (Decimal(1000), Decimal(0))


def test_a_task_is_cancelled(gateway: Steps, owner: Visitor, alice: Person) -> None:
    run(owner)
    task = alice.organization.tasks.get()
    page = owner.post(f"playground/tasks/{task.public_id}/cancel")
    task.refresh_from_db()
    assert task.status == "cancelled"
    assert "Given back in full: 27 credits." in page.content.decode()


def test_the_history_holds_what_members_made(gateway: Steps, owner: Visitor, alice: Person) -> None:
    ask(alice, prompt="By a key")
    for number in range(21):
        run(owner, prompt=f"Number {number}.")
    part = owner.get("playground/history").content.decode()
    assert "By a key" not in part and "Number 0." not in part
    assert "Number 1." in part and "Number 20." in part
    assert "20 running" in part and "0 finished" in part


@OVER_THE_WIRE
def test_two_videos_stand_side_by_side(gateway: Steps, owner: Visitor, alice: Person) -> None:
    first, second = (gateway.until(ask(alice), "completed") for _ in range(2))
    open_task = ask(alice)
    page = owner.get("playground/compare", task=[first.public_id, second.public_id, open_task.public_id])
    assert page.content.decode().count("<figure>") == 2
