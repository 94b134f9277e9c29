"""/v1/keys: list, make, change, roll and revoke."""

from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.utils import timezone

from accounts import key_text, keys, organizations
from accounts.models import ApiKey, KeyBudget
from tests.cast import Person, client_for

URL = "/v1/keys"


def test_a_new_key_has_the_defaults_and_its_secret_works(alice: Person) -> None:
    answer = alice.client.post(URL, {"name": "build server"})
    body = answer.json()
    assert answer.status_code == 201
    secret, made = body.pop("secret"), ApiKey.objects.get(name="build server")
    assert body == {
        "id": made.public_id,
        "object": "api_key",
        "name": "build server",
        "hint": f"{secret[:6]}…{secret[-4:]}",
        "scopes": ["generate", "read"],
        "allowed_models": [],
        "allowed_networks": [],
        "total_limit": None,
        "daily_limit": None,
        "monthly_limit": None,
        "requests_per_minute": None,
        "running_limit": None,
        "enabled": True,
        "paused_at": None,
        "expires_at": None,
        "last_used_at": None,
        "created_at": int(made.created_at.timestamp()),
    }
    assert keys.find(secret) == made
    assert made.organization == alice.organization


def test_a_new_key_takes_every_field(alice: Person) -> None:
    expires_at = int(timezone.now().timestamp()) + 3600
    wanted = {
        "name": "narrow",
        "scopes": ["read", "billing"],
        "allowed_models": ["kling-v3-text-to-video"],
        "allowed_networks": ["203.0.113.0/24", "2001:db8::1"],
        "total_limit": 100.5,
        "daily_limit": 10,
        "monthly_limit": 50,
        "requests_per_minute": 60,
        "running_limit": 2,
        "expires_at": expires_at,
    }
    body = alice.client.post(URL, wanted).json()
    assert {name: body[name] for name in wanted} == wanted | {"allowed_networks": ["203.0.113.0/24", "2001:db8::1/128"]}
    budget = ApiKey.objects.get(name="narrow").budget
    assert (budget.total_limit, budget.daily_limit) == (Decimal("100.5000"), Decimal("10.0000"))


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        ({}, "missing_parameter", "name"),
        ({"name": ""}, "invalid_parameter", "name"),
        ({"name": "n" * 81}, "invalid_parameter", "name"),
        ({"name": "n", "scopes": []}, "invalid_parameter", "scopes"),
        ({"name": "n", "scopes": ["root"]}, "invalid_parameter", "scopes[0]"),
        ({"name": "n", "allowed_networks": ["10.0.0.0/8", "10.0.0.1/8"]}, "invalid_parameter", "allowed_networks[1]"),
        ({"name": "n", "total_limit": -1}, "invalid_parameter", "total_limit"),
        ({"name": "n", "total_limit": 0.00001}, "invalid_parameter", "total_limit"),
        ({"name": "n", "daily_limit": "many"}, "invalid_parameter", "daily_limit"),
        ({"name": "n", "requests_per_minute": 0}, "invalid_parameter", "requests_per_minute"),
        ({"name": "n", "running_limit": 2**31}, "invalid_parameter", "running_limit"),
        ({"name": "n", "expires_at": 1}, "invalid_parameter", "expires_at"),
        ({"name": "n", "expires_at": 10**18}, "invalid_parameter", "expires_at"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_made(alice: Person, body: dict, code: str, param: str) -> None:
    before = ApiKey.objects.count(), KeyBudget.objects.count()
    answer = alice.client.post(URL, body)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (400, code, param)
    assert (ApiKey.objects.count(), KeyBudget.objects.count()) == before


def test_a_key_of_a_sandbox_says_test(alice: Person) -> None:
    twin = organizations.sandbox_twin(alice.organization)
    _, secret = keys.create(twin, by=alice.membership, name="test", scopes=["keys"])
    made = client_for(secret).post(URL, {"name": "more", "scopes": ["keys"]})
    assert made.status_code == 403
    assert secret.startswith("sk-test-")
    assert key_text.is_well_formed(secret)


def test_the_list_shows_own_keys_newest_first_without_secrets(alice: Person, charlie: Person) -> None:
    second, secret = alice.key_with("read")
    answer = alice.client.get(URL)
    body = answer.json()
    assert [key["id"] for key in body["data"]] == [second.public_id, alice.key.public_id]
    assert (body["object"], body["next_cursor"]) == ("list", None)
    assert secret not in answer.content.decode()
    assert charlie.key.public_id not in answer.content.decode()


def test_a_long_list_comes_in_pages(alice: Person) -> None:
    made = [alice.key.public_id] + [alice.key_with("read")[0].public_id for _ in range(59)]
    first = alice.client.get(URL).json()
    second = alice.client.get(URL, {"cursor": first["next_cursor"]}).json()
    assert [key["id"] for key in first["data"] + second["data"]] == sorted(made, reverse=True)
    assert (len(first["data"]), len(second["data"]), second["next_cursor"]) == (50, 10, None)


def test_a_strange_cursor_is_refused(alice: Person) -> None:
    answer = alice.client.get(URL, {"cursor": "key_x\0"})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "cursor")


