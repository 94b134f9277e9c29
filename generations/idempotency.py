"""One Idempotency-Key, one task: the answer is kept with the task it made and given again, byte for byte.

The key's row commits with the task and the reservation, so a refused request does not use it up. An advisory lock makes
an equal call wait for the first one; after five seconds it is told to come back.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db.utils import OperationalError
from django.utils import timezone

from accounts.compiled import Question, together
from accounts.errors import Conflict, InvalidRequest, Unprocessable
from accounts.models import Organization
from generations.models import IdempotencyRecord, Task

KEY = re.compile(r"[A-Za-z0-9._-]{16,96}\Z")
WAIT_SECONDS = 5
KEPT_FOR = timedelta(hours=48)
LOCK_NOT_AVAILABLE = "55P03"
WAIT_FOR_TURN = "SELECT set_config('lock_timeout', %s, true), pg_advisory_xact_lock(%s)"
FIND = """
SELECT set_config('lock_timeout', '0', true), record.body_digest, record.answer FROM (SELECT 1) AS always
LEFT JOIN generations_idempotencyrecord AS record
ON record.organization_id = %s AND record.endpoint = %s AND record.key = %s
"""


def check(key: str) -> str:
    """The key as sent. Raises InvalidRequest `invalid_idempotency_key`."""
    if not KEY.match(key):
        raise InvalidRequest(
            "invalid_idempotency_key", "Idempotency-Key must be 16 to 96 letters, digits, dots, underscores or hyphens."
        )
    return key


def digest(body: Mapping[str, Any]) -> bytes:
    """Of the JSON's meaning: the order of keys and white space do not count, array order and null do."""
    return hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).digest()


def earlier_answer(organization: Organization, endpoint: str, key: str, body_digest: bytes) -> str | None:
    """The first answer to this key, or None when this call is the first; inside the transaction that makes the task.

    Raises Unprocessable `idempotency_conflict` or Conflict `idempotency_in_progress`.
    """
    name = f"{organization.pk}:{endpoint}:{key}"
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
    try:
        _, [(_, known_digest, answer)] = together(
            Question(text=WAIT_FOR_TURN, values=[f"{WAIT_SECONDS}s", number], read=list),
            Question(text=FIND, values=[organization.pk, endpoint, key], read=list),
        )
    except OperationalError as error:
        raise _still_running(error) from error
    if answer is None:
        return None
    if bytes(known_digest) != body_digest:
        raise Unprocessable("idempotency_conflict", "This Idempotency-Key was used with another request body.")
    return answer


def record(
    organization: Organization, endpoint: str, key: str, body_digest: bytes, task: Task, answer: str
) -> IdempotencyRecord:
    """What remembers this answer; the caller inserts it together with the task."""
    return IdempotencyRecord(
        organization=organization, endpoint=endpoint, key=key, body_digest=body_digest, task=task, answer=answer
    )


def forget_old() -> None:
    IdempotencyRecord.objects.filter(created_at__lt=timezone.now() - KEPT_FOR).delete()


def _still_running(error: OperationalError) -> Exception:
    """The answer to an equal call that has waited long enough; any other error as it is."""
    if getattr(error.__cause__, "sqlstate", None) != LOCK_NOT_AVAILABLE:
        return error
    return Conflict(
        "idempotency_in_progress",
        "The first request with this Idempotency-Key is still running.",
        retry_after_seconds=2,
    )
