"""The page of the audit log: it filters, exports what it shows, and nobody but an operator who may sees it."""

import csv
from io import StringIO

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from accounts import audit_log, keys, members, organizations
from accounts.audit_csv import ROWS_AT_A_TIME
from accounts.models import AuditEntry, Organization, Role, User
from tests.admin.conftest import PASSWORD
from tests.cast import Person

LIST, EXPORT = "/admin/accounts/auditentry/", "/admin/accounts/auditentry/export/"


def shown(desk: Client, **filters: str) -> list[str]:
    return [entry.action for entry in desk.get(LIST, filters).context["cl"].result_list]


def exported(desk: Client, **filters: str) -> list[dict[str, str]]:
    answer = desk.get(EXPORT, filters)
    assert answer.status_code == 200 and "no-store" in answer["Cache-Control"]
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(StringIO(text)))


@pytest.fixture
def history(desk: Client, alice: Person, bob: Person, charlie: Person) -> AuditEntry:
    """A key that alice made over the API, and a role that an operator changed."""
    alice.client.post("/v1/keys", {"name": "CI", "scopes": ["read"]}, headers={"x-request-id": "request-4711"})
    url = reverse("admin:accounts_membership_change_role", args=[bob.membership.pk])
    assert desk.post(url, {"role": "admin", "reason": "Ticket 9"}).status_code == 302
    return AuditEntry.objects.latest("pk")


def test_the_list_is_filtered_by_organization_actor_action_and_time(
    desk: Client, history: AuditEntry, alice: Person, charlie: Person
) -> None:
    of_acme = shown(desk, organization=alice.organization.public_id)
    assert of_acme[:2] == ["member.role_changed", "key.created"] == shown(desk, organization="Acme")[:2]
    of_zenith = shown(desk, organization=charlie.organization.public_id)
    assert of_zenith == ["key.created", "member.added", "organization.opened"]
    assert shown(desk, by="olga@gateway.example") == ["member.role_changed"]
    assert shown(desk, by=alice.key.public_id) == ["key.created"]
    assert shown(desk, did="member.role_changed") == ["member.role_changed"]
    assert set(shown(desk, did="member.")) == {"member.role_changed", "member.added"}
    assert shown(desk, q="request-4711") == ["key.created"]
    assert shown(desk, at_from_0="2000-01-01", at_from_1="00:00", at_to_0="2000-01-02", at_to_1="00:00") == []


def test_an_entry_shows_everything_and_links_to_the_organization(desk: Client, history: AuditEntry) -> None:
    page = desk.get(f"{LIST}{history.pk}/change/").content.decode()
    for text in ("role: developer → admin", "Ticket 9", "olga@gateway.example", "127.0.0.1", history.target_id):
        assert text in page
    assert f"/admin/accounts/organization/{history.organization_id}/change/" in page


def test_the_history_of_a_row_is_what_the_log_holds_of_it(desk: Client, history: AuditEntry, bob: Person) -> None:
    answer = desk.get(reverse("admin:accounts_membership_history", args=[bob.membership.pk]), follow=True)
    assert [entry.action for entry in answer.context["cl"].result_list] == ["member.role_changed", "member.added"]


def test_the_export_holds_what_the_list_shows(desk: Client, history: AuditEntry, alice: Person) -> None:
    rows = exported(desk, organization=alice.organization.public_id, did="member.role_changed")
    assert [(row["entry"], row["actor"], row["changes"]) for row in rows] == [
        (str(history.pk), "olga@gateway.example", '{"role": ["developer", "admin"]}')
    ]
    assert rows[0]["organization_id"] == alice.organization.public_id
    page = desk.get(LIST, {"did": "member."}).content.decode()
    assert f"{EXPORT}?did=member." in page


def test_a_name_that_would_be_a_formula_is_harmless_in_the_export(desk: Client, alice: Person) -> None:
    Organization.objects.filter(pk=alice.organization.pk).update(name='=HYPERLINK("http://evil.example")')
    organizations.suspend(Organization.objects.get(pk=alice.organization.pk), "+1 for this")
    row = exported(desk, did="organization.suspended")[0]
    assert (row["organization"], row["reason"]) == ('\'=HYPERLINK("http://evil.example")', "'+1 for this")


def test_a_long_log_is_exported_whole(desk: Client, db: None) -> None:
    for number in range(ROWS_AT_A_TIME + 3):
        audit_log.record(action="test.done", reason=str(number))
    found = [row["reason"] for row in exported(desk, did="test.done")]
    assert found == [str(number) for number in range(ROWS_AT_A_TIME + 3)]


