"""The lines of a price in the reader's words; the API and the books say them in English (`billing.price_lines`)."""

import re
from functools import cache

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_noop as _

from billing.models import Unit
from billing.pricing import Line, spelled

TEXTS = (
    _("%(quality)s without sound"),
    _("%(quality)s with sound"),
    _("%(quality)s with an input video"),
    _("Custom element"),
    _("Billed as %(seconds)s seconds, the minimum"),
    _("Your own price: rate x %(multiplier)s"),
    _("Your own price: %(rate)s a second instead of %(other)s"),
    _("Your own price: %(rate)s a call instead of %(other)s"),
    _("User group %(group)s: rate x %(multiplier)s"),
    _("User group %(group)s: %(rate)s a second instead of %(other)s"),
    _("User group %(group)s: %(rate)s a call instead of %(other)s"),
)


@cache
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"%\\\((\w+)\\\)s", r"(?P<\1>.+)", re.escape(text)))


def label(line: Line) -> str:
    """What the line is for; a label that an operator has written stays as it is."""
    for text in TEXTS:
        if found := _pattern(text).fullmatch(line.label):
            return gettext(text) % found.groupdict()
    return line.label


def quantity(line: Line) -> str:
    """`5 seconds`, `1 call`."""
    number = 1 if line.quantity == 1 else 2
    if line.unit == Unit.CALL:
        text = ngettext("%(count)s call", "%(count)s calls", number)
    else:
        text = ngettext("%(count)s second", "%(count)s seconds", number)
    return text % {"count": spelled(line.quantity)}
