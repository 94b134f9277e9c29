"""What an e-mail says: each kind of notice as a subject and a plain text, made when it is sent.

So the link that resumes a key rests nowhere in our tables.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts import invitations, keys
from accounts.models import Invitation
from billing.models import Notice

WHY = gettext_noop(
    "You get this e-mail because you are an owner or admin of %(name)s, or asked for it. In the console, “Limits and "
    "alerts” of your organization's billing turns it off."
)


@dataclass(frozen=True, kw_only=True)
class Letter:
    subject: str
    text: str


def write(notice: Notice, language: str) -> Letter:
    """The letter of a notice. An organization's name is its customer's: it stays on one line of the header."""
    name = " ".join(notice.organization.name.split())
    if notice.kind == Notice.Kind.INVITATION:
        return invitation(name, notice.facts)
    with translation.override(language):
        subject, paragraphs = LETTERS[Notice.Kind(notice.kind)](name, notice.facts)
        about = _("Organization: %(name)s (%(id)s)") % {"name": name, "id": notice.organization.public_id}
        text = "\n\n".join([*paragraphs, about, _(WHY) % {"name": name}])
    return Letter(subject=subject, text=f"{text}\n")


def low_balance(name: str, facts: dict[str, Any]) -> tuple[str, list[str]]:
    words = facts | {"name": name, "at": moment(facts["at"]), "url": settings.TOP_UP_URL}
    return _("%(name)s: fewer than %(threshold)s credits left") % words, [
        _(
            "%(name)s has %(available)s credits available since %(at)s. "
            "You asked to be told when they fall below %(threshold)s."
        )
        % words,
        _("Requests are refused when the credits do not cover their price. Running tasks are not affected."),
        _("Top up: %(url)s") % words,
    ]


def key_paused(name: str, facts: dict[str, Any]) -> tuple[str, list[str]]:
    link = keys.resume_link(UUID(facts["key"]), datetime.fromisoformat(facts["at"]))
    words = facts | {"name": name, "at": moment(facts["at"]), "hour_at": moment(facts["hour_at"]), "link": link}
    return _("%(name)s: the API key %(key_name)s is paused") % words, [
        _(
            "The API key %(key_name)s (%(key_hint)s, %(key_id)s) spent %(spent)s credits in the hour from %(hour_at)s. "
            "Its busiest hour of the 14 days before had %(busiest)s, and your organization allows %(allowed)s. "
            "It is paused since %(at)s."
        )
        % words,
        _(
            "While it is paused, new requests with it are refused with 403 `key_paused`. Running tasks go on, and it "
            "can still read."
        ),
        _("If you expected this, let it work again: %(link)s") % words,
        _("If you did not, somebody else may have your key. Make a new one and revoke this one."),
    ]


def invitation(name: str, facts: dict[str, Any]) -> Letter:
    """To somebody who is no member yet, in the language of whoever invited them."""
    found = Invitation.objects.get(pk=facts["invitation"])
    with translation.override(found.language):
        words = {"organization": name, "by": " ".join(facts["by"].split()), "link": invitations.link(found)}
        words |= {"until": moment(found.expires_at.isoformat())}
        text = render_to_string("billing/invitation.txt", words)
        subject = _("%(by)s invites you to %(organization)s") % words
    return Letter(subject=subject, text=text)


def moment(text: str) -> str:
    return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M} UTC"


LETTERS: dict[Notice.Kind, Callable[[str, dict[str, Any]], tuple[str, list[str]]]] = {
    Notice.Kind.LOW_BALANCE: low_balance,
    Notice.Kind.KEY_PAUSED: key_paused,
}
