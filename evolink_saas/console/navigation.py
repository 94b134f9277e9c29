"""The side bar: groups of links. A link stands there only for those whose role may open its page."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts import roles
from accounts.models import Membership, Organization
from accounts.roles import Act
from evolink_saas.console.wording import Words


@dataclass(frozen=True)
class Link:
    """`pages` are the names of further pages during which the link counts as the current one."""

    label: Words
    icon: str
    page: str
    act: Act = Act.READ
    pages: tuple[str, ...] = ()


@dataclass(frozen=True)
class Group:
    title: Words
    links: tuple[Link, ...]


BILLING = ("voucher", "movements", "top-ups", "top-up", "auto-recharge", "statements", "limits")
GROUPS: tuple[Group, ...] = (
    Group("", (Link(_("Overview"), "home", "overview"),)),
    Group(
        _("Create"),
        (
            Link(_("Playground"), "play", "playground", pages=("playground-run", "playground-compare")),
            Link(_("Tasks"), "list", "tasks", pages=("task",)),
            Link(_("Elements"), "face", "elements"),
            Link(_("Files"), "folder", "files", pages=("file-upload",)),
        ),
    ),
    Group(
        _("Build"),
        (
            Link(_("API keys"), "key", "keys", pages=("key-new", "key", "key-roll", "key-revoke")),
            Link(_("Callbacks"), "link", "callbacks", pages=("callback", "callback-secret", "callback-rotate")),
        ),
    ),
    Group(
        _("Money"),
        (
            Link(_("Usage"), "chart", "usage"),
            Link(_("Billing"), "card", "billing", pages=BILLING),
        ),
    ),
    Group(
        _("Organization"),
        (
            Link(_("Members"), "people", "members", pages=("member-invite",)),
            Link(_("Settings"), "settings", "settings", pages=("settings-organization",)),
        ),
    ),
)


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A link as this member sees it."""

    label: Words
    icon: str
    url: str
    is_current: bool


def shown(membership: Membership, organization: Organization, page: str) -> Iterator[tuple[Words, list[Shown]]]:
    """The groups with at least one link for this member; `page` is the name of the one that is open."""
    for group in GROUPS:
        links = [
            Shown(
                label=link.label,
                icon=link.icon,
                url=reverse(f"console:{link.page}", args=[organization.public_id]),
                is_current=page in (link.page, *link.pages),
            )
            for link in group.links
            if roles.may(membership, link.act)
        ]
        if links:
            yield group.title, links
