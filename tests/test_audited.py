"""Whatever writes keys, members, organizations, people or prices leaves an audit entry. A new writer fails the first
test until it stands in the table below, and the second until it records what it did."""

import ast
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import transaction

from accounts import invitations, keys, members, organizations, people
from accounts.models import ApiKey, AuditEntry, Invitation, Membership, Role, User
from billing import drafts, ledger, overrides, price_book
from billing.models import DraftCell, PriceDraft, PriceVersion
from tests.cast import Person
from tests.test_architecture import ROOT, WRITERS, WRITES

AUDITED = (
    *("Announcement", "ApiKey", "Invitation", "KeyBudget", "Membership", "Organization", "User", "UserGroup"),
    *("PriceVersion", "PriceCell", "PriceOverride", "PriceDraft", "DraftCell"),
)
WRITING = WRITES | {"save", "create_user", "create_superuser"}
CHANGE_NOTHING_THAT_ANYBODY_DECIDED = {"accounts/keys.py remember_use"}

BOOK, T2V = price_book.FILE.read_text(), "kling-v3-text-to-video"
LATER = datetime(2099, 1, 1, tzinfo=UTC)
Act = Callable[[Person, Person], object]


def paused(person: Person) -> ApiKey:
    with transaction.atomic():
        keys.pause(person.key, person.key.created_at)
    return person.key


def draft() -> PriceDraft:
    price_book.load(BOOK)
    return drafts.start("Dearer")


def scheduled() -> PriceVersion:
    dearer = draft()
    drafts.change_by_percent(dearer, T2V, 10)
    return drafts.schedule(dearer, LATER)


def invited(by: Membership) -> Invitation:
    return invitations.invite(by.organization, "dora@acme.example", Role.VIEWER, by=by, language="en")


def link_of(key: ApiKey) -> str:
    return keys.resume_link(key.pk, key.created_at).partition("token=")[2]


