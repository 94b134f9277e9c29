"""The OpenAPI document: valid, complete, and true to the catalogue."""

import json
import re
from decimal import Decimal
from typing import Any

import jsonschema
import pytest
from django.test import Client
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from openapi_spec_validator import validate

from accounts.permissions import scope_of
from evolink_saas import openapi
from generations import catalog
from tests.routes import operations

GENERATION = ("/v1/videos/generations", "post")
QUOTE = ("/v1/quotes", "post")


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return json.loads(openapi.document())


def test_the_document_is_valid_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    validate(document)


def test_the_generator_has_nothing_to_complain_about() -> None:
    GENERATOR_STATS.reset()
    SchemaGenerator().get_schema(request=None, public=True)
    assert not GENERATOR_STATS._warn_cache
    assert not GENERATOR_STATS._error_cache


def test_every_route_is_described(document: dict[str, Any]) -> None:
    described = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    assert described == set(operations())


def test_operation_ids_are_unique_and_speak(document: dict[str, Any]) -> None:
    ids = [operation["operationId"] for item in document["paths"].values() for operation in item.values()]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"[a-z]+(_[a-z0-9]+)*", one) for one in ids)


def test_every_operation_says_what_it_does_and_who_may_call_it(document: dict[str, Any]) -> None:
    for (method, path), view in operations().items():
        operation, scope = document["paths"][path][method.lower()], scope_of(view(), method)
        if scope is None:
            assert {} in operation["security"]
        else:
            assert operation["security"] == [{"ApiKey": []}]
            assert f"Needs the scope `{scope}`." in operation["description"]
        assert len(operation["description"].splitlines()[0]) > 10


def test_every_operation_names_its_refusals(document: dict[str, Any]) -> None:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            expected = {"400", "401", "403", "429", "500", "503"}
            expected |= {"404"} if "{" in path else set()
            expected |= {"413", "415"} if method in ("post", "patch") else set()
            assert expected <= set(operation["responses"]), (method, path)
            kind = "File" if path.startswith("/api/v1/files") else ""
            assert operation["responses"]["401"] == {"$ref": f"#/components/responses/{kind}Unauthenticated"}


def test_a_generation_names_the_refusals_of_its_own(document: dict[str, Any]) -> None:
    path, method = GENERATION
    assert {"402", "404", "409", "422", "429"} <= set(document["paths"][path][method]["responses"])


@pytest.mark.parametrize(("path", "method"), [GENERATION, QUOTE])
def test_the_body_of_a_generation_is_one_schema_a_model(document: dict[str, Any], path: str, method: str) -> None:
    media = document["paths"][path][method]["requestBody"]["content"]["application/json"]
    models = [spec.id for spec in catalog.SPECS]
    assert media["schema"]["oneOf"] == [{"$ref": f"#/components/schemas/{model}"} for model in models]
    assert set(media["schema"]["discriminator"]["mapping"]) == set(models)
    for model in models:
        assert document["components"]["schemas"][model]["properties"]["model"]["const"] == model


def test_every_example_of_a_generation_fits_its_model_alone(document: dict[str, Any]) -> None:
    path, method = GENERATION
    examples = document["paths"][path][method]["requestBody"]["content"]["application/json"]["examples"]
    assert len(examples) == sum(len(spec.examples) for spec in catalog.SPECS)
    for example in examples.values():
        fitting = [
            spec.id
            for spec in catalog.SPECS
            if jsonschema.Draft202012Validator(document["components"]["schemas"][spec.id]).is_valid(example["value"])
        ]
        assert fitting == [example["value"]["model"]]


@pytest.mark.parametrize(("path", "method"), [QUOTE, ("/v1/catalog/pricing", "get")])
def test_prices_are_shown_by_examples_that_fit_their_schema(document: dict[str, Any], path: str, method: str) -> None:
    exact = json.loads(json.dumps(document), parse_float=Decimal)  # a multiple of 0.0001 is none among floats
    media = exact["paths"][path][method]["responses"]["200"]["content"]["application/json"]
    schema = media["schema"] | {"components": exact["components"]}
    assert media["examples"]
    for example in media["examples"].values():
        jsonschema.Draft202012Validator(schema).validate(example["value"])


def test_a_line_of_a_price_may_make_it_less(document: dict[str, Any]) -> None:
    amount = document["components"]["schemas"]["PriceLine"]["properties"]["amount"]
    assert (amount["type"], amount["multipleOf"], "minimum" in amount) == ("number", 0.0001, False)


def test_no_upstream_is_named(document: dict[str, Any]) -> None:
    text = json.dumps(document).lower()
    assert not [word for word in ("klingai", "kuaishou", "simulator", "upstream") if word in text]


def test_the_document_is_served_without_a_key_and_cached_by_its_tag(client: Client) -> None:
    first = client.get("/openapi.json")
    assert (first.status_code, first["Content-Type"]) == (200, "application/json")
    assert json.loads(first.content)["openapi"].startswith("3.1")
    second = client.get("/openapi.json", headers={"if-none-match": first["ETag"]})
    assert (second.status_code, second.content) == (304, b"")


def test_the_page_at_docs_needs_nothing_from_outside(client: Client) -> None:
    page = client.get("/docs").content.decode()
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert addresses
    assert all(address.startswith("/static/") for address in addresses)
    for address in addresses:
        assert client.get(address).status_code == 200
    assert "/openapi.json" in page


def test_the_metadata_filter_is_described(document: dict[str, Any]) -> None:
    parameters = {one["name"]: one for one in document["paths"]["/v1/tasks"]["get"]["parameters"]}
    assert (parameters["metadata"]["style"], parameters["metadata"]["explode"]) == ("deepObject", True)
    assert parameters["metadata"]["schema"] == {"type": "object", "additionalProperties": {"type": "string"}}
