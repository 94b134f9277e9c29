"""What pages about money and notices call things: movements, lots, top-ups, deliveries, and refusals of them."""

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
    "delivery": {
        "due": (_("on its way"), "accent"),
        "delivered": (_("delivered"), "good"),
        "failed": (_("given up"), "bad"),
    },
    "statement": {"provisional": (_("not over yet"), "accent"), "closed": (_("closed"), "")},
}
REFUSALS: dict[str, "Words"] = {
    "top_ups_unavailable": _("Credits cannot be bought at the moment. Please try again, or contact support."),
    "sandbox_cannot_buy": _("A sandbox pays with test credits and cannot buy any."),
    "too_many_open_top_ups": _("Too many top-ups are unpaid already. Pay one, or wait until they expire."),
    "payment_method_missing": _(
        "There is no saved card to charge. Buy credits once with “Save the card for auto-recharge”."
    ),
    "invalid_voucher_code": _("This is no voucher code, such as EVO-7K3Q-9XRT-2M4E. Please look for a typing error."),
    "voucher_not_found": _("There is no such voucher."),
    "voucher_already_redeemed": _("Your organization has redeemed this voucher already."),
    "voucher_disabled": _("This voucher is not valid any more."),
    "voucher_not_yet_valid": _("This voucher is not valid yet."),
    "voucher_expired": _("This voucher has expired."),
    "voucher_used_up": _("This voucher has been redeemed as often as it may be."),
    "too_many_voucher_tries": _("Too many codes that do not exist were tried. Please try again in an hour."),
    "no_credits_for_sandbox": _("A sandbox pays with test credits only."),
    "callback_url_not_allowed": _(
        "We cannot call this address: it must begin with https:// and be reachable from the internet."
    ),
    "invalid_task_id": _("This is not the id of a task."),
    "task_not_found": _("There is no such task."),
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
PROBLEMS: dict[str, "Words"] = {looks.NEVER_ARRIVED: _("The payment page could not be made; nothing was charged.")}
"""Why a top-up failed, where we say it ourselves; a bank's own words stay as they are."""
