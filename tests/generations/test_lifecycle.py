"""From the request to the result: what a customer sees and pays."""

import pytest

from billing.models import Wallet
from generations.models import Task
from tests.cast import Person
from tests.generations.gateway import TEXT_TO_VIDEO, Steps

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_finished_video_is_charged_and_playable(alice: Person, gateway: Steps) -> None:
    answer = alice.client.post("/v1/videos/generations", TEXT_TO_VIDEO)
    assert answer.status_code == 200, answer.content
    assert answer.json()["usage"]["credits_reserved"] == 27
    gateway.until(answer.json()["id"], Task.Status.COMPLETED)
    task = alice.client.get(f"/v1/tasks/{answer.json()['id']}").json()
    assert task["status"] == "completed"
    assert task["usage"]["credits_used"] == 27
    assert task["billing"]["charge_status"] == "charged"
    assert len(task["results"]) == 1
    wallet = Wallet.objects.get(organization=alice.organization)
    assert (wallet.balance, wallet.reserved) == (973, 0)
