"""A provider's callback to us is a hint to look at an attempt now, and nothing more: what it says is asked for again.

Its address names the attempt and holds a token that only we can make, so that nobody else can ring here; where the
provider signs its callbacks, the signature must be right as well. A hint that gets lost costs a poll's wait.
"""

from collections.abc import Mapping

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from accounts import ids
from generations import doorbell, orphans
from generations.models import Attempt, Task
from generations.moves import lock
from generations.providers import adapter

State = Attempt.State
SIGNER = "generations.hints"
PATH = "/hints"


def address(reference: str) -> str:
    """Where a provider may tell us about the attempt with this reference."""
    return f"{settings.PUBLIC_URL}{PATH}/{reference}/{_token(reference)}"


def find(reference: str, token: str) -> Attempt | None:
    """The attempt that the address was made for."""
    if not constant_time_compare(token, _token(reference)):
        return None
    attempt_id = ids.decode(Attempt.PREFIX, reference)
    return Attempt.objects.select_related("account", "task").filter(pk=attempt_id).first() if attempt_id else None


def take(attempt: Attempt, headers: Mapping[str, str], body: bytes) -> None:
    """Look at the attempt soon. Raises CallbackRefused when the provider did not write this."""
    account = attempt.account
    upstream_id = adapter(account.provider).read_callback(account.caller(), headers, body, timezone.now())
    note(attempt, upstream_id)


def note(attempt: Attempt, upstream_id: str) -> None:
    """A provider's callback named this work: ask about it now, or look there for what got lost."""
    now = timezone.now()
    with transaction.atomic():
        task = lock(attempt.task_id)
        rows = Attempt.objects.filter(pk=attempt.pk)
        rows.filter(state=State.RUNNING, upstream_id=upstream_id).update(due_at=now)
        if not rows.filter(upstream_id="", hint_id="").update(hint_id=upstream_id[:200]):
            return
        if rows.filter(state__in=[State.FAILED, State.LOST]).exists():
            orphans.note_hint(attempt, upstream_id)
        unknown = rows.filter(state=State.SUBMITTING, unknown_since__isnull=False).exists()
        if unknown and Task.objects.filter(pk=task.pk, status__in=Task.OPEN).update(due_at=now):
            doorbell.ring("submit", task.pk)


def _token(reference: str) -> str:
    return signing.Signer(salt=SIGNER).signature(reference)
