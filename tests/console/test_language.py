"""The language of a page: chosen, else kept with the person, else what the browser asks for. The API speaks English."""

import pytest
from django.test import Client

from accounts.models import User
from tests.cast import Person
from tests.console.signing import a_login, newcomer, sign_in
from tests.console.visitors import Visitor

pytestmark = pytest.mark.django_db
ENGLISH, CHINESE = "<h1>Sign in</h1>", "<h1>登录</h1>"


def page(client: Client, path: str = "/account/login/") -> str:
    return client.get(path).content.decode()


@pytest.mark.parametrize(
    ("asked", "heading"),
    [
        ("en", ENGLISH),
        ("zh-CN,zh;q=0.9,en;q=0.8", CHINESE),
        ("zh-Hans", CHINESE),
        ("fr-FR,fr;q=0.9", ENGLISH),
        ("fr,zh-CN;q=0.5", CHINESE),
        ("", ENGLISH),
    ],
)
def test_a_visitor_reads_what_the_browser_asks_for(asked: str, heading: str) -> None:
    client = newcomer(asked)
    answer = client.get("/account/login/")
    assert heading in answer.content.decode()
    assert answer["Content-Language"] == ("zh-hans" if heading == CHINESE else "en")
    assert "Accept-Language" in answer["Vary"]


def test_a_choice_wins_over_the_browser_and_leads_back() -> None:
    client = newcomer("en")
    answer = client.post("/preferences/language", {"language": "zh-hans", "next": "/account/login/?next=/console/me"})
    assert answer["Location"] == "/account/login/?next=/console/me"
    assert CHINESE in page(client)
    assert 'lang="zh-hans"' in page(client)


def test_a_choice_is_kept_with_whoever_is_signed_in_and_follows_to_another_browser() -> None:
    a_login()
    client = newcomer("en")
    sign_in(client)
    client.post("/preferences/language", {"language": "zh-hans"})
    assert User.objects.get().language == "zh-hans"
    elsewhere = newcomer("en")
    sign_in(elsewhere)
    assert "我的账号" in page(elsewhere, "/console/me")


@pytest.mark.parametrize(("language", "back"), [("xx", "/account/login/"), ("zh-hans", "https://evil.example/")])
def test_what_is_not_ours_is_not_followed(language: str, back: str) -> None:
    client = newcomer("en")
    answer = client.post("/preferences/language", {"language": language, "next": back})
    assert answer["Location"] == ("/account/login/" if back == "/account/login/" else "/console/")
    assert (ENGLISH if language == "xx" else CHINESE) in page(client)


def test_looking_changes_no_preference() -> None:
    assert newcomer().get("/preferences/language?language=zh-hans").status_code == 405
    assert newcomer().get("/preferences/theme?look=dark").status_code == 405


def test_the_look_is_remembered_and_only_one_that_exists() -> None:
    client = newcomer()
    client.post("/preferences/theme", {"look": "dark"})
    assert 'data-theme="dark"' in page(client)
    client.post("/preferences/theme", {"look": '"><script>'})
    assert 'data-theme="dark"' in page(client)
    client.cookies["look"] = '"><script>'
    assert "<script>" not in page(client) and "data-theme" not in page(client)


def test_preferences_are_a_page_with_errors_beside_their_fields(owner: Visitor, alice: Person) -> None:
    fields = {"name": "Alice", "language": "en", "time_zone": "Asia/Shanghai"}
    assert owner.client.post("/console/me", fields)["Location"] == "/console/me"
    alice.membership.user.refresh_from_db()
    assert (alice.membership.user.name, alice.membership.user.time_zone) == ("Alice", "Asia/Shanghai")
    refused = owner.client.post("/console/me", fields | {"time_zone": "Mars/Olympus"})
    assert refused.status_code == 400 and "Select a valid choice." in refused.content.decode()


def test_the_api_speaks_english_whatever_a_library_asks_for(alice: Person) -> None:
    alice.client.credentials(HTTP_AUTHORIZATION="Bearer x", HTTP_ACCEPT_LANGUAGE="zh-CN")
    refused = alice.client.get("/v1/credits")
    assert refused.json()["error"]["code"] == "invalid_api_key"
    assert refused.json()["error"]["message"].isascii()
    assert "Content-Language" not in refused


def test_the_admin_speaks_english() -> None:
    client = newcomer("zh-CN")
    client.force_login(User.objects.create_superuser("olga@gateway.example", "correct horse battery"))
    assert "Operators" in page(client, "/admin/")
    assert "站点" not in page(client, "/admin/")


def test_what_is_not_there_says_so_in_the_visitors_language(alice: Person) -> None:
    client = newcomer("zh-CN")
    client.force_login(alice.membership.user)
    answer = client.get("/console/org_x/")
    assert answer.status_code == 404
    assert "页面不存在" in answer.content.decode()
