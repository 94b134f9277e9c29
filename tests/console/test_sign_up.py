"""Signing up: a login and an organization together, and the welcome credits when the address is verified, once."""

from decimal import Decimal
from smtplib import SMTPServerDisconnected
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.cache import cache
from django.core.mail.backends.locmem import EmailBackend
from pytest_django import Settings

from accounts import invitations
from accounts.models import Membership, Organization, Role, User
from billing.models import CreditLot, Wallet
from evolink_saas import signup
from tests.cast import Person
from tests.console.signing import DORA, PASSWORD, code, confirm, is_signed_in, newcomer, sign_up


@pytest.fixture(autouse=True)
def thirty_credits(settings: Settings, db: None) -> None:
    settings.SIGN_UP_CREDITS = Decimal(30)


def balance(organization: Organization) -> Decimal:
    return Wallet.objects.get(organization=organization).balance


def test_a_sign_up_makes_a_login_an_organization_and_an_empty_wallet() -> None:
    client = newcomer()
    answer = sign_up(client)
    assert answer["Location"] == "/account/confirm-email/"
    membership = Membership.objects.get()
    assert (membership.user.email, membership.role, membership.organization.name) == (DORA, Role.OWNER, "Acme")
    assert membership.user.check_password(PASSWORD)
    assert balance(membership.organization) == 0
    assert not is_signed_in(client)
    assert [one.subject for one in mail.outbox] == ["Your code to confirm your e-mail address"]


def test_the_welcome_credits_come_with_the_verification_and_once() -> None:
    client = newcomer()
    sign_up(client)
    assert confirm(client, code())["Location"] == "/console/"
    assert is_signed_in(client)
    organization = Organization.objects.get()
    assert balance(organization) == 30
    assert client.get("/console/", follow=True).redirect_chain[-1][0] == f"/console/{organization.public_id}/"
    signup.welcome(User.objects.get())
    assert (balance(organization), CreditLot.objects.count()) == (30, 1)


def test_a_wrong_code_verifies_nothing() -> None:
    client = newcomer()
    sign_up(client)
    answer = confirm(client, "AAAA-BBBB")
    assert "Incorrect code." in answer.content.decode()
    assert not is_signed_in(client)
    assert not EmailAddress.objects.get().verified
    assert balance(Organization.objects.get()) == 0


def test_whoever_guesses_codes_has_to_begin_again() -> None:
    client = newcomer()
    sign_up(client)
    right = code()
    for _ in range(3):
        confirm(client, "AAAA-BBBB")
    confirm(client, right)
    assert not is_signed_in(client)
    assert not EmailAddress.objects.get().verified


def test_an_organization_without_a_name_is_called_after_the_address() -> None:
    sign_up(newcomer(), organization="")
    assert Organization.objects.get().name == "dora"


def test_a_second_sign_up_with_the_address_looks_the_same_and_changes_nothing() -> None:
    sign_up(newcomer())
    user = User.objects.get()
    cache.clear()  # a code is sent once in ten seconds
    answer = newcomer().post("/account/signup/", {"email": DORA.upper(), "password1": "another password entirely"})
    assert answer["Location"] == "/account/confirm-email/"
    assert (User.objects.count(), Organization.objects.count()) == (1, 1)
    user.refresh_from_db()
    assert user.check_password(PASSWORD)
    assert mail.outbox[-1].subject == "You have a login already"


def test_of_two_sign_ups_at_once_the_second_is_told_what_a_later_one_is_told() -> None:
    """Both forms were valid when the first was saved."""
    request = newcomer().get("/account/signup/").wsgi_request
    form = signup.SignUpForm({"email": DORA, "password1": PASSWORD, "organization": "Second"})
    assert form.is_valid()
    sign_up(newcomer())
    with signup.context.request_context(request):
        user, answer = form.try_save(request)
    assert user is None and answer is not None
    assert list(Organization.objects.values_list("name", flat=True)) == ["Acme"]


@pytest.mark.parametrize("password", ["short", "password1234", "dora@acme.example"])
def test_a_weak_password_is_refused(password: str) -> None:
    answer = newcomer().post("/account/signup/", {"email": DORA, "password1": password, "organization": "Acme"})
    assert answer.status_code == 200
    assert "errorlist" in answer.content.decode()
    assert (User.objects.count(), Organization.objects.count()) == (0, 0)


