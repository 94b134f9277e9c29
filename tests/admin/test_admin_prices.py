"""Operators change prices: a draft edited cell by cell, its preview, what groups and organizations pay instead."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts import organizations
from accounts.models import AuditEntry
from billing import drafts, overrides, price_book
from billing.models import PriceDraft, PriceOverride, PriceVersion
from generations.models import Task
from tests.cast import Person

REASON = "Ticket 4711"
T2V = "kling-v3-text-to-video"
START = "/admin/billing/pricedraft/start/"
MULTIPLIER, EXACT = "/admin/billing/priceoverride/multiplier/", "/admin/billing/priceoverride/exact-price/"
FAR = datetime(2099, 1, 1, tzinfo=UTC)


@pytest.fixture
def draft(prices: None) -> PriceDraft:
    return drafts.start("Dearer in spring")


def page_of(row: Any) -> str:
    return reverse(f"admin:billing_{row._meta.model_name}_change", args=[row.pk])


def form(desk: Client, draft: PriceDraft) -> dict[str, Any]:
    """What the draft's page sends when nothing was touched."""
    context = desk.get(page_of(draft)).context
    (cells,) = context["inline_admin_formsets"]
    given = {field.html_name: field.value() for field in cells.formset.management_form}
    for one in cells.formset.forms:
        given |= {field.html_name: field.value() for field in one}
    return {name: value for name, value in given.items() if value is not None} | {"reason": REASON}


def field(draft: PriceDraft, given: dict[str, Any], cell: str, name: str) -> str:
    """What the form calls this column of a cell of text to video."""
    key = str(draft.cells.get(model=T2V, cell=cell).pk)
    (prefix,) = [one for one, value in given.items() if one.endswith("-id") and str(value) == key]
    return prefix.removesuffix("id") + name


def test_a_draft_begins_with_a_note_and_a_reason(desk: Client, prices: None) -> None:
    assert desk.post(START, {"note": "Dearer", "reason": ""}).status_code == 200
    assert not PriceDraft.objects.exists()
    answer = desk.post(START, {"note": "Dearer", "reason": REASON})
    made = PriceDraft.objects.get()
    assert answer["Location"] == page_of(made)
    entry = AuditEntry.objects.get(action="price_draft.started")
    assert (entry.reason, entry.target, entry.actor) == (REASON, "Dearer", "olga@gateway.example")


def test_cells_are_edited_on_the_drafts_page_and_the_log_says_what_changed(desk: Client, draft: PriceDraft) -> None:
    given = form(desk, draft)
    given[field(draft, given, "720p_off", "rate")] = "6"
    given[field(draft, given, "4k_off", "factor")] = "4.5"

    assert desk.post(page_of(draft), given | {"reason": ""}).status_code == 200
    assert set(draft.cells.filter(model=T2V).values_list("rate", flat=True)) == {Decimal("5.4")}
    assert desk.post(page_of(draft), given).status_code == 302

    assert draft.cells.get(model=T2V, cell="720p_off").rate == 6
    assert draft.cells.get(model=T2V, cell="4k_off").factor == Decimal("4.5")
    entry = AuditEntry.objects.get(action="price_draft.changed")
    assert entry.reason == REASON
    assert entry.changes == {f"{T2V} 720p_off rate": ["5.4", "6"], f"{T2V} 4k_off factor": ["5", "4.5"]}
    page = desk.get(page_of(draft)).content.decode()
    assert page.count("(changed)") == 2 and "5.4000 × 5.0000 (changed)" in page


@pytest.mark.parametrize("wrong", ["-1", "", "free", "5.00001"])
def test_what_is_no_price_is_refused(desk: Client, draft: PriceDraft, wrong: str) -> None:
    given = form(desk, draft)
    given[field(draft, given, "720p_off", "rate")] = wrong
    assert desk.post(page_of(draft), given).status_code == 200
    assert draft.cells.get(model=T2V, cell="720p_off").rate == Decimal("5.4")


def test_a_draft_that_was_scheduled_meanwhile_is_read_only(desk: Client, draft: PriceDraft) -> None:
    given = form(desk, draft)
    given[field(draft, given, "720p_off", "rate")] = "6"
    drafts.change_by_percent(draft, T2V, 10)
    version = drafts.schedule(draft, FAR)

    assert desk.post(page_of(draft), given).status_code == 403
    page = desk.get(page_of(draft))
    assert page.status_code == 200 and 'name="reason"' not in page.content.decode()
    assert set(version.cells.filter(model=T2V).values_list("rate", flat=True)) == {Decimal("5.94")}
    assert draft.cells.get(model=T2V, cell="720p_off").rate == Decimal("5.94")


def test_who_came_second_is_told_and_nothing_is_scheduled(desk: Client, draft: PriceDraft) -> None:
    drafts.change_by_percent(draft, T2V, 10)
    drafts.schedule(_another(), FAR)
    url = reverse("admin:billing_pricedraft_schedule", args=[draft.pk])

    answer = desk.post(url, {"effective_at": "2099-02-01T00:00", "reason": REASON})

    assert answer.status_code == 200 and "Another price change came first" in answer.content.decode()
    assert PriceVersion.objects.count() == 2


def _another() -> PriceDraft:
    other = drafts.start("Another")
    drafts.change_by_percent(other, T2V, 20)
    return other


