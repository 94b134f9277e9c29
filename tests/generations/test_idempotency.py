"""One Idempotency-Key, one task: again, changed, refused, and many at once."""

import json
import threading
from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Scope
from generations import idempotency, jobs
from generations.creation import ENDPOINT
from generations.models import IdempotencyRecord, Task
from tests.cast import Person, client_for, give_key, organization_of
from tests.generations.gateway import TEXT_TO_VIDEO, Steps, at_once, findings, money

POST = "/v1/videos/generations"
KEY = {"Idempotency-Key": "order-4711-attempt-1"}


@pytest.mark.django_db
def test_the_same_request_gets_the_first_answer_byte_for_byte(alice: Person, gateway: Steps) -> None:
    first = alice.client.post(POST, TEXT_TO_VIDEO, headers=KEY)
    Task.objects.update(progress=50)
    again = alice.client.post(POST, TEXT_TO_VIDEO, headers=KEY)
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.content == first.content
    assert "Idempotency-Replayed" not in first
    assert again["Idempotency-Replayed"] == "true"
    assert Task.objects.count() == 1
    assert money(alice.organization) == (1000, 27)


@pytest.mark.django_db
def test_key_order_and_white_space_do_not_matter(alice: Person, gateway: Steps) -> None:
    body = TEXT_TO_VIDEO | {"metadata": {"a": "1", "b": "2"}}
    first = alice.client.post(POST, body, headers=KEY)
    turned = {"metadata": {"b": "2", "a": "1"}} | dict(reversed(TEXT_TO_VIDEO.items()))
    spaced = json.dumps(turned, indent=3).encode()
    again = alice.client.post(POST, spaced, content_type="application/json", headers=KEY)
    assert again.content == first.content


@pytest.mark.django_db
@pytest.mark.parametrize("change", [{"duration": 6}, {"negative_prompt": ""}, {"n": None}, {"n": [2, 1]}])
def test_another_body_is_a_conflict(alice: Person, gateway: Steps, change: dict[str, object]) -> None:
    assert alice.client.post(POST, TEXT_TO_VIDEO | {"n": [1, 2]}, headers=KEY).status_code == 200
    answer = alice.client.post(POST, TEXT_TO_VIDEO | {"n": [1, 2]} | change, headers=KEY)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "idempotency_conflict")
    assert Task.objects.count() == 1


@pytest.mark.django_db
def test_null_is_not_absent(alice: Person, gateway: Steps) -> None:
    assert alice.client.post(POST, TEXT_TO_VIDEO, headers=KEY).status_code == 200
    assert alice.client.post(POST, TEXT_TO_VIDEO | {"n": None}, headers=KEY).status_code == 422


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("body", "status"),
    [({"prompt": ""}, 400), ({"model": "nothing"}, 404), ({"quality": "4k", "duration": 15, "sound": "on"}, 402)],
)
def test_a_refused_request_does_not_use_the_key_up(
    alice: Person, gateway: Steps, body: dict[str, object], status: int
) -> None:
    for _ in range(2):
        assert alice.client.post(POST, TEXT_TO_VIDEO | {"quality": "4k", "duration": 15}).status_code == 200
    assert alice.client.post(POST, TEXT_TO_VIDEO | body, headers=KEY).status_code == status
    assert not IdempotencyRecord.objects.exists()
    assert alice.client.post(POST, TEXT_TO_VIDEO, headers=KEY).status_code == 200


@pytest.mark.django_db
def test_the_key_belongs_to_the_organization_and_survives_another_api_key(alice: Person, gateway: Steps) -> None:
    first = alice.client.post(POST, TEXT_TO_VIDEO, headers=KEY)
    assert alice.client_with(Scope.GENERATE).post(POST, TEXT_TO_VIDEO, headers=KEY).content == first.content


@pytest.mark.django_db
def test_two_organizations_may_use_the_same_key(alice: Person, gateway: Steps) -> None:
    assert alice.client.post(POST, TEXT_TO_VIDEO, headers=KEY).status_code == 200
    other = client_for(give_key(organization_of("Zenith", "charlie@zenith.example"))[1])
    assert other.post(POST, TEXT_TO_VIDEO, headers=KEY).status_code == 402


@pytest.mark.django_db
def test_a_key_is_kept_for_two_days(alice: Person, gateway: Steps) -> None:
    alice.client.post(POST, TEXT_TO_VIDEO, headers=KEY)
    IdempotencyRecord.objects.update(created_at=timezone.now() - timedelta(hours=47))
    jobs.housekeeping()
    assert IdempotencyRecord.objects.count() == 1
    IdempotencyRecord.objects.update(created_at=timezone.now() - timedelta(hours=49))
    jobs.housekeeping()
    assert IdempotencyRecord.objects.count() == 0
    assert Task.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_50_equal_requests_at_once_make_one_task(alice: Person, gateway: Steps) -> None:
    answers = at_once([lambda: client_for(alice.secret).post(POST, TEXT_TO_VIDEO, headers=KEY)] * 50)
    assert Counter(answer.status_code for answer in answers) == {200: 50}
    assert len({answer.content for answer in answers}) == 1
    assert Counter("Idempotency-Replayed" in answer for answer in answers) == {True: 49, False: 1}
    assert Task.objects.count() == 1
    assert money(alice.organization) == (1000, 27)
    assert findings() == []


@pytest.mark.django_db(transaction=True)
def test_a_request_whose_first_is_still_running_is_told_to_come_back(alice: Person, gateway: Steps) -> None:
    """The first one holds the key's turn, as a request in another process would."""
    holds, done = threading.Event(), threading.Event()

    def first() -> None:
        with transaction.atomic():
            digest = idempotency.digest(TEXT_TO_VIDEO)
            idempotency.earlier_answer(alice.organization, ENDPOINT, KEY["Idempotency-Key"], digest)
            holds.set()
            done.wait(30)
        connection.close()

    running = threading.Thread(target=first)
    running.start()
    assert holds.wait(10)
    answer = alice.client.post(POST, TEXT_TO_VIDEO, headers=KEY)
    done.set()
    running.join()
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "idempotency_in_progress")
    assert int(answer["Retry-After"]) > 0
    assert not Task.objects.exists()
    assert alice.client.post(POST, TEXT_TO_VIDEO, headers=KEY).status_code == 200