def test_a_change_touches_only_what_it_names(alice: Person) -> None:
    key, _ = alice.key_with("read", requests_per_minute=5, total_limit=Decimal(7))
    answer = alice.client.patch(f"{URL}/{key.public_id}", {"name": "renamed", "daily_limit": 3, "enabled": False})
    body = answer.json()
    assert answer.status_code == 200
    assert (body["name"], body["daily_limit"], body["enabled"]) == ("renamed", 3, False)
    assert (body["requests_per_minute"], body["total_limit"], body["scopes"]) == (5, 7, ["read"])
    assert "secret" not in body


def test_null_takes_a_limit_away(alice: Person) -> None:
    key, _ = alice.key_with("read", requests_per_minute=5, total_limit=Decimal(7))
    body = {"total_limit": None, "requests_per_minute": None}
    answer = alice.client.patch(f"{URL}/{key.public_id}", body).json()
    assert (answer["total_limit"], answer["requests_per_minute"]) == (None, None)


def test_a_revoked_key_is_gone_for_good(alice: Person) -> None:
    key, secret = alice.key_with("read")
    address = f"{URL}/{key.public_id}"
    assert [alice.client.delete(address).status_code for _ in range(2)] == [204, 204]
    assert client_for(secret).get(URL).json()["error"]["code"] == "key_disabled"
    assert [shown["id"] for shown in alice.client.get(URL).json()["data"]] == [alice.key.public_id]
    for answer in (alice.client.patch(address, {"enabled": True}), alice.client.post(f"{address}/roll")):
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "key_not_found")


def test_a_rolled_key_shares_the_budget_and_the_old_one_works_for_a_day(alice: Person) -> None:
    old, old_secret = alice.key_with("keys", total_limit=Decimal(9), allowed_models=["kling-custom-element"])
    now = timezone.now()
    with time_machine.travel(now, tick=False):
        answer = alice.client.post(f"{URL}/{old.public_id}/roll")
    body = answer.json()
    new = keys.find(body["secret"])
    assert new is not None
    assert answer.status_code == 201
    assert (new.budget_id, new.rolled_from_id, new.allowed_models) == (old.budget_id, old.id, old.allowed_models)
    assert (body["total_limit"], body["expires_at"], body["name"]) == (9, None, old.name)
    with time_machine.travel(now + timedelta(hours=24, seconds=-1), tick=False):
        assert client_for(old_secret).get(URL).status_code == 200
    with time_machine.travel(now + timedelta(hours=24), tick=False):
        assert client_for(old_secret).get(URL).json()["error"]["code"] == "key_expired"
        assert client_for(body["secret"]).get(URL).status_code == 200


def test_the_grace_can_be_none_and_never_lengthens_a_life(alice: Person) -> None:
    soon = timezone.now() + timedelta(minutes=5)
    short, _ = alice.key_with("read", expires_at=soon)
    rolled = alice.client.post(f"{URL}/{short.public_id}/roll", {"grace_hours": 48}).json()
    assert rolled["expires_at"] == int(soon.timestamp())
    assert ApiKey.objects.get(pk=short.pk).expires_at == soon
    gone, secret = alice.key_with("keys")
    alice.client.post(f"{URL}/{gone.public_id}/roll", {"grace_hours": 0})
    assert client_for(secret).get(URL).json()["error"]["code"] == "key_expired"


def test_a_key_is_rolled_once(alice: Person) -> None:
    key, _ = alice.key_with("read")
    address = f"{URL}/{key.public_id}/roll"
    assert [alice.client.post(address).status_code for _ in range(2)] == [201, 400]
    assert key.rolled_into.count() == 1


@pytest.mark.parametrize("grace", [-1, 721, "long", None])
def test_a_strange_grace_is_refused(alice: Person, grace: object) -> None:
    key, _ = alice.key_with("read")
    answer = alice.client.post(f"{URL}/{key.public_id}/roll", {"grace_hours": grace})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "grace_hours")
    assert not key.rolled_into.exists()


@pytest.mark.parametrize("wrong", ["nonsense", "key_01jm3x00000000000000000000", "%00", "task-video-" + "0" * 26])
def test_an_unknown_key_is_not_found(alice: Person, wrong: str) -> None:
    for answer in (alice.client.patch(f"{URL}/{wrong}", {}), alice.client.delete(f"{URL}/{wrong}")):
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "key_not_found")
