"""Callbacks: tell a customer's server how a task ended, signed, and again when it does not answer with 2xx.

A delivery is written in the transaction that ends its task; its tries are rows; its `webhook-id` stays the same over
all of them (https://www.standardwebhooks.com), so that a receiver can tell a repetition. A worker killed in a try
leaves no row, and the try is repeated when its lease ends.

A receiver may take the whole time limit to say nothing, and must not keep a worker from other work: after
`PATIENCE_SECONDS` the job ends while a thread of the process waits on. An organization with `SLOW_AT_ONCE` such
receivers waits its turn; a process with `THREADS` of them waits itself.
"""

import base64
import json
import logging
import secrets
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from django.conf import settings
from django.db import connections, transaction
from django.db.models import QuerySet
from django.utils import timezone
from standardwebhooks import Webhook

from accounts import encryption, ids, paging
from accounts.errors import InvalidRequest
from accounts.models import Organization
from generations import alerts, doorbell, leases, safe_http, task_list
from generations.models import Delivery, DeliveryTry, Task, WebhookSecret
from generations.serializers.tasks import task_object

logger = logging.getLogger(__name__)
State = Delivery.State
TEST_EVENT = "webhook.test"
LEASE_MARGIN_SECONDS = 20
PATIENCE_SECONDS = 0.5
SLOW_AT_ONCE = 8
THREADS = 32
PREVIOUS_SECRET_LIVES = timedelta(hours=24)
SECRET_BYTES = 32
_free_threads = threading.BoundedSemaphore(THREADS)


def announce(task: Task, event: str) -> None:
    """Write the delivery of `event` and ring for it, within the transaction that ends the task; twice = once."""
    if task.callback_url:
        _insert(organization_id=task.organization_id, task=task, event=event, url=task.callback_url)


def send_test(organization: Organization, url: str | None = None) -> Delivery:
    """Send a test message to `url`, or to where the newest delivery went. Raises InvalidRequest."""
    if url is None:
        latest = organization.deliveries.order_by("-pk").first()
        if latest is None:
            raise InvalidRequest("missing_parameter", "Say the `url` to send the test to.", param="url")
        url = latest.url
    try:
        safe_http.check_spelling(url, https_only=True)
    except safe_http.AddressRefused as error:
        raise InvalidRequest("callback_url_not_allowed", str(error), param="url") from error
    with transaction.atomic():
        return _insert(organization=organization, event=TEST_EVENT, url=url)


def redeliver(delivery: Delivery) -> Delivery:
    """Send it once more, with every retry, under the same webhook-id. One that is being sent now is left alone."""
    now = timezone.now()
    with transaction.atomic():
        rows = Delivery.objects.filter(leases.free(now), pk=delivery.pk)
        if rows.update(state=State.DUE, tries_left=_all_tries(), claims=0, **_rung(now)):
            doorbell.ring("deliver", delivery.pk)
    delivery.refresh_from_db()
    return delivery


def page(
    organization: Organization,
    *,
    task_id: str | None = None,
    state: str | None = None,
    cursor: str | None = None,
    size: int,
) -> tuple[list[Delivery], str | None]:
    """Newest first with their tries, after `cursor`; and the next cursor. Raises InvalidRequest, NotFound."""
    rows = organization.deliveries.select_related("task").prefetch_related("tries")
    if task_id is not None:
        rows = rows.filter(task=task_list.find(organization, task_id))
    if state is not None:
        rows = rows.filter(state=state)
    found, last = paging.page(rows, size, paging.read(Delivery.PREFIX, cursor))
    return found, last.public_id if last else None


def deliver(delivery_id: str) -> None:
    """The job: one try. Whatever it is answered becomes a row, and either the end or the time of the next try."""
    rows = Delivery.objects.filter(pk=delivery_id, state=State.DUE)
    if _waits_its_turn(rows):
        return
    delivery = leases.claim(rows, seconds=_lease_seconds())
    if delivery is None:
        return
    with leases.work_on(delivery):
        _send(delivery)


def secret_of(organization: Organization) -> WebhookSecret:
    """What the organization's callbacks are signed with; made when first needed."""
    return WebhookSecret.objects.get_or_create(
        organization=organization, defaults={"encrypted": encryption.encrypt(_new_secret())}
    )[0]


def rotate(organization: Organization) -> WebhookSecret:
    """A new secret. The one before signs along for a day, so that receivers can change over."""
    secret_of(organization)
    with transaction.atomic():
        row = WebhookSecret.objects.select_for_update(no_key=True).get(organization=organization)
        row.previous_encrypted = row.encrypted
        row.previous_expires_at = timezone.now() + PREVIOUS_SECRET_LIVES
        row.encrypted = encryption.encrypt(_new_secret())
        row.save(update_fields=["encrypted", "previous_encrypted", "previous_expires_at"])
    return row


def _new_secret() -> str:
    return f"whsec_{base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()}"


