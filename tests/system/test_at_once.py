"""Many callers at the same moment, over HTTP: no credit is spent twice, and one Idempotency-Key is one task.

CHAOS_ROUNDS and CHAOS_KEYS make them larger.
"""

import os
from collections import Counter
from functools import partial

import pytest

from generations.models import Task
from tests.generations.gateway import at_once
from tests.system.notes import note
from tests.system.site import PRICE, Customer, Site, assert_nothing_is_wrong

pytestmark = pytest.mark.system

KEYS = int(os.environ.get("CHAOS_KEYS", "20"))
ROUNDS = int(os.environ.get("CHAOS_ROUNDS", "1"))
CALLERS = 64


@pytest.mark.parametrize("time", range(ROUNDS))
def test_sixty_four_callers_with_credits_for_ten_tasks_get_ten_tasks(site: Site, time: int) -> None:
    customer = Customer(site.url, PRICE * 10)
    answers = at_once([customer.post] * CALLERS)
    note(requests=CALLERS)
    assert Counter(answer.status_code for answer in answers) == {200: 10, 402: 54}
    refused = {answer.json()["error"]["code"] for answer in answers if answer.status_code == 402}
    assert refused == {"account_balance_insufficient"}
    assert Task.objects.filter(organization=customer.organization).count() == 10
    assert customer.remaining() == 0
    tasks = site.finished([answer.json()["id"] for answer in answers if answer.status_code == 200], seconds=60)
    assert {task.status for task in tasks} == {Task.Status.COMPLETED}
    assert_nothing_is_wrong(site)


def test_one_idempotency_key_fifty_times_at_once_is_one_task(site: Site) -> None:
    customer = Customer(site.url, PRICE * KEYS)
    asked = []
    for number in range(KEYS):
        answers = at_once([partial(customer.post, f"fifty-at-once-{number:04}")] * 50)
        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.content for answer in answers}) == 1
        replayed = [answer.headers.get("idempotency-replayed") for answer in answers]
        assert Counter(replayed) == {"true": 49, None: 1}
        asked.append(answers[0].json()["id"])
    note(keys=KEYS, requests=50 * KEYS)
    assert Task.objects.filter(organization=customer.organization).count() == KEYS
    assert customer.remaining() == 0
    site.finished(asked, seconds=120)
    assert_nothing_is_wrong(site)
