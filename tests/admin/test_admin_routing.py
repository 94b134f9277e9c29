"""Operators see why a task waits, stop what must be stopped, and say how much may be lost."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEntry
from generations import breaker, lifecycle, switches
from generations.models import Breaker, KillSwitch, MarginGuard, ProviderAccount, Task
from generations.providers.base import Plan, ProviderRefused
from tests.cast import Person

SWITCH_OFF = "admin:generations_killswitch_switch_off"
GIVEN = {"message": "We are working on it.", "reason": "Ticket 4711"}


def text_of(desk: Client, page: str, *key: object) -> str:
    return desk.get(reverse(f"admin:generations_{page}", args=key)).content.decode()


@pytest.fixture
def account(task: Task) -> ProviderAccount:
    return ProviderAccount.objects.get(name="simulator-live")


def test_a_task_that_waits_says_why_it_does_so_now(desk: Client, task: Task, account: ProviderAccount) -> None:
    assert "can take it" in text_of(desk, "task_change", task.pk)
    breaker.trip(account, "*", "their status page says so", until=None)
    assert "tripped: their status page says so" in text_of(desk, "task_change", task.pk)
    breaker.reset_all(account)
    switches.set_on(model=task.model, reason="too many bad results", message="Back soon.")
    assert "the model is switched off: too many bad results" in text_of(desk, "task_change", task.pk)


def test_a_task_that_its_organizations_limit_keeps_back_says_so(desk: Client, task: Task, alice: Person) -> None:
    alice.organization.running_limit = 0
    alice.organization.save(update_fields=["running_limit"])
    assert "1 of its tasks must end first" in text_of(desk, "task_change", task.pk)


def test_a_task_that_is_under_way_or_over_waits_for_nothing(desk: Client, task: Task, account: ProviderAccount) -> None:
    lifecycle.begin_attempt(task, account, plan=Plan(route="/x"), choice=[], cost_estimate=Decimal(0))
    assert "Why it waits now" not in text_of(desk, "task_change", task.pk)
    lifecycle.give_up(task)
    assert "Why it waits now" not in text_of(desk, "task_change", task.pk)


def test_breakers_show_how_each_stands(desk: Client, task: Task, account: ProviderAccount) -> None:
    ahead, past = timezone.now() + timedelta(minutes=1), timezone.now() - timedelta(minutes=1)
    breaker.trip(account, "a", "one", until=ahead)
    breaker.trip(account, "b", "two", until=past)
    breaker.rest(account, "c", ProviderRefused("three", scope="soft", retry_after_seconds=60))
    page = text_of(desk, "breaker_changelist")
    for shown in ("open", "to be probed", "resting", "one", "two"):
        assert shown in page
    page = text_of(desk, "provideraccount_changelist")
    for shown in ("tripped: one, until", "the next task is its probe", "told to slow down: three, until"):
        assert shown in page


@pytest.mark.parametrize("of", ["model", "account", "organization"])
def test_an_operator_switches_off_with_a_message_and_it_is_logged(
    desk: Client, task: Task, account: ProviderAccount, of: str
) -> None:
    targets = {"model": task.model, "account": account.pk, "organization": task.organization.public_id}
    end = timezone.now().replace(microsecond=0) + timedelta(hours=2)
    given = GIVEN | {of: targets[of], "expected_end_at": end.strftime("%Y-%m-%dT%H:%M")}
    assert desk.post(reverse(SWITCH_OFF), given | {"reason": " "}).status_code == 200
    assert not KillSwitch.objects.exists()
    assert desk.post(reverse(SWITCH_OFF), given).status_code == 302
    row = KillSwitch.objects.get()
    assert (row.message, row.reason) == (GIVEN["message"], GIVEN["reason"])
    assert abs(row.expected_end_at - end) < timedelta(minutes=1)
    assert str(row) == str({"model": task.model, "account": account, "organization": task.organization}[of])
    entry = AuditEntry.objects.get(actor_kind="operator")
    assert (entry.action, entry.reason, entry.target) == ("killswitch.switch_off", "Ticket 4711", str(row))
    again = desk.post(reverse(SWITCH_OFF), given)
    assert again.status_code == 200 and "switched off already" in again.content.decode()
    assert text_of(desk, "killswitch_changelist").count("We are working on it.") == 1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "Switch off one thing"),
        ({"model": "kling-v3-text-to-video", "account": "1"}, "Switch off one thing"),
        ({"organization": "org_nobody"}, "There is no such organization."),
        ({"model": "kling-v3-text-to-video", "expected_end_at": "2020-01-01T00:00"}, "This lies in the past."),
        ({"model": "kling-v3-text-to-video", "message": "Simulator-live is down"}, "must not name simulator-live"),
        ({"model": "kling-v3-text-to-video", "message": ""}, "This field is required."),
    ],
)
def test_what_cannot_be_switched_off_like_that_is_said(
    desk: Client, account: ProviderAccount, changes: dict[str, str], said: str
) -> None:
    if "account" in changes:
        changes = changes | {"account": str(account.pk)}
    answer = desk.post(reverse(SWITCH_OFF), GIVEN | changes)
    assert answer.status_code == 200 and said in answer.content.decode()
    assert not KillSwitch.objects.exists()


def test_a_switch_whose_end_has_passed_is_shown_as_overdue(desk: Client, task: Task) -> None:
    row = switches.set_on(model=task.model, reason="r", message="m", expected_end_at=timezone.now())
    assert "overdue" in text_of(desk, "killswitch_changelist")
    switches.lift(row, "done")
    assert "overdue" not in text_of(desk, "killswitch_changelist")
    assert "lifted" in text_of(desk, "killswitch_changelist")


def test_the_margin_guard_is_one_row_that_begins_with_the_settings(desk: Client) -> None:
    add = reverse("admin:generations_marginguard_add")
    form = desk.get(add).context["adminform"].form
    assert (form["max_loss_share"].value(), form["max_loss_a_day"].value()) == (Decimal("0.15"), Decimal(100))
    given = {"max_loss_share": "0.2", "max_loss_a_day": "50"}
    assert desk.post(add, given).status_code == 200
    assert desk.post(add, given | {"reason": "They raised prices"}).status_code == 302
    row = MarginGuard.objects.get()
    assert (row.pk, row.max_loss_share, row.max_loss_a_day) == (1, Decimal("0.2"), Decimal(50))
    assert desk.post(add, given | {"reason": "Another"}).status_code == 403
    change = reverse("admin:generations_marginguard_change", args=[1])
    assert desk.post(change, {"max_loss_share": "-1", "max_loss_a_day": "5", "reason": "r"}).status_code == 200
    assert desk.post(change, {"max_loss_share": "0", "max_loss_a_day": "5", "reason": "r"}).status_code == 302
    assert MarginGuard.objects.get().max_loss_a_day == Decimal(5)


def test_a_tripped_account_shows_the_way_back(desk: Client, account: ProviderAccount) -> None:
    page = reverse("admin:generations_provideraccount_change", args=[account.pk])
    assert "Reset breakers" not in desk.get(page).content.decode()
    url = reverse("admin:generations_provideraccount_trip", args=[account.pk])
    assert desk.post(url, {"model": "*", "until": "2020-01-01T00:00", "reason": "r"}).status_code == 200
    assert not Breaker.objects.exists()
    assert desk.post(url, {"model": "*", "until": "", "reason": "They fail"}).status_code == 302
    shown = desk.get(page).content.decode()
    assert "Reset breakers" in shown and "tripped: They fail" in shown
