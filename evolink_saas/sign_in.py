"""How people sign in: django-allauth with our rules.

Whoever signs up verifies the address; a login that an operator or a command made needs none, because whoever made it
vouches for it. A verified address brings the credits of a sign-up. E-mails leave after the commit, and a mail server
that does not answer must not look like a crash: the page says so, and the code can be asked for again. Secrets of
second factors rest encrypted.
"""

import logging
from smtplib import SMTPException
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.account.stages import EmailVerificationStage
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import messages
from django.core.mail import EmailMessage
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext

from accounts import audit_log, encryption, permissions
from accounts.models import User
from evolink_saas import languages, signup

logger = logging.getLogger(__name__)
VERIFICATION = "allauth.account.stages.EmailVerificationStage"
LIVES = {
    "account/email/email_confirmation": settings.ACCOUNT_EMAIL_VERIFICATION_BY_CODE_TIMEOUT,
    "account/email/email_confirmation_signup": settings.ACCOUNT_EMAIL_VERIFICATION_BY_CODE_TIMEOUT,
    "account/email/password_reset_code": settings.ACCOUNT_PASSWORD_RESET_BY_CODE_TIMEOUT,
}
"""For how many seconds the code of an e-mail works."""


def shown(user: User) -> str:
    return user.name or user.email


class Verification(EmailVerificationStage):
    """For those who signed up: they have a row of `EmailAddress`."""

    def handle(self) -> Any:
        """Without a user for an address that is taken: the page must not tell."""
        user = self.login.user
        vouched_for = user and (user.is_staff or not EmailAddress.objects.filter(user=user).exists())
        return (None, True) if vouched_for else super().handle()


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
        words: dict[str, Any] = {"brand": signup.BRAND, "public_url": settings.PUBLIC_URL, "reset_url": _reset_url()}
        words |= {"email": email, "minutes": LIVES.get(template_prefix, 0) // 60}
        message = self.render_mail(template_prefix, email, context | words)
        transaction.on_commit(lambda: self._send(message))

    def _send(self, message: EmailMessage) -> None:
        try:
            message.send()
        except (SMTPException, OSError) as error:
            logger.error("The e-mail “%s” was not sent: %s", message.subject, error)
            messages.error(self.request, gettext("The e-mail could not be sent. Please try again in a moment."))


@transaction.atomic
def remove_second_factor(user: User) -> None:
    """For somebody who lost it; the recovery codes go as well."""
    factors = Authenticator.objects.filter(user=user)
    changes = {"second_factor": [", ".join(factors.order_by("type").values_list("type", flat=True)), None]}
    factors.delete()
    audit_log.record(action="user.second_factor_removed", target=user, changes=changes)


def _reset_url() -> str:
    return f"{settings.PUBLIC_URL}{reverse('account_reset_password')}"


class TwoFactor(DefaultMFAAdapter):
    def get_totp_issuer(self) -> str:
        return signup.BRAND

    def encrypt(self, text: str) -> str:
        return encryption.encrypt(text).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return encryption.decrypt(encrypted_text.encode())
