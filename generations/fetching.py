"""Bring a finished result home: copy it into our storage, probe it, and only then tell and charge the customer.

Polls never download. What cannot be fetched or stored is tried again until the task's deadline, each time with a fresh
link from the provider, since links go stale; the task does not fail. What kills its workers waits for that aside.
"""

import logging
import tempfile
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from django.utils import timezone

from generations import alerts, files, leases, lifecycle, lookups, media, moves, safe_http
from generations.models import Attempt, StoredFile, Task

logger = logging.getLogger(__name__)
LEASE_SECONDS = 150
DOWNLOAD_SECONDS = 90
MAX_RESULT_BYTES = 2 * 1024**3
RETRY_SECONDS = (1, 2, 5, 15, 60)


def fetch(attempt_id: str) -> None:
    """The job behind every attempt in `fetching`."""
    rows = Attempt.objects.filter(pk=attempt_id, state=Attempt.State.FETCHING).select_related("account")
    attempt = leases.claim(rows, seconds=LEASE_SECONDS)
    if attempt is None:
        return
    with leases.work_on(attempt):
        _go_on(attempt)


def _go_on(attempt: Attempt) -> None:
    if leases.is_poison(attempt):
        alerts.tell("poison-result", str(attempt), f"Claimed {attempt.claims} times without any progress; set aside.")
        leases.let_go(attempt, due_at=None, progressed=False)
        return
    task = attempt.task
    if not task.is_open or task.type == Task.Type.ELEMENT:
        lifecycle.complete(attempt, result=None)
        return
    try:
        result = _kept(task) or _bring(task, attempt)
    except (safe_http.FetchError, media.MediaError, OSError) as error:
        _later(attempt, error)
    else:
        if not lifecycle.complete(attempt, result=result):
            _drop(task, result)


def _drop(task: Task, result: StoredFile) -> None:
    """Somebody else ended the task meanwhile: keep no second result, and none of a task that failed."""
    others = task.files.filter(purpose=StoredFile.Purpose.RESULT, deleted_at__isnull=True).exclude(pk=result.pk)
    refunded = Task.objects.filter(pk=task.pk, status__in=[Task.Status.FAILED, Task.Status.CANCELLED])
    if others.exists() or refunded.exists():
        files.remove(result)


def _kept(task: Task) -> StoredFile | None:
    """What a worker had already brought when it died."""
    return task.files.filter(purpose=StoredFile.Purpose.RESULT, deleted_at__isnull=True).first()


def _bring(task: Task, attempt: Attempt) -> StoredFile:
    with tempfile.TemporaryDirectory(prefix="result-") as folder:
        path = Path(folder) / "result.mp4"
        with path.open("wb") as into:
            safe_http.download(
                attempt.result_url,
                into,
                max_bytes=MAX_RESULT_BYTES,
                timeout_seconds=DOWNLOAD_SECONDS,
                trusted_origin=_trusted_origin(attempt),
            )
        facts = media.read_video(path)
        keep_for = timedelta(hours=task.organization.result_retention_hours)
        return files.keep(
            task.organization,
            path,
            facts,
            purpose=StoredFile.Purpose.RESULT,
            file_name=f"{task.public_id}.mp4",
            task=task,
            expires_at=timezone.now() + keep_for,
        )


def _trusted_origin(attempt: Attempt) -> str | None:
    """A simulator serves its results itself, from an address that is not public."""
    if not attempt.account.simulator:
        return None
    parts = urlsplit(attempt.account.base_url)
    return f"{parts.scheme}://{parts.netloc}"


def _later(attempt: Attempt, error: Exception) -> None:
    logger.warning("%s: the result could not be fetched: %s", attempt, error)
    _refresh_link(attempt)
    wait = RETRY_SECONDS[min(attempt.fetch_tries, len(RETRY_SECONDS) - 1)]
    leases.held(attempt).update(fetch_tries=attempt.fetch_tries + 1)
    leases.let_go(attempt, due_at=timezone.now() + timedelta(seconds=wait))


def _refresh_link(attempt: Attempt) -> None:
    try:
        progress = lookups.ask(attempt)
    except lookups.OutcomeUnknown as unknown:
        logger.warning("%s: asking for a fresh link failed: %s", attempt, unknown.detail)
        return
    if progress is not None and progress.outputs:
        leases.held(attempt).update(result_url=moves.result_link(attempt.task, progress))
