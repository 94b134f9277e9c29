"""Quotes: what a request would cost, promised for fifteen minutes and for one task.

    priced what a request that was read costs now: nothing is promised, nothing written
    make   validates the body as a generation would, freezes every input of its price, and reserves nothing
    lock   finds the quote that a generation names, for exactly this body; until commit nobody else can use it
    use    gives it to the task that it prices, in the transaction that makes the task

The row stays locked from `lock` to commit, so of many requests with one quote the first makes its task and the others
read that it was used. A refused request rolls `use` back with the rest, and the quote can be used again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts import ids
from accounts.errors import Conflict, Unprocessable
from accounts.key_rights import Actor
from accounts.models import Organization
from billing import price_lines, pricing
from billing.pricing import Line
from generations import idempotency, validation
from generations.models import Quote, Task
from generations.validation import Asked

LIVES = timedelta(minutes=15)
KEPT_FOR = timedelta(days=1)
"""How long a quote is remembered after its end, so that a late request is told what became of it."""
SWEEP_LIMIT = 1000
FIELD = "quote_id"
AGAIN = "Ask for a new quote."


@dataclass(frozen=True, kw_only=True)
class Quoted:
    """A new quote and how its price comes about. `is_maximum`: the charge may be less, and never more."""

    quote: Quote
    billing_rule: str
    is_maximum: bool
    lines: list[Line]


@dataclass(frozen=True, kw_only=True)
class Priced:
    """What a request costs now and how that comes about. `is_maximum`: the charge may be less, and never more."""

    price: pricing.Price
    billing_rule: str
    is_maximum: bool
    lines: list[Line]


def priced(organization: Organization, asked: Asked) -> Priced:
    """Promises nothing. Raises Unavailable `model_unavailable`."""
    price = validation.price(organization, asked)
    group = organization.user_group.name
    return Priced(
        price=price,
        billing_rule=asked.parsed.price.billing_rule,
        is_maximum=asked.may_cost_less,
        lines=price_lines.explain(price.inputs, price.lines[0].label, user_group=group, asked=asked.duration),
    )


def make(organization: Organization, by: Actor, body: Mapping[str, Any]) -> Quoted:
    """Promise what this request costs now. Raises ApiError as the request itself would."""
    asked = validation.check(organization, by, body)
    found = priced(organization, asked)
    now = timezone.now()
    quote = Quote.objects.create(
        organization=organization,
        model=asked.spec.id,
        body_digest=_digest(body),
        price=found.price.inputs,
        user_group=organization.user_group.name,
        credits=found.price.credits,
        created_at=now,
        expires_at=now + LIVES,
    )
    return Quoted(quote=quote, billing_rule=found.billing_rule, is_maximum=found.is_maximum, lines=found.lines)


def lock(organization: Organization, asked: Asked, body: Mapping[str, Any]) -> Quote | None:
    """The quote that the body names, locked; None when it names none, and then no statement is sent.

    Raises Conflict `quote_expired` or Unprocessable `quote_mismatch`. Another organization's quote is an unknown one.
    """
    if asked.given.quote_id is None:
        return None
    identifier = ids.decode(Quote.PREFIX, asked.given.quote_id)
    known = organization.quotes.select_for_update(no_key=True)
    quote = None if identifier is None else known.filter(pk=identifier).first()
    if quote is None:
        raise _mismatch("There is no such quote in your organization.")
    _check_free(quote)
    _check_match(quote, asked, body)
    return quote


def price(quote: Quote) -> pricing.Price:
    """The promised price. Its inputs name the quote that they come from."""
    return pricing.Price(credits=quote.credits, lines=(), inputs=quote.price | {"quote": quote.public_id})


def use(quote: Quote, task: Task) -> None:
    """From now on it is the task's. In the transaction that inserts the task, and that has locked the quote."""
    if not Quote.objects.filter(pk=quote.pk, task__isnull=True).update(task=task.pk):
        raise _used(quote)


def sweep(limit: int = SWEEP_LIMIT) -> int:
    """Forget quotes that ended long ago, the oldest first; how many went."""
    old = Quote.objects.filter(expires_at__lt=timezone.now() - KEPT_FOR).order_by("expires_at")
    return Quote.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:limit])).delete()[0]


def _check_free(quote: Quote) -> None:
    if quote.task_id is not None:
        raise _used(quote)
    if quote.expires_at <= timezone.now():
        minutes = int(LIVES.total_seconds() // 60)
        raise Conflict(
            "quote_expired", f"This quote was good for {minutes} minutes and has expired. {AGAIN}", param=FIELD
        )


def _check_match(quote: Quote, asked: Asked, body: Mapping[str, Any]) -> None:
    if quote.model != asked.spec.id:
        raise _mismatch(f"This quote is for {quote.model}, the request for {asked.spec.id}. {AGAIN}")
    if bytes(quote.body_digest) != _digest(body):
        raise _mismatch(f"This quote is for a request with another body: send what was quoted, and {FIELD}.")
    if any(quote.price.get(name) != asked.priced_by.get(name) for name in validation.PRICED_BY):
        raise _mismatch(f"What this request is priced by has changed since it was quoted. {AGAIN}")


def _digest(body: Mapping[str, Any]) -> bytes:
    """Of everything but the quote's own id."""
    return idempotency.digest({name: value for name, value in body.items() if name != FIELD})


def _used(quote: Quote) -> Conflict:
    """Names the task, so that whoever lost its answer finds it."""
    details: dict[str, Any] = {"task_id": quote.task.public_id} if quote.task else {}
    message = f"This quote was used already, and it is good for one task. {AGAIN}"
    return Conflict("quote_expired", message, param=FIELD, **details)


def _mismatch(message: str) -> Unprocessable:
    return Unprocessable("quote_mismatch", message, param=FIELD)
