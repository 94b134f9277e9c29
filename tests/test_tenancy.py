"""Another organization's ids in every route's path, query and body: unknown, and nothing changed."""

import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.apps import apps
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.core.serializers import serialize
from django.utils import timezone
from pytest_django import Settings

from accounts import ids
from billing import ledger
from billing.models import TopUp
from billing.top_ups import settling
from generations import files, idempotency
from generations.models import Delivery, Element, Quote, StoredFile, Task
from tests.cast import Person
from tests.generations.gateway import TEXT_TO_VIDEO
from tests.routes import operations

NOBODYS = {"/v1/catalog/models/{model_id}"}
"""Routes whose path names nothing that anybody owns."""
PRICE = {
    "version": 1,
    "model": "kling-custom-element",
    "cell": "call",
    "unit": "call",
    "rate": "1",
    "factor": "1",
    "multiplier": "1",
    "exact_rate": None,
    "minimum_seconds": "0",
    "seconds": None,
}


def a_task(alice: Person) -> Task:
    return Task.objects.create(
        organization=alice.organization,
        api_key=alice.key,
        model="kling-custom-element",
        type="element",
        inputs={},
        estimated_seconds=600,
        price=PRICE,
        billing_rule="per_call",
        user_group="default",
        reserved_credits=Decimal(1),
        deadline_at=timezone.now() + timedelta(hours=1),
    )


def a_file(alice: Person) -> StoredFile:
    default_storage.save("secret/name.png", ContentFile(b"1"))
    return StoredFile.objects.create(
        organization=alice.organization,
        purpose="upload",
        storage_name="secret/name.png",
        file_name="name.png",
        mime_type="image/png",
        format="png",
        size_bytes=1,
        expires_at=timezone.now() + timedelta(hours=1),
    )


def a_delivery(alice: Person, task: Task) -> Delivery:
    return Delivery.objects.create(
        organization=alice.organization,
        task=task,
        event="task.completed",
        url="https://alice.example/hook",
        webhook_id="msg_1",
        tries_left=0,
    )


def a_quote(alice: Person) -> Quote:
    return Quote.objects.create(
        organization=alice.organization,
        model=TEXT_TO_VIDEO["model"],
        body_digest=idempotency.digest(TEXT_TO_VIDEO),
        price=PRICE | {"model": TEXT_TO_VIDEO["model"], "cell": "720p_off", "unit": "second", "seconds": "5"},
        user_group="default",
        credits=Decimal(5),
        expires_at=timezone.now() + timedelta(minutes=15),
    )


@pytest.fixture
def owned(alice: Person, settings: Settings) -> dict[str, str]:
    """One of everything that alice's organization owns: its public id by the name of the path parameter."""
    settings.STORAGES = settings.STORAGES | {"default": {"BACKEND": "django.core.files.storage.InMemoryStorage"}}
    task, file = a_task(alice), a_file(alice)
    element = Element.objects.create(
        organization=alice.organization, task=task, name="Ann", description="A woman", kind="image_refer"
    )
    return {
        "key_id": alice.key.public_id,
        "task_id": task.public_id,
        "element_id": str(element.pk),
        "file_id": file.public_id,
        "top_up_id": settling.begin(alice.organization, TopUp.Origin.CHECKOUT, 1000).public_id,
        "delivery_id": a_delivery(alice, task).public_id,
        "quote_id": a_quote(alice).public_id,
        "file_url": files.public_url(file),
        "download_url": files.download_url(file),
        "signed_url": files.signed_url(file, task),
    }


OF_EVERYBODY = {"month": f"{timezone.now():%Y-%m}"}
"""Parameters of a path that name nothing of an organization's: each finds its own behind them."""


def names_something_owned(route: str) -> bool:
    return "{" in fill(route, {}) and route not in NOBODYS


def everything() -> dict[str, str]:
    """Every row of ours, as text."""
    ours = [model for app in ("accounts", "billing", "generations") for model in apps.get_app_config(app).get_models()]
    return {model._meta.label: serialize("json", model._default_manager.order_by("pk")) for model in ours}


def fill(route: str, owned: dict[str, str]) -> str:
    for name, value in (owned | OF_EVERYBODY).items():
        route = route.replace(f"{{{name}}}", value)
    return route


def test_every_path_parameter_is_tried(owned: dict[str, str]) -> None:
    assert {route for _, route in operations() if "{" in fill(route, owned)} == NOBODYS


def test_a_strangers_id_in_the_path_is_unknown(owned: dict[str, str], charlie: Person) -> None:
    charlie.client.get("/v1/voices")  # writes when the key was last used; nothing below does
    before = everything()
    for method, route in operations():
        if names_something_owned(route):
            answer = getattr(charlie.client, method.lower())(fill(route, owned), {})
            assert answer.status_code == 404, (method, route, answer.content)
            assert everything() == before, (method, route)


