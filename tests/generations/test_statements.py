"""How many SQL statements the hot requests take: asserted exactly, so that one more is noticed."""

import pytest

from accounts.models import Scope
from tests.cast import Person
from tests.generations.gateway import TEXT_TO_VIDEO, Steps, ask
from tests.statements import statements

pytestmark = pytest.mark.django_db(transaction=True)

POST = "/v1/videos/generations"


def test_a_text_to_video_with_an_idempotency_key_takes_13(alice: Person, gateway: Steps) -> None:
    ask(alice)
    with statements(13):
        answer = alice.client.post(POST, TEXT_TO_VIDEO, headers={"Idempotency-Key": "order-4711-attempt-1"})
    assert answer.status_code == 200


def test_a_replay_takes_5(alice: Person, gateway: Steps) -> None:
    headers = {"Idempotency-Key": "order-4711-attempt-1"}
    alice.client.post(POST, TEXT_TO_VIDEO, headers=headers)
    with statements(5):
        alice.client.post(POST, TEXT_TO_VIDEO, headers=headers)


def test_a_request_without_a_key_takes_11(alice: Person, gateway: Steps) -> None:
    ask(alice)
    with statements(11):
        alice.client.post(POST, TEXT_TO_VIDEO)


def test_a_request_with_a_quote_takes_one_more(alice: Person, gateway: Steps) -> None:
    """The quote is found instead of the price, and given to its task."""
    quotes = [alice.client.post("/v1/quotes", TEXT_TO_VIDEO).json()["quote_id"] for _ in range(2)]
    alice.client.post(POST, TEXT_TO_VIDEO | {"quote_id": quotes[0]})
    with statements(12):
        answer = alice.client.post(POST, TEXT_TO_VIDEO | {"quote_id": quotes[1]})
    assert answer.status_code == 200


def test_a_quote_takes_3(alice: Person, gateway: Steps) -> None:
    alice.client.post("/v1/quotes", TEXT_TO_VIDEO)
    with statements(3):
        assert alice.client.post("/v1/quotes", TEXT_TO_VIDEO).status_code == 200


def test_a_look_at_a_running_task_takes_2(alice: Person, gateway: Steps) -> None:
    task = ask(alice)
    gateway.due()
    client = alice.client_with(Scope.READ)
    client.get(f"/v1/tasks/{task.public_id}")
    with statements(2):
        client.get(f"/v1/tasks/{task.public_id}")


def test_a_page_of_tasks_takes_4_however_many_there_are(alice: Person, gateway: Steps) -> None:
    for _ in range(5):
        ask(alice)
    with statements(4):
        alice.client.get("/v1/tasks?page_size=2")
    with statements(4):
        alice.client.get("/v1/tasks")
