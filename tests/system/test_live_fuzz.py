"""Whatever is sent to the running server, with a real key and real ids: no 5xx, and no status that is not documented.

FUZZ_LIVE_CASES is how many in all, CHAOS_SEED draws others.
"""

import base64
import io
import os
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from PIL import Image
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import status_code_conformance

from generations.models import Task
from tests.cast import give_key
from tests.system.notes import note
from tests.system.site import PRICE, Customer, Site, assert_nothing_is_wrong

pytestmark = pytest.mark.system

CASES = int(os.environ.get("FUZZ_LIVE_CASES", "500"))
SEED = int(os.environ.get("CHAOS_SEED", "1"))
TOO_HARD = frozenset({"pattern", "if", "then", "else", "not", "allOf", "propertyNames"})
"""Keywords by which nobody can make examples up; what is sent breaks these rules as well as others."""


def nothing_breaks(context: Any, response: Any, case: Any) -> bool | None:
    """This site has no key of Stripe, and says so with a 503 of its own."""
    if response.status_code == 503 and response.json()["error"]["code"] == "top_ups_unavailable":
        return None
    return not_a_server_error(context, response, case)


CHECKS = [nothing_breaks, status_code_conformance]


def real_ids(customer: Customer) -> dict[str, str]:
    """By the name of the path's parameter."""
    dot = io.BytesIO()
    Image.new("RGB", (300, 300)).save(dot, "PNG")
    body = {"base64_data": base64.b64encode(dot.getvalue()).decode(), "upload_path": "dots", "file_name": "dot.png"}
    uploaded = customer.http.post("/api/v1/files/upload/base64", json=body)
    return {
        "task_id": customer.buy(),
        "key_id": give_key(customer.organization, ("read",))[0].public_id,
        "file_id": uploaded.raise_for_status().json()["data"]["file_id"],
    }


def test_nothing_that_is_sent_to_the_running_server_breaks_it(site: Site) -> None:
    customer = Customer(site.url, PRICE * 100)
    known = real_ids(customer)
    document = customer.http.get("/openapi.json").raise_for_status().json()
    schema = schemathesis.openapi.from_dict(without(TOO_HARD, document))
    operations = [found.ok() for found in schema.get_all_operations()]
    for operation in operations:
        for mode in GenerationMode:
            try:
                send(customer, operation, mode, known, cases=max(1, CASES // (2 * len(operations))))
            except Unsatisfiable:  # what needs no key and takes any text cannot be asked wrongly
                assert mode == GenerationMode.NEGATIVE
                assert operation.path.startswith("/v1/catalog/")
    assert {name for operation in operations for name in parameters(operation)} >= set(known)
    site.until(lambda: not Task.objects.filter(status__in=Task.OPEN).exists(), seconds=90)
    assert_nothing_is_wrong(site)


def parameters(operation: Any) -> set[str]:
    return {parameter.name for parameter in operation.path_parameters}


def without(names: frozenset[str], part: Any) -> Any:
    """The document with these keywords left out of its schemas."""
    if isinstance(part, list):
        return [without(names, one) for one in part]
    if not isinstance(part, dict):
        return part
    return {name: without(names, one) for name, one in part.items() if name not in names}


def send(customer: Customer, operation: Any, mode: GenerationMode, known: dict[str, str], *, cases: int) -> None:
    @seed(SEED)
    @settings(
        max_examples=cases,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def run(case: Any) -> None:
        if mode == GenerationMode.POSITIVE:
            case.path_parameters = {
                name: known.get(name, value) for name, value in (case.path_parameters or {}).items()
            }
        note(cases=1)
        case.call_and_validate(
            base_url=str(customer.http.base_url).rstrip("/"),
            headers={"Authorization": f"Bearer {customer.secret}"},
            checks=CHECKS,
        )

    run()
