"""Every valid request of every model, as adapters are asked to make it."""

from dataclasses import replace
from typing import Any

from generations import catalog
from generations.catalog import envelope
from generations.models import ProviderAccount
from generations.providers.base import ElementUse, Request, VideoRequest
from generations.requests import Order
from tests.generations.catalog import cases, more_cases

BODIES: dict[str, dict[str, Any]] = cases.GOOD | more_cases.GOOD
NOBODY = "http://127.0.0.1:9"
"""Where nobody answers."""


def request_of(body: dict[str, Any], reference: str, *, element_id: str = "", with_links: bool = True) -> Request:
    """`element_id`: what the account calls the elements; empty: it has none of them, and is given their files.

    Without links it is a draft, as routing asks about it.
    """
    spec = catalog.choose(envelope.read(body).model)
    parsed = spec.parse(body)
    links = {medium.role: f"{NOBODY}/{medium.role}" for medium in parsed.media} if with_links else {}
    order = Order(model=parsed.model, makes_element=spec.type == "element", inputs=parsed.inputs, links=links)
    callback_url = f"{NOBODY}/hints/{reference}/token"
    request = order.request(ProviderAccount(), reference=reference, callback_url=callback_url)
    if not isinstance(request, VideoRequest):
        return request
    return replace(request, elements=tuple(_use(named.kind or "image_refer", element_id) for named in parsed.elements))


def _use(kind: Any, upstream_id: str) -> ElementUse:
    from_images = kind == "image_refer"
    return ElementUse(
        upstream_id=upstream_id,
        name="Ada",
        description="a woman in a red coat",
        kind=kind,
        frontal_image=f"{NOBODY}/front" if from_images else None,
        refer_images=(f"{NOBODY}/side",) if from_images else (),
        video=None if from_images else f"{NOBODY}/ada",
    )
