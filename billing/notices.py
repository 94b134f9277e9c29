"""Notices to members: written once, in the transaction of what they tell of, and sent by e-mail afterwards.

A notice has one row an address, so that a try which fails for one address sends nothing twice to another. Sending is
leased: whoever claims a row sends it, without a transaction, and then marks it. A worker that dies in between leaves
the row due again. Whether the mail server took it nobody can know then, so it is sent once more under the same
Message-ID, by which mail programs recognise the repetition.
"""

import logging
import math
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from email.utils import parseaddr
from smtplib import SMTPException, SMTPRecipientsRefused
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.utils import timezone

from accounts import members, people
from accounts.models import Organization
from billing import letters
from billing.models import Notice, NoticeMail

logger = logging.getLogger(__name__)
State = NoticeMail.State
LEASE = timedelta(minutes=5)
"""Longer than the queue lets a job live, so that no claim outlives whoever holds it."""
WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 720))
"""Before the second, third, … try; after the last it has failed."""


def write(
    organization: Organization,
    kind: Notice.Kind,
    reference: str,
    facts: dict[str, Any],
    *,
    addresses: Sequence[str] | None = None,
) -> bool:
    """Tell the members who want it, or these addresses, once for this reference; False when that was done already.

    In the caller's transaction: what it tells of and its rows are written together or not at all.
    """
    with transaction.atomic():
        notice, is_new = Notice.objects.get_or_create(
            organization=organization, reference=reference, defaults={"kind": kind, "facts": facts}
        )
        if is_new:
            told = members.to_notify(organization) if addresses is None else addresses
            NoticeMail.objects.bulk_create([NoticeMail(notice=notice, email=address) for address in told])
    return is_new


def send_due(*, seconds: float = math.inf) -> int:
    """Send every mail that is due, for so long, and say how many the mail server took."""
    until, sent = time.monotonic() + seconds, 0
    while time.monotonic() < until and (mail := claim(timezone.now())) is not None:
        try:
            sent += send(mail)
        except Exception:
            logger.exception("%s failed; it is tried again when its claim ends", mail)
    return sent


def claim(now: datetime) -> NoticeMail | None:
    """Take the mail that is due longest; it is due again when the claim ends. None when there is none."""
    with transaction.atomic():
        due = NoticeMail.objects.filter(state=State.DUE, due_at__lte=now).order_by("due_at", "pk")
        mail = due.select_for_update(skip_locked=True, no_key=True).first()
        if mail is None:
            return None
        mail.tries += 1
        mail.due_at = now + LEASE
        mail.save(update_fields=["tries", "due_at"])
    return mail


def send(mail: NoticeMail) -> bool:
    """Send a claimed mail and write down what came of it, unless the claim was lost meanwhile."""
    if mail.tries > 1 + len(WAITS):  # whoever claimed it last died of it
        return _settle(mail, state=State.FAILED)
    try:
        _message(mail).send()
    except (SMTPException, OSError) as error:
        return _put_off(mail, error)
    return _settle(mail, state=State.SENT, sent_at=timezone.now(), error="")


def message_id(mail: NoticeMail) -> str:
    """The same at each try."""
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
    return f"<notice-{mail.pk}@{domain}>"


def _message(mail: NoticeMail) -> EmailMessage:
    notice = mail.notice
    letter = letters.write(notice, people.language_of(mail.email))
    headers = {"Message-ID": message_id(mail), "Auto-Submitted": "auto-generated"}
    return EmailMessage(letter.subject, letter.text, to=[mail.email], headers=headers)


def _put_off(mail: NoticeMail, error: Exception) -> bool:
    """Try again later, or give up: after the last try, or when the mail server refuses the address for good."""
    logger.warning("%s was not sent: %s", mail, error)
    said = f"{type(error).__name__}: {error}".replace("\0", "")[:300]
    if mail.tries > len(WAITS) or _is_final(error):
        _settle(mail, state=State.FAILED, error=said)
    else:
        _settle(mail, due_at=timezone.now() + WAITS[mail.tries - 1], error=said)
    return False


def _is_final(error: Exception) -> bool:
    """Whether the address was refused with 5yz, which RFC 5321 calls permanent."""
    refused = error.recipients.values() if isinstance(error, SMTPRecipientsRefused) else ()
    return any(code >= 500 for code, _ in refused)


def _settle(mail: NoticeMail, **columns: Any) -> bool:
    """Write to a mail that is still ours; True when it thereby counts as sent."""
    ours = NoticeMail.objects.filter(pk=mail.pk, tries=mail.tries, state=State.DUE)
    return bool(ours.update(**columns)) and columns.get("state") == State.SENT
