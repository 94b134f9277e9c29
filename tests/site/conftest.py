from collections.abc import Callable

import pytest
from django.test import Client

from tests.cast import Person
from tests.console.visitors import Visitor, visitor
from tests.site.outline import Outline, read

Look = Callable[..., Outline]


@pytest.fixture
def look(client: Client, prices: None) -> Look:
    """A page as somebody reads it who is not signed in, in English unless the address says otherwise."""

    def look(path: str, status: int = 200, **query: object) -> Outline:
        answer = client.get(path, query, headers={"accept-language": "en"})
        assert answer.status_code == status, answer.content
        return read(answer.content.decode())

    return look


@pytest.fixture
def owner(alice: Person, prices: None) -> Visitor:
    """Alice, signed in."""
    return visitor(alice.membership)
