"""States, roles, scopes and times in the reader's words; refusals stand in `error_words`."""

from datetime import timedelta
from typing import TYPE_CHECKING, Union

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from evolink_saas.console import money_words

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

Words = Union[str, "_StrPromise"]
ROLES: dict[str, Words] = {
    "owner": _("Owner"),
    "admin": _("Admin"),
    "developer": _("Developer"),
    "viewer": _("Viewer"),
}
ROLE_RIGHTS: dict[str, Words] = {
    "owner": _("Everything, and hands the organization over."),
    "admin": _("Members, money, settings, and what developers do."),
    "developer": _("API keys, tasks, files and callbacks."),
    "viewer": _("Looks, and changes nothing."),
}
SCOPES: dict[str, Words] = {
    "generate": _("Make videos and elements"),
    "read": _("Read tasks, usage and the balance"),
    "billing": _("Statements, top-ups and vouchers"),
    "webhooks": _("Callbacks and their secret"),
    "keys": _("Manage API keys"),
}
BADGES: dict[str, dict[str, tuple[Words, str]]] = {
    **money_words.BADGES,
    "task": {
        "pending": (_("waiting"), ""),
        "processing": (_("running"), "accent"),
        "completed": (_("completed"), "good"),
        "failed": (_("failed"), "bad"),
        "cancelled": (_("cancelled"), ""),
    },
    "key": {
        "active": (_("active"), "good"),
        "paused": (_("paused"), "fair"),
        "disabled": (_("disabled"), ""),
        "expiring": (_("expires soon"), "fair"),
        "expired": (_("expired"), "bad"),
    },
    "delivery": {
        "due": (_("on its way"), "accent"),
        "delivered": (_("delivered"), "good"),
        "failed": (_("given up"), "bad"),
    },
    "invitation": {"open": (_("invited"), "accent"), "expired": (_("expired"), "")},
}


def badge(kind: str, state: str) -> tuple[Words, str]:
    return BADGES[kind].get(state, (state, ""))


def ago(time: timedelta) -> str:
    seconds = max(0, int(time.total_seconds()))
    if seconds < 60:
        return str(_("just now"))
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if not hours:
        return ngettext("%(count)d minute ago", "%(count)d minutes ago", minutes) % {"count": minutes}
    if not days:
        return ngettext("%(count)d hour ago", "%(count)d hours ago", hours) % {"count": hours}
    return ngettext("%(count)d day ago", "%(count)d days ago", days) % {"count": days}
