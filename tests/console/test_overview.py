"""The console's first page."""

from decimal import Decimal

from billing import ledger
from tests.cast import Person
from tests.console.visitors import Visitor


def test_a_newcomer_sees_the_first_steps(owner: Visitor) -> None:
    page = owner.get().content.decode()
    assert "Your first video, in three steps" in page
    assert "Nothing was used in this time." in page


def test_the_balance_stands_there_with_its_worth(owner: Visitor, alice: Person) -> None:
    ledger.grant(alice.organization, Decimal(720), kind="goodwill", reference="test:1", reason="a gift")
    page = owner.get().content.decode()
    assert "<dd>720</dd>" in page and "$10.00" in page


def test_a_stranger_finds_nothing(stranger: Visitor) -> None:
    assert stranger.get().status_code == 404
