"""POST /v1/quotes: what a request would cost, in lines, with the validation of the real call; nothing is made."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django_q.models import OrmQ

from accounts.models import Scope
from billing import ledger, overrides
from billing.models import Reservation, Transfer
from generations import catalog, jobs, quotes
from generations.catalog.base import Spec
from generations.models import ProviderAccount, Quote, Task
from tests.cast import Person, client_for
from tests.generations.films import PHOTOS, film
from tests.generations.gateway import TEXT_TO_VIDEO, Steps, ask, findings, money, upload
from tests.generations.quoting import POST, QUOTES, quote, unused

pytestmark = pytest.mark.django_db

CAT = PHOTOS / "chelsea.png"
T2V = "kling-v3-text-to-video"
NOON = datetime(2027, 3, 2, 12, tzinfo=UTC)
IMAGE_TO_VIDEO = {"model": "kling-v3-image-to-video", "image_start": "https://example.com/a.jpg"}


def line(label: str, quantity: float, rate: float, factor: float, amount: float) -> dict[str, Any]:
    return {
        "label": label,
        "quantity": quantity,
        "unit": "second",
        "rate": rate,
        "factor": factor,
        "amount": amount,
    }


@time_machine.travel(NOON, tick=False)
def test_a_quote_says_what_is_asked_and_what_it_costs(alice: Person, gateway: Steps) -> None:
    found = quote(alice, quality="1080p", duration=15)
    assert found == {
        "quote_id": Quote.objects.get().public_id,
        "model": T2V,
        "billing_rule": "per_second",
        "maximum": False,
        "lines": [line("1080p without sound", 15, 5.4, 1.333, 107.973)],
        "credits": 107.973,
        "usd": 1.4996,
        "expires_at": int((NOON + timedelta(minutes=15)).timestamp()),
    }


@pytest.mark.parametrize("spec", catalog.SPECS, ids=lambda spec: spec.id)
def test_every_model_is_quoted_at_what_the_real_call_reserves(alice: Person, gateway: Steps, spec: Spec) -> None:
    ledger.top_up(alice.organization, Decimal(1000), reference="more")
    found = alice.client.post(QUOTES, spec.plain_request).json()
    made = alice.client.post(POST, spec.plain_request).json()

    assert found["credits"] == made["usage"]["credits_reserved"] > 0
    assert found["billing_rule"] == made["usage"]["billing_rule"]
    assert (found["model"], found["maximum"]) == (spec.id, spec.settlement is not None)
    assert sum(Decimal(str(one["amount"])) for one in found["lines"]) == Decimal(str(found["credits"]))


@pytest.mark.parametrize(
    ("changes", "credits", "usd"),
    [
        ({}, 27, 0.375),
        ({"quality": "1080p"}, 35.991, 0.4999),
        ({"quality": "1080p", "sound": "on", "duration": 15}, 162, 2.25),
        ({"sound": "on", "duration": 2}, 24.3, 0.3375),
        ({"quality": "1080p", "duration": 15}, 107.973, 1.4996),
    ],
)
def test_the_worked_examples(
    alice: Person, gateway: Steps, changes: dict[str, object], credits: float, usd: float
) -> None:
    found = quote(alice, **changes)
    assert (found["credits"], found["usd"]) == (credits, usd)
    assert ask(alice, **changes).reserved_credits == Decimal(str(credits))


def test_two_seconds_are_billed_as_three_and_the_lines_say_so(alice: Person, gateway: Steps) -> None:
    assert quote(alice, sound="on", duration=2)["lines"] == [
        line("720p with sound", 2, 5.4, 1.5, 16.2),
        line("Billed as 3 seconds, the minimum", 1, 5.4, 1.5, 8.1),
    ]


def test_what_a_user_group_pays_has_a_line(alice: Person, gateway: Steps) -> None:
    group = alice.organization.user_group
    overrides.set_multiplier(group, Decimal("0.9"), reason="test")
    found = quote(alice)
    assert found["lines"][1:] == [line("User group default: rate x 0.9", 5, -0.54, 1, -2.7)]
    assert found["credits"] == 24.3 == float(ask(alice).reserved_credits)

    overrides.set_rate(group, T2V, Decimal(5), reason="test")
    found = quote(alice)
    assert found["lines"][1:] == [line("User group default: 5 a second instead of 5.4", 5, -0.4, 1, -2)]
    assert found["credits"] == 25 == float(ask(alice).reserved_credits)

    overrides.set_multiplier(alice.organization, Decimal("0.5"), reason="test")
    found = quote(alice)
    assert found["lines"][1:] == [line("Your own price: rate x 0.5", 5, -2.7, 1, -13.5)]
    assert found["credits"] == 13.5 == float(ask(alice).reserved_credits)


def test_an_element_is_quoted_a_call(alice: Person, gateway: Steps) -> None:
    found = alice.client.post(QUOTES, catalog.choose("kling-custom-element").plain_request).json()
    assert (found["billing_rule"], found["maximum"], found["credits"], found["usd"]) == ("per_call", False, 1, 0.0139)
    assert [(one["label"], one["unit"], one["quantity"]) for one in found["lines"]] == [("Custom element", "call", 1)]


def of_a_video(model: str, url: str, picture: str) -> dict[str, Any]:
    """A request of this model for this video."""
    if model == "kling-o3-video-edit":
        return {"model": model, "video_url": url}
    body: dict[str, Any] = {"model": model, "video_urls": [url], "prompt": "Night"}
    if "motion" in model:
        body |= {"image_urls": [picture], "model_params": {"character_orientation": "video"}}
    return body


@pytest.mark.parametrize(
    ("model", "unknown", "known", "may_be_less"),
    [
        ("kling-v3-motion-control", 244.944, 32.6592, True),
        ("kling-v2.6-motion-control", 135, 18, True),
        ("kling-o3-video-edit", 121.5, 40.5, True),
        ("kling-o1-video-edit", 120, 51, False),
        ("kling-o1-video-edit-fast", 136, 40.8, False),
    ],
)
def test_where_only_the_media_knows_the_length_the_most_is_quoted(
    alice: Person, gateway: Steps, tmp_path: Path, model: str, unknown: float, known: float, may_be_less: bool
) -> None:
    """The length of an upload is known; where it is the output that is measured, the charge may still be less."""
    clip = film(tmp_path / "street.mp4", width=1280, height=720, seconds=4.25, fps=24)
    picture = upload(alice.organization, CAT)
    bodies = {
        unknown: of_a_video(model, "https://example.com/street.mp4", picture),
        known: of_a_video(model, upload(alice.organization, clip), picture),
    }
    for credits, body in bodies.items():
        found = alice.client.post(QUOTES, body).json()
        assert (found["credits"], found["maximum"]) == (credits, credits == unknown or may_be_less)
        assert ask(alice, **body).reserved_credits == Decimal(str(credits))


def test_a_short_upload_is_raised_to_the_minimum(alice: Person, gateway: Steps, tmp_path: Path) -> None:
    clip = film(tmp_path / "short.mp4", width=1280, height=720, seconds=2.5, fps=24)
    body = of_a_video("kling-o1-video-edit", upload(alice.organization, clip), "")
    found = alice.client.post(QUOTES, body).json()
    assert found["lines"] == [
        line("1080p with an input video", 2.5, 12, 1, 30),
        line("Billed as 3 seconds, the minimum", 0.5, 12, 1, 6),
    ]
    assert found["credits"] == 36 == float(ask(alice, **body).reserved_credits)


def test_nothing_is_made_reserved_or_queued(alice: Person, gateway: Steps) -> None:
    before = Transfer.objects.count()
    quote(alice, callback_url="https://example.com/hook", metadata={"order": "7"})
    assert not Task.objects.exists() and not Reservation.objects.exists() and not OrmQ.objects.exists()
    assert (money(alice.organization), Transfer.objects.count(), unused()) == ((1000, 0), before, 1)
    assert findings() == []


def test_whoever_cannot_pay_may_ask_what_it_costs(charlie: Person, gateway: Steps) -> None:
    _, secret = charlie.key_with(Scope.GENERATE, total_limit=1)
    assert client_for(secret).post(QUOTES, TEXT_TO_VIDEO).json()["credits"] == 27
    assert client_for(secret).post(POST, TEXT_TO_VIDEO).status_code == 402


def test_a_price_is_told_while_nobody_could_make_it(alice: Person, gateway: Steps) -> None:
    ProviderAccount.objects.update(enabled=False)
    assert alice.client.post(POST, TEXT_TO_VIDEO).status_code == 503
    assert quote(alice)["credits"] == 27


def test_without_a_price_there_is_no_quote(alice: Person) -> None:
    answer = alice.client.post(QUOTES, TEXT_TO_VIDEO)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "model_unavailable")
    assert not Quote.objects.exists()


WRONG: list[Mapping[str, Any]] = [
    {},
    {"model": "kling-v3-text2video"},
    TEXT_TO_VIDEO | {"duration": 5.5},
    TEXT_TO_VIDEO | {"prompt": ""},
    TEXT_TO_VIDEO | {"model_params": {"seed": 1}},
    TEXT_TO_VIDEO | {"metadata": {"a": 1}},
    TEXT_TO_VIDEO | {"quote_id": 7},
    TEXT_TO_VIDEO | {"callback_url": "https://10.0.0.1/hook"},
    TEXT_TO_VIDEO | {"callback_url": "http://example.com/hook"},
    IMAGE_TO_VIDEO | {"image_start": "http://169.254.169.254/a.jpg"},
    IMAGE_TO_VIDEO | {"model_params": {"element_list": [{"element_id": "17"}]}},
    {
        "model": "kling-custom-element",
        "model_params": {
            "element_name": "Mia",
            "element_description": "A woman",
            "reference_type": "video_refer",
            "element_video_list": {"video_url": "https://example.com/mia.mp4"},
            "element_voice_id": "1",
        },
    },
]


@pytest.mark.parametrize("body", WRONG)
def test_what_the_real_call_refuses_is_refused_in_the_same_words(
    alice: Person, gateway: Steps, settings: Any, body: Mapping[str, Any]
) -> None:
    settings.SAFE_HTTP_EXTRA_NETWORKS = []
    real, quoted = alice.client.post(POST, body), alice.client.post(QUOTES, body)
    assert real.status_code in (400, 404)
    assert (quoted.status_code, quoted.json()) == (real.status_code, real.json())
    assert not Quote.objects.exists()


def test_an_upload_that_does_not_fit_is_refused(alice: Person, gateway: Steps, tmp_path: Path) -> None:
    clip = film(tmp_path / "long.mp4", width=640, height=360, seconds=11, fps=8)
    body = of_a_video("kling-v3-motion-control", upload(alice.organization, clip), upload(alice.organization, CAT))
    answer = alice.client.post(QUOTES, body | {"model_params": {"character_orientation": "image"}})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (400, "invalid_video", "video_urls[0]")


def test_a_key_bound_to_other_models_is_refused(alice: Person, gateway: Steps) -> None:
    answer = alice.client_with(Scope.GENERATE, allowed_models=["kling-custom-element"]).post(QUOTES, TEXT_TO_VIDEO)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "key_model_not_allowed")


def test_quotes_count_in_the_requests_of_a_key(alice: Person, gateway: Steps) -> None:
    client = alice.client_with(Scope.GENERATE, requests_per_minute=2)
    assert [client.post(QUOTES, TEXT_TO_VIDEO).status_code for _ in range(3)] == [200, 200, 429]


def test_a_quote_is_forgotten_a_day_after_its_end(alice: Person, gateway: Steps) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        quote(alice)
        clock.move_to(NOON + quotes.LIVES + timedelta(days=1))
        quote(alice)
        jobs.housekeeping()
        assert Quote.objects.count() == 2
        clock.shift(timedelta(seconds=1))
        jobs.housekeeping()
        assert Quote.objects.count() == 1


def test_old_quotes_go_in_batches(alice: Person, gateway: Steps) -> None:
    for _ in range(5):
        quote(alice)
    Quote.objects.update(expires_at=NOON - timedelta(days=365))
    assert [quotes.sweep(limit=2) for _ in range(4)] == [2, 2, 1, 0]
