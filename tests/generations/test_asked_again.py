"""The body told back from a task asks for exactly what the task was asked for, whatever the model."""

import json
from typing import Any

import pytest

from generations import asked_again, catalog
from generations.catalog.base import Parsed
from tests.cast import Person
from tests.generations.catalog import cases, limits, more_cases
from tests.generations.gateway import Steps, ask

GOOD = cases.GOOD | more_cases.GOOD | limits.GOOD


def read(body: Any) -> Parsed:
    return catalog.choose(body["model"]).parse(body)


@pytest.mark.parametrize("name", GOOD)
def test_what_is_told_back_is_the_same_request(name: str) -> None:
    asked = read(GOOD[name])
    media = [(medium.param, medium.url) for medium in asked.media]
    frozen = json.loads(json.dumps(asked.inputs))

    again = read(asked_again.told_back(catalog.choose(asked.model), frozen, reversed(media)))

    assert (again.inputs, again.media, again.price) == (asked.inputs, asked.media, asked.price)
    assert [element.element_id for element in again.elements] == [element.element_id for element in asked.elements]
    assert again.voice == asked.voice


@pytest.mark.django_db(transaction=True)
def test_a_task_tells_its_request_with_what_stood_around_it(alice: Person, gateway: Steps) -> None:
    task = ask(alice, sound="on", metadata={"order": "7"}, callback_url="https://example.com/done")

    assert asked_again.body(task) == {
        "model": "kling-v3-text-to-video",
        "prompt": "A lighthouse at dusk",
        "duration": 5,
        "quality": "720p",
        "sound": "on",
        "aspect_ratio": "16:9",
        "callback_url": "https://example.com/done",
        "metadata": {"order": "7"},
    }


@pytest.mark.django_db(transaction=True)
def test_a_model_that_is_gone_tells_nothing(alice: Person, gateway: Steps) -> None:
    task = ask(alice)
    task.model = "kling-of-the-past"
    assert asked_again.body(task) is None
