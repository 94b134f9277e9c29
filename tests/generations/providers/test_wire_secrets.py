"""A call that could not be formed: nothing that is kept of it, stored, told or logged, quotes the credential."""

import asyncio
import traceback
from collections.abc import Callable, Iterator

import httpx
import pytest

from generations.providers import wire
from generations.providers.base import OutcomeUnknown, ProviderError, ProviderRefused, query_client
from tests.generations.wire import Canary

SECRET = "hush-hush"
BROKEN_KEY = wire.bearer(f"{SECRET}\n")


@pytest.fixture
def here() -> Iterator[str]:
    """A provider that takes connections."""
    canary = Canary()
    yield f"http://127.0.0.1:{canary.port}"
    canary.close()


def created(url: str, headers: wire.Headers) -> None:
    wire.create(None, url, body="{}", headers=headers)


def queried(url: str, headers: wire.Headers) -> None:
    wire.query(None, url, headers=headers)


def asked(url: str, headers: wire.Headers) -> None:
    async def ask() -> None:
        async with query_client() as client:
            await wire.ask(client, url, headers=headers)

    asyncio.run(ask())


Call = Callable[[str, wire.Headers], None]


@pytest.mark.parametrize(
    ("call", "kind"), [(created, ProviderRefused), (queried, OutcomeUnknown), (asked, OutcomeUnknown)]
)
@pytest.mark.parametrize(
    ("url", "headers", "name"),
    [
        ("{here}", BROKEN_KEY, "LocalProtocolError"),
        (f"{SECRET}://127.0.0.1:9", {}, "UnsupportedProtocol"),
        (f"http://127.0.0.1:{SECRET}", {}, "InvalidURL"),
    ],
)
def test_what_could_not_be_sent_is_told_by_its_kind_only(
    here: str, call: Call, kind: type[ProviderError], url: str, headers: wire.Headers, name: str
) -> None:
    with pytest.raises(kind) as caught:
        call(url.format(here=here), headers)

    error = caught.value
    told = [str(error), repr(error), *traceback.format_exception(error)]
    assert name in str(error)
    assert [text for text in told if SECRET in text] == []


def test_the_library_itself_would_quote_the_key(here: str) -> None:
    """Else the test above proves nothing."""
    with pytest.raises(httpx.LocalProtocolError, match=SECRET), wire.client(None, wire.QUERY_TIMEOUT) as client:
        client.get(here, headers=BROKEN_KEY)
