import pytest

from tests.cast import Person
from tests.console.visitors import Visitor, visitor


@pytest.fixture
def owner(alice: Person) -> Visitor:
    """Alice at her browser."""
    return visitor(alice.membership)


@pytest.fixture
def developer(bob: Person) -> Visitor:
    """Bob at his."""
    return visitor(bob.membership)


@pytest.fixture
def stranger(charlie: Person, alice: Person) -> Visitor:
    """Charlie, who looks for alice's organization."""
    return visitor(charlie.membership, alice.organization)
