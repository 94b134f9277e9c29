"""Signing in: wrong tries are counted for everybody at one door, passwords are reset by code, second factors rest
encrypted."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.core import mail
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from accounts import encryption
from accounts.models import AuditEntry, User
from evolink_saas import sign_in as domain
from tests.cast import Person
from tests.console.signing import DORA, PASSWORD, a_login, code, confirm, is_signed_in, newcomer, sign_in, sign_up

pytestmark = pytest.mark.django_db
SECRET = "JBSWY3DPEHPK3PXP"
TRIES = 5


def text(page: Any) -> str:
    return str(page.content.decode())


def totp(secret: str = SECRET) -> str:
    """What an authenticator app shows now."""
    return format_hotp_value(hotp_value(secret, list(yield_hotp_counters_from_time())[1]))


def activation(client: Client) -> Any:
    """The page that shows the secret. It wants the password once more, however fresh the sign-in is."""
    asked = client.get("/account/2fa/totp/activate/")
    assert asked["Location"].startswith("/account/reauthenticate/")
    client.post(asked["Location"], {"password": "wrong"})
    assert client.get("/account/2fa/totp/activate/").status_code == 302
    client.post(asked["Location"], {"password": PASSWORD})
    return client.get("/account/2fa/totp/activate/")


def with_second_factor() -> User:
    user = a_login()
    TOTP.activate(user, SECRET)
    return user


def test_the_right_password_opens_the_console() -> None:
    a_login()
    client = newcomer()
    answer = sign_in(client)
    assert answer["Location"] == "/console/" and is_signed_in(client)
    assert client.get("/console/", follow=True).redirect_chain[-1][0] == "/console/new"


@pytest.mark.parametrize("email", [DORA, "nobody@acme.example"])
def test_a_wrong_password_and_an_unknown_address_look_the_same(email: str) -> None:
    a_login()
    client = newcomer()
    answer = sign_in(client, email, "wrong password entirely")
    assert "The email address and/or password you specified are not correct." in text(answer)
    assert not is_signed_in(client)


def test_after_wrong_tries_the_right_password_waits_too_and_then_works() -> None:
    a_login()
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(TRIES):
            sign_in(newcomer(), password="wrong password entirely")
        client = newcomer()
        assert "Too many failed login attempts." in text(sign_in(client))
        assert not is_signed_in(client)
        clock.shift(timedelta(minutes=5, seconds=1))
        sign_in(client)
        assert is_signed_in(client)


def test_one_lock_out_guards_the_admin_and_the_console() -> None:
    User.objects.create_superuser(DORA, PASSWORD)
    for _ in range(TRIES):
        sign_in(newcomer(), password="wrong password entirely")
    client = newcomer()
    door = client.post("/admin/login/?next=/admin/", {"username": DORA, "password": PASSWORD})
    assert door["Location"] == "/account/login/?next=%2Fadmin%2F"
    assert "Too many failed login attempts." in text(sign_in(client, path="?next=/admin/"))
    assert client.get("/admin/").status_code == 302


def test_an_address_that_was_signed_up_and_never_verified_stays_outside() -> None:
    sign_up(newcomer())
    cache.clear()  # a code is sent once in ten seconds
    client = newcomer()
    assert sign_in(client)["Location"] == "/account/confirm-email/"
    assert not is_signed_in(client)
    confirm(client, code(0))  # the first window's
    assert not is_signed_in(client)


def test_logins_that_commands_make_need_no_verification() -> None:
    call_command("createsuperuser", email=DORA, interactive=False)
    user = User.objects.get()
    user.set_password(PASSWORD)
    user.save(update_fields=["password"])
    client = newcomer()
    assert sign_in(client, path="?next=/admin/")["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200
    assert mail.outbox == []


def test_a_closed_login_stays_outside() -> None:
    user = a_login()
    user.is_active = False
    user.save(update_fields=["is_active"])
    client = newcomer()
    sign_in(client)
    assert not is_signed_in(client)


def test_one_is_sent_to_no_strangers_page_after_signing_in() -> None:
    a_login()
    assert sign_in(newcomer(), path="?next=https://evil.example/")["Location"] == "/console/"


def test_a_password_is_reset_with_a_code_from_the_e_mail() -> None:
    a_login()
    client = newcomer()
    asked = client.post("/account/password/reset/", {"email": DORA})
    assert mail.outbox[-1].subject == "Your code to reset the password"
    where = client.post(asked["Location"], {"code": code(), "action": "verify"})["Location"]
    new = "a wholly different password"
    client.post(where, {"password1": new, "password2": new})
    assert User.objects.get().check_password(new)
    assert mail.outbox[-1].subject == "Your password was reset"
    assert "http://127.0.0.1:8000/account/password/reset/" in mail.outbox[-1].body
    assert is_signed_in(client) or sign_in(client, password=new)["Location"] == "/console/"


def test_a_wrong_code_resets_nothing() -> None:
    a_login()
    client = newcomer()
    where = client.post("/account/password/reset/", {"email": DORA})["Location"]
    assert "Incorrect code." in text(client.post(where, {"code": "AAAA-BBBB", "action": "verify"}))
    assert User.objects.get().check_password(PASSWORD)


def test_asking_for_an_unknown_address_looks_the_same_and_sends_nothing() -> None:
    client = newcomer()
    answer = client.post("/account/password/reset/", {"email": "nobody@acme.example"}, follow=True)
    assert "If nobody@acme.example has a login, a code is on its way there." in text(answer)
    assert mail.outbox == []


def test_a_second_factor_is_switched_on_and_asked_for() -> None:
    a_login()
    client = newcomer()
    sign_in(client)
    page = activation(client)
    secret = text(page).partition('<code id="totp-secret">')[2].partition("</code>")[0]
    assert "data:image/svg+xml" in text(page)
    client.post("/account/2fa/totp/activate/", {"code": totp(secret)})
    assert Authenticator.objects.filter(type="totp").count() == 1
    assert Authenticator.objects.filter(type="recovery_codes").count() == 1

    again = newcomer()
    assert sign_in(again)["Location"] == "/account/2fa/authenticate/"
    assert not is_signed_in(again)
    assert "Incorrect code." in text(again.post("/account/2fa/authenticate/", {"code": "000000"}))
    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        again.post("/account/2fa/authenticate/", {"code": totp(secret)})
    assert is_signed_in(again)


def test_a_code_of_the_app_works_once() -> None:
    with_second_factor()
    with time_machine.travel(timezone.now(), tick=False):
        shown = totp()
        first, second = newcomer(), newcomer()
        for client in (first, second):
            sign_in(client)
            client.post("/account/2fa/authenticate/", {"code": shown})
    assert (is_signed_in(first), is_signed_in(second)) == (True, False)


def test_a_recovery_code_opens_once() -> None:
    a_login()
    client = newcomer()
    sign_in(client)
    secret = text(activation(client)).partition('id="totp-secret">')[2].partition("<")[0]
    client.post("/account/2fa/totp/activate/", {"code": totp(secret)})
    codes = text(client.get("/account/2fa/recovery-codes/")).partition('id="recovery-codes">')[2].split("<li>")[1:11]
    recovery = codes[0].partition("<")[0]
    first, second = newcomer(), newcomer()
    for one in (first, second):
        sign_in(one)
        one.post("/account/2fa/authenticate/", {"code": recovery})
    assert (is_signed_in(first), is_signed_in(second)) == (True, False)


def test_operators_may_have_a_second_factor_and_the_admin_asks_for_it() -> None:
    user = User.objects.create_superuser(DORA, PASSWORD)
    TOTP.activate(user, SECRET)
    client = newcomer()
    assert sign_in(client, path="?next=/admin/")["Location"].startswith("/account/2fa/authenticate/")
    assert client.get("/admin/").status_code == 302
    client.post("/account/2fa/authenticate/", {"code": totp()})
    assert client.get("/admin/").status_code == 200


def test_secrets_of_second_factors_rest_encrypted() -> None:
    with_second_factor()
    data = Authenticator.objects.get().data
    assert SECRET not in str(data)
    assert encryption.decrypt(data["secret"].encode()) == SECRET


def test_whoever_lost_it_is_let_in_again_by_an_operator_and_it_is_logged() -> None:
    user = with_second_factor()
    domain.remove_second_factor(user)
    client = newcomer()
    sign_in(client)
    assert is_signed_in(client)
    entry = AuditEntry.objects.get(action="user.second_factor_removed")
    assert (entry.target, entry.changes) == (DORA, {"second_factor": ["totp", None]})


def test_changing_the_password_asks_for_the_old_one_and_is_told_by_e_mail() -> None:
    user = a_login()
    EmailAddress.objects.create(user=user, email=DORA, verified=True, primary=True)
    client = newcomer()
    sign_in(client)
    new = {"password1": "a wholly different password", "password2": "a wholly different password"}
    client.post("/account/password/change/", {"oldpassword": "wrong", **new})
    assert User.objects.get().check_password(PASSWORD)
    client.post("/account/password/change/", {"oldpassword": PASSWORD, **new})
    assert User.objects.get().check_password("a wholly different password")
    letter = mail.outbox[-1]
    assert letter.subject == "Your password was changed"
    assert "If it was not you, reset your password at once" in letter.body
    assert is_signed_in(client)


def test_an_address_that_an_operator_changed_opens_with_the_new_one_alone(desk_of_olga: Client) -> None:
    user = a_login()
    EmailAddress.objects.create(user=user, email=DORA, verified=True, primary=True)
    form = {"email": "new@acme.example", "name": "", "is_active": "on", "reason": "She asked"}
    assert desk_of_olga.post(f"/admin/accounts/user/{user.pk}/change/", form).status_code == 302
    before, after = newcomer(), newcomer()
    sign_in(before, DORA)
    sign_in(after, "new@acme.example")
    assert (is_signed_in(before), is_signed_in(after)) == (False, True)


@pytest.fixture
def desk_of_olga(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("olga@gateway.example", PASSWORD))
    return client


def test_signing_out_ends_the_session_and_wants_a_form(alice: Person) -> None:
    client = newcomer()
    client.force_login(alice.membership.user)
    client.get("/account/logout/")
    assert is_signed_in(client)
    assert client.post("/account/logout/")["Location"] == "/account/login/"
    assert not is_signed_in(client)
    assert client.get(f"/console/{alice.organization.public_id}/").status_code == 302
