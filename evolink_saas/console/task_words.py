"""What happened to a task, told event by event in the reader's words (`generations.timeline` says what happened)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from evolink_saas.console import error_words
from evolink_saas.console.wording import Words
from generations.timeline import NOT_TAKEN, REST, Event

Facts = Mapping[str, Any]
KINDS: dict[str, Words] = {
    "reserve": gettext_lazy("Reserved"),
    "capture": gettext_lazy("Charged"),
    "release": gettext_lazy("Given back"),
    "refund": gettext_lazy("Refunded"),
}
"""The kinds of transfer that a task makes."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """One line of the timeline; `look` is the colour of its mark."""

    at: datetime
    what: str
    detail: str = ""
    look: str = ""


def tell(event: Event) -> Told:
    what, detail, look = TELLERS[event.name](event.facts)
    return Told(at=event.at, what=what, detail=detail, look=look)


def spelled(credits: Any) -> str:
    return f"{Decimal(str(credits)):,.4f}".rstrip("0").rstrip(".")


Line = tuple[str, str, str]


def _plain(words: Words, look: str = "") -> Callable[[Facts], Line]:
    return lambda facts: (str(words), "", look)


def _reserved(facts: Facts) -> Line:
    return _("Credits reserved: %(credits)s") % {"credits": spelled(facts["credits"])}, "", ""


def _charged(facts: Facts) -> Line:
    return _("Credits charged: %(credits)s") % {"credits": spelled(facts["credits"])}, "", ""


def _released(facts: Facts) -> Line:
    why = _("What was reserved beyond the price.") if facts["reason"] == REST else ""
    return _("Credits given back: %(credits)s") % {"credits": spelled(facts["credits"])}, why, "good"


def _refunded(facts: Facts) -> Line:
    return _("Credits refunded: %(credits)s") % {"credits": spelled(facts["credits"])}, "", "good"


def _sent(facts: Facts) -> Line:
    if facts["attempt"] == 1:
        return _("Sent to be made"), "", ""
    return _("Sent once more, attempt %(number)d") % {"number": facts["attempt"]}, "", ""


def _attempt_ended(facts: Facts) -> Line:
    if facts["verdict"] == "succeeded":
        return _("The work is done"), "", ""
    if facts["verdict"] == NOT_TAKEN:
        return _("Not taken: it is tried again"), "", "fair"
    known = error_words.FAILURES.get(facts["verdict"])
    return _("The attempt failed"), str(known[0]) if known else "", "bad"


def _failed(facts: Facts) -> Line:
    known = error_words.FAILURES.get(facts.get("code", ""))
    return _("The task failed"), str(known[0]) if known else facts.get("message", ""), "bad"


def _called_back(facts: Facts) -> Line:
    title = _("Callback, try %(number)d") % {"number": facts["try"]}
    took = {"seconds": f"{facts['seconds']:g}"}
    if "status" not in facts:
        return title, _("No answer: %(error)s") % {"error": facts["error"]}, "bad"
    answered = _("Answered %(status)d after %(seconds)s s") % (took | {"status": facts["status"]})
    return title, answered, "good" if 200 <= facts["status"] < 300 else "bad"


TELLERS: dict[str, Callable[[Facts], Line]] = {
    "created": _plain(gettext_lazy("Asked for")),
    "credits_reserved": _reserved,
    "attempt_sent": _sent,
    "attempt_accepted": _plain(gettext_lazy("The work has begun")),
    "attempt_ended": _attempt_ended,
    "result_stored": _plain(gettext_lazy("The video was stored")),
    "completed": _plain(gettext_lazy("The task is completed"), "good"),
    "failed": _failed,
    "cancelled": _plain(gettext_lazy("The task was cancelled")),
    "credits_charged": _charged,
    "credits_released": _released,
    "credits_refunded": _refunded,
    "callback_due": _plain(gettext_lazy("A callback is due")),
    "callback_tried": _called_back,
}
