"""A list without rows says whether there are none or none that match, and offers only what one may do."""

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


def test_a_list_that_has_nothing_says_so(desk: Client) -> None:
    page = desk.get("/admin/generations/task/").content.decode()
    assert "There are no tasks." in page
    assert "Nothing matches" not in page and "Reset filters" not in page


def test_a_list_in_which_nothing_matches_offers_to_start_over(desk: Client) -> None:
    page = desk.get("/admin/accounts/user/", {"q": "nobody-has-this"}).content.decode()
    assert "Nothing matches" in page and "Reset filters" in page
