"""People and what they prefer."""

import pytest
from django.db import IntegrityError, transaction

from accounts import people
from accounts.errors import InvalidRequest
from accounts.models import AuditEntry, User
from tests.cast import Person

PASSWORD = "correct horse battery"


def test_signing_up_makes_a_login_that_is_logged_without_its_password(db: None) -> None:
    user = people.sign_up("dora@acme.example", PASSWORD, "zh-hans")
    assert (user.language, user.time_zone, user.check_password(PASSWORD)) == ("zh-hans", "UTC", True)
    entry = AuditEntry.objects.get(action="user.signed_up")
    assert entry.changes == {"email": [None, "dora@acme.example"], "language": [None, "zh-hans"]}


def test_an_address_has_one_login_in_any_spelling(db: None) -> None:
    people.sign_up("dora@acme.example", PASSWORD, "en")
    with pytest.raises(IntegrityError), transaction.atomic():
        people.sign_up("DORA@acme.example", PASSWORD, "en")
    assert User.objects.count() == 1


def test_preferences_are_kept_and_what_changed_is_logged_once(alice: Person) -> None:
    user = alice.membership.user
    for _ in range(2):
        people.set_preferences(user, name="Alice", time_zone="Asia/Shanghai")
    user.refresh_from_db()
    assert (user.name, user.language, user.time_zone) == ("Alice", "", "Asia/Shanghai")
    entry = AuditEntry.objects.get(action="user.changed")
    assert entry.changes == {"name": ["", "Alice"], "time_zone": ["UTC", "Asia/Shanghai"]}


def test_a_time_zone_that_does_not_exist_changes_nothing(alice: Person) -> None:
    user = alice.membership.user
    with pytest.raises(InvalidRequest) as refused:
        people.set_preferences(user, name="Alice", time_zone="Mars/Olympus")
    assert refused.value.param == "time_zone"
    user.refresh_from_db()
    assert (user.name, user.time_zone) == ("", "UTC")


def test_e_mails_are_written_in_the_language_that_was_chosen(alice: Person) -> None:
    user = alice.membership.user
    assert people.language_of(user.email) == people.language_of("nobody@acme.example") == "en"
    people.set_preferences(user, language="zh-hans")
    assert people.language_of(user.email.upper()) == "zh-hans"
