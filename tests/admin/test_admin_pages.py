"""Every table has its pages, they open, they find, and those of money and states change nothing."""

import re
from collections.abc import Iterator

import pytest
from django.apps import apps
from django.contrib import admin
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from accounts.admin.pages import Editable, Page, ReadOnly
from accounts.models import ApiKey, AuditEntry, Membership, Organization, User
from billing import audit
from billing.admin import audits
from billing.models import AuditRun, Wallet
from evolink_saas.processes import ROOT
from generations.models import Task
from tests.cast import Person

EDITABLE = {
    *("User", "UserGroup", "Organization", "Announcement", "Group"),
    *("PriceDraft", "Voice", "ProviderAccount", "MarginGuard"),
}


def registered() -> Iterator[tuple[type[Model], admin.ModelAdmin]]:
    yield from sorted(admin.site._registry.items(), key=lambda item: item[0]._meta.label)


def address(model: type[Model], page: str, *key: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=key)


def test_every_model_of_ours_has_a_page() -> None:
    ours = {m for app in ("accounts", "billing", "generations") for m in apps.get_app_config(app).get_models()}
    through = {m for m in ours if m._meta.auto_created}
    assert ours - through - set(admin.site._registry) == set()


def test_every_list_search_and_page_opens(desk: Client, lived_in: Task) -> None:
    failures = []
    for model, page in registered():
        row = page.get_queryset(None).first()
        assert row is not None, f"the fixture has no {model.__name__}"
        pages = [address(model, "changelist"), address(model, "changelist") + "?q=word-of-nobody"]
        pages += [address(model, "change", row.pk), address(model, "history", row.pk)]
        statuses = {url: desk.get(url, follow=True).status_code for url in pages}
        failures += [f"{status} {url}" for url, status in statuses.items() if status != 200]
    assert failures == []


def test_every_list_can_be_searched_and_filtered() -> None:
    for model, page in registered():
        assert page.search_fields, model
        if isinstance(page, Page):
            assert page.paginator.__name__ == "InfinitePaginator" and not page.show_full_result_count, model


def test_money_and_states_are_read_only(desk: Client, lived_in: Task) -> None:
    for model, page in registered():
        row = page.get_queryset(None).first()
        if model.__name__ in EDITABLE:
            continue
        assert isinstance(page, ReadOnly), model
        before = model._base_manager.filter(pk=row.pk).values().get() if row else None
        for url in [
            address(model, "add"),
            *([address(model, "change", row.pk), address(model, "delete", row.pk)] if row else []),
        ]:
            assert desk.post(url, {"amount": "1", "balance": "1", "status": "completed"}).status_code == 403, url
        if row:
            assert model._base_manager.filter(pk=row.pk).values().get() == before


def test_nothing_can_be_deleted(desk: Client, lived_in: Task) -> None:
    for model, page in registered():
        row = page.get_queryset(None).first()
        if isinstance(page, Page) and row is not None:
            assert desk.post(address(model, "delete", row.pk)).status_code == 403


@pytest.mark.parametrize(
    ("page", "found_by"),
    [
        ("generations_task", lambda task: task.public_id),
        ("generations_task", lambda task: task.attempts.get(number=1).reference),
        ("generations_task", lambda task: task.deliveries.get().public_id),
        ("generations_task", lambda task: task.organization.public_id),
        ("generations_task", lambda task: task.api_key.public_id),
        ("generations_quote", lambda task: task.quote.public_id),
        ("generations_quote", lambda task: task.public_id),
        ("generations_attempt", lambda task: task.attempts.get(number=1).upstream_id),
        ("billing_transfer", lambda task: task.public_id),
        ("billing_wallet", lambda task: task.organization.public_id),
        ("generations_storedfile", lambda task: task.files.get(purpose="result").public_id),
        ("accounts_apikey", lambda task: task.api_key.public_id),
        ("accounts_organization", lambda task: "Acme"),
    ],
)  # fmt: skip
def test_rows_are_found_by_the_ids_that_customers_know(
    desk: Client, lived_in: Task, page: str, found_by: object
) -> None:
    url = reverse(f"admin:{page}_changelist")
    found = desk.get(url, {"q": found_by(lived_in)}).context["cl"].result_list
    assert len(found) >= 1
    missed = lived_in.public_id[:-4] + "zzzz" if page == "generations_task" else "org_" + "0" * 26
    assert list(desk.get(url, {"q": missed}).context["cl"].result_list) == []


def test_a_pasted_key_finds_its_row(desk: Client, alice: Person) -> None:
    found = desk.get(reverse("admin:accounts_apikey_changelist"), {"q": alice.secret}).context["cl"].result_list
    assert [key.pk for key in found] == [alice.key.pk]


