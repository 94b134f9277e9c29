"""GET /v1/catalog/models: the catalogue for everybody, with tags by which a cache knows that nothing has changed."""

from typing import Any

import pytest
from django.test import Client
from jsonschema import Draft202012Validator
from pytest_django import DjangoAssertNumQueries, Settings
from rest_framework.test import APIClient

from generations import catalog
from tests.cast import Person, client_for

LIST = "/v1/catalog/models"
ADDRESSES = [LIST, *(f"{LIST}/{spec.id}" for spec in catalog.SPECS)]


def test_everybody_reads_the_list(client: Client, settings: Settings) -> None:
    answer = client.get(LIST)

    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    assert answer.json()["object"] == "list"
    assert [model["id"] for model in answer.json()["data"]] == [spec.id for spec in catalog.SPECS]
    assert answer.json()["data"][-1] == {
        "id": "kling-custom-element",
        "object": "model",
        "type": "element",
        "description": "Makes a reusable subject (an element) that later videos can show, from images or from one "
        "video.",
        "stability": "Stable: fields are added, never renamed or removed.",
        "capabilities": ["custom_element", "element_from_images", "element_from_video", "voice"],
        "estimated_time": 600,
        "schema_url": f"{settings.PUBLIC_URL}/v1/catalog/models/kling-custom-element",
    }


@pytest.mark.django_db
def test_a_key_reads_the_same_of_each_model_as_everybody(alice: Person, client: Client) -> None:
    public = client.get(LIST).json()["data"]
    own = alice.client.get("/v1/models").json()["data"]
    assert own == [{name: value for name, value in model.items() if name != "schema_url"} for model in public]


def test_each_entry_leads_to_its_schema(client: Client, settings: Settings) -> None:
    for model in client.get(LIST).json()["data"]:
        schema = client.get(model["schema_url"].removeprefix(settings.PUBLIC_URL)).json()
        spec = catalog.choose(model["id"])
        Draft202012Validator.check_schema(schema)
        assert schema["title"] == model["id"]
        assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        assert schema["examples"] == [example.body for example in spec.examples]
        assert all(Draft202012Validator(schema).is_valid(example) for example in schema["examples"])
        assert all(set(rule) == {"id", "rule", "needs"} for rule in schema["x-rules"])


@pytest.mark.parametrize("address", ADDRESSES)
def test_who_has_it_already_gets_304_and_no_body(client: Client, address: str) -> None:
    first = client.get(address)
    tag = first["ETag"]
    assert tag.startswith('"') and tag.endswith('"')
    assert first["Cache-Control"] == "public, max-age=300"
    assert "Cookie" not in first.get("Vary", "")
    for known in (tag, f'"other", {tag}', f"W/{tag}", "*"):
        again = client.get(address, headers={"if-none-match": known})
        assert (again.status_code, again.content) == (304, b"")
        assert (again["ETag"], again["Cache-Control"]) == (tag, first["Cache-Control"])
    other = client.get(address, headers={"if-none-match": '"other"'})
    assert (other.status_code, other.content, other["ETag"]) == (200, first.content, tag)


def test_every_document_has_a_tag_of_its_own(client: Client) -> None:
    assert len({client.get(address)["ETag"] for address in ADDRESSES}) == len(ADDRESSES)


def test_head_tells_the_tag_without_a_body(client: Client) -> None:
    answer = client.head(LIST)
    assert (answer.status_code, answer.content, answer["ETag"]) == (200, b"", client.get(LIST)["ETag"])


@pytest.mark.parametrize("authorization", ["Bearer sk-wrong", "Basic abc", "nonsense"])
def test_a_key_sent_along_is_not_looked_at(client: Client, authorization: str) -> None:
    answer = client.get(LIST, headers={"authorization": authorization})
    assert (answer.status_code, answer.content) == (200, client.get(LIST).content)


@pytest.mark.django_db
def test_a_good_key_changes_nothing_and_costs_no_look_at_the_database(
    alice: Person, client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    signed: APIClient = client_for(alice.secret)
    with django_assert_num_queries(0):
        assert signed.get(LIST).content == client.get(LIST).content
        assert signed.get(ADDRESSES[1]).content == client.get(ADDRESSES[1]).content


@pytest.mark.parametrize("unknown", ["kling-v3-text2video", "Kling-V3-Text-To-Video", "kling-v3-text-to-video "])
def test_an_unknown_model_is_answered_with_the_nearest_one(client: Client, unknown: str) -> None:
    answer = client.get(f"{LIST}/{unknown}")
    error: dict[str, Any] = answer.json()["error"]
    assert (answer.status_code, error["code"], error["type"]) == (404, "model_not_found", "not_found_error")
    assert (error["fallback_suggestion"], error["param"]) == ("kling-v3-text-to-video", "model_id")
    assert "ETag" not in answer and "Cache-Control" not in answer


def test_the_list_cannot_be_written(client: Client) -> None:
    assert client.post(LIST).status_code == 405