LOGGED: dict[str, tuple[Act, str]] = {
    "accounts/keys.py create": (lambda alice, bob: alice.key_with("read"), "key.created"),
    "accounts/keys.py change": (
        lambda alice, bob: keys.change(bob.key, by=alice.membership, enabled=False),
        "key.changed",
    ),
    "accounts/keys.py roll": (lambda alice, bob: keys.roll(bob.key, by=alice.membership), "key.rolled"),
    "accounts/keys.py revoke": (lambda alice, bob: keys.revoke(bob.key, by=None), "key.revoked"),
    "accounts/keys.py pause": (lambda alice, bob: keys.pause(bob.key, bob.key.created_at), "key.paused"),
    "accounts/keys.py resume": (lambda alice, bob: keys.resume(paused(bob), by=alice.membership), "key.resumed"),
    "accounts/keys.py resume_by_link": (lambda alice, bob: keys.resume_by_link(link_of(paused(bob))), "key.resumed"),
    "accounts/members.py set_notify": (lambda alice, bob: members.set_notify(bob.membership, True), "member.notified"),
    "accounts/members.py add": (
        lambda alice, bob: members.add(alice.organization, "dora@acme.example", Role.VIEWER),
        "member.added",
    ),
    "accounts/members.py change_role": (
        lambda alice, bob: members.change_role(bob.membership, Role.ADMIN),
        "member.role_changed",
    ),
    "accounts/members.py remove": (
        lambda alice, bob: members.remove(alice.organization.memberships.get(pk=bob.membership.pk)),
        "member.removed",
    ),
    "accounts/members.py leave": (
        lambda alice, bob: members.leave(bob.organization.memberships.get(pk=bob.membership.pk)),
        "member.removed",
    ),
    "accounts/members.py transfer": (
        lambda alice, bob: members.transfer(bob.membership, by=alice.organization.memberships.get(role=Role.OWNER)),
        "member.role_changed",
    ),
    "accounts/invitations.py invite": (lambda alice, bob: invited(alice.membership), "member.invited"),
    "accounts/invitations.py revoke": (
        lambda alice, bob: invitations.revoke(invited(alice.membership), by=alice.membership),
        "member.invitation_revoked",
    ),
    "accounts/invitations.py accept": (
        lambda alice, bob: invitations.accept(
            invitations.link(invited(alice.membership)).rpartition("/")[2],
            User.objects.get_or_create(email="dora@acme.example")[0],
        ),
        "member.added",
    ),
    "accounts/people.py sign_up": (
        lambda alice, bob: people.sign_up("eve@eve.example", "correct horse battery", "en"),
        "user.signed_up",
    ),
    "accounts/people.py set_preferences": (
        lambda alice, bob: people.set_preferences(bob.membership.user, name="Bob", time_zone="Asia/Shanghai"),
        "user.changed",
    ),
    "accounts/organizations.py change": (
        lambda alice, bob: organizations.change(alice.organization, by=alice.membership, name="Acme Films"),
        "organization.changed",
    ),
    "accounts/organizations.py create": (
        lambda alice, bob: organizations.create("Quartz", "quinn@quartz.example"),
        "organization.opened",
    ),
    "accounts/organizations.py sandbox_twin": (
        lambda alice, bob: organizations.sandbox_twin(alice.organization),
        "organization.opened",
    ),
    "accounts/organizations.py suspend": (
        lambda alice, bob: organizations.suspend(alice.organization, "checking"),
        "organization.suspended",
    ),
    "accounts/organizations.py resume": (
        lambda alice, bob: (
            organizations.suspend(alice.organization, "checking"),
            organizations.resume(alice.organization),
        ),
        "organization.resumed",
    ),
    "billing/price_book.py load": (lambda alice, bob: price_book.load(BOOK), "prices.loaded"),
    "billing/price_book.py publish": (lambda alice, bob: scheduled(), "prices.scheduled"),
    "billing/price_book.py withdraw": (
        lambda alice, bob: price_book.withdraw(scheduled(), "a mistake"),
        "prices.withdrawn",
    ),
    "billing/overrides.py set_multiplier": (
        lambda alice, bob: overrides.set_multiplier(alice.organization, Decimal("0.9"), reason="asked for"),
        "price_override.added",
    ),
    "billing/overrides.py set_rate": (
        lambda alice, bob: (
            price_book.load(BOOK),
            overrides.set_rate(alice.organization.user_group, T2V, Decimal(5), reason="asked for"),
        ),
        "price_override.added",
    ),
    "billing/overrides.py withdraw": (
        lambda alice, bob: overrides.withdraw(
            overrides.set_multiplier(alice.organization, Decimal(1), reason="asked for", effective_at=LATER),
            "a mistake",
        ),
        "price_override.withdrawn",
    ),
    "billing/drafts.py start": (lambda alice, bob: draft(), "price_draft.started"),
    "billing/drafts.py change": (
        lambda alice, bob: drafts.change(draft(), {DraftCell.objects.latest("pk").pk: {"rate": Decimal(6)}}),
        "price_draft.changed",
    ),
    "billing/drafts.py change_by_percent": (
        lambda alice, bob: drafts.change_by_percent(draft(), T2V, 5),
        "price_draft.changed",
    ),
    "billing/drafts.py schedule": (lambda alice, bob: scheduled(), "prices.scheduled"),
    "billing/drafts.py discard": (lambda alice, bob: drafts.discard(draft()), "price_draft.discarded"),
    "billing/ledger.py freeze": (
        lambda alice, bob: ledger.freeze(alice.organization, reason="checking"),
        "wallet.frozen",
    ),
    "billing/ledger.py unfreeze": (
        lambda alice, bob: (
            ledger.freeze(alice.organization, reason="checking"),
            ledger.unfreeze(alice.organization, reason="checked"),
        ),
        "wallet.unfrozen",
    ),
}
OF_THE_LEDGER = {"billing/ledger.py freeze", "billing/ledger.py unfreeze"}
"""Its other verbs move credits; their rows are the transfers."""


def called(function: ast.FunctionDef) -> set[str]:
    """The names of what a function calls: `save` for `key.save(…)`, `_insert` for `_insert(…)`."""
    calls = [node.func for node in ast.walk(function) if isinstance(node, ast.Call)]
    return {call.attr for call in calls if isinstance(call, ast.Attribute)} | {
        call.id for call in calls if isinstance(call, ast.Name)
    }


def writers(path: Path) -> set[str]:
    """The public functions of a module that write rows, by themselves or through others of the module."""
    functions = {node.name: node for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)}
    calls = {name: called(node) for name, node in functions.items()}
    writing = {name for name, names in calls.items() if names & WRITING}
    while more := {name for name, names in calls.items() if names & writing} - writing:
        writing |= more
    return {name for name in writing if not name.startswith("_")}


def test_every_writer_stands_in_the_table() -> None:
    modules = sorted({module for model in AUDITED for module in WRITERS[model]})
    found = {f"{module} {name}" for module in modules for name in writers(ROOT / module)}
    assert found - CHANGE_NOTHING_THAT_ANYBODY_DECIDED == set(LOGGED) - OF_THE_LEDGER


@pytest.mark.parametrize("name", LOGGED)
def test_what_it_does_is_logged_and_undone_together(name: str, alice: Person, bob: Person) -> None:
    act, action = LOGGED[name]
    before = set(AuditEntry.objects.values_list("pk", flat=True))

    with pytest.raises(InterruptedError), transaction.atomic():
        act(alice, bob)
        raise InterruptedError

    assert set(AuditEntry.objects.values_list("pk", flat=True)) == before
    act(alice, bob)
    entries = AuditEntry.objects.exclude(pk__in=before)
    assert action in {entry.action for entry in entries}
    assert all(entry.target_id and entry.changes for entry in entries)
