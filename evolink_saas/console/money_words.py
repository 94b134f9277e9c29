"""What pages about money and notices call things: movements, lots, top-ups, callbacks."""

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from billing.models import CreditLot, Kind, TopUp
from billing.top_ups import looks

if TYPE_CHECKING:
    from evolink_saas.console.wording import Words

MOVEMENTS: dict[str, "Words"] = {
    Kind.TOP_UP: _("Bought"),
    Kind.GRANT: _("Given to you"),
    Kind.RESERVE: _("Reserved for a task"),
    Kind.CAPTURE: _("Charged for a finished task"),
    Kind.RELEASE: _("Given back: not needed"),
    Kind.REFUND: _("Refunded after the charge"),
    Kind.EXPIRE: _("Expired"),
    Kind.ADJUST: _("Corrected"),
}
LOTS: dict[str, "Words"] = {
    CreditLot.Kind.PAID: _("Bought"),
    CreditLot.Kind.PROMO: _("Promotion"),
    CreditLot.Kind.GOODWILL: _("Goodwill"),
}
ORIGINS: dict[str, "Words"] = {
    TopUp.Origin.CHECKOUT: _("Bought by hand"),
    TopUp.Origin.AUTO_RECHARGE: _("Auto-recharge"),
}
BADGES: dict[str, dict[str, tuple["Words", str]]] = {
    "top_up": {
        "opening": (_("being prepared"), ""),
        "open": (_("not paid yet"), "accent"),
        "processing": (_("with the bank"), "accent"),
        "paid": (_("paid"), "good"),
        "failed": (_("failed"), "bad"),
        "expired": (_("expired"), ""),
        "review": (_("being looked at"), "fair"),
    },
    "recharge": {
        "off": (_("off"), ""),
        "on": (_("on"), "good"),
        "paused": (_("paused"), "bad"),
        "monthly_maximum_reached": (_("month's maximum reached"), "fair"),
    },
    "guard": {"off": (_("off"), ""), "on": (_("on"), "good")},
    "statement": {"provisional": (_("not over yet"), "accent"), "closed": (_("closed"), "")},
}
CLOSED: dict[str, "Words"] = {
    "top_ups_unavailable": _("Credits cannot be bought online here: no payment is set up. Please contact support."),
}
"""Why nothing can be bought whatever is asked for, where that is another sentence than a refusal's."""
EVENTS: dict[str, "Words"] = {
    "task.completed": _("Task completed"),
    "task.failed": _("Task failed"),
    "task.cancelled": _("Task cancelled"),
    "webhook.test": _("Test"),
}
CALL_PROBLEMS: dict[str, "Words"] = {
    "The address could not be reached.": _("The address could not be reached."),
    "The address could not be reached, or did not answer in HTTP.": _(
        "The address could not be reached, or did not answer in HTTP."
    ),
    "The address must start with https://.": _("The address must start with https://."),
    "The address did not answer in time.": _("The address did not answer in time."),
    "The address is not public.": _("The address is not public."),
    "The host name does not exist.": _("The host name does not exist."),
    "The host name was not resolved in time.": _("The host name was not resolved in time."),
}
"""What `generations.safe_http` says of a call that got no answer."""
PROBLEMS: dict[str, "Words"] = {looks.NEVER_ARRIVED: _("The payment page could not be made; nothing was charged.")}
"""Why a top-up failed, where we say it ourselves; a bank's own words stay as they are."""
