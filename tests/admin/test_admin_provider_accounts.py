"""Provider accounts are added and edited with what can be routed by; credentials go in and never come out."""

import json

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEntry
from generations.models import (
    ProviderAccount,
)
from tests.admin.acted_upon import REASON, acts

ACCOUNT_FORM = {
    "name": "kling-1",
    "alias": "kling",
    "provider": "kling",
    "base_url": "https://api.example.com",
    "serves": "live",
    "caps": "{}",
    "costs": "{}",
    "rates": "{}",
    "weight": "1",
    "credentials": json.dumps({"api_key": "hush-hush"}),
    "reason": REASON,
}


def test_credentials_go_in_and_never_come_out(desk: Client) -> None:
    given = {name: value for name, value in ACCOUNT_FORM.items() if name != "credentials"}
    add = reverse("admin:generations_provideraccount_add")
    assert desk.post(add, given).status_code == 200 and not ProviderAccount.objects.exists()
    assert desk.post(add, ACCOUNT_FORM).status_code == 302
    made = ProviderAccount.objects.get()
    assert made.caller().credentials == {"api_key": "hush-hush"}
    page = reverse("admin:generations_provideraccount_change", args=[made.pk])
    assert "hush-hush" not in desk.get(page).content.decode()
    assert desk.post(page, given | {"alias": "other"}).status_code == 302
    made.refresh_from_db()
    assert made.alias == "other" and made.caller().credentials == {"api_key": "hush-hush"}
    assert [one.action for one in acts()] == ["provideraccount.added", "provideraccount.changed"]
    assert acts()[0].changes["credentials"] == [None, "…"] and "hush" not in str(AuditEntry.objects.values())


def test_credentials_lose_the_white_space_around_them(desk: Client) -> None:
    pasted = json.dumps({"api_key": " hush-hush\n", "webhook_secret": "\twhsec_x \r\n"})
    add = reverse("admin:generations_provideraccount_add")
    assert desk.post(add, ACCOUNT_FORM | {"credentials": pasted}).status_code == 302
    assert ProviderAccount.objects.get().caller().credentials == {"api_key": "hush-hush", "webhook_secret": "whsec_x"}


@pytest.mark.parametrize("character", ["\n", "\r", "\0", "\x7f", "\u2028", "\ud800"])
def test_credentials_with_control_characters_are_refused_and_not_shown(desk: Client, character: str) -> None:
    spoilt = json.dumps({"webhook_secret": "fine", "api_key": f"hush{character}hush"})
    add = reverse("admin:generations_provideraccount_add")
    answer = desk.post(add, ACCOUNT_FORM | {"credentials": spoilt})
    assert answer.status_code == 200 and not ProviderAccount.objects.exists()
    page = answer.content.decode()
    assert "There is a control character, such as a new line, in: api_key." in page
    assert "hush" not in page


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("caps", "[5]"),
        ("caps", '{"*": "five"}'),
        ("caps", '{"*": true}'),
        ("caps", '{"*": -1}'),
        ("caps", '{"*": 1.5}'),
        ("costs", '["0.084"]'),
        ("costs", '{"kling-v3-text-to-video": "0.084"}'),
        ("costs", '{"kling-v3-text-to-video": {"720p_off": "cheap"}}'),
        ("costs", '{"kling-v3-text-to-video": {"720p_off": null}}'),
        ("costs", '{"kling-v3-text-to-video": {"720p_off": "-1"}}'),
        ("costs", '{"kling-v3-text-to-video": {"720p_off": "NaN"}}'),
        ("rates", '["0.14"]'),
        ("rates", '{"unit": "-1"}'),
        ("rates", '{"unit": "much"}'),
    ],
)
def test_caps_and_costs_that_no_task_could_be_routed_by_are_refused(desk: Client, field: str, value: str) -> None:
    add = reverse("admin:generations_provideraccount_add")
    answer = desk.post(add, ACCOUNT_FORM | {field: value})
    assert answer.status_code == 200 and list(answer.context["adminform"].form.errors) == [field]
    assert not ProviderAccount.objects.exists()


@pytest.mark.parametrize("nothing", ["", "[]", "null", "{}"])
def test_an_account_may_be_without_caps_and_costs(desk: Client, nothing: str) -> None:
    given = ACCOUNT_FORM | {"caps": nothing, "costs": nothing, "rates": nothing}
    assert desk.post(reverse("admin:generations_provideraccount_add"), given).status_code == 302
    made = ProviderAccount.objects.get()
    assert (made.caps, made.costs, made.rates) == ({}, {}, {})


def test_an_account_is_kept_without_the_slash_at_the_end_of_its_address(desk: Client) -> None:
    costs = {"kling-v3-text-to-video": {"720p_off": "0.084", "720p_on": 0.1}}
    given = ACCOUNT_FORM | {"base_url": "https://api.example.com/", "caps": '{"*": 20}', "costs": json.dumps(costs)}
    assert desk.post(reverse("admin:generations_provideraccount_add"), given).status_code == 302
    made = ProviderAccount.objects.get()
    assert (made.base_url, made.caps, made.costs) == ("https://api.example.com", {"*": 20}, costs)
