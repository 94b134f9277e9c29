"""The admin's first page: its figures are those of the books, its links lead to their rows."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from billing.models import AuditRun
from evolink_saas.dashboard import work
from evolink_saas.dashboard.waiting import COUNTED
from generations import alerts, breaker
from generations.models import Breaker, ProviderAccount, Task, WorkerPulse
from tests.cast import Person
from tests.generations.gateway import TEXT_TO_VIDEO

WAITS = re.compile(r'<li><a href="([^"]+)">([^<]+)</a><span class="dashboard-(\w+)">([^<]+)</span>')


def waits(client: Client) -> dict[str, tuple[str, str, str]]:
    """By its title: the address, good or bad, and the text."""
    found = WAITS.findall(client.get("/admin/").content.decode())
    return {unescape(title): (unescape(link), look, text) for link, title, look, text in found}


def clerk_with(*permissions: str) -> Client:
    user = User.objects.create_user("carl@gateway.example", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


def test_a_gateway_where_nothing_happened_has_an_empty_dashboard(desk: Client) -> None:
    page = desk.get("/admin/").content.decode()
    assert "No task is under way." in page and "There is no provider account yet." in page
    assert page.count("<p>$0.00</p>") >= 1
    found = waits(desk)
    assert found["Last audit"][1:] == ("bad", "never")
    assert found["Workers at work"][1:] == ("bad", "none")
    assert {found[one.title][1:] for one in COUNTED} == {("good", "none")}


def test_every_number_leads_to_a_page_with_as_many_rows(desk: Client, lived_in: Task) -> None:
    found = waits(desk)
    for one in COUNTED:
        link, look, text = found[one.title]
        rows = len(desk.get(link).context["cl"].result_list) if text != "none" else 0
        assert (look == "bad") == (text != "none"), one.title
        if one.query and text != "none":
            assert int(text) == rows, one.title
    assert {found[title][2] for title in ("Open alerts", "Grants that wait for a second operator")} != {"none"}


def test_the_days_figures_are_those_of_the_books(desk: Client, finished: Task) -> None:
    page = re.sub(r"<a [^>]+>|</a>", "", desk.get("/admin/").content.decode())
    assert "<h3>Tasks completed</h3><p>1</p><small>yesterday 0</small>" in page
    assert "<h3>Tasks failed</h3><p>0</p>" in page
    assert re.search(r"<h3>Upstream cost</h3><p>\$\d+\.\d\d</p>", page)


def test_open_work_is_told_by_model(desk: Client, alice: Person, gateway: object) -> None:
    answer = alice.client.post("/v1/videos/generations", TEXT_TO_VIDEO)
    assert answer.status_code == 200
    page = desk.get("/admin/").content.decode()
    assert f"&amp;model__exact={TEXT_TO_VIDEO['model']}" in page
    assert '<td class="text">0 min</td>' in page


def test_money_is_for_those_who_may_read_reports(db: None) -> None:
    page = clerk_with("view_alert").get("/admin/").content.decode()
    assert "Revenue" not in page.partition("<main")[2] or "report-card" not in page
    assert "Open alerts" in page and "Frozen wallets" not in page and "Work under way" not in page


def test_a_side_bar_count_of_nothing_is_not_shown(desk: Client) -> None:
    badge = "min-w-[18px]"
    assert badge not in desk.get("/admin/").content.decode()
    alerts.tell("unknown-status-word", "kling", "The provider said `paused`.")
    assert desk.get("/admin/").content.decode().count(badge) >= 1


def test_how_an_account_stands_is_said_in_words(lived_in: Task) -> None:
    now, account = timezone.now(), ProviderAccount.objects.get(pk=lived_in.attempts.get(number=1).account_id)
    assert work.state(account, account.breakers.all(), now) == "takes work"
    Breaker.objects.filter(account=account).update(rest_until=now + timedelta(minutes=1))
    assert work.state(account, account.breakers.all(), now).startswith("resting: ")
    breaker.trip(account, Breaker.ALL, "They announced it", until=None)
    assert work.state(account, account.breakers.all(), now) == "breaker open: everything"
    account.draining = True
    assert work.state(account, account.breakers.all(), now).startswith("draining")
    account.enabled = False
    assert work.state(account, account.breakers.all(), now) == "off"


@pytest.mark.parametrize(
    ("minutes", "words"), [(0, "0 min"), (59, "59 min"), (61, "1 h 1 min"), (60 * 24 * 2 + 60, "2 d 1 h")]
)
def test_ages(minutes: int, words: str) -> None:
    now = timezone.now()
    assert work.age(now, now - timedelta(minutes=minutes)) == words


def test_a_dirty_audit_and_silent_workers_stand_out(desk: Client) -> None:
    now = timezone.now()
    finding = {"invariant": "I1", "subject": "x", "problem": "y"}
    AuditRun.objects.create(scope="all", findings=[finding], started_at=now, finished_at=now)
    WorkerPulse.objects.create(worker="old", claimed_at=now - timedelta(hours=1))
    found = waits(desk)
    assert found["Last audit"][1:] == ("bad", "1 finding, 0 min ago")
    assert found["Workers at work"][1] == "bad"
    WorkerPulse.objects.create(worker="new", claimed_at=now)
    assert waits(desk)["Workers at work"][1:] == ("good", "1")


def test_it_takes_few_questions(
    desk: Client, lived_in: Task, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_max_num_queries(40):
        desk.get("/admin/")