def _insert(**columns: Any) -> Delivery:
    delivery = Delivery(
        webhook_id=ids.encode("msg_", ids.new()), tries_left=_all_tries(), **_rung(timezone.now()), **columns
    )
    Delivery.objects.bulk_create([delivery], ignore_conflicts=True)
    doorbell.ring("deliver", delivery.pk)
    return delivery


def _all_tries() -> int:
    return 1 + len(settings.CALLBACK_RETRY_SECONDS)


def _rung(now: datetime) -> dict[str, datetime]:
    return {"due_at": now, "rung_until": now + leases.RING_TRUST}


def _lease_seconds() -> float:
    return settings.CALLBACK_TIMEOUT_SECONDS + LEASE_MARGIN_SECONDS


def _waits_its_turn(rows: QuerySet[Delivery]) -> bool:
    """Put off the delivery of an organization that already has its share of slow receivers."""
    now = timezone.now()
    organization = rows.values_list("organization", flat=True).first()
    waiting = Delivery.objects.filter(organization=organization, due_at__isnull=False)
    slow_since = now + timedelta(seconds=_lease_seconds() - PATIENCE_SECONDS)
    if waiting.filter(leased_until__gt=now, leased_until__lt=slow_since).count() < SLOW_AT_ONCE:
        return False
    wait = timedelta(seconds=max(1.0, waiting.count() / 10))
    rows.filter(leases.free(now)).update(due_at=now + wait, rung_until=None)
    return True


def _send(delivery: Delivery) -> None:
    if leases.is_poison(delivery):
        _set_aside(delivery)
        return
    body, headers = _message(delivery)
    if not _free_threads.acquire(blocking=False):
        _settle(delivery, _try(delivery, body, headers))
        return
    future = _threads().submit(_try, delivery, body, headers)
    future.add_done_callback(lambda _: _free_threads.release())
    try:
        _settle(delivery, future.result(timeout=PATIENCE_SECONDS))
    except TimeoutError:
        job = threading.get_ident()
        future.add_done_callback(lambda done: _settle_late(delivery, done, job))


def _message(delivery: Delivery) -> tuple[bytes, dict[str, str]]:
    """The body, and the headers that sign exactly these bytes."""
    body = json.dumps(_content(delivery), ensure_ascii=False, separators=(",", ":"))
    now = datetime.now(UTC)
    row = secret_of(delivery.organization)
    signing = [row.secret]
    if row.previous_encrypted and row.previous_expires_at and row.previous_expires_at > now:
        signing.append(encryption.decrypt(row.previous_encrypted))
    signatures = [Webhook(secret).sign(delivery.webhook_id, now, body) for secret in signing]
    return body.encode(), {
        "content-type": "application/json",
        "webhook-id": delivery.webhook_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def _content(delivery: Delivery) -> dict[str, Any]:
    if delivery.task is not None:
        return task_object(delivery.task)
    return {"id": delivery.public_id, "object": TEST_EVENT, "created": int(delivery.created_at.timestamp())}


def _try(delivery: Delivery, body: bytes, headers: dict[str, str]) -> DeliveryTry:
    """The call, in a thread and without a word to the database; the row is not saved yet."""
    tried = DeliveryTry(delivery=delivery, started_at=timezone.now())
    began = time.monotonic()
    try:
        answered = safe_http.post(delivery.url, body, headers, timeout_seconds=settings.CALLBACK_TIMEOUT_SECONDS)
    except safe_http.FetchError as error:
        tried.error = str(error)[:300]
    else:
        tried.status = answered.status
        tried.response_start = answered.body_start.decode("utf-8", "replace").replace("\0", "")
    tried.seconds = round(time.monotonic() - began, 3)
    return tried


def _settle(delivery: Delivery, tried: DeliveryTry) -> None:
    """Write the try down and say what comes next, unless the claim was lost meanwhile."""
    pauses = settings.CALLBACK_RETRY_SECONDS
    now, left = timezone.now(), max(0, min(delivery.tries_left - 1, len(pauses)))
    delivered = tried.status is not None and 200 <= tried.status < 300
    state = State.DELIVERED if delivered else State.DUE if left else State.FAILED
    due_at = now + timedelta(seconds=pauses[-left]) if state == State.DUE else None
    with transaction.atomic():
        moved = leases.held(delivery).update(state=state, tries_left=left, delivered_at=now if delivered else None)
        if not moved:
            return
        tried.number = delivery.tries.count() + 1
        tried.save(force_insert=True)
        leases.let_go(delivery, due_at=due_at)


def _settle_late(delivery: Delivery, done: "Future[DeliveryTry]", job: int) -> None:
    try:
        _settle(delivery, done.result())
    finally:
        if threading.get_ident() != job:
            connections.close_all()


def _set_aside(delivery: Delivery) -> None:
    """Too many workers died over it."""
    leases.held(delivery).update(state=State.FAILED)
    leases.let_go(delivery, due_at=None)
    alerts.tell("poison-delivery", delivery.public_id, "A callback was set aside: every worker that sent it died.")


@cache
def _threads() -> ThreadPoolExecutor:
    """Of this process; made when first needed, so after the workers were forked."""
    return ThreadPoolExecutor(THREADS, thread_name_prefix="callback")
