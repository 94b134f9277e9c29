"""Signing up and in through the pages, as a browser without scripts does, with the codes that e-mails bring."""

import re
from typing import Any

from django.core import mail
from django.http import HttpResponse
from django.test import Client, TestCase

from accounts.models import User

PASSWORD = "correct horse battery staple"
DORA = "dora@acme.example"
CODE = re.compile(r"^([A-Z0-9]{3,}-?[A-Z0-9]{2,})$", re.MULTILINE)


class Browser(Client):
    """Every request ends with its commit, as it does outside tests: then its e-mails leave."""

    def request(self, **environment: Any) -> Any:
        with TestCase.captureOnCommitCallbacks(execute=True):
            return super().request(**environment)


def newcomer(language: str = "en") -> Client:
    return Browser(headers={"accept-language": language})


def sign_up(client: Client, email: str = DORA, organization: str = "Acme", path: str = "") -> HttpResponse:
    fields = {"email": email, "password1": PASSWORD, "organization": organization}
    return client.post(f"/account/signup/{path}", fields)


def code(number: int = -1) -> str:
    """The code that stands in an e-mail; the last one's unless another is named."""
    found = CODE.search(mail.outbox[number].body)
    assert found, mail.outbox[number].body
    return found.group(1)


def confirm(client: Client, text: str) -> HttpResponse:
    return client.post("/account/confirm-email/", {"code": text, "action": "verify"})


def sign_in(client: Client, email: str = DORA, password: str = PASSWORD, path: str = "") -> HttpResponse:
    return client.post(f"/account/login/{path}", {"login": email, "password": password})


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def a_login(email: str = DORA) -> User:
    """Made by an operator: no e-mail is verified."""
    return User.objects.create_user(email, PASSWORD)
