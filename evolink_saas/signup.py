"""Signing up: a person and, unless they come by an invitation, an organization of their own with an empty wallet.

The welcome credits come when the e-mail address is verified, once for each mailbox (`billing.sign_up_credits`).
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from allauth.account.forms import SignupForm
from allauth.core import context
from django import forms
from django.conf import settings
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from accounts import invitations, people
from accounts.models import Role, User
from billing import opening, sign_up_credits

BRAND = str(settings.UNFOLD["SITE_TITLE"])
INVITED = "invitation"  # in the session: the text of the link that somebody came by


class SignUpForm(SignupForm):
    organization = forms.CharField(
        label=_("Organization"),
        max_length=100,
        required=False,
        help_text=_("Your company or project. You can change it later."),
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )
    field_order = ("email", "password1", "organization")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = _("E-mail address")
        for name in ("email", "password1"):
            self.fields[name].widget.attrs.pop("placeholder", None)
        if invitations.fits(_link(), self.initial.get("email", "")):
            del self.fields["organization"]

    def try_save(self, request: HttpRequest) -> tuple[User | None, HttpResponse | None]:
        """Of two at once with one address, the second is told what a later one is told."""
        try:
            saved: tuple[User | None, HttpResponse | None] = super().try_save(request)
        except IntegrityError:
            self.account_already_exists = True
            saved = super().try_save(request)
        return saved

    def save(self, request: HttpRequest) -> User:
        """The person and the organization, both or neither."""
        with transaction.atomic():
            return super().save(request)


def register(wanted: Mapping[str, Any], language: str) -> User:
    """In a transaction. Whoever was invited to this address needs no organization of their own."""
    email = wanted["email"]
    user = people.sign_up(email, wanted["password1"], language)
    if not invitations.fits(_link(), email):
        name = wanted.get("organization") or email.partition("@")[0]
        opening.open_organization(name, email, Decimal(0))
    return user


def _link() -> str:
    """The text of the invitation that this visitor came by, or nothing."""
    return str(context.request.session.get(INVITED, "")) if context.request else ""


def welcome(user: User) -> None:
    """The credits of a verified address, for the organization that the person opened first; again is the same."""
    own = user.memberships.filter(role=Role.OWNER, organization__sandbox_of=None).order_by("pk").first()
    if own is not None:
        sign_up_credits.grant_sign_up_credits(user, own.organization)
