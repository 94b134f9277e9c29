"""Top-ups as billing pages list them, and why nothing can be bought where that is so."""

from dataclasses import dataclass

from accounts.errors import ApiError
from accounts.models import Organization
from billing.models import TopUp
from billing.top_ups import checkout
from evolink_saas.console import error_words, money_words
from evolink_saas.console.wording import Words

FEW = 5


@dataclass(frozen=True, kw_only=True)
class Row:
    """`can_be_paid`: its page at Stripe waits. `problem` is why nothing came of it."""

    top_up: TopUp
    origin: Words
    can_be_paid: bool
    problem: Words


def closed(organization: Organization) -> Words:
    """Why nothing can be bought, whatever is asked for; empty: credits can be bought."""
    try:
        checkout.require_purchases(organization)
    except ApiError as error:
        return money_words.CLOSED.get(error.code) or error_words.refusal(error)
    return ""


def rows(organization: Organization, cursor: str | None, size: int) -> tuple[list[Row], str | None]:
    """Newest first, and the next cursor. Raises InvalidRequest."""
    found, after = checkout.page(organization, cursor, size)
    return [_row(top_up) for top_up in found], after


def _row(top_up: TopUp) -> Row:
    unsuccessful = top_up.status in (TopUp.Status.FAILED, TopUp.Status.EXPIRED)
    return Row(
        top_up=top_up,
        origin=money_words.ORIGINS[top_up.origin],
        can_be_paid=top_up.status == TopUp.Status.OPEN and bool(top_up.checkout_url),
        problem=money_words.PROBLEMS.get(top_up.problem, top_up.problem) if unsuccessful else "",
    )
