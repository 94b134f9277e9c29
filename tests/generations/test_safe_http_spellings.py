"""No way of writing an internal address gets a connection, and the web process refuses what it can without DNS."""

import io
import socket
from collections.abc import Iterator
from ipaddress import ip_address

import pytest
from pytest_django import Settings

from generations.safe_addresses import is_public, read_url
from generations.safe_http import AddressRefused, check_spelling, download, post
from tests.generations.wire import Canary

LITERALS = [
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "127.255.255.254",
    "2130706433",
    "0x7f000001",
    "0x7f.0.0.1",
    "0x7f.0x0.0x0.0x1",
    "0X7F000001",
    "017700000001",
    "0177.0.0.1",
    "0177.0.0.01",
    "00000177.0.0.1",
    "127.0.0.001",
    "0",
    "0.0.0.0",
    "127.0.0.1.",
    "１２７.０.０.１",
    "①②⑦.⓪.⓪.①",
    "127。0。0。1",
    "127%2e0%2e0%2e1",
    "%31%32%37.0.0.1",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:ffff:127.0.0.1]",
    "[::127.0.0.1]",
    "[::7f00:1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "[2002:7f00:0001::1]",
    "[2001:0:7f00:1::]",
    "[fec0::1]",
    "[fe80::1]",
    "[fe80::1%25lo]",
    "[fe80::1%lo]",
    "[::1%25lo]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[ff02::1]",
    "[::ffff:0:127.0.0.1]",
    "::1",
    "[127.0.0.1]",
]
NAMES = [
    "localhost",
    "LOCALHOST",
    "localhost.",
    "localhost.localdomain",
    "any.localhost",
    "ip6-localhost",
    "printer.local",
    "metadata.google.internal",
    "router.lan",
    "router.home.arpa",
    "intranet",
    "ｌｏｃａｌｈｏｓｔ",
    "lоcalhost",
    "example.com.",
    "example..com",
    "-example.com",
    "exa mple.com",
    "example.com\x00.org",
]
WHOLE_URLS = [
    "http://good.example@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}@good.example/",
    "http://good.example:{port}@127.0.0.1:{port}/",
    "http://good.example\\@127.0.0.1:{port}/",
    "http:\\\\127.0.0.1:{port}/",
    "http:/127.0.0.1:{port}/",
    "http:127.0.0.1:{port}/",
    "//127.0.0.1:{port}/",
    "http:///127.0.0.1:{port}/",
    "http://127.0.0.1:{port}#@good.example/",
    "http://127.0.0.1:{port}?@good.example/",
    " http://127.0.0.1:{port}/",
    "http://127.0.0.1:{port}/\r\nHost: good.example",
    "http://\t127.0.0.1:{port}/",
    "ftp://127.0.0.1:{port}/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:{port}/_",
    "unix:///var/run/docker.sock",
    "http+unix://%2Fvar%2Frun%2Fdocker.sock/",
    "javascript:alert(1)",
    "",
    "http://",
    "https://:{port}/",
]
NUMBERS = [
    *("0.0.0.0", "10.0.0.1", "100.64.0.1", "100.100.100.200", "100.127.255.255", "127.0.0.1", "127.8.8.8"),
    *("168.63.129.16", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.192", "192.0.2.1"),
    *("192.31.196.1", "192.52.193.1", "192.88.99.1", "192.168.0.1", "192.175.48.1", "198.18.0.1", "198.19.255.255"),
    *("198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:0:8.8.8.8", "64:ff9b::8.8.8.8"),
    *("64:ff9b:1::1", "100::1", "2001::1", "2001:0:7f00:1::", "2001:2::1", "2001:10::1", "2001:20::1", "2001:db8::1"),
    *("2002:7f00:1::", "2002:808:808::", "2620:4f:8000::1", "3ffe::1", "3fff::1", "4000::1", "5f00::1", "fc00::1"),
    *("fd00:ec2::254", "fe80::1", "fe80::1%lo", "fec0::1", "ff02::1"),
]
PUBLIC_NUMBERS = [
    *("1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.1", "100.63.255.255", "100.128.0.1", "126.255.255.255"),
    *("128.0.0.1", "172.15.255.255", "172.32.0.1", "192.0.1.1", "198.17.255.255", "198.20.0.1", "223.255.255.255"),
    *("2001:4860:4860::8888", "2606:4700:4700::1111", "2a00:1450:4001::1", "2400:cb00::1"),
]


@pytest.fixture
def canary() -> Iterator[Canary]:
    canary = Canary()
    yield canary
    canary.close()


def no_name_server(host: str, port: int) -> list[str]:
    raise AssertionError(f"{host} must be refused before anyone is asked about it")


@pytest.mark.parametrize("host", LITERALS + NAMES)
def test_an_internal_host_is_refused_without_a_connection_or_a_look_up(host: str, canary: Canary) -> None:
    assert_refused(f"http://{host}:{canary.port}/", canary)


@pytest.mark.parametrize("template", WHOLE_URLS)
def test_a_misleading_url_is_refused_without_a_connection_or_a_look_up(template: str, canary: Canary) -> None:
    assert_refused(template.replace("{port}", str(canary.port)), canary)


def assert_refused(url: str, canary: Canary) -> None:
    with pytest.raises(AddressRefused):
        check_spelling(url, https_only=False)
    with pytest.raises(AddressRefused):
        download(url, io.BytesIO(), max_bytes=100, timeout_seconds=2, resolve=no_name_server)
    with pytest.raises(AddressRefused):
        post(url, b"{}", {}, timeout_seconds=2, resolve=no_name_server)
    assert canary.connections() == 0


@pytest.mark.parametrize("host", [host for host in LITERALS + NAMES if host != "127.0.0.1"])
def test_an_allowed_network_allows_its_own_plain_numbers_and_no_other_spelling(
    host: str, canary: Canary, settings: Settings
) -> None:
    settings.SAFE_HTTP_EXTRA_NETWORKS = ["127.0.0.1/32"]
    with pytest.raises(AddressRefused):
        download(
            f"http://{host}:{canary.port}/", io.BytesIO(), max_bytes=100, timeout_seconds=2, resolve=lambda *_: ["::1"]
        )
    assert canary.connections() == 0


@pytest.mark.parametrize("number", NUMBERS)
def test_a_name_that_leads_to_a_number_that_is_not_public_is_refused(number: str, canary: Canary) -> None:
    with pytest.raises(AddressRefused, match=r"^The address is not public\.$"):
        post(f"http://good.example:{canary.port}/", b"", {}, timeout_seconds=2, resolve=lambda *_: [number])
    assert canary.connections() == 0


@pytest.mark.parametrize("mixed", [["8.8.8.8", "127.0.0.1"], ["127.0.0.1", "8.8.8.8"], ["2606:4700::1", "::1"]])
def test_one_internal_number_among_public_ones_refuses_them_all(mixed: list[str], canary: Canary) -> None:
    with pytest.raises(AddressRefused):
        post(f"http://good.example:{canary.port}/", b"", {}, timeout_seconds=2, resolve=lambda *_: mixed)
    assert canary.connections() == 0


@pytest.mark.parametrize("number", PUBLIC_NUMBERS)
def test_a_public_number_is_public(number: str) -> None:
    assert is_public(ip_address(number))


@pytest.mark.parametrize("port", ["0", "1", "22", "25", "81", "1023", "65536", "99999", "100000", "-1", "80a", ""])
def test_a_port_that_is_not_for_the_web_is_refused(port: str) -> None:
    with pytest.raises(AddressRefused):
        check_spelling(f"https://good.example:{port}/", https_only=True)


@pytest.mark.parametrize(
    "url",
    [
        "https://good.example",
        "HTTPS://Good.Example:443/hooks?task=1#part",
        "https://good.example:8443/",
        "https://1.1.1.1/",
        "https://[2606:4700:4700::1111]:8443/",
        "https://my_bucket.storage.example/a%20b.png?X-Signature=abc%2Fdef%3D",
        "https://xn--fsq.example/图片.png",
        "https://good.example/" + "a" * (2048 - len("https://good.example/")),
    ],
)
def test_an_ordinary_address_is_accepted_without_asking_a_name_server(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", no_name_server)
    check_spelling(url, https_only=True)


def test_a_callback_must_be_https() -> None:
    with pytest.raises(AddressRefused, match=r"^The address must start with https://\.$"):
        check_spelling("http://good.example/", https_only=True)


def test_an_address_of_more_than_2048_characters_is_refused() -> None:
    url = "https://good.example/"
    with pytest.raises(AddressRefused):
        check_spelling(url + "a" * (2049 - len(url)), https_only=True)


def test_what_is_sent_is_what_was_checked() -> None:
    target = read_url("HTTPS://Good.Example/图/a%2Fb?x=1&y=<>#part")
    assert target.origin == ("https", "good.example", 443)
    assert target.path == "/%E5%9B%BE/a%2Fb?x=1&y=%3C%3E"
    assert target.host_header == "good.example"
    assert read_url("http://[2606:4700:4700::1111]:8080").host_header == "[2606:4700:4700::1111]:8080"
    assert read_url("http://good.example?x").path == "/?x"