def test_the_same_ids_are_known_to_their_owner(owned: dict[str, str], alice: Person) -> None:
    known = [route for method, route in operations() if method == "GET" and "{" in route and route not in NOBODYS]
    assert known
    for route in known:
        assert alice.client.get(fill(route, owned)).status_code != 404, route


def test_no_list_shows_what_is_a_strangers(owned: dict[str, str], charlie: Person) -> None:
    for method, route in operations():
        if method == "GET" and not names_something_owned(route):
            answer = charlie.client.get(fill(route, {}))
            text = answer.getvalue().decode(errors="replace")
            assert not [name for name, value in owned.items() if value in text], route


@pytest.mark.parametrize("query", ["task_id={task_id}", "task_id={key_id}"])
def test_a_strangers_id_in_a_query_is_unknown(owned: dict[str, str], charlie: Person, query: str) -> None:
    answer = charlie.client.get("/v1/webhooks/deliveries?" + fill(query, owned))
    assert answer.status_code in (400, 404)
    assert answer.json()["error"]["code"] in ("task_not_found", "invalid_task_id")


def test_a_cursor_made_of_a_strangers_id_shows_nothing_of_theirs(owned: dict[str, str], charlie: Person) -> None:
    for route, name in (("/v1/tasks", "task_id"), ("/v1/keys", "key_id"), ("/v1/webhooks/deliveries", "delivery_id")):
        answer = charlie.client.get(route, {"cursor": owned[name]})
        assert answer.status_code in (200, 400)
        assert not [value for value in owned.values() if value in answer.content.decode()], route


TAKE_A_GENERATION = ("/v1/videos/generations", "/v1/quotes")
BODIES: list[tuple[str, Callable[[dict[str, str]], Any], int, str]] = [
    ("/v1/tasks/batch", lambda owned: {"task_ids": [owned["task_id"]]}, 200, '{"data":[]}'),
    (
        "/v1/videos/generations",
        lambda owned: TEXT_TO_VIDEO | {"quote_id": owned["quote_id"]},
        422,
        "There is no such quote",
    ),
    *(
        (
            route,
            lambda owned: {
                "model": "kling-v3-image-to-video",
                "image_start": "https://media.example/a.png",
                "model_params": {"element_list": [{"element_id": owned["element_id"]}]},
            },
            400,
            "element_not_found",
        )
        for route in TAKE_A_GENERATION
    ),
    *(
        (
            route,
            lambda owned, link=link: {"model": "kling-v3-image-to-video", "image_start": owned[link]},
            400,
            "media_url_not_allowed",
        )
        for route in TAKE_A_GENERATION
        for link in ("file_url", "download_url", "signed_url")
    ),
]
NAME_NOTHING = {
    "/v1/keys",
    "/v1/top-ups",
    "/v1/top-ups/auto-recharge",
    "/v1/vouchers/redeem",  # whoever has a code may redeem it
    "/v1/webhooks/secret/rotate",
    "/v1/webhooks/test",
    "/api/v1/files/upload/base64",
    "/api/v1/files/upload/stream",
    "/api/v1/files/upload/url",  # whoever has a file's link may read it
}
"""Routes whose bodies take no id of ours."""


def test_every_body_is_tried_or_names_nothing_of_ours() -> None:
    taking = {route for method, route in operations() if method in ("POST", "PUT", "PATCH") and "{" not in route}
    assert {case[0] for case in BODIES} | NAME_NOTHING == taking


@pytest.mark.parametrize(("route", "body", "status", "told"), BODIES, ids=[f"{case[0]} {case[3]}" for case in BODIES])
def test_a_strangers_id_in_the_body_is_unknown(
    owned: dict[str, str],
    charlie: Person,
    route: str,
    body: Callable[[dict[str, str]], Any],
    status: int,
    told: str,
) -> None:
    call_command("load_price_book", verbosity=0)
    ledger.grant(charlie.organization, Decimal(100), kind="promo", reference="test", reason="test")
    charlie.client.get("/v1/voices")
    before = everything()
    answer = charlie.client.post(route, body(owned))
    assert (answer.status_code, everything()) == (status, before)
    assert told in json.dumps(answer.json(), separators=(",", ":"))


@pytest.mark.parametrize("prefix", ["task-video-", "file_", "key_"])
def test_ids_are_unguessable_and_ordered_in_time(prefix: str) -> None:
    made = [ids.encode(prefix, ids.new()) for _ in range(100)]
    assert len({one[-16:] for one in made}) == 100
    assert [one[: len(prefix) + 10] for one in made] == sorted(one[: len(prefix) + 10] for one in made)
