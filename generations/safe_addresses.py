"""Where a customer's address may lead: how it may be spelled, and which numbers behind it are public.

One strict grammar reads the URL, and what it returns is what is connected to and sent, so no second reader can
understand it differently. Public means: not in any special-purpose range of IANA's registries, nor one of the few
public-looking addresses that clouds serve their machines on. IPv6 is allowed only where it is allocated (2000::/3),
which leaves out every way of writing an IPv4 address inside it except 6to4 and Teredo, refused by name.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from urllib.parse import quote

IPAddress = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network

MAX_URL_LENGTH = 2048
DEFAULT_PORTS = {"http": 80, "https": 443}
FIRST_UNPRIVILEGED_PORT = 1024
"""Below it, beside 80 and 443, live mail, remote shells and their like: nothing that serves files or callbacks."""

NEVER_PUBLIC_V4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carrier-grade NAT; Alibaba's metadata service
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # Azure's host
        "169.254.0.0/16",  # link-local; most clouds' metadata service
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments; Oracle's metadata service
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarking
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # class E, broadcast
    )
)
ALLOCATED_V6 = IPv6Network("2000::/3")
NEVER_PUBLIC_V6 = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments: Teredo, benchmarking, ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4
        "2620:4f:8000::/48",  # AS112
        "3ffe::/16",  # the former 6bone
        "3fff::/20",  # documentation
    )
)

INTERNAL_NAME = re.compile(r"(?:.*\.)?(?:localhost|local|localdomain|internal|intranet|lan|home\.arpa)|[^.]+")
LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
HOST_NAME = re.compile(rf"(?=.{{1,253}}\Z)(?:{LABEL}\.)*{LABEL}")
NUMERIC_NAME = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)")
URL = re.compile(r"(?P<scheme>[A-Za-z]+)://(?P<authority>[^/?#]*)(?P<path>[^?#]*)(?P<query>(?:\?[^#]*)?)(?:#.*)?")
AUTHORITY = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(?P<port>[0-9]{1,5}))?")
FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\xa0\\\u2028\u2029]|[\ud800-\udfff]")


class FetchError(Exception):
    """An address of a customer's that we could not use; the text is a plain sentence for them."""


class AddressRefused(FetchError):
    """We did not connect: the spelling is not allowed, or the address is not public."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """A URL taken apart. `host` is lower-case ASCII without brackets; `literal` is set when it is a number."""

    scheme: str
    host: str
    port: int
    path: str
    literal: IPAddress | None

    @property
    def origin(self) -> tuple[str, str, int]:
        return self.scheme, self.host, self.port

    @property
    def host_header(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


def is_public(address: IPAddress, extra_networks: Iterable[IPNetwork] = ()) -> bool:
    """Whether anyone on the internet could be reached there, or one of `extra_networks` allows it."""
    if any(address in network for network in extra_networks):
        return True
    if isinstance(address, IPv4Address):
        return not any(address in network for network in NEVER_PUBLIC_V4)
    return address in ALLOCATED_V6 and not any(address in network for network in NEVER_PUBLIC_V6)


def networks(words: Iterable[str]) -> tuple[IPNetwork, ...]:
    return tuple(ip_network(word) for word in words)


def read_url(url: str) -> Target:
    """Takes a URL apart by the one grammar; says nothing about where it leads. Raises AddressRefused."""
    if not isinstance(url, str) or not url or len(url) > MAX_URL_LENGTH or FORBIDDEN.search(url):
        raise AddressRefused(f"The address must be a URL of at most {MAX_URL_LENGTH} characters without spaces.")
    parts = URL.fullmatch(url)
    if parts is None or (scheme := parts["scheme"].lower()) not in DEFAULT_PORTS:
        raise AddressRefused("The address must start with http:// or https://.")
    authority = AUTHORITY.fullmatch(parts["authority"])
    if authority is None:
        raise AddressRefused("The address must hold a plain ASCII host name, without user name or password.")
    host = authority["host"].lower().strip("[]")
    return Target(
        scheme=scheme,
        host=host,
        port=int(authority["port"] or DEFAULT_PORTS[scheme]),
        path=quote((parts["path"] or "/") + parts["query"], safe="/?%:@!$&'()*+,;=~"),
        literal=_literal(host, bracketed=authority["host"].startswith("[")),
    )


def _literal(host: str, *, bracketed: bool) -> IPAddress | None:
    try:
        if bracketed:
            return IPv6Address(host)
        if NUMERIC_NAME.fullmatch(host):
            return IPv4Address(host)
    except ValueError as error:
        raise AddressRefused(
            "A numeric host must be written as four decimal numbers or as IPv6 in brackets."
        ) from error
    if not HOST_NAME.fullmatch(host):
        raise AddressRefused("The host is not a valid name.")
    return None


def check_target(target: Target, extra_networks: tuple[IPNetwork, ...]) -> None:
    """All that is known without DNS: the port, a literal address, an internal name. Raises AddressRefused."""
    if target.port not in DEFAULT_PORTS.values() and not FIRST_UNPRIVILEGED_PORT <= target.port <= 65535:
        raise AddressRefused("The port must be 80, 443 or one from 1024 to 65535.")
    if target.literal is not None:
        if not is_public(target.literal, extra_networks):
            raise AddressRefused("The address is not public.")
    elif not extra_networks and INTERNAL_NAME.fullmatch(target.host):
        raise AddressRefused("The host name is not public.")
