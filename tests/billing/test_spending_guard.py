"""The spending guard: off by default; a key whose hour goes far beyond its history is paused, told of, and resumed."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.core import mail
from django.test import Client

from accounts import keys
from accounts.errors import Forbidden, InvalidRequest
from accounts.models import ApiKey, AuditEntry, Organization, Scope
from billing import notices, rollups, spending_guard
from billing.models import KeyPause
from tests.billing.books import give, key_of, reserve
from tests.billing.racing import at_once
from tests.cast import Person, client_for

Clock = time_machine.Traveller


def look() -> int:
    return spending_guard.look_all()


@pytest.fixture
def key(acme: Organization, clock: Clock) -> ApiKey:
    """It has spent at most 20 credits an hour in the last days; the guard is on, at ten times or 100."""
    give(acme, 100_000)
    key = key_of(acme)
    for _ in range(3):
        reserve(acme, 20, api_key=key)
        clock.shift(timedelta(hours=20))
    spending_guard.switch_on(acme)
    return key


def is_paused(key: ApiKey) -> bool:
    return ApiKey.objects.get(pk=key.pk).paused_at is not None


def test_it_is_off_until_it_is_switched_on(acme: Organization, clock: Clock) -> None:
    give(acme, 10_000)
    key = key_of(acme)
    reserve(acme, 5_000, api_key=key)
    assert (look(), is_paused(key)) == (0, False)


def test_a_jump_far_beyond_its_history_pauses_the_key_and_tells_the_members(acme: Organization, key: ApiKey) -> None:
    reserve(acme, 200, api_key=key)
    assert look() == 0
    reserve(acme, 1, api_key=key)
    assert look() == 1
    assert look() == 0
    assert is_paused(key)
    pause = KeyPause.objects.get()
    assert (pause.spent, pause.allowed, pause.busiest) == (201, 200, 20)
    notices.send_due()
    [message] = mail.outbox
    assert message.subject == f"Acme: the API key {key.name} is paused"
    assert "spent 201 credits" in message.body and "key_paused" in message.body
    assert AuditEntry.objects.filter(action="key.paused", target_id=key.public_id).count() == 1


@pytest.mark.parametrize("rolled_up", [False, True])
def test_the_figures_are_exact_with_and_without_roll_ups(acme: Organization, key: ApiKey, rolled_up: bool) -> None:
    reserve(acme, 201, api_key=key)
    if rolled_up:
        rollups.roll_all()
    assert look() == 1


def test_a_key_without_a_history_may_spend_the_minimum(acme: Organization, key: ApiKey) -> None:
    fresh = key_of(acme)
    reserve(acme, 100, api_key=fresh)
    assert look() == 0
    reserve(acme, 1, api_key=fresh)
    assert look() == 1
    assert not is_paused(key)


def test_what_was_spent_before_a_resume_never_pauses_again(acme: Organization, key: ApiKey, clock: Clock) -> None:
    reserve(acme, 500, api_key=key)
    look()
    clock.shift(timedelta(minutes=1))
    keys.resume(ApiKey.objects.get(pk=key.pk), by=acme.memberships.get())
    assert (look(), is_paused(key)) == (0, False)
    reserve(acme, 150, api_key=key)
    assert look() == 0
    reserve(acme, 60, api_key=key)
    assert (look(), is_paused(key)) == (1, True)


def test_a_jump_at_the_end_of_an_hour_is_seen_in_the_next(acme: Organization, key: ApiKey, clock: Clock) -> None:
    reserve(acme, 500, api_key=key)
    clock.shift(timedelta(hours=1))
    assert look() == 1


def test_what_was_spent_before_it_was_switched_on_counts_for_nothing(acme: Organization, clock: Clock) -> None:
    give(acme, 10_000)
    key = key_of(acme)
    reserve(acme, 5_000, api_key=key)
    clock.shift(timedelta(hours=1))
    spending_guard.switch_on(acme)
    assert look() == 0


@pytest.mark.parametrize(("factor", "minimum"), [("0.5", "100"), ("10", "0")])
def test_a_guard_that_leaves_no_room_is_refused(acme: Organization, factor: str, minimum: str) -> None:
    with pytest.raises(InvalidRequest):
        spending_guard.switch_on(acme, factor=Decimal(factor), minimum=Decimal(minimum))


@pytest.mark.django_db(transaction=True)
def test_looks_at_once_pause_once(acme: Organization, key: ApiKey) -> None:
    reserve(acme, 500, api_key=key)
    outcomes = at_once([look] * 8)
    assert sorted(map(str, outcomes))[-1] == "1"
    assert outcomes.count(1) == 1
    assert KeyPause.objects.count() == 1


def test_a_paused_key_resumes_nobody_and_the_others_do(acme: Organization, key: ApiKey) -> None:
    keys.pause(key, key.created_at)
    paused = ApiKey.objects.get(pk=key.pk)
    paused.scopes = [Scope.KEYS]
    with pytest.raises(Forbidden) as refused:
        keys.resume(paused, by=paused)
    assert refused.value.code == "key_paused"
    keys.resume(paused, by=acme.memberships.get())
    assert not is_paused(key)


def test_the_link_in_the_email_shows_first_and_resumes_on_a_click(acme: Organization, key: ApiKey) -> None:
    reserve(acme, 500, api_key=key)
    look()
    notices.send_due()
    [address] = re.findall(r"https?://\S+/keys/resume\?token=\S+", mail.outbox[0].body)
    path, token = "/keys/resume", address.partition("token=")[2]
    browser = Client(enforce_csrf_checks=True)
    shown = browser.get(path, {"token": token})
    assert shown.status_code == 200 and key.name in shown.content.decode()
    assert is_paused(key)
    assert browser.post(path, {"token": token}).status_code == 403
    csrf = browser.cookies["csrftoken"].value
    done = browser.post(path, {"token": token, "csrfmiddlewaretoken": csrf})
    assert done.status_code == 200 and "this pause is over" in done.content.decode()
    assert not is_paused(key)
    assert AuditEntry.objects.filter(action="key.resumed").count() == 1


def test_a_wrong_or_old_link_changes_nothing(acme: Organization, key: ApiKey, clock: Clock) -> None:
    keys.pause(key, key.created_at)
    link = keys.resume_link(key.pk, key.created_at).partition("token=")[2]
    assert Client().get("/keys/resume", {"token": f"{link}x"}).status_code == 404
    assert Client().get("/keys/resume").status_code == 404
    clock.shift(timedelta(days=8))
    assert Client().post("/keys/resume", {"token": link}).status_code == 404
    assert is_paused(key)


def test_over_the_api_a_paused_key_reads_and_spends_nothing(alice: Person) -> None:
    other, secret = alice.key_with(Scope.GENERATE, Scope.READ)
    keys.pause(other, other.created_at)
    client = client_for(secret)
    assert client.get("/v1/credits").status_code == 200
    body = {"model": "kling-v3-text-to-video", "prompt": "A lighthouse"}
    for path in ("/v1/videos/generations", "/v1/quotes"):
        answer = client.post(path, body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "key_paused")
    resumed = alice.client.post(f"/v1/keys/{other.public_id}/resume")
    assert (resumed.status_code, resumed.json()["paused_at"]) == (200, None)
