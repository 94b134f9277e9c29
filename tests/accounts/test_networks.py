"""A key bound to networks works from there alone."""

import pytest
from django.test import RequestFactory
from pytest_django import Settings

from accounts.permissions import client_address
from tests.cast import Person

URL = "/v1/keys"


@pytest.mark.parametrize(
    ("networks", "address", "status"),
    [
        ([], "198.51.100.7", 200),
        (["203.0.113.0/24"], "203.0.113.9", 200),
        (["203.0.113.0/24"], "198.51.100.7", 403),
        (["203.0.113.0/24", "198.51.100.7/32"], "198.51.100.7", 200),
        (["203.0.113.0/24"], "::ffff:203.0.113.9", 200),
        (["2001:db8::/32"], "2001:db8::1", 200),
        (["2001:db8::/32"], "203.0.113.9", 403),
        (["0.0.0.0/0"], "2001:db8::1", 403),
        (["203.0.113.0/24"], "", 403),
    ],
)
def test_the_address_decides(alice: Person, networks: list[str], address: str, status: int) -> None:
    answer = alice.client_with("keys", allowed_networks=networks).get(URL, REMOTE_ADDR=address)
    assert answer.status_code == status
    if status == 403:
        error = answer.json()["error"]
        assert (error["type"], error["code"]) == ("permission_error", "key_ip_not_allowed")


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        (0, "203.0.113.9", "192.0.2.1"),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "6.6.6.6, 203.0.113.9", "203.0.113.9"),
        (2, "6.6.6.6, 203.0.113.9, 10.0.0.1", "203.0.113.9"),
        (2, "203.0.113.9", None),
        (1, "", None),
        (1, "nonsense", None),
    ],
)
def test_only_our_own_proxies_are_believed(
    settings: Settings, proxies: int, forwarded: str, expected: str | None
) -> None:
    settings.TRUSTED_PROXIES = proxies
    request = RequestFactory().get("/", REMOTE_ADDR="192.0.2.1", HTTP_X_FORWARDED_FOR=forwarded)
    assert str(client_address(request)) == str(expected)


def test_a_lie_about_the_address_does_not_help(alice: Person) -> None:
    client = alice.client_with("keys", allowed_networks=["203.0.113.0/24"])
    answer = client.get(URL, REMOTE_ADDR="198.51.100.7", HTTP_X_FORWARDED_FOR="203.0.113.9")
    assert answer.json()["error"]["code"] == "key_ip_not_allowed"
