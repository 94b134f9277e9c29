"""A generation with `quote_id`: made at the quoted price whatever prices are now, once, for exactly what was quoted."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.http import HttpResponse
from django_q.models import OrmQ
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from accounts import organizations
from accounts.models import Scope
from billing import ledger, overrides, price_book
from generations import files, jobs
from generations.models import IdempotencyRecord, ProviderAccount, Quote, StoredFile, Task
from tests.cast import Person, client_for, give_key
from tests.generations.films import PHOTOS, film
from tests.generations.gateway import TEXT_TO_VIDEO, Steps, findings, money, seen, task, upload
from tests.generations.quoting import POST, QUOTES, everything_costs_twice_as_much, quote, unused, use

pytestmark = pytest.mark.django_db

NOON = datetime(2027, 3, 2, 12, tzinfo=UTC)
KEY = {"Idempotency-Key": "order-4711-attempt-1"}


def made(answer: HttpResponse) -> Task:
    assert answer.status_code == 200, answer.content
    return task(answer.json()["id"])


def refused(person: Person, answer: HttpResponse, status: int, code: str, words: str) -> dict[str, Any]:
    """The error of a request that was refused for its quote, and changed nothing."""
    error: dict[str, Any] = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (status, code, "quote_id"), error
    assert words in error["message"]
    assert findings() == []
    return error


def test_it_runs_at_the_quoted_price_after_a_price_change(alice: Person, gateway: Steps) -> None:
    quoted = quote(alice, quality="1080p")
    everything_costs_twice_as_much()
    overrides.set_multiplier(alice.organization.user_group, Decimal(3), reason="test")
    one = made(use(alice, quoted, quality="1080p"))

    assert one.reserved_credits == Decimal("35.991")
    assert money(alice.organization) == (1000, Decimal("35.991"))
    assert one.price["quote"] == quoted["quote_id"]
    assert made(alice.client.post(POST, TEXT_TO_VIDEO)).reserved_credits == 162
    assert findings() == []


def test_a_price_that_fell_meanwhile_is_not_used_either(alice: Person, gateway: Steps) -> None:
    quoted = quote(alice)
    overrides.set_multiplier(alice.organization.user_group, Decimal("0.5"), reason="test")
    assert made(use(alice, quoted)).reserved_credits == 27
    assert made(alice.client.post(POST, TEXT_TO_VIDEO)).reserved_credits == Decimal("13.5")


def test_it_runs_when_the_price_book_has_the_model_no_more(alice: Person, gateway: Steps) -> None:
    quoted = quote(alice)
    kept = [block for block in price_book.FILE.read_text().split("[[prices]]") if TEXT_TO_VIDEO["model"] not in block]
    assert price_book.load("[[prices]]".join(kept))[1]
    assert alice.client.post(POST, TEXT_TO_VIDEO).json()["error"]["code"] == "model_unavailable"
    assert made(use(alice, quoted)).reserved_credits == 27
    assert findings() == []


def test_the_quote_knows_its_task_and_the_task_its_quote(alice: Person, gateway: Steps) -> None:
    quoted = quote(alice, duration=2)
    one = made(use(alice, quoted, duration=2))
    assert Quote.objects.get().task == one
    told = alice.client.get(f"/v1/tasks/{one.public_id}/timeline").json()["price"]
    assert (told["quote_id"], told["credits"]) == (quoted["quote_id"], quoted["credits"])
    assert [entry["amount"] for entry in told["lines"]] == [16.2]


def test_the_user_group_of_a_task_is_the_one_that_was_quoted(alice: Person, gateway: Steps) -> None:
    quoted = quote(alice)
    group = alice.organization.user_group
    group.pk, group.name, group._state.adding = None, "partners", True
    group.save()
    organization = alice.organization
    organization.user_group = group
    organization.save(update_fields=["user_group"])
    assert use(alice, quoted).json()["usage"]["user_group"] == "default"
    assert alice.client.post(POST, TEXT_TO_VIDEO).json()["usage"]["user_group"] == "partners"


@pytest.mark.parametrize(("passed", "status"), [(timedelta(minutes=14, seconds=59), 200), (timedelta(minutes=15), 409)])
def test_a_quote_holds_for_15_minutes(alice: Person, gateway: Steps, passed: timedelta, status: int) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        quoted = quote(alice)
        clock.shift(passed)
        answer = use(alice, quoted)
    assert answer.status_code == status
    if status == 409:
        refused(alice, answer, 409, "quote_expired", "15 minutes and has expired")
        assert (Task.objects.count(), unused()) == (0, 1)


def test_a_quote_is_good_for_one_task(alice: Person, gateway: Steps) -> None:
    quoted = quote(alice)
    one = made(use(alice, quoted))
    error = refused(alice, use(alice, quoted), 409, "quote_expired", "was used")
    assert error["task_id"] == one.public_id
    assert (Task.objects.get(), money(alice.organization)) == (one, (1000, 27))


def test_of_a_used_quote_that_has_expired_too_it_says_that_it_was_used(alice: Person, gateway: Steps) -> None:
    quoted = quote(alice)
    made(use(alice, quoted))
    Quote.objects.update(expires_at=NOON - timedelta(days=365))
    refused(alice, use(alice, quoted), 409, "quote_expired", "was used")


@pytest.mark.parametrize(
    "changes",
    [
        {"duration": 6},
        {"prompt": "Another lighthouse"},
        {"quality": "720p"},
        {"negative_prompt": ""},
        {"metadata": {"order": "8"}},
        {"callback_url": "https://example.com/other"},
        {"unknown": None},
    ],
)
def test_another_body_is_a_mismatch(alice: Person, gateway: Steps, changes: dict[str, object]) -> None:
    quoted = quote(alice)
    refused(alice, use(alice, quoted, **changes), 422, "quote_mismatch", "another body")
    assert (Task.objects.count(), OrmQ.objects.count(), unused(), money(alice.organization)) == (0, 0, 1, (1000, 0))
    assert made(use(alice, quoted)).reserved_credits == 27


def test_another_model_is_a_mismatch_that_names_both(alice: Person, gateway: Steps) -> None:
    answer = use(alice, quote(alice), model="kling-v3-turbo-text-to-video")
    error = refused(alice, answer, 422, "quote_mismatch", "kling-v3-text-to-video")
    assert "kling-v3-turbo-text-to-video" in error["message"]
    assert not Task.objects.exists()


def test_the_order_of_fields_and_an_earlier_quote_id_do_not_matter(alice: Person, gateway: Steps) -> None:
    first = quote(alice, metadata={"a": "1", "b": "2"})
    again = quote(alice, metadata={"b": "2", "a": "1"}, quote_id=first["quote_id"])
    turned = {"quote_id": again["quote_id"], "metadata": {"b": "2", "a": "1"}} | dict(reversed(TEXT_TO_VIDEO.items()))
    assert alice.client.post(POST, turned).status_code == 200
    assert made(use(alice, first, metadata={"a": "1", "b": "2"})).reserved_credits == 27


@pytest.mark.parametrize("quote_id", ["quote_" + "0" * 26, "quote_", "task-video-01jm3x7c9dqk4v2e8r5t6w0yza", "x", "é"])
def test_a_quote_that_nobody_has_is_a_mismatch(alice: Person, gateway: Steps, quote_id: str) -> None:
    refused(alice, use(alice, {"quote_id": quote_id}), 422, "quote_mismatch", "no such quote")
    assert not Task.objects.exists()


def test_a_strangers_quote_is_like_one_that_nobody_has(alice: Person, charlie: Person, gateway: Steps) -> None:
    ledger.top_up(charlie.organization, Decimal(100), reference="test")
    quoted = quote(alice)
    unknown = use(charlie, {"quote_id": "quote_" + "0" * 26})
    answer = use(charlie, quoted)
    assert (answer.status_code, answer.content) == (unknown.status_code, unknown.content)
    made(use(alice, quoted))
    assert use(charlie, quoted).content == unknown.content
    assert not charlie.organization.tasks.exists()


def test_a_sandbox_twin_has_quotes_of_its_own(alice: Person, gateway: Steps) -> None:
    sandbox = organizations.sandbox_twin(alice.organization)
    ledger.grant(sandbox, Decimal(100), kind="promo", reference="test credits", reason="test")
    client = client_for(give_key(sandbox)[1])
    body = TEXT_TO_VIDEO | {"quote_id": quote(alice)["quote_id"]}
    assert client.post(POST, body).json()["error"]["code"] == "quote_mismatch"
    body = TEXT_TO_VIDEO | {"quote_id": client.post(QUOTES, TEXT_TO_VIDEO).json()["quote_id"]}
    assert client.post(POST, body).status_code == 200


def test_another_key_of_the_organization_may_use_it_within_its_rights(alice: Person, gateway: Steps) -> None:
    body = TEXT_TO_VIDEO | {"quote_id": quote(alice)["quote_id"]}
    bound = alice.client_with(Scope.GENERATE, allowed_models=["kling-custom-element"])
    assert bound.post(POST, body).json()["error"]["code"] == "key_model_not_allowed"
    assert alice.client_with(Scope.GENERATE).post(POST, body).status_code == 200


def test_a_refused_request_leaves_the_quote_usable(alice: Person, gateway: Steps) -> None:
    quoted = quote(alice)
    ledger.adjust(alice.organization, Decimal(-990), reference="leave 10", reason="test")
    assert use(alice, quoted).json()["error"]["code"] == "account_balance_insufficient"
    ProviderAccount.objects.update(enabled=False)
    assert use(alice, quoted).json()["error"]["code"] == "model_unavailable"
    ProviderAccount.objects.update(enabled=True)
    ledger.top_up(alice.organization, Decimal(100), reference="more")
    everything_costs_twice_as_much()
    assert unused() == 1
    assert made(use(alice, quoted)).reserved_credits == 27
    assert findings() == []


def test_a_request_beyond_the_keys_places_leaves_the_quote_usable(alice: Person, gateway: Steps) -> None:
    key, secret = alice.key_with(Scope.GENERATE, running_limit=1)
    client, body = client_for(secret), TEXT_TO_VIDEO | {"quote_id": quote(alice)["quote_id"]}
    assert client.post(POST, TEXT_TO_VIDEO).status_code == 200
    assert client.post(POST, body).status_code == 429
    assert (unused(), key.tasks.count()) == (1, 1)


def test_an_idempotent_request_with_a_quote_is_replayed(alice: Person, gateway: Steps) -> None:
    body = TEXT_TO_VIDEO | {"quote_id": quote(alice)["quote_id"]}
    first = alice.client.post(POST, body, headers=KEY)
    Quote.objects.all().delete()
    again = alice.client.post(POST, body, headers=KEY)
    assert (first.status_code, again.status_code) == (200, 200)
    assert (again.content, again["Idempotency-Replayed"]) == (first.content, "true")
    other = alice.client.post(POST, TEXT_TO_VIDEO | {"quote_id": quote(alice)["quote_id"]}, headers=KEY)
    assert (other.status_code, other.json()["error"]["code"]) == (422, "idempotency_conflict")
    assert (Task.objects.count(), unused()) == (1, 1)


def test_a_quote_that_was_refused_does_not_use_an_idempotency_key_up(alice: Person, gateway: Steps) -> None:
    quoted = quote(alice)
    made(use(alice, quoted))
    answer = alice.client.post(POST, TEXT_TO_VIDEO | {"quote_id": quoted["quote_id"]}, headers=KEY)
    assert (answer.status_code, IdempotencyRecord.objects.count()) == (409, 0)


def test_what_the_request_names_is_looked_at_again(alice: Person, gateway: Steps, tmp_path: Path) -> None:
    link = upload(alice.organization, PHOTOS / "chelsea.png")
    body = {"model": "kling-v3-image-to-video", "image_start": link}
    quoted = quote(alice, **body)
    files.remove(StoredFile.objects.get())
    answer = use(alice, quoted, **body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "media_url_not_allowed")
    assert unused() == 1


def test_when_the_seconds_to_bill_are_others_now_the_quote_does_not_hold(alice: Person, gateway: Steps) -> None:
    """As after a change of the catalogue between the quote and the request."""
    quoted = quote(alice)
    row = Quote.objects.get()
    row.price["seconds"] = "4"
    row.save(update_fields=["price"])
    refused(alice, use(alice, quoted), 422, "quote_mismatch", "has changed since it was quoted")
    assert not Task.objects.exists()


def test_the_sweep_leaves_the_price_of_the_task(alice: Person, gateway: Steps) -> None:
    one = made(use(alice, quote(alice)))
    Quote.objects.update(expires_at=NOON - timedelta(days=365))
    jobs.housekeeping()
    one.refresh_from_db()
    assert (Quote.objects.count(), one.reserved_credits) == (0, 27)
    assert findings() == []


@pytest.mark.django_db(transaction=True)
def test_a_measured_length_is_charged_at_the_quoted_price(
    alice: Person, gateway: Steps, tmp_path: Path, settings: Settings, live_server: LiveServer
) -> None:
    settings.PUBLIC_URL = live_server.url
    clip = film(tmp_path / "street.mp4", width=1280, height=720, seconds=4.25, fps=24)
    body = {"model": "kling-o3-video-edit", "video_url": upload(alice.organization, clip), "prompt": "Snow"}
    quoted = quote(alice, **body)
    assert (quoted["credits"], quoted["maximum"]) == (40.5, True)
    everything_costs_twice_as_much()
    one = gateway.until(made(use(alice, quoted, **body)), Task.Status.COMPLETED)

    assert (one.reserved_credits, one.charged_credits) == (Decimal("40.5"), Decimal("32.4"))
    assert seen(alice, one)["usage"]["credits_used"] == 32.4
    assert money(alice.organization) == (1000 - Decimal("32.4"), 0)
    assert findings() == []
