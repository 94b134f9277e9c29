"""A key never gives more than it has, and the scope `keys` comes from an owner or admin alone."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from accounts import keys, members, organizations
from accounts.errors import ApiError
from accounts.models import ApiKey, Role
from tests.cast import Person, client_for

URL = "/v1/keys"
SOON = datetime(2100, 1, 1, tzinfo=UTC)

BOUND: dict[str, Any] = {
    "allowed_models": ["kling-custom-element"],
    "allowed_networks": ["127.0.0.0/8"],
    "total_limit": Decimal(100),
    "daily_limit": Decimal(10),
    "requests_per_minute": 60,
    "running_limit": 3,
    "expires_at": SOON,
}
MORE = [
    ("scopes", ["billing"], "key_scope_missing"),
    ("scopes", ["read", "keys"], "key_scope_missing"),
    ("allowed_models", [], "key_model_not_allowed"),
    ("allowed_models", ["kling-custom-element", "kling-v3-text-to-video"], "key_model_not_allowed"),
    ("allowed_networks", [], "key_ip_not_allowed"),
    ("allowed_networks", ["0.0.0.0/0"], "key_ip_not_allowed"),
    ("allowed_networks", ["127.0.0.1", "::1"], "key_ip_not_allowed"),
    ("total_limit", None, "key_scope_missing"),
    ("total_limit", 100.0001, "key_scope_missing"),
    ("daily_limit", 11, "key_scope_missing"),
    ("requests_per_minute", None, "key_scope_missing"),
    ("running_limit", 4, "key_scope_missing"),
    ("expires_at", None, "key_scope_missing"),
    ("expires_at", int(SOON.timestamp()) + 1, "key_scope_missing"),
]


@pytest.fixture
def bound(alice: Person) -> tuple[ApiKey, str]:
    """A key that manages keys but is bound in every way."""
    return alice.key_with("read", "keys", **BOUND)


@pytest.mark.parametrize(("field", "value", "code"), MORE)
def test_a_key_cannot_make_one_that_may_do_more(
    bound: tuple[ApiKey, str], field: str, value: object, code: str
) -> None:
    before = ApiKey.objects.count()
    answer = client_for(bound[1]).post(URL, {"name": "n", "scopes": ["read"], field: value})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (403, code, field)
    assert ApiKey.objects.count() == before


@pytest.mark.parametrize(("field", "value", "code"), MORE)
def test_a_key_cannot_widen_itself_or_another(
    bound: tuple[ApiKey, str], alice: Person, field: str, value: object, code: str
) -> None:
    other, _ = alice.key_with("read", **BOUND)
    answer = client_for(bound[1]).patch(f"{URL}/{other.public_id}", {field: value})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, code)
    if value != ["read", "keys"]:
        answer = client_for(bound[1]).patch(f"{URL}/{bound[0].public_id}", {field: value})
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, code)


def test_what_is_left_out_is_inherited(bound: tuple[ApiKey, str]) -> None:
    body = client_for(bound[1]).post(URL, {"name": "child"}).json()
    assert body["scopes"] == ["read"]
    assert {name: body[name] for name in BOUND} == {
        "allowed_models": ["kling-custom-element"],
        "allowed_networks": ["127.0.0.0/8"],
        "total_limit": 100,
        "daily_limit": 10,
        "requests_per_minute": 60,
        "running_limit": 3,
        "expires_at": int(SOON.timestamp()),
    }


def test_less_can_always_be_given(bound: tuple[ApiKey, str]) -> None:
    less = {"name": "child", "allowed_networks": ["127.0.0.1/32"], "total_limit": 50, "requests_per_minute": 1}
    answer = client_for(bound[1]).post(URL, less)
    assert answer.status_code == 201
    assert (answer.json()["total_limit"], answer.json()["allowed_networks"]) == (50, ["127.0.0.1/32"])


def test_a_key_without_any_default_scope_must_name_what_it_gives(alice: Person) -> None:
    answer = alice.client_with("keys", "billing").post(URL, {"name": "n"})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "scopes")


def test_a_key_cannot_roll_one_that_may_do_more(bound: tuple[ApiKey, str], alice: Person) -> None:
    answer = client_for(bound[1]).post(f"{URL}/{alice.key.public_id}/roll")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "key_scope_missing")
    assert not alice.key.rolled_into.exists()


def test_a_key_can_roll_itself(bound: tuple[ApiKey, str]) -> None:
    answer = client_for(bound[1]).post(f"{URL}/{bound[0].public_id}/roll")
    assert answer.status_code == 201
    assert answer.json()["scopes"] == ["read", "keys"]


def test_a_key_never_gives_the_scope_keys(alice: Person) -> None:
    answer = alice.client.post(URL, {"name": "n", "scopes": ["keys"]})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "key_scope_missing")


@pytest.mark.parametrize(
    ("role", "scope", "allowed"),
    [
        (Role.OWNER, "keys", True),
        (Role.ADMIN, "keys", True),
        (Role.DEVELOPER, "keys", False),
        (Role.DEVELOPER, "billing", True),
        (Role.VIEWER, "read", False),
    ],
)
def test_what_a_role_may_give(alice: Person, role: Role, scope: str, allowed: bool) -> None:
    member = members.add(alice.organization, "dana@acme.example", role)
    before = ApiKey.objects.count()
    if allowed:
        key, _ = keys.create(alice.organization, by=member, name="n", scopes=[scope])
        assert (key.scopes, key.created_by) == ([scope], member.user)
        return
    with pytest.raises(ApiError) as refused:
        keys.create(alice.organization, by=member, name="n", scopes=[scope])
    assert refused.value.code == "key_scope_missing"
    assert ApiKey.objects.count() == before


def test_a_developer_cannot_get_hold_of_a_key_that_manages_keys(alice: Person, bob: Person) -> None:
    with pytest.raises(ApiError) as refused:
        keys.roll(alice.key, by=bob.membership)
    assert refused.value.code == "key_scope_missing"
    assert not alice.key.rolled_into.exists()


def test_a_member_of_another_organization_reaches_no_key(alice: Person, charlie: Person) -> None:
    for act in (keys.roll, keys.change, keys.revoke):
        with pytest.raises(ApiError) as refused:
            act(alice.key, by=charlie.membership)
        assert refused.value.code == "key_not_found"
    with pytest.raises(ApiError):
        keys.create(alice.organization, by=charlie.membership, name="n")
    assert alice.client.get(URL).status_code == 200


def test_a_sandbox_key_cannot_act_in_the_live_organization(alice: Person) -> None:
    twin = organizations.sandbox_twin(alice.organization)
    sandbox_key, secret = keys.create(twin, by=alice.membership, name="test", scopes=["keys", "read"])
    assert client_for(secret).post(f"{URL}/{alice.key.public_id}/roll").status_code == 404
    with pytest.raises(ApiError):
        keys.create(alice.organization, by=sandbox_key, name="n", scopes=["read"])


def test_a_key_bound_to_models_refuses_others(alice: Person) -> None:
    key, _ = alice.key_with("generate", allowed_models=["kling-custom-element"])
    keys.allow_model(key, "kling-custom-element")
    with pytest.raises(ApiError) as refused:
        keys.allow_model(key, "kling-v3-text-to-video")
    assert (refused.value.status_code, refused.value.code) == (403, "key_model_not_allowed")
    keys.allow_model(alice.key, "kling-v3-text-to-video")