def test_long_lists_are_never_counted(desk: Client, lived_in: Task, django_assert_max_num_queries: object) -> None:
    for page in ("generations_task", "billing_transfer", "generations_attempt", "generations_delivery"):
        with django_assert_max_num_queries(20) as seen:
            desk.get(reverse(f"admin:{page}_changelist"))
        table = page.split("_", 1)[1]
        counted = [one["sql"] for one in seen.captured_queries if "COUNT(" in one["sql"] and f"_{table}" in one["sql"]]
        assert counted == []


def test_an_organization_leads_to_everything_of_theirs(desk: Client, alice: Person) -> None:
    page = desk.get(address(Organization, "change", alice.organization.pk)).content.decode()
    for target in ("billing/wallet", "billing/transfer", "generations/task", "accounts/apikey", "generations/delivery"):
        assert f"/admin/{target}/" in page
    assert "alice@acme.example" in page


def test_edits_ask_for_a_reason_and_are_logged(desk: Client, alice: Person) -> None:
    url = address(Organization, "change", alice.organization.pk)
    form = desk.get(url).context["adminform"].form
    inline = {"memberships-TOTAL_FORMS": "0", "memberships-INITIAL_FORMS": "0"}
    given = {name: form[name].value() or "" for name in form.fields} | inline | {"running_limit": "7"}
    assert desk.post(url, given).status_code == 200
    assert Organization.objects.get(pk=alice.organization.pk).running_limit is None
    assert desk.post(url, given | {"reason": "They asked for it"}).status_code == 302
    assert Organization.objects.get(pk=alice.organization.pk).running_limit == 7
    entry = AuditEntry.objects.latest("pk")
    assert (entry.action, entry.reason) == ("organization.changed", "They asked for it")
    assert (entry.changes, entry.organization_id) == ({"running_limit": [None, 7]}, alice.organization.pk)


def test_only_operators_enter(client: Client, alice: Person, bob: Person) -> None:
    pages = [address(model, "changelist") for model, _ in registered()] + [reverse("admin:index")]
    for person in (None, alice, bob):
        if person is not None:
            client.force_login(person.membership.user)
        for url in pages:
            answer = client.get(url)
            assert answer.status_code == 302 and answer["Location"].startswith("/admin/login/"), url


def test_an_owner_cannot_sign_in_to_the_admin(client: Client, alice: Person) -> None:
    owner = alice.membership.user
    owner.set_password("a long enough password")
    owner.save(update_fields=["password"])
    door = client.get("/admin/login/?next=/admin/")
    assert door["Location"] == "/account/login/?next=%2Fadmin%2F"
    client.post(door["Location"], {"login": owner.email, "password": "a long enough password"})
    assert client.session["_auth_user_id"] == str(owner.pk)
    assert client.get("/admin/", follow=True).status_code == 403


def test_an_operator_signs_in_by_e_mail(client: Client, operator: User) -> None:
    """At the door of everybody, where wrong tries are counted. Whoever made the operator vouches for the address."""
    answer = client.post(
        "/account/login/?next=/admin/", {"login": operator.email, "password": "correct horse battery staple"}
    )
    assert answer["Location"] == "/admin/" and client.get("/admin/").status_code == 200


def test_an_operator_with_few_permissions_sees_and_does_only_those(client: Client, alice: Person) -> None:
    from django.contrib.auth.models import Permission  # noqa: PLC0415

    clerk = User.objects.create_user("carl@gateway.example", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_organization"))
    client.force_login(clerk)
    assert client.get(address(Organization, "change", alice.organization.pk)).status_code == 200
    assert client.get(f"/admin/accounts/organization/{alice.organization.pk}/suspend/").status_code == 403
    assert client.get(address(ApiKey, "changelist")).status_code == 403
    assert client.get(address(Membership, "changelist")).status_code == 403


def test_editable_pages_are_exactly_those_that_hold_no_money_and_no_states() -> None:
    editable = {model.__name__ for model, page in registered() if not isinstance(page, ReadOnly)}
    assert editable == EDITABLE
    assert all(isinstance(page, Editable) for model, page in registered() if model.__name__ in EDITABLE)


def test_an_audit_page_says_of_every_invariant_whether_it_holds(desk: Client, lived_in: Task) -> None:
    wallet = lived_in.organization.wallet
    Wallet.objects.filter(pk=wallet.pk).update(reserved=wallet.reserved + 1)
    run = audit.audit_all()
    page = desk.get(address(AuditRun, "change", run.pk)).content.decode()
    documented = re.findall(r"^\| (I\d+) \|.*auditor", (ROOT / "docs/billing.md").read_text(), re.MULTILINE)
    assert list(audits.INVARIANTS) == documented
    assert page.count(">holds<") == len(documented) - len({one["invariant"] for one in run.findings})
    assert f"/admin/billing/wallet/{wallet.pk}/change/" in page
