"""What POST /v1/videos/generations answers, refuses, and leaves behind when it refuses."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from django_q.models import OrmQ
from pytest_django import Settings

from accounts import organizations
from accounts.models import Scope
from billing import ledger, overrides
from generations import provider_accounts
from generations.models import IdempotencyRecord, ProviderAccount, Task
from tests.cast import Person, client_for, give_key, organization_of
from tests.generations.gateway import TEXT_TO_VIDEO, Steps, ask, findings, money

pytestmark = pytest.mark.django_db

POST = "/v1/videos/generations"
IMAGE_TO_VIDEO = {"model": "kling-v3-image-to-video", "image_start": "https://example.com/a.jpg"}
ELEMENT = {
    "model": "kling-custom-element",
    "model_params": {
        "element_name": "Mia",
        "element_description": "A woman in a green raincoat",
        "reference_type": "image_refer",
        "element_image_list": {"frontal_image": "https://example.com/mia.jpg"},
    },
}
VIDEO_ELEMENT = {
    "model": "kling-custom-element",
    "model_params": {
        "element_name": "Mia",
        "element_description": "A woman in a green raincoat",
        "reference_type": "video_refer",
        "element_video_list": {"video_url": "https://example.com/mia.mp4"},
    },
}


def refused(person: Person, body: Mapping[str, Any], status: int, code: str, **expected: Any) -> dict[str, Any]:
    """The error of a refused request, which changed nothing."""
    before = money(person.organization), Task.objects.count(), OrmQ.objects.count()
    answer = person.client.post(POST, body)
    error: dict[str, Any] = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (status, code), error
    assert {name: error.get(name) for name in expected} == expected
    assert before == (money(person.organization), Task.objects.count(), OrmQ.objects.count())
    return error


def test_a_video_request_is_answered_with_its_task(alice: Person, gateway: Steps) -> None:
    answer = alice.client.post(POST, TEXT_TO_VIDEO | {"metadata": {"order": "7"}})

    assert answer.status_code == 200
    assert answer["x-request-id"]
    body = answer.json()
    task = Task.objects.get()
    assert re.fullmatch(r"task-video-[0-9a-hjkmnp-tv-z]{26}", body["id"])
    assert body == {
        "created": int(task.created_at.timestamp()),
        "id": task.public_id,
        "model": "kling-v3-text-to-video",
        "object": "video.generation.task",
        "type": "video",
        "progress": 0,
        "status": "pending",
        "task_info": {"estimated_time": 300, "can_cancel": True, "video_duration": 5},
        "usage": {"credits_reserved": 27, "billing_rule": "per_second", "user_group": "default"},
        "billing": {
            "charge_status": "reserved",
            "refund_status": "not_required",
            "reserved_credits": 27,
            "charged_credits": 0,
            "refunded_credits": 0,
            "refunded_at": None,
        },
        "metadata": {"order": "7"},
    }
    assert money(alice.organization) == (1000, 27)
    assert findings() == []


def test_an_element_request_costs_one_credit_a_call(alice: Person, gateway: Steps) -> None:
    body = alice.client.post(POST, ELEMENT).json()
    assert (body["type"], body["model"]) == ("element", "kling-custom-element")
    assert body["task_info"] == {"estimated_time": 600, "can_cancel": True}
    assert body["usage"] == {"credits_reserved": 1, "billing_rule": "per_call", "user_group": "default"}


@pytest.mark.parametrize(
    ("changes", "credits"),
    [
        ({}, 27),
        ({"quality": "1080P"}, 35.991),
        ({"quality": "1080p", "sound": True, "duration": 15}, 162),
        ({"sound": "on", "duration": 2}, 24.3),
        ({"quality": "1080p", "duration": 15}, 107.973),
        ({"quality": "4K", "sound": "on", "duration": 3}, 81),
    ],
)
def test_the_price_of_the_book_is_reserved(
    alice: Person, gateway: Steps, changes: dict[str, object], credits: float
) -> None:
    body = alice.client.post(POST, TEXT_TO_VIDEO | changes).json()
    assert body["usage"]["credits_reserved"] == body["billing"]["reserved_credits"] == credits


def test_the_job_is_queued_in_the_same_transaction(alice: Person, gateway: Steps) -> None:
    task = ask(alice)
    (job,) = [row.task for row in OrmQ.objects.all()]
    assert (job["func"], job["args"]) == ("generations.jobs.submit", (str(task.pk),))


def test_root_fields_that_the_model_does_not_use_are_ignored(alice: Person, gateway: Steps) -> None:
    task = ask(alice, image_start=17, image_urls="x", n={"a": []}, cfg_scale=None)
    assert task.inputs["prompt"] == TEXT_TO_VIDEO["prompt"]


@pytest.mark.parametrize(
    ("body", "status", "expected"),
    [
        ({"model": None}, 400, {"code": "invalid_parameter", "param": "model"}),
        ({"model": "kling-v3-text-to-vide"}, 404, {"code": "model_not_found", "param": "model"}),
        ({"duration": 5.5}, 400, {"code": "invalid_parameter", "param": "duration"}),
        ({"prompt": ""}, 400, {"code": "invalid_parameter", "param": "prompt"}),
        (
            {"model_params": {"seed": 1}},
            400,
            {"code": "unknown_model_parameter", "param": "model_params.seed"},
        ),
        ({"metadata": {"a": 1}}, 400, {"code": "invalid_parameter", "param": "metadata.a"}),
    ],
)
def test_a_wrong_field_is_named(
    alice: Person, gateway: Steps, body: dict[str, object], status: int, expected: dict[str, str]
) -> None:
    refused(alice, TEXT_TO_VIDEO | body, status, **expected)


def test_a_request_without_a_model_misses_it(alice: Person, gateway: Steps) -> None:
    refused(alice, {"prompt": "x"}, 400, "missing_parameter", param="model", type="invalid_request_error")


def test_an_unknown_model_is_answered_with_the_nearest(alice: Person, gateway: Steps) -> None:
    body = TEXT_TO_VIDEO | {"model": "kling-v3-text2video"}
    refused(alice, body, 404, "model_not_found", fallback_suggestion="kling-v3-text-to-video", type="not_found_error")


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/hook",
        "ftp://example.com/hook",
        "https://10.0.0.1/hook",
        "https://[::1]/hook",
        "https://2130706433/hook",
        "https://0x7f.1/hook",
        "https://user:secret@example.com/hook",
    ],
)
def test_a_callback_to_where_nobody_may_call_is_refused(alice: Person, gateway: Steps, settings: Any, url: str) -> None:
    settings.SAFE_HTTP_EXTRA_NETWORKS = []
    refused(alice, TEXT_TO_VIDEO | {"callback_url": url}, 400, "callback_url_not_allowed", param="callback_url")


@pytest.mark.parametrize(
    "url", ["http://10.0.0.1/a.jpg", "https://169.254.169.254/latest", "https://[::ffff:10.1.1.1]/"]
)
def test_media_at_an_internal_address_is_refused(alice: Person, gateway: Steps, settings: Any, url: str) -> None:
    settings.SAFE_HTTP_EXTRA_NETWORKS = []
    refused(alice, IMAGE_TO_VIDEO | {"image_start": url}, 400, "media_url_not_allowed", param="image_start")


def test_an_unknown_voice_is_refused(alice: Person, gateway: Steps) -> None:
    body = VIDEO_ELEMENT | {"model_params": VIDEO_ELEMENT["model_params"] | {"element_voice_id": "1"}}
    refused(alice, body, 400, "invalid_parameter", param="model_params.element_voice_id")


def test_a_voice_of_the_table_is_taken(alice: Person, gateway: Steps) -> None:
    body = VIDEO_ELEMENT | {"model_params": VIDEO_ELEMENT["model_params"] | {"element_voice_id": "829826792415842333"}}
    assert alice.client.post(POST, body).status_code == 200


@pytest.mark.parametrize("element_id", ["1", "0", "-1", "x", "9" * 19, "9" * 60, "１２"])
@pytest.mark.parametrize("at_root", [False, True])
def test_an_element_that_does_not_exist_is_named(alice: Person, gateway: Steps, element_id: str, at_root: bool) -> None:
    given = {"element_list": [{"element_id": element_id}]}
    body = IMAGE_TO_VIDEO | (given if at_root else {"model_params": given})
    param = "element_list[0].element_id" if at_root else "model_params.element_list[0].element_id"
    refused(alice, body, 400, "element_not_found", param=param)


def test_a_key_bound_to_other_models_is_refused(alice: Person, gateway: Steps) -> None:
    client = alice.client_with(Scope.GENERATE, allowed_models=["kling-custom-element"])
    answer = client.post(POST, TEXT_TO_VIDEO)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "key_model_not_allowed")
    assert client.post(POST, ELEMENT).status_code == 200


def test_without_enough_credits_nothing_changes(alice: Person, gateway: Steps) -> None:
    for _ in range(6):
        ask(alice, quality="1080p", sound="on", duration=15)
    figures = {"estimated_credits": 162, "account_balance_credits": 28, "remaining_credits": 28}
    body = TEXT_TO_VIDEO | {"quality": "1080p", "sound": "on", "duration": 15}
    refused(alice, body, 402, "account_balance_insufficient", type="insufficient_quota_error", **figures)
    assert ask(alice).reserved_credits == 27
    assert money(alice.organization) == (1000, 999)


def test_a_key_at_its_quota_is_refused(alice: Person, gateway: Steps) -> None:
    key, secret = alice.key_with(Scope.GENERATE, total_limit=30)
    client = client_for(secret)
    assert client.post(POST, TEXT_TO_VIDEO).status_code == 200
    answer = client.post(POST, TEXT_TO_VIDEO)
    assert (answer.status_code, answer.json()["error"]["code"]) == (402, "key_quota_exhausted")
    assert answer.json()["error"]["remaining_credits"] == 3
    assert key.tasks.count() == 1


def test_a_key_has_only_so_many_unfinished_tasks(alice: Person, gateway: Steps) -> None:
    client = alice.client_with(Scope.GENERATE, running_limit=2)
    assert [client.post(POST, TEXT_TO_VIDEO).status_code for _ in range(3)] == [200, 200, 429]
    answer = client.post(POST, TEXT_TO_VIDEO)
    assert answer.json()["error"]["code"] == "too_many_running_tasks"
    assert int(answer["Retry-After"]) > 0
    assert money(alice.organization) == (1000, 54)


def test_beyond_the_queued_limit_of_the_organization_it_is_429(alice: Person, gateway: Steps) -> None:
    alice.organization.running_limit, alice.organization.queued_limit = 1, 2
    alice.organization.save(update_fields=["running_limit", "queued_limit"])
    answers = [alice.client.post(POST, TEXT_TO_VIDEO) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[3].json()["error"]["code"] == "too_many_running_tasks"


def test_the_limits_of_the_user_group_hold_where_the_organization_has_none(alice: Person, gateway: Steps) -> None:
    group = alice.organization.user_group
    group.running_limit, group.queued_limit = 1, 0
    group.save(update_fields=["running_limit", "queued_limit"])
    assert [alice.client.post(POST, TEXT_TO_VIDEO).status_code for _ in range(2)] == [200, 429]


def test_without_a_running_limit_nothing_waits_so_nothing_is_too_much(alice: Person, gateway: Steps) -> None:
    group = alice.organization.user_group
    group.running_limit, group.queued_limit = None, 0
    group.save(update_fields=["running_limit", "queued_limit"])
    assert [alice.client.post(POST, TEXT_TO_VIDEO).status_code for _ in range(2)] == [200, 200]


def test_the_running_limit_of_a_sandbox_counts_before_its_queue(
    alice: Person, gateway: Steps, settings: Settings
) -> None:
    settings.SANDBOX_RUNNING_LIMIT = 2
    group = alice.organization.user_group
    group.running_limit, group.queued_limit = 1, 0
    group.save(update_fields=["running_limit", "queued_limit"])
    sandbox = organizations.sandbox_twin(alice.organization)
    ledger.grant(sandbox, Decimal(100), kind="promo", reference="test credits", reason="test")
    client = client_for(give_key(sandbox)[1])
    assert [client.post(POST, TEXT_TO_VIDEO).status_code for _ in range(3)] == [200, 200, 429]


def test_without_an_account_that_can_take_it_the_model_is_unavailable(alice: Person, gateway: Steps) -> None:
    ProviderAccount.objects.filter(serves="live").update(enabled=False)
    refused(alice, TEXT_TO_VIDEO, 503, "model_unavailable", type="service_unavailable_error")
    assert int(alice.client.post(POST, TEXT_TO_VIDEO)["Retry-After"]) > 0


def test_without_a_price_the_model_is_unavailable(alice: Person, db: None) -> None:
    provider_accounts.ensure_simulator_accounts("http://127.0.0.1:9", "none")
    refused(alice, TEXT_TO_VIDEO, 503, "model_unavailable")


def test_a_suspended_organization_is_refused(alice: Person, gateway: Steps) -> None:
    alice.organization.suspended_at = alice.organization.created_at
    alice.organization.save(update_fields=["suspended_at"])
    refused(alice, TEXT_TO_VIDEO, 403, "organization_suspended")


@pytest.mark.parametrize("key", ["", "short", "x" * 97, "with a blank inside", "with/slash/inside", "ümläute-ümläute-"])
def test_a_malformed_idempotency_key_is_refused(alice: Person, gateway: Steps, key: str) -> None:
    answer = alice.client.post(POST, TEXT_TO_VIDEO, headers={"Idempotency-Key": key})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_idempotency_key")
    assert not Task.objects.exists()
    assert not IdempotencyRecord.objects.exists()


def test_there_is_no_second_way_to_a_task(alice: Person, gateway: Steps) -> None:
    answer = alice.client.get(f"{POST}/{ask(alice).public_id}")
    assert answer.status_code == 404
    assert "Invalid URL" in answer.json()["error"]["message"]


def test_a_price_is_frozen_when_the_task_is_made(alice: Person, gateway: Steps) -> None:
    task = ask(alice)
    doubled = overrides.set_multiplier(alice.organization.user_group, Decimal(2), reason="test")
    later = ask(alice)
    assert (later.reserved_credits, later.price["multiplier"]) == (54, "2")
    assert later.price["override"] == {"of": "user_group", "id": doubled.pk}
    task.refresh_from_db()
    assert (task.reserved_credits, task.price["multiplier"], task.price["override"]) == (27, "1", None)
    assert findings() == []


def test_a_poor_organization_is_refused_beside_a_rich_one(alice: Person, gateway: Steps) -> None:
    other = organization_of("Zenith", "charlie@zenith.example")
    client = client_for(give_key(other)[1])
    assert client.post(POST, TEXT_TO_VIDEO).status_code == 402
    assert money(other) == (0, 0)
