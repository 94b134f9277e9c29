"""How people sign in: django-allauth with our rules.

Whoever is made an operator was given the address by whoever made them, so it needs no verification. A verified address
brings the credits of a sign-up. A mail server that does not answer must not look like a crash: the page says so, and
the code can be asked for again. Secrets of second factors rest encrypted.
"""

import logging
from smtplib import SMTPException
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.account.stages import EmailVerificationStage
from allauth.mfa.adapter import DefaultMFAAdapter
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext

from accounts import encryption, permissions
from accounts.models import User
from evolink_saas import languages, signup

logger = logging.getLogger(__name__)
VERIFICATION = "allauth.account.stages.EmailVerificationStage"


def shown(user: User) -> str:
    return user.name or user.email


class Verification(EmailVerificationStage):
    """Everybody but operators."""

    def handle(self) -> Any:
        return (None, True) if self.login.user.is_staff else super().handle()


class SignIn(DefaultAccountAdapter):
    def get_client_ip(self, request: HttpRequest) -> str:
        """As everywhere else: told by the last of our own proxies."""
        return str(permissions.client_address(request) or "unknown")

    def get_login_stages(self) -> list[str]:
        ours = f"{__name__}.Verification"
        return [ours if stage == VERIFICATION else stage for stage in super().get_login_stages()]

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        return signup.register(form.cleaned_data, request.LANGUAGE_CODE)

    @transaction.atomic
    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        confirmed = super().confirm_email(request, email_address)
        if confirmed:
            signup.welcome(email_address.user)
        return confirmed

    def post_login(self, request: HttpRequest, user: User, **facts: Any) -> HttpResponse:
        response = super().post_login(request, user, **facts)
        if languages.is_known(user.language):
            languages.remember(response, user.language)
        return response

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        try:
            super().send_mail(template_prefix, email, context | {"brand": signup.BRAND})
        except (SMTPException, OSError) as error:
            logger.error("The e-mail %s was not sent: %s", template_prefix, error)
            messages.error(self.request, gettext("The e-mail could not be sent. Please try again in a moment."))


class TwoFactor(DefaultMFAAdapter):
    def get_totp_issuer(self) -> str:
        return signup.BRAND

    def encrypt(self, text: str) -> str:
        return encryption.encrypt(text).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return encryption.decrypt(encrypted_text.encode())
