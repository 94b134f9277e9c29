"""One task as its page shows it: what came of it, what happened, what it cost, and how to ask for the same again."""

import json
import math
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.conf import settings

from accounts import roles
from accounts.models import Membership, Organization
from accounts.roles import Act
from billing.models import Transfer
from billing.pricing import Line
from evolink_saas.console import element_cards, error_words, pictures, task_search, task_words
from evolink_saas.console.element_cards import Card
from evolink_saas.console.error_words import Explanation
from evolink_saas.console.pictures import Picture
from evolink_saas.console.task_words import Told
from generations import asked_again, dispatch, timeline
from generations.models import Delivery, Element, StoredFile, Task
from generations.serializers.tasks import progress

SECRET_FIELDS = ("callback_url",)
"""Of a request: an address that customers call back at may hold a secret."""


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """`settled` are the lines by the length that was measured in the end, where the price follows one."""

    lines: list[Line]
    settled: list[Line] | None
    transfers: list[Transfer]
    refunded: Decimal


@dataclass(frozen=True, kw_only=True)
class Page:
    """`request` and `curl` are empty for a model that is not in the catalogue any more."""

    task: Task
    title: str
    progress: int
    waits_behind: int
    can_cancel: bool
    results: list[Picture]
    card: Card | None
    error: Explanation | None
    events: list[Told]
    receipt: Receipt
    deliveries: list[Delivery]
    request: str
    curl: str

    @property
    def usual_minutes(self) -> int:
        return math.ceil(self.task.estimated_seconds / 60)

    @property
    def is_alive(self) -> bool:
        """Whether something on the page may still change by itself."""
        return self.task.is_open or any(one.state == Delivery.State.DUE for one in self.deliveries)


def of(organization: Organization, membership: Membership, task: Task) -> Page:
    told = timeline.of(task)
    may_see_addresses = roles.may(membership, Act.MANAGE_CALLBACKS)
    request = _request(task, with_secrets=may_see_addresses)
    can_cancel = task.status == Task.Status.PENDING and not task.under_way
    return Page(
        task=task,
        title=task_search.title(task),
        progress=progress(task),
        waits_behind=dispatch.position(task) if can_cancel else 0,
        can_cancel=can_cancel,
        results=[pictures.of(organization, file) for file in _results(told.files)],
        card=_card(organization, task),
        error=error_words.of_task(task),
        events=[task_words.tell(event) for event in told.events],
        receipt=_receipt(organization, task, told),
        deliveries=list(task.deliveries.prefetch_related("tries").order_by("created_at")),
        request=json.dumps(request, ensure_ascii=False, indent=2) if request else "",
        curl=curl(request) if request else "",
    )


def curl(request: dict[str, Any]) -> str:
    """A command for a shell; the key comes from the environment."""
    body = shlex.quote(json.dumps(request, ensure_ascii=False))
    return (
        f"curl {settings.PUBLIC_URL}/v1/videos/generations \\\n"
        '  -H "Authorization: Bearer $API_KEY" \\\n'
        '  -H "Content-Type: application/json" \\\n'
        f"  -d {body}"
    )


def _request(task: Task, *, with_secrets: bool) -> dict[str, Any] | None:
    body = asked_again.body(task)
    if body is None or with_secrets:
        return body
    return {name: value for name, value in body.items() if name not in SECRET_FIELDS}


def _results(files: Iterable[StoredFile]) -> list[StoredFile]:
    return [file for file in files if file.purpose == StoredFile.Purpose.RESULT]


def _card(organization: Organization, task: Task) -> Card | None:
    made = organization.elements.filter(task=task)
    found: list[Element] = list(made) if task.type == Task.Type.ELEMENT else []
    return element_cards.cards(organization, found)[0] if found else None


def _receipt(organization: Organization, task: Task, told: timeline.Timeline) -> Receipt:
    return Receipt(
        lines=told.price,
        settled=told.settled,
        transfers=list(organization.wallet.transfers.filter(reservation=task.pk).order_by("seq")),
        refunded=Decimal(0) if task.is_open else task.reserved_credits - task.charged_credits,
    )
