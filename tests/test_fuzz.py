"""Whatever is sent, no answer is a 5xx, and every status stands in the OpenAPI document.

Cases are drawn from the document itself, broken ones too. `FUZZ_CASES` is how many an operation gets.
"""

import json
import os
from decimal import Decimal
from typing import Any

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.core.management import call_command
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, status_code_conformance

from billing import ledger
from evolink_saas import openapi
from generations import routing
from tests.cast import Person
from tests.routes import operations

CASES = int(os.environ.get("FUZZ_CASES", "15"))
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance]

pytestmark = [pytest.mark.system, pytest.mark.django_db(transaction=True)]


@pytest.fixture(scope="module")
def schema() -> Any:
    return schemathesis.openapi.from_dict(json.loads(openapi.document()))


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize(("method", "route"), sorted(operations()))
def test_nothing_that_is_sent_breaks_us(
    schema: Any, alice: Person, method: str, route: str, mode: GenerationMode
) -> None:
    call_command("load_price_book", verbosity=0)
    ledger.grant(alice.organization, Decimal(1_000_000), kind="promo", reference="fuzz", reason="fuzz")
    routing.ensure_simulator_accounts("http://127.0.0.1:9", "nothing is sent there")
    operation = schema[route][method]
    application = WSGIHandler()

    @seed(1)
    @settings(
        max_examples=CASES,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def run(case: Any) -> None:
        case.call_and_validate(headers={"Authorization": f"Bearer {alice.secret}"}, checks=CHECKS, app=application)

    run()