def test_only_who_may_see_the_log_sees_and_exports_it(client: Client, history: AuditEntry) -> None:
    clerk = User.objects.create_user("carl@gateway.example", is_staff=True)
    client.force_login(clerk)
    assert [client.get(url).status_code for url in (LIST, EXPORT)] == [403, 403]
    clerk.user_permissions.add(Permission.objects.get(codename="view_auditentry"))
    assert [client.get(url).status_code for url in (LIST, EXPORT)] == [200, 200]


def test_nobody_changes_an_entry_on_its_page(desk: Client, history: AuditEntry) -> None:
    assert desk.post(f"{LIST}{history.pk}/change/", {"reason": "another"}).status_code == 403
    assert desk.post(f"{LIST}add/", {"reason": "another"}).status_code == 403


def test_a_password_is_changed_with_a_reason_and_never_logged(desk: Client, alice: Person) -> None:
    person, url = alice.membership.user, f"/admin/accounts/user/{alice.membership.user.pk}/password/"
    given = {"password1": PASSWORD, "password2": PASSWORD}
    assert "reason" in desk.get(url).context["form"].fields
    assert desk.post(url, given).status_code == 200
    assert not User.objects.get(pk=person.pk).has_usable_password()
    assert desk.post(url, given | {"reason": "Locked out"}).status_code == 302
    assert User.objects.get(pk=person.pk).check_password(PASSWORD)
    entry = AuditEntry.objects.latest("pk")
    assert (entry.action, entry.reason, entry.changes) == ("user.changed", "Locked out", {"password": [None, "…"]})


def test_a_new_operator_and_new_powers_are_logged(desk: Client, alice: Person) -> None:
    given = {"email": "otto@gateway.example", "usable_password": "true", "reason": "Hired"}
    assert desk.post("/admin/accounts/user/add/", given | {"password1": PASSWORD, "password2": PASSWORD})
    otto = User.objects.get(email="otto@gateway.example")
    entry = AuditEntry.objects.latest("pk")
    assert (entry.action, entry.target, entry.reason) == ("user.added", otto.email, "Hired")
    assert PASSWORD not in str(entry.changes)
    power = Permission.objects.get(codename="view_organization")
    edit = {"email": otto.email, "is_active": "on", "is_staff": "on", "user_permissions": [power.pk], "reason": "Desk"}
    assert desk.post(f"/admin/accounts/user/{otto.pk}/change/", edit).status_code == 302
    changes = AuditEntry.objects.latest("pk").changes
    assert changes == {"is_staff": [False, True], "user_permissions": [[], [str(power)]]}


def test_an_organizations_new_group_is_told_by_name(desk: Client, alice: Person) -> None:
    for name in ("silver",):
        made = desk.post("/admin/accounts/usergroup/add/", {
            "name": name, "label": "", "max_files": "150", "reason": "New group",
        })  # fmt: skip
        assert made.status_code == 302
    entry = AuditEntry.objects.latest("pk")
    assert (entry.action, entry.changes["max_files"]) == ("usergroup.added", [None, 150])
    url = f"/admin/accounts/organization/{alice.organization.pk}/change/"
    form = desk.get(url).context["adminform"].form
    inline = {"memberships-TOTAL_FORMS": "0", "memberships-INITIAL_FORMS": "0"}
    given = {name: form[name].value() or "" for name in form.fields} | inline
    group = alice.organization.user_group._meta.model.objects.get(name="silver")
    assert desk.post(url, given | {"user_group": group.pk, "reason": "They pay more"}).status_code == 302
    assert AuditEntry.objects.latest("pk").changes == {"user_group": ["default", "silver"]}


def test_an_operator_who_acts_for_an_owner_stands_in_the_log_as_himself(desk: Client, bob: Person) -> None:
    url = reverse("admin:accounts_apikey_disable", args=[bob.key.pk])
    assert desk.post(url, {"reason": "Leaked"}).status_code == 302
    entry = AuditEntry.objects.latest("pk")
    assert (entry.action, entry.actor, entry.reason) == ("key.changed", "olga@gateway.example", "Leaked")
    assert keys.find(bob.secret).enabled is False
    assert members.change_role(bob.membership, Role.VIEWER).role == Role.VIEWER
    assert AuditEntry.objects.latest("pk").actor_kind == "system"
