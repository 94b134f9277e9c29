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
from django.utils.translation import gettext

from accounts import invitations, keys
from accounts.models import Invitation
from billing.models import Notice

WHY = (
    "You get this e-mail because you are an owner or admin of {name}, or asked for it. In the console, “Limits and "
    "alerts” of your organization's billing turns it off."
)


@dataclass(frozen=True, kw_only=True)
class Letter:
    subject: str
    text: str


def write(notice: Notice) -> Letter:
    """The letter of a notice. An organization's name is its customer's: it stays on one line of the header."""
    name = " ".join(notice.organization.name.split())
    if notice.kind == Notice.Kind.INVITATION:
        return invitation(name, notice.facts)
    subject, paragraphs = LETTERS[Notice.Kind(notice.kind)](name, notice.facts)
    about = f"Organization: {name} ({notice.organization.public_id})"
    text = "\n\n".join([*paragraphs, about, WHY.format(name=name)])
    return Letter(subject=subject, text=f"{text}\n")


def low_balance(name: str, facts: dict[str, Any]) -> tuple[str, list[str]]:
    subject = f"{name}: fewer than {facts['threshold']} credits left"
    return subject, [
        f"{name} has {facts['available']} credits available since {moment(facts['at'])}. "
        f"You asked to be told when they fall below {facts['threshold']}.",
        "Requests are refused when the credits do not cover their price. Running tasks are not affected.",
        f"Top up: {settings.TOP_UP_URL}",
    ]


def key_paused(name: str, facts: dict[str, Any]) -> tuple[str, list[str]]:
    subject = f"{name}: the API key {facts['key_name']} is paused"
    link = keys.resume_link(UUID(facts["key"]), datetime.fromisoformat(facts["at"]))
    return subject, [
        f"The API key {facts['key_name']} ({facts['key_hint']}, {facts['key_id']}) spent {facts['spent']} credits in "
        f"the hour from {moment(facts['hour_at'])}. Its busiest hour of the 14 days before had {facts['busiest']}, and "
        f"your organization allows {facts['allowed']}. It is paused since {moment(facts['at'])}.",
        "While it is paused, new requests with it are refused with 403 `key_paused`. Running tasks go on, and it can "
        "still read.",
        f"If you expected this, let it work again: {link}",
        "If you did not, somebody else may have your key. Make a new one and revoke this one.",
    ]


def invitation(name: str, facts: dict[str, Any]) -> Letter:
    """To somebody who is no member yet, in the language of whoever invited them."""
    found = Invitation.objects.get(pk=facts["invitation"])
    with translation.override(found.language):
        words = {"organization": name, "by": " ".join(facts["by"].split()), "link": invitations.link(found)}
        words |= {"until": moment(found.expires_at.isoformat())}
        text = render_to_string("billing/invitation.txt", words)
        subject = gettext("%(by)s invites you to %(organization)s") % words
    return Letter(subject=subject, text=text)


def moment(text: str) -> str:
    return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M} UTC"


LETTERS: dict[Notice.Kind, Callable[[str, dict[str, Any]], tuple[str, list[str]]]] = {
    Notice.Kind.LOW_BALANCE: low_balance,
    Notice.Kind.KEY_PAUSED: key_paused,
}