def test_a_name_that_is_too_long_is_refused() -> None:
    assert "at most 100 characters" in sign_up(newcomer(), organization="x" * 101).content.decode()
    assert User.objects.count() == 0


def test_the_code_can_be_sent_anew_and_to_another_address() -> None:
    client = newcomer()
    sign_up(client, "dora@acme.exmaple")
    client.post("/account/confirm-email/", {"action": "change", "email": DORA})
    assert mail.outbox[-1].to == [DORA]
    assert confirm(client, code())["Location"] == "/console/"
    assert User.objects.get().email == DORA


def test_an_invited_person_joins_without_an_organization_of_their_own(alice: Person) -> None:
    invitation = invitations.invite(alice.organization, DORA, Role.DEVELOPER, by=alice.membership, language="en")
    path = invitations.link(invitation).partition("/invitations/")[2]
    client = newcomer()
    page = client.get(f"/invitations/{path}")
    assert page["Referrer-Policy"] == "strict-origin"
    assert "Join Acme" in page.content.decode()
    form = client.get("/account/signup/", {"email": DORA}).content.decode()
    assert DORA in form and 'name="organization"' not in form

    sign_up(client, organization="", path=f"?next=/invitations/{path}")
    assert confirm(client, code())["Location"] == f"/invitations/{path}"
    assert not alice.organization.memberships.filter(user__email=DORA).exists()  # looking changes nothing
    joined = client.post(f"/invitations/{path}")
    assert joined["Location"] == f"/console/{alice.organization.public_id}/"
    assert alice.organization.memberships.get(user__email=DORA).role == Role.DEVELOPER
    assert Organization.objects.count() == 1
    assert balance(alice.organization) == 0
    assert client.post(f"/invitations/{path}")["Location"] == joined["Location"]


def test_an_invitation_for_somebody_else_does_not_open_for_who_signs_up(alice: Person) -> None:
    invitation = invitations.invite(alice.organization, DORA, Role.ADMIN, by=alice.membership, language="en")
    path = invitations.link(invitation).partition("/invitations/")[2]
    client = newcomer()
    client.get(f"/invitations/{path}")
    sign_up(client, "mallory@evil.example", "Evil")
    confirm(client, code())
    assert client.post(f"/invitations/{path}").status_code == 403
    assert list(User.objects.get(email="mallory@evil.example").organizations.values_list("name", flat=True)) == ["Evil"]
    assert alice.organization.memberships.count() == 1


class Down(EmailBackend):
    def send_messages(self, messages: Any) -> int:
        raise SMTPServerDisconnected("gone")


@pytest.mark.django_db(transaction=True)
def test_a_mail_server_that_is_down_is_told_and_the_code_can_be_asked_for_again(
    settings: Settings,
) -> None:
    backend, settings.EMAIL_BACKEND = settings.EMAIL_BACKEND, f"{__name__}.Down"
    client = newcomer()
    sign_up(client)
    assert "The e-mail could not be sent." in client.get("/account/confirm-email/").content.decode()
    assert mail.outbox == []
    settings.EMAIL_BACKEND = backend
    cache.clear()  # a code is sent once in ten seconds
    client.post("/account/confirm-email/", {"action": "resend"})
    assert confirm(client, code())["Location"] == "/console/"


def test_a_chinese_visitor_gets_a_chinese_e_mail_and_keeps_the_language() -> None:
    client = newcomer("zh-CN,zh;q=0.9")
    sign_up(client)
    assert mail.outbox[-1].subject == "邮箱验证码"
    assert "15 分钟内有效" in mail.outbox[-1].body
    confirm(client, code())
    assert User.objects.get().language == "zh-hans"
    assert client.cookies["django_language"].value == "zh-hans"


def test_the_e_mail_says_what_the_code_is_for_and_how_long_it_works() -> None:
    sign_up(newcomer())
    letter = mail.outbox[-1]
    assert letter.to == [DORA]
    assert "Confirm your e-mail address with this code:" in letter.body
    assert "It works for 15 minutes" in letter.body
    assert "AI video gateway" in letter.body
