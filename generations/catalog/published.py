"""The catalogue as everybody may read it: finished documents, each with a tag that changes when a byte of it does.

They depend on the code alone (and on where we are reached), so a process writes each of them once.
"""

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from generations import catalog

PATH = "/v1/catalog/models"


@dataclass(frozen=True, kw_only=True)
class Document:
    """`tag` is a strong HTTP entity tag, with its quotes."""

    body: bytes
    tag: str


@cache
def models(origin: str) -> Document:
    """Every model in the order of the catalogue, with the address of its schema under `origin`."""
    return _document({"object": "list", "data": [entry(spec, origin) for spec in catalog.SPECS]})


@cache
def _schema(spec_id: str) -> Document:
    return _document(catalog.choose(spec_id).json_schema())


def schema(model_id: str) -> Document:
    """The JSON Schema of a model's request. Raises NotFound with the nearest id."""
    return _schema(catalog.choose(model_id, param="model_id").id)


def entry(spec: catalog.Spec, origin: str) -> dict[str, Any]:
    return {
        "id": spec.id,
        "object": "model",
        "type": spec.type,
        "description": spec.description,
        "stability": spec.stability,
        "capabilities": spec.capabilities,
        "estimated_time": spec.estimated_seconds,
        "schema_url": f"{origin}{PATH}/{spec.id}",
    }


def _document(content: dict[str, Any]) -> Document:
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    return Document(body=body, tag=f'"{hashlib.sha256(body).hexdigest()[:32]}"')
