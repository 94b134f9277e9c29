"""Wrong combinations of settings, and what is said about them."""

from collections.abc import Callable

import pytest
from cryptography.fernet import Fernet
from django.core.checks import run_checks
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from pytest_django import Settings

from generations.models import ProviderAccount


@pytest.fixture
def production(settings: Settings) -> Settings:
    """Settings that pass."""
    settings.DEBUG = False
    settings.PUBLIC_URL = "https://api.example"
    settings.SAFE_HTTP_EXTRA_NETWORKS, settings.SAFE_HTTP_CA_FILE = [], ""
    settings.SECRET_KEY = settings.API_KEY_PEPPER = "a long random text of our own, not the one for development"
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    settings.STRIPE_API_KEY, settings.STRIPE_API_BASE = "", "https://api.stripe.com"
    settings.DATABASE_URL, settings.DATABASE_OWNER_URL = "postgres://app@db/x", "postgres://owner@db/x"
    return settings


def found(*, deploy: bool = True, databases: list[str] | None = None) -> list[str]:
    messages = run_checks(include_deployment_checks=deploy, databases=databases)
    return sorted(message.id for message in messages if message.id and message.id.startswith("evolink."))


def test_a_sound_production_has_nothing_to_mend(production: Settings) -> None:
    assert found() == []


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("PUBLIC_URL", "http://api.example", ["evolink.E001"]),
        ("SAFE_HTTP_EXTRA_NETWORKS", ["127.0.0.0/8"], ["evolink.E002"]),
        ("SAFE_HTTP_CA_FILE", "/tmp/ca.pem", ["evolink.E002"]),
        ("SECRET_KEY", "for-development-only-" + "0" * 40, ["evolink.E003"]),
        ("API_KEY_PEPPER", "pepper-for-development-only", ["evolink.E003"]),
        ("DATABASE_OWNER_URL", "postgres://app@db/x", ["evolink.E004"]),
        ("DEBUG", True, ["evolink.E005"]),
        ("STRIPE_API_KEY", "sk_test_x", ["evolink.E008"]),
        ("STRIPE_API_BASE", "http://127.0.0.1:12111", ["evolink.E009"]),
        ("ENCRYPTION_KEYS", [], ["evolink.E007"]),
        ("ENCRYPTION_KEYS", ["short", Fernet.generate_key().decode(), "long" * 11], ["evolink.E007", "evolink.E007"]),
        ("ENCRYPTION_KEYS", ["ZGV2ZWxvcG1lbnQtb25seS1rZXktMzItYnl0ZXMhISE="], ["evolink.E003"]),
    ],
)
def test_each_wrong_setting_has_its_id_and_a_hint(
    production: Settings, name: str, value: object, expected: list[str]
) -> None:
    setattr(production, name, value)
    messages = [message for message in run_checks(include_deployment_checks=True) if message.id in expected]
    assert found() == expected
    assert all(message.hint for message in messages)


def test_development_is_asked_for_less(settings: Settings) -> None:
    settings.DEBUG = True
    assert found(deploy=False) == []


@pytest.fixture
def add_account(db: None) -> Callable[..., ProviderAccount]:
    def add(**fields: object) -> ProviderAccount:
        return ProviderAccount.objects.create(
            name="simulator", alias="s", provider="kling", base_url="http://127.0.0.1:1", **fields
        )

    return add


@pytest.mark.parametrize(
    ("fields", "is_debug", "expected"),
    [
        ({"simulator": True, "serves": "live"}, False, ["evolink.E006"]),
        ({"simulator": True, "serves": "live"}, True, []),
        ({"simulator": True, "serves": "live", "enabled": False}, False, []),
        ({"simulator": True, "serves": "sandbox"}, False, []),
        ({"simulator": False, "serves": "live"}, False, []),
    ],
)
def test_a_simulator_that_serves_live_keys_is_refused_outside_development(
    production: Settings,
    add_account: Callable[..., ProviderAccount],
    fields: dict[str, object],
    is_debug: bool,
    expected: list[str],
) -> None:
    production.DEBUG = is_debug
    add_account(**fields)
    assert found(deploy=False, databases=["default"]) == expected


def test_the_start_of_the_web_server_stops_at_such_an_account(
    production: Settings, add_account: Callable[..., ProviderAccount]
) -> None:
    add_account(simulator=True, serves="live")
    with pytest.raises(SystemCheckError, match=r"evolink\.E006"):
        call_command("check", tags=["database"], databases=["default"])
