"""The line above the public pages: written by operators, in every language, from a moment until another."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from accounts import announcements
from accounts.models import Announcement, AuditEntry, User
from tests.site.conftest import Look

pytestmark = pytest.mark.django_db

KLING_3, ADD = "/models/kling-3", "/admin/accounts/announcement/add/"
WORDS = {"text_en": "Kling 3.0 has <b>sound</b>", "text_zh_hans": "Kling 3.0 支持声音"}
DAY = timedelta(days=1)


def announce(**changes: object) -> Announcement:
    return Announcement.objects.create(**WORDS | changes)


@pytest.fixture
def desk(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("olga@gateway.example", "correct horse battery staple"))
    return client


@pytest.mark.parametrize("path", [KLING_3, "/models", "/models/kling-custom-element"])
def test_it_stands_above_every_public_page_in_the_readers_language(look: Look, path: str) -> None:
    announce(link="/docs")
    assert "Kling 3.0 has <b>sound</b>" in look(path).text
    page = look(path, lang="zh-hans")
    assert "Kling 3.0 支持声音" in page.text and "has <b>sound" not in page.text


@pytest.mark.parametrize(
    "changes",
    [
        {"enabled": False},
        {"starts_at": timezone.now() + DAY},
        {"starts_at": timezone.now() - 2 * DAY, "ends_at": timezone.now() - DAY},
    ],
)
def test_what_is_disabled_or_to_come_or_over_is_not_shown(look: Look, changes: dict[str, object]) -> None:
    announce(**changes)
    assert "has <b>sound" not in look(KLING_3).text


def test_of_several_the_youngest_is_shown(look: Look) -> None:
    announce(text_en="Older", starts_at=timezone.now() - DAY)
    announce(text_en="Younger", starts_at=timezone.now() - timedelta(hours=1))
    announce(text_en="Oldest", starts_at=timezone.now() - 2 * DAY)
    page = look(KLING_3)
    assert "Younger" in page.text and "Older" not in page.text and "Oldest" not in page.text


def test_a_language_without_a_text_reads_english() -> None:
    assert announcements.text(Announcement(**WORDS), "fr") == WORDS["text_en"]


def test_an_operator_writes_one_with_a_reason_and_it_is_logged(desk: Client, look: Look) -> None:
    given = WORDS | {"link": "/docs", "starts_at_0": "2026-01-01", "starts_at_1": "00:00", "enabled": "on"}
    assert desk.post(ADD, given).status_code == 200
    assert not Announcement.objects.exists()
    assert desk.post(ADD, given | {"reason": "The launch"}).status_code == 302
    entry = AuditEntry.objects.latest("pk")
    assert (entry.action, entry.reason) == ("announcement.added", "The launch")
    assert entry.changes["text_en"] == [None, WORDS["text_en"]]
    page = look(KLING_3)
    assert page.links[1] == "/docs" and WORDS["text_en"] in page.text


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "//elsewhere.example", "http://plain.example", "/\\elsewhere", "docs"]
)
def test_a_link_leads_to_us_or_to_https(desk: Client, link: str) -> None:
    given = WORDS | {"link": link, "starts_at_0": "2026-01-01", "starts_at_1": "00:00", "reason": "R"}
    assert "Write a path of ours" in desk.post(ADD, given).content.decode()
    assert not Announcement.objects.exists()


def test_it_cannot_end_before_it_starts(desk: Client) -> None:
    times = {"starts_at_0": "2026-01-02", "starts_at_1": "00:00", "ends_at_0": "2026-01-01", "ends_at_1": "00:00"}
    assert "It must end after it starts." in desk.post(ADD, WORDS | times | {"reason": "R"}).content.decode()
    with pytest.raises(IntegrityError), transaction.atomic():
        announce(ends_at=timezone.now() - DAY)
    with pytest.raises(IntegrityError), transaction.atomic():
        announce(text_zh_hans="")
