"""Many requests with one quote at once: one task, one reservation, and everybody else is told that it was used."""

from collections import Counter
from decimal import Decimal

import pytest

from billing import ledger
from billing.models import Reservation
from generations.models import Quote, Task
from tests.cast import Person, client_for
from tests.generations.gateway import TEXT_TO_VIDEO, Steps, at_once, findings, money
from tests.generations.quoting import POST, everything_costs_twice_as_much, quote

pytestmark = pytest.mark.django_db(transaction=True)

THREADS = 20


def test_20_requests_with_one_quote_make_one_task(alice: Person, gateway: Steps) -> None:
    body = TEXT_TO_VIDEO | {"quote_id": quote(alice)["quote_id"]}
    answers = at_once([lambda: client_for(alice.secret).post(POST, body)] * THREADS)

    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: THREADS - 1}
    task = Task.objects.get()
    late = [answer.json()["error"] for answer in answers if answer.status_code == 409]
    assert {(error["code"], error["task_id"]) for error in late} == {("quote_expired", task.public_id)}
    assert (Quote.objects.get().task, Reservation.objects.count()) == (task, 1)
    assert money(alice.organization) == (1000, 27)
    assert findings() == []


def test_of_many_that_cannot_pay_none_uses_the_quote_up(alice: Person, gateway: Steps) -> None:
    body = TEXT_TO_VIDEO | {"quote_id": quote(alice)["quote_id"]}
    ledger.adjust(alice.organization, Decimal(-990), reference="leave 10", reason="test")
    answers = at_once([lambda: client_for(alice.secret).post(POST, body).status_code] * THREADS)

    assert Counter(answers) == {402: THREADS}
    assert (Task.objects.count(), Quote.objects.get().task) == (0, None)


def test_20_equal_requests_with_a_quote_and_one_idempotency_key_get_one_answer(alice: Person, gateway: Steps) -> None:
    body = TEXT_TO_VIDEO | {"quote_id": quote(alice)["quote_id"]}
    headers = {"Idempotency-Key": "order-4711-attempt-1"}
    answers = at_once([lambda: client_for(alice.secret).post(POST, body, headers=headers)] * THREADS)

    assert Counter(answer.status_code for answer in answers) == {200: THREADS}
    assert len({answer.content for answer in answers}) == 1
    assert money(alice.organization) == (1000, 27)


def test_10_quotes_used_twice_each_at_once_make_10_tasks_at_their_price(alice: Person, gateway: Steps) -> None:
    bodies = [TEXT_TO_VIDEO | {"quote_id": quote(alice)["quote_id"]} for _ in range(THREADS // 2)]
    everything_costs_twice_as_much()
    answers = at_once([lambda body=body: client_for(alice.secret).post(POST, body).status_code for body in bodies * 2])

    assert Counter(answers) == {200: 10, 409: 10}
    assert (Task.objects.count(), money(alice.organization)) == (10, (1000, 270))
    assert findings() == []
