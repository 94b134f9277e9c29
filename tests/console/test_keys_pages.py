"""API keys in the console: a secret is shown in one answer, and nowhere else."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from django.utils import timezone

from accounts import keys
from accounts.models import ApiKey, Role
from tests.cast import Person, client_for
from tests.console.visitors import Visitor, joined

NEW = {"name": "production", "scopes": ["generate", "read"]}


def text(page: object) -> str:
    return page.content.decode()


def newest(person: Person) -> ApiKey:
    return person.organization.api_keys.select_related("budget").latest("created_at")


def secret_on(page: object) -> str:
    return text(page).partition('<code id="secret">')[2].partition("</code>")[0]


def test_a_secret_is_shown_once(owner: Visitor, alice: Person) -> None:
    page = owner.client.post(owner.address("keys/new"), NEW)
    assert page.status_code == 201
    secret = secret_on(page)
    assert client_for(secret).get("/v1/credits").status_code == 200
    assert page["Cache-Control"].startswith("max-age=0, no-cache, no-store")
    assert secret not in str(dict(owner.client.session.items()))
    assert secret not in text(owner.get("keys")) + text(owner.get(f"keys/{newest(alice).public_id}"))
    assert newest(alice).hint in text(owner.get("keys"))


def test_a_key_has_the_limits_that_were_asked_for(owner: Visitor, alice: Person) -> None:
    limits = {"daily_limit": "100.5", "monthly_limit": "", "total_limit": "1000", "requests_per_minute": "60"}
    page = owner.post("keys/new", **NEW, **limits, running_limit="3", allowed_networks="203.0.113.0/24\n2001:db8::/32")
    key = newest(alice)
    assert page.status_code == 201
    assert (key.budget.daily_limit, key.budget.monthly_limit, key.budget.total_limit) == (Decimal("100.5"), None, 1000)
    assert (key.requests_per_minute, key.running_limit) == (60, 3)
    assert (key.scopes, key.allowed_networks) == (["generate", "read"], ["203.0.113.0/24", "2001:db8::/32"])


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"name": ""}, "This field is required."),
        ({"scopes": []}, "This field is required."),
        ({"scopes": ["everything"]}, "Select a valid choice."),
        ({"daily_limit": "-1"}, "greater than or equal to 0"),
        ({"total_limit": "x"}, "Enter a number."),
        ({"expires_at": "2020-01-01T00:00"}, "This must lie in the future."),
        ({"allowed_networks": "the office"}, "Write each network in CIDR notation"),
        ({"allowed_models": ["made-up"]}, "Select a valid choice."),
    ],
)
def test_a_wrong_key_says_what_is_wrong_and_is_not_made(
    fields: dict[str, object], error: str, owner: Visitor, alice: Person
) -> None:
    before = alice.organization.api_keys.count()
    page = owner.post("keys/new", **(NEW | fields))
    assert page.status_code == 400
    assert error in text(page)
    assert alice.organization.api_keys.count() == before


def test_only_what_was_changed_is_changed(owner: Visitor, alice: Person) -> None:
    key, _ = alice.key_with("read", daily_limit=Decimal(7))
    page = owner.post(f"keys/{key.public_id}", name="renamed", scopes=["read"], daily_limit="7", enabled="on")
    assert "The key was changed." in text(page)
    after = ApiKey.objects.select_related("budget").get(pk=key.pk)
    assert (after.name, after.budget.daily_limit, after.enabled) == ("renamed", 7, True)


def test_rolling_gives_a_new_secret_while_the_old_one_works_on(owner: Visitor, alice: Person) -> None:
    key, old = alice.key_with("read", "generate")
    page = owner.client.post(owner.address(f"keys/{key.public_id}/roll"), {"grace_hours": "24"})
    assert page.status_code == 201
    assert (
        client_for(old).get("/v1/credits").status_code
        == client_for(secret_on(page)).get("/v1/credits").status_code
        == 200
    )
    key.refresh_from_db()
    assert key.expires_at is not None
    assert abs(key.expires_at - timezone.now() - timedelta(hours=24)) < timedelta(minutes=1)


def test_rolling_twice_makes_one_new_key(owner: Visitor, alice: Person) -> None:
    key, _ = alice.key_with("read", "generate")
    before = alice.organization.api_keys.count()
    for _ in range(2):
        owner.post(f"keys/{key.public_id}/roll", grace_hours="24")
    assert alice.organization.api_keys.count() == before + 1


def test_a_revoked_key_is_refused_and_gone(owner: Visitor, alice: Person) -> None:
    key, secret = alice.key_with("read")
    assert "The key was revoked." in text(owner.post(f"keys/{key.public_id}/revoke"))
    assert client_for(secret).get("/v1/credits").status_code == 401
    assert owner.get(f"keys/{key.public_id}").status_code == 404


def test_a_paused_key_is_resumed(owner: Visitor, alice: Person) -> None:
    with transaction.atomic():
        keys.pause(alice.key, timezone.now())
    assert "paused" in text(owner.get("keys"))
    assert "The key may spend again." in text(owner.post(f"keys/{alice.key.public_id}/resume"))
    alice.key.refresh_from_db()
    assert alice.key.paused_at is None


def test_another_organizations_key_is_not_found(owner: Visitor, alice: Person, charlie: Person) -> None:
    for path in ("", "/roll", "/revoke", "/resume"):
        assert owner.post(f"keys/{charlie.key.public_id}{path}", grace_hours="0", **NEW).status_code == 404
    charlie.key.refresh_from_db()
    assert (charlie.key.revoked_at, charlie.key.rolled_into.count()) == (None, 0)


def test_a_viewer_sees_keys_by_their_names_and_changes_none(alice: Person) -> None:
    viewer = joined(alice, Role.VIEWER)
    page = text(viewer.get("keys"))
    assert alice.key.name in page and "New API key" not in page
    assert viewer.post(f"keys/{alice.key.public_id}/revoke").status_code == 403
    alice.key.refresh_from_db()
    assert alice.key.revoked_at is None


def test_an_organization_without_keys_is_told_how_to_begin(owner: Visitor, alice: Person) -> None:
    keys.revoke(alice.key, by=alice.membership)
    assert "No API key yet" in text(owner.get("keys"))
