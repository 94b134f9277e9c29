"""A customer's wish to top up: written down, then a page of Stripe's where it is paid."""

from accounts import paging, tenancy
from accounts.errors import ApiError, Forbidden, NotFound, TooManyRequests, Unavailable
from accounts.models import ApiKey, Organization
from billing import alerts
from billing.models import TopUp
from billing.top_ups import looks, settling, wire

UNPAID_LIMIT = 20
RETRY_SECONDS = 30


def start(
    organization: Organization, cents: int, *, api_key: ApiKey | None = None, saves_payment_method: bool = False
) -> TopUp:
    """A top-up with the address of its page. In no transaction: the row is committed before Stripe is asked.

    Raises Unavailable `top_ups_unavailable`, Forbidden `sandbox_cannot_buy`, or TooManyRequests. When no answer comes
    from Stripe the row stays, and the sweep asks again: nothing can be paid of which we know nothing.
    """
    require_purchases(organization)
    if organization.top_ups.filter(status__in=TopUp.UNFINISHED).count() >= UNPAID_LIMIT:
        message = f"There are {UNPAID_LIMIT} unpaid top-ups already; pay one, or wait until they expire."
        raise TooManyRequests("too_many_open_top_ups", message, retry_after_seconds=3600)
    top_up = settling.begin(
        organization, TopUp.Origin.CHECKOUT, cents, api_key=api_key, saves_payment_method=saves_payment_method
    )
    try:
        looks.send(top_up)
    except wire.Unknown:
        raise _unavailable("The payment provider did not answer; please try again.") from None
    except wire.WireError as error:
        alerts.tell("stripe-refused", top_up.public_id, str(error))
        settling.give_up(top_up.pk, looks.NEVER_ARRIVED)
        raise _unavailable("Credits cannot be bought at the moment; please contact support.") from None
    top_up.refresh_from_db()
    return top_up


def require_purchases(organization: Organization) -> None:
    """Raise unless this organization can buy credits here."""
    if organization.is_sandbox:
        message = "A sandbox organization pays with test credits and cannot buy any; use a live key."
        raise Forbidden("sandbox_cannot_buy", message)
    if not wire.is_available():
        raise _unavailable("Credits cannot be bought here; please contact support.")


def find(organization: Organization, top_up_id: str) -> TopUp:
    error = NotFound("top_up_not_found", "There is no such top-up.")
    return tenancy.owned(organization.top_ups.all(), top_up_id, error)


def page(organization: Organization, cursor: str | None, size: int) -> tuple[list[TopUp], str | None]:
    """The organization's top-ups, newest first."""
    rows, last = paging.page(organization.top_ups.all(), size, paging.read(TopUp.PREFIX, cursor))
    return rows, last.public_id if last else None


def _unavailable(message: str) -> ApiError:
    return Unavailable("top_ups_unavailable", message, retry_after_seconds=RETRY_SECONDS)
