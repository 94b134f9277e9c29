"""The OpenAPI 3.1 document: drf-spectacular writes what views take and answer, this module what they refuse.

A view's `required_scope` tells who may call it. Refusals follow from the kind of route; a view names those of its own:

    refusals = (402, 503)                           of every method
    refusals = {"POST": (402, 409, 422, 503)}       by method

The body of POST /v1/videos/generations and of POST /v1/quotes is one schema a model, straight from the catalogue, with
its examples.
"""

import hashlib
from functools import cache
from typing import Any, Literal

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import etag, require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.renderers import OpenApiJsonRenderer

from accounts.permissions import scope_of
from evolink_saas import refusals
from generations import catalog

TAKE_A_GENERATION = ("/v1/videos/generations", "/v1/quotes")


class Schema(AutoSchema):
    """One operation: its bearer key, the scope it asks for, and its 4xx and 5xx answers."""

    def get_auth(self) -> list[dict[str, list[str]]]:
        bearer: dict[str, list[str]] = {"ApiKey": []}
        return [{}, bearer] if scope_of(self.view, self.method) is None else [bearer]

    def get_description(self) -> str:  # type: ignore[override]
        text, scope = super().get_description() or "", scope_of(self.view, self.method)
        return text if scope is None else f"{text}\n\nNeeds the scope `{scope}`.".strip()

    def get_tags(self) -> list[str]:
        words = [word for word in self.path.split("/") if word and not word.startswith("{")]
        return [next(word for word in words if word not in ("api", "v1"))]

    def _get_response_bodies(self, direction: Literal["request", "response"] = "response") -> dict[str, Any]:
        answers = super()._get_response_bodies(direction)
        for status in sorted(self._refusals()):
            answers.setdefault(str(status), {"$ref": f"#/components/responses/{refusals.name(status, self.path)}"})
        return answers

    def _refusals(self) -> set[int]:
        declared = getattr(self.view, "refusals", ())
        own = declared.get(self.method, ()) if isinstance(declared, dict) else declared
        found = {400, 401, 403, 429, 500, 503, *own}
        if "{" in self.path:
            found.add(404)
        if self.method in ("POST", "PUT", "PATCH"):
            found |= {413, 415}
        return found


def finish(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """drf-spectacular's last hook: the parts that no view tells."""
    components = result.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas |= refusals.SCHEMAS
    components["responses"] = refusals.responses()
    components["securitySchemes"] = {
        "ApiKey": {"type": "http", "scheme": "bearer", "description": "An API key: `sk-…`, or `sk-test-…` (sandbox)."}
    }
    for path in TAKE_A_GENERATION:
        operation = result["paths"].get(path, {}).get("post")
        if operation is not None:
            schemas |= {spec.id: _model_schema(spec) for spec in catalog.SPECS}
            operation["requestBody"] = _generation_body()
    return result


@cache
def document() -> bytes:
    """The whole document as JSON, written once a process."""
    schema = SchemaGenerator().get_schema(request=None, public=True)
    return OpenApiJsonRenderer().render(schema, renderer_context={})


@cache
def _version() -> str:
    return f'"{hashlib.sha256(document()).hexdigest()[:16]}"'


@require_safe
@etag(lambda request: _version())
def serve(request: HttpRequest) -> HttpResponse:
    return HttpResponse(document(), content_type="application/json")


def _model_schema(spec: catalog.Spec) -> dict[str, Any]:
    """The catalogue's schema as a component: the document says the dialect, and the examples stand at the body."""
    return {name: value for name, value in spec.json_schema().items() if name not in ("$schema", "examples")}


def _generation_body() -> dict[str, Any]:
    references = {spec.id: f"#/components/schemas/{spec.id}" for spec in catalog.SPECS}
    examples = {
        f"{spec.id}.{example.name}": {"summary": example.summary, "value": example.body}
        for spec in catalog.SPECS
        for example in spec.examples
    }
    schema = {
        "oneOf": [{"$ref": reference} for reference in references.values()],
        "discriminator": {"propertyName": "model", "mapping": references},
    }
    return {"required": True, "content": {"application/json": {"schema": schema, "examples": examples}}}