def test_the_past_is_refused(desk: Client, draft: PriceDraft, alice: Person) -> None:
    drafts.change_by_percent(draft, T2V, 10)
    schedule = reverse("admin:billing_pricedraft_schedule", args=[draft.pk])
    multiplier = {"organization": alice.organization.public_id, "multiplier": "0.9"}
    for url, given in ((schedule, {}), (MULTIPLIER, multiplier)):
        answer = desk.post(url, given | {"effective_at": "2020-01-01T00:00", "reason": REASON})
        assert answer.status_code == 200 and "lies in the past" in answer.content.decode()
    assert (PriceVersion.objects.count(), PriceOverride.objects.count()) == (1, 0)


def test_the_preview_names_organizations_credits_percent_and_points(desk: Client, finished: Task) -> None:
    draft = drafts.start("Dearer in spring")
    drafts.change_by_percent(draft, finished.model, 12)
    url = reverse("admin:billing_pricedraft_preview", args=[draft.pk])
    assert url in desk.get(page_of(draft)).content.decode()

    page = desk.get(url).content.decode()

    for text in ("with the draft: 1.", "Acme", finished.model, "27.00", "30.24", "+12.0", "points", "UTC"):
        assert text in page, text


def test_the_preview_of_nothing_says_so(desk: Client, draft: PriceDraft) -> None:
    page = desk.get(reverse("admin:billing_pricedraft_preview", args=[draft.pk]))
    assert page.status_code == 200 and "No task was completed in these days." in page.content.decode()
    assert desk.get(reverse("admin:billing_pricedraft_preview", args=[draft.pk + 1])).status_code == 404


def test_the_preview_is_for_operators(client: Client, draft: PriceDraft, alice: Person) -> None:
    client.force_login(alice.membership.user)
    answer = client.get(reverse("admin:billing_pricedraft_preview", args=[draft.pk]))
    assert answer.status_code == 302 and answer["Location"].startswith("/admin/login/")


def test_an_organization_or_a_group_is_given_a_multiplier(desk: Client, alice: Person) -> None:
    organization, group = alice.organization, alice.organization.user_group
    given: Any
    for given in ({}, {"user_group": group.pk, "organization": organization.public_id}, {"organization": "org_x"}):
        assert desk.post(MULTIPLIER, given | {"multiplier": "0.9", "reason": REASON}).status_code == 200
    assert not PriceOverride.objects.exists()

    for given in ({"user_group": group.pk}, {"organization": organization.public_id}):
        answer = desk.post(MULTIPLIER, given | {"multiplier": "0.9", "reason": REASON})
        assert answer["Location"] == page_of(PriceOverride.objects.latest("pk"))
    rows = PriceOverride.objects.order_by("pk")
    assert [(row.user_group, row.organization) for row in rows] == [(group, None), (None, organization)]
    assert [(row.multiplier, row.reason) for row in rows] == [(Decimal("0.9"), REASON)] * 2


def test_an_exact_price_is_for_a_model_and_an_empty_one_ends_it(desk: Client, alice: Person, prices: None) -> None:
    given = {"organization": alice.organization.public_id, "model": T2V, "rate": "4.8", "reason": REASON}
    assert desk.post(EXACT, given | {"model": "kling-v9"}).status_code == 200
    assert desk.post(EXACT, given).status_code == 302
    assert desk.post(EXACT, given | {"rate": ""}).status_code == 302

    assert list(PriceOverride.objects.order_by("pk").values_list("rate", flat=True)) == [Decimal("4.8"), None]
    page = desk.get("/admin/billing/priceoverride/").content.decode()
    assert f"4.8 for {T2V}" in page and f"{T2V} without an exact rate" in page
    assert page.count("in effect") >= 1 and "past" in page


def test_a_sandbox_twin_is_refused(desk: Client, alice: Person) -> None:
    twin = organizations.sandbox_twin(alice.organization)
    answer = desk.post(MULTIPLIER, {"organization": twin.public_id, "multiplier": "0.9", "reason": REASON})
    assert answer.status_code == 200 and "sandbox twin" in answer.content.decode()
    assert not PriceOverride.objects.exists()


def test_the_pages_of_organizations_and_groups_lead_to_their_prices(desk: Client, alice: Person, prices: None) -> None:
    organization, group = alice.organization, alice.organization.user_group
    overrides.set_multiplier(organization, Decimal("0.9"), reason="test")
    for page, query in (
        (f"/admin/accounts/organization/{organization.pk}/change/", f"organization__id__exact={organization.pk}"),
        (f"/admin/accounts/usergroup/{group.pk}/change/", f"user_group__id__exact={group.pk}"),
    ):
        assert f"/admin/billing/priceoverride/?{query}" in desk.get(page).content.decode()
        assert desk.get(f"/admin/billing/priceoverride/?{query}").status_code == 200


def test_versions_say_where_they_come_from_and_what_they_are(desk: Client, draft: PriceDraft) -> None:
    drafts.change_by_percent(draft, T2V, 10)
    version = drafts.schedule(draft, FAR)
    page = desk.get("/admin/billing/priceversion/").content.decode()
    for text in ("in effect", "scheduled", "the price book", "Dearer in spring"):
        assert text in page, text
    price_book.withdraw(version, "Too early")
    assert "Too early" in desk.get(page_of(version)).content.decode()
