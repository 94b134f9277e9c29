"""Take a request: validate, price, insert the task, ring the queue and reserve the credits, in one transaction.

Nearly everything that can refuse comes before anything is written, and the wallet's lock comes last, so that it is
short. Only limits on numbers of tasks are counted behind it, where nobody else can be counting.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Count
from django.utils import timezone

from accounts import organizations
from accounts.compiled import Compiled, Given, in_one_trip
from accounts.errors import TooManyRequests, Unavailable
from accounts.key_rights import Actor
from accounts.models import ApiKey, Organization
from billing import ledger, one_statement, pricing
from generations import doorbell, elements, estimates, health, idempotency, leases, quotes, routing, validation
from generations.catalog.base import Parsed
from generations.models import IdempotencyRecord, Quote, Task, TaskMedia
from generations.requests import Order
from generations.serializers.tasks import task_object
from generations.validation import Asked

ENDPOINT = "videos/generations"
OPEN_TASKS = Compiled(
    lambda: (
        Task.objects.filter(organization=Given("organization_id"), status__in=Task.OPEN)
        .values("organization")
        .annotate(number=Count("pk"))
        .values_list("number", flat=True)
    )
)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The JSON text of a created task; `replayed` when an earlier request with the same key made it."""

    text: str
    replayed: bool


def create(organization: Organization, by: Actor, body: Mapping[str, Any], idempotency_key: str | None) -> Answer:
    """Make the task that a key or a member asks for. Raises ApiError and then has changed nothing.

    A member's task has no key, so that it counts in no key's budget; the organization's cap and limits hold.
    That the model was not available is remembered, for what we say of it in public.
    """
    try:
        return _create(organization, by, body, idempotency_key)
    except Unavailable as error:
        if error.code == "model_unavailable":
            health.note_refusal(organization, body["model"])
        raise


def takes(organization: Organization, body: Mapping[str, Any]) -> bool:
    """Whether this valid request would find a price and a provider account now. Writes nothing."""
    asked = validation.read(body)
    try:
        _price_and_admit(organization, asked, None)
    except Unavailable:
        return False
    return True


def _create(organization: Organization, by: Actor, body: Mapping[str, Any], idempotency_key: str | None) -> Answer:
    if idempotency_key is None:
        with transaction.atomic():
            return Answer(text=_make(organization, by, body)[1], replayed=False)
    idempotency.check(idempotency_key)
    fingerprint = idempotency.digest(body)
    with transaction.atomic():
        earlier = idempotency.earlier_answer(organization, ENDPOINT, idempotency_key, fingerprint)
        if earlier is not None:
            return Answer(text=earlier, replayed=True)
        remember = (ENDPOINT, idempotency_key, fingerprint)
        return Answer(text=_make(organization, by, body, remember)[1], replayed=False)


def _make(
    organization: Organization, by: Actor, body: Mapping[str, Any], remember: tuple[str, str, bytes] | None = None
) -> tuple[Task, str]:
    asked = validation.check(organization, by, body)
    quote = quotes.lock(organization, asked, body)
    price = _price_and_admit(organization, asked, quote)
    task = _task(organization, by, asked, price, quote)
    answer = json.dumps(task_object(task), ensure_ascii=False, separators=(",", ":"))
    if quote:
        quotes.use(quote, task)
    with in_one_trip():
        _insert(
            task,
            _media(task, asked),
            [idempotency.record(organization, *remember, task, answer)] if remember else [],
        )
        ledger.reserve(organization, task.pk, price.credits, api_key=task.api_key, model=task.model)
        _check_room(organization, task.api_key)
    return task, answer


def _task(organization: Organization, by: Actor, asked: Asked, price: pricing.Price, quote: Quote | None) -> Task:
    now, spec, parsed, given = timezone.now(), asked.spec, asked.parsed, asked.given
    return Task(
        organization=organization,
        api_key=by if isinstance(by, ApiKey) else None,
        made_by=None if isinstance(by, ApiKey) else by.user,
        model=spec.id,
        type=spec.type,
        inputs=parsed.inputs,
        metadata=given.metadata,
        callback_url=given.callback_url or "",
        video_duration=_duration(parsed, price),
        estimated_seconds=estimates.seconds(spec),
        price=price.inputs,
        billing_rule=parsed.price.billing_rule,
        user_group=quote.user_group if quote else organization.user_group.name,
        reserved_credits=price.credits,
        created_at=now,
        deadline_at=now + timedelta(minutes=spec.unaccepted_deadline_minutes),
        due_at=now,
        rung_until=now + leases.RING_TRUST,
    )


def _media(task: Task, asked: Asked) -> list[TaskMedia]:
    return [
        TaskMedia(task=task, role=medium.role, param=medium.param, url=medium.url, file=asked.uploads.get(medium.url))
        for medium in asked.parsed.media
    ]


def _insert(task: Task, media: list[TaskMedia], records: Sequence[IdempotencyRecord]) -> None:
    """All that belongs to a new task, in one statement, the ring of the queue with it."""
    tables = ([task], media, records, doorbell.rows("submit", task.pk))
    one_statement.execute([one_statement.insert(rows) for rows in tables if rows])


def _price_and_admit(organization: Organization, asked: Asked, quote: Quote | None) -> pricing.Price:
    """Raises Unavailable. The price, unless it was promised, and the accounts are asked for in one trip."""
    with in_one_trip():
        accounts = routing.ask(asked.parsed.model, organization.pk, sandbox=organization.is_sandbox)
        price = quotes.price(quote) if quote else validation.price(organization, asked)
    routing.admit(_wish(organization, asked, price), accounts)
    return price


def _duration(parsed: Parsed, price: pricing.Price) -> int | None:
    """The seconds asked for, or those that credits are reserved for, as whole ones."""
    return math.ceil(Decimal(price.inputs["seconds"])) if "measured" in price.inputs else parsed.video_duration


def _wish(organization: Organization, asked: Asked, price: pricing.Price) -> routing.Wish:
    parsed = asked.parsed
    return routing.Wish(
        model=parsed.model,
        cell=parsed.price.cell,
        seconds=_duration(parsed, price) or 1,
        price=price.credits,
        sandbox=organization.is_sandbox,
        organization_id=organization.pk,
        order=Order(
            model=parsed.model,
            makes_element=asked.spec.type == "element",
            inputs=parsed.inputs,
            links={medium.role: medium.url for medium in parsed.media},
            elements=elements.named([element.element_id for element in parsed.elements]),
        ),
    )


def _check_room(organization: Organization, key: ApiKey | None) -> None:
    """The key's running limit counts unfinished tasks; the organization's queued limit those beyond its running one.

    Counted with the new task and behind the wallet's lock, so that two at once cannot both take the last place.
    """
    if key is not None and key.running_limit is not None:
        sharing = Task.objects.filter(api_key__budget=key.budget_id)  # with the key it was rolled from or into
        if sharing.filter(status__in=Task.OPEN).count() > key.running_limit:
            raise _too_many("This API key has as many unfinished tasks as it may.")
    running, queued = organizations.running_limit(organization), organizations.queued_limit(organization)
    if running is None or queued is None:
        return
    if sum(OPEN_TASKS(organization_id=organization.pk)) > running + queued:
        raise _too_many("Your organization has as many waiting tasks as it may.")


def _too_many(message: str) -> TooManyRequests:
    return TooManyRequests("too_many_running_tasks", message, retry_after_seconds=10)
