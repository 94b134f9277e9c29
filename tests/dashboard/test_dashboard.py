"""The admin's first page: exact figures of the day, each leading to its rows, and to nobody who may not see them."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.db.models import Sum
from django.test import Client
from django.utils import timezone

from accounts.models import Organization, User
from billing import report_rollups, rollups
from billing.models import AuditRun, ProviderCost, Transfer, Wallet
from evolink_saas.dashboard import attention, now
from evolink_saas.dashboard.page import Dashboard
from evolink_saas.dashboard.tiles import Tile
from evolink_saas.reports.asked import day_of
from evolink_saas.reports.tables import dollars, money
from evolink_saas.year.growing import Plan
from generations import alerts, breaker, leases
from generations.models import Alert, LoopLease, ProviderAccount, Task, WorkerPulse
from tests.cast import Person
from tests.reports.conftest import END

pytestmark = pytest.mark.django_db(transaction=True)

INDEX = "/admin/"


def seen_by(client: Client) -> Dashboard:
    answer = client.get(INDEX)
    assert answer.status_code == 200
    return answer.context["dashboard"]


def tiles_of(found: Dashboard) -> dict[str, Tile]:
    return {tile.title: tile for tile in (*found.attention, *found.money, *found.tasks)}


def clerk(*codenames: str) -> Client:
    user = User.objects.create_user("carl@gateway.example", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client = Client()
    client.force_login(user)
    return client


def test_an_empty_gateway_has_a_calm_first_page(desk: Client) -> None:
    found = seen_by(desk)
    tiles = tiles_of(found)
    assert {title: tiles[title].figure for title in ("Revenue", "Margin", "Tasks accepted", "Open alerts")} == {
        "Revenue": "$0.00",
        "Margin": "$0.00",
        "Tasks accepted": "0",
        "Open alerts": "0",
    }
    assert (tiles["Last audit"].figure, tiles["Pending now"].note) == ("never", "nobody waits")
    page = desk.get(INDEX).content.decode()
    for shown in ("Nothing is at work.", "No account serves live keys", "UTC", "Sandbox organizations are left out."):
        assert shown in page


def test_the_figures_of_the_day_are_what_the_rows_add_up_to(year: Plan, desk: Client) -> None:
    busiest = Task.objects.filter(organization__sandbox_of=None, status="completed").latest("finished_at")
    with time_machine.travel(busiest.finished_at, tick=False):
        tiles = tiles_of(seen_by(desk))
    today = day_of(busiest.finished_at)
    of_today = {"created_at__date": today, "wallet__organization__sandbox_of": None}
    captured = Transfer.objects.filter(**of_today, kind="capture", lot__kind="paid").aggregate(sum=Sum("amount"))["sum"]
    refunded = Transfer.objects.filter(**of_today, kind="refund")
    back = refunded.filter(lot__kind="paid").aggregate(sum=Sum("amount"))["sum"] or Decimal(0)
    costs = ProviderCost.objects.filter(at__date=today, wallet__organization__sandbox_of=None)
    spent = costs.aggregate(sum=Sum("amount"))["sum"] or Decimal(0)
    revenue = dollars((captured or Decimal(0)) - back)
    assert tiles["Revenue"].figure == money(revenue)
    assert tiles["Upstream cost"].figure == money(spent)
    assert tiles["Margin"].figure == money(revenue - spent)
    ended = Task.objects.filter(finished_at__date=today, organization__sandbox_of=None)
    assert int(tiles["Completed"].figure) == ended.filter(status="completed").count() > 0
    assert int(tiles["Cancelled"].figure) == ended.filter(status="cancelled").count()
    live = Task.objects.filter(created_at__date=today, organization__sandbox_of=None, reserved_credits__gt=0)
    assert int(tiles["Tasks accepted"].figure) == live.count()


def test_what_is_owed_is_what_the_wallets_hold(year: Plan, desk: Client) -> None:
    with time_machine.travel(END, tick=False):
        note = tiles_of(seen_by(desk))["Owed to customers"].note
    paid, unpaid = re.fullmatch(r"([\d,.]+) paid credits, unused · promo and goodwill \$([\d,.]+)", note).groups()
    wallets = Wallet.objects.filter(organization__sandbox_of=None).aggregate(sum=Sum("balance"))["sum"]
    told = Decimal(paid.replace(",", "")) + 72 * Decimal(unpaid.replace(",", ""))
    assert abs(told - wallets) < 1


def test_the_figures_lead_to_the_rows_behind_them(year: Plan, desk: Client) -> None:
    busiest = Task.objects.filter(organization__sandbox_of=None, status="completed").latest("finished_at")
    with time_machine.travel(busiest.finished_at, tick=False):
        tiles = tiles_of(seen_by(desk))
        for title in ("Completed", "Failed", "Failed by input", "Cancelled"):
            assert desk.get(tiles[title].link).context["cl"].queryset.count() == int(tiles[title].figure), title
        for title in ("Revenue", "Upstream cost", "Margin"):
            assert desk.get(tiles[title].link).context["shown"].cards[0].figure == tiles["Revenue"].figure
        for tile in tiles.values():
            assert tile.link and desk.get(tile.link).status_code == 200, tile.title


def test_every_open_row_is_counted_and_leads_to_its_list(desk: Client, lived_in: Task) -> None:
    tiles = tiles_of(seen_by(desk))
    for title in ("Open alerts", "Open differences", "Grants waiting", "Vouchers waiting", "Switched off"):
        listed = desk.get(tiles[title].link).context["cl"].queryset.count()
        assert listed == int(tiles[title].figure), title
    assert (tiles["Open differences"].figure, tiles["Grants waiting"].figure) == ("1", "1")
    assert tiles["Open differences"].tone == tiles["Grants waiting"].tone == "warning"
    assert tiles["Switched off"].tone == "good"


def test_the_newest_alerts_stand_on_the_page_until_they_are_resolved(desk: Client) -> None:
    for number in range(7):
        alerts.tell("unknown-status-word", f"account <{number}>", "The provider said `paused`.")
    found = seen_by(desk)
    assert tiles_of(found)["Open alerts"].figure == "7"
    assert [alert.subject for alert in found.alerts] == [f"account <{number}>" for number in (6, 5, 4, 3, 2)]
    assert "account &lt;6&gt;" in desk.get(INDEX).content.decode()
    for alert in Alert.objects.all():
        alerts.resolve(alert)
    assert (tiles_of(seen_by(desk))["Open alerts"].figure, seen_by(desk).alerts) == ("0", [])


def test_work_under_way_is_counted_by_model_and_by_account(desk: Client, task: Task) -> None:
    found = seen_by(desk)
    assert [(row.model, row.pending, row.processing) for row in found.work] == [(task.model, 1, 0)]
    assert found.work[0].waits_since == task.created_at
    tile = tiles_of(found)["Pending now"]
    assert (tile.figure, desk.get(tile.link).context["cl"].queryset.get()) == ("1", task)
    [row] = re.findall(r'href="([^"]*status__in=[^"]*)"', desk.get(INDEX).content.decode())
    assert desk.get(row.replace("&amp;", "&")).context["cl"].queryset.get() == task


def test_a_finished_task_is_no_work(desk: Client, finished: Task) -> None:
    assert seen_by(desk).work == []


def test_an_account_shows_what_stands_against_it(desk: Client, finished: Task) -> None:
    [line] = seen_by(desk).accounts
    assert (line.of.account.name, line.of.standing, line.of.running, line.of.troubles) == (
        "simulator-live",
        "on",
        0,
        [],
    )
    account = ProviderAccount.objects.get(name="simulator-live")
    breaker.trip(account, finished.model, "They announced it", until=None)
    ProviderAccount.objects.update(draining=True)
    [line] = seen_by(desk).accounts
    assert (line.of.standing, line.of.troubles) == ("draining", [(finished.model, "tripped: They announced it")])
    assert "They announced it" in desk.get(INDEX).content.decode()


def test_workers_are_alive_that_hold_a_loop_or_claimed_lately(desk: Client) -> None:
    moment = timezone.now()
    tile = tiles_of(seen_by(desk))["Workers alive"]
    assert (tile.figure, tile.tone) == ("0", "danger")
    LoopLease.objects.update_or_create(
        shard=0, defaults={"leased_by": "host-1", "leased_until": moment + timedelta(seconds=30)}
    )
    for name, minutes in (("host-1", 9), ("host-2", 4), ("host-3", 6)):
        WorkerPulse.objects.create(worker=name, claimed_at=moment - timedelta(minutes=minutes))
    assert now.workers(moment).names == ("host-1", "host-2")
    tile = tiles_of(seen_by(desk))["Workers alive"]
    assert (tile.figure, tile.tone) == ("2", "good")
    assert tile.note.startswith("1 of 1 polling loops are held")
    assert leases.worker_name() not in now.workers(moment).names


def test_an_audit_that_broke_today_is_not_hidden_by_a_clean_one_after_it(desk: Client) -> None:
    moment = timezone.now()
    finding = {"invariant": "I1", "subject": "wallet", "problem": "off"}
    runs: tuple[tuple[int, list[dict[str, str]]], ...] = ((30, [finding]), (2, [finding]), (1, []))
    old, broken, clean = (
        AuditRun.objects.create(
            scope="all wallets",
            findings=findings,
            started_at=moment - timedelta(hours=hours),
            finished_at=moment - timedelta(hours=hours),
        )
        for hours, findings in runs
    )
    assert attention.audited(moment).worst == broken
    tile = tiles_of(seen_by(desk))["Last audit"]
    assert (tile.figure, tile.tone, str(broken.pk) in tile.link) == ("1 finding", "danger", True)
    broken.delete()
    assert attention.audited(moment).worst == clean != old
    assert tiles_of(seen_by(desk))["Last audit"].figure == "clean"


def test_a_sandbox_is_in_no_figure(desk: Client, finished: Task) -> None:
    assert tiles_of(seen_by(desk))["Completed"].figure == "1"
    other = Organization.objects.create(name="Other", user_group=finished.organization.user_group)
    Organization.objects.filter(pk=finished.organization_id).update(sandbox_of=other)
    tiles = tiles_of(seen_by(desk))
    assert [tiles[title].figure for title in ("Tasks accepted", "Completed", "Revenue")] == ["0", "0", "$0.00"]


def test_who_may_see_nothing_sees_nothing(lived_in: Task) -> None:
    client = clerk("view_organization")
    found = seen_by(client)
    assert found.is_nothing and found.charts == [] and found.work is None
    page = client.get(INDEX).content.decode().partition('class="report dashboard"')[2]
    assert "You may see no figures yet." in page
    assert re.findall(r"US\$|class=\"tile|class=\"figures|<svg class=\"picture", page) == []


def test_money_needs_the_right_to_reports_and_a_link_the_right_to_its_rows(lived_in: Task) -> None:
    client = clerk("view_task", "view_provideraccount")
    found = seen_by(client)
    assert (found.money, found.attention, len(found.charts)) == ([], [], 1)
    assert [(line.spent_today, line.spent) for line in found.accounts] == [("", "")]
    text = client.get(INDEX).content.decode()
    assert "Revenue" not in text and "US$" not in text.partition('id="accounts"')[2].partition("</section>")[0]


def test_a_reader_of_reports_is_not_led_to_rows_that_are_closed_to_him(lived_in: Task) -> None:
    found = seen_by(clerk("view_reports"))
    links = {tile.title: tile.link for tile in found.money}
    assert links["Refunds"] == "" and links["Revenue"].startswith("/admin/reports/?first=")
    assert (found.tasks, found.attention, found.accounts) == ([], [], None)


def test_the_side_bar_shows_what_one_may_see_and_no_empty_badge(desk: Client) -> None:
    def items(client: Client) -> dict[str, str]:
        shown = client.get(INDEX).context["sidebar_navigation"]
        return {
            item["title"]: item.get("badge", "") for group in shown for item in group["items"] if item["has_permission"]
        }

    badge = "leading-[18px] ml-2"
    assert not any(items(desk).values())
    assert badge not in desk.get(INDEX).content.decode()
    alerts.tell("unknown-status-word", "kling", "The provider said `paused`.")
    assert {title: count for title, count in items(desk).items() if count} == {"Alerts": "1"}
    assert desk.get(INDEX).content.decode().count(badge) == 1
    assert set(items(clerk("view_task"))) == {"Today", "Tasks"}


def test_no_statement_of_the_page_grows_with_what_is_over(
    year: Plan,
    desk: Client,
    django_assert_max_num_queries: object,
) -> None:
    rollups.roll_all()
    report_rollups.roll_all()
    desk.get(INDEX)
    with django_assert_max_num_queries(60) as seen:
        desk.get(INDEX)
    counted = [
        one["sql"]
        for one in seen.captured_queries
        if "COUNT(" in one["sql"].upper() and "generations_task" in one["sql"] and "status" not in one["sql"]
    ]
    assert counted == []


def test_only_operators_see_it(client: Client, alice: Person) -> None:
    client.force_login(alice.membership.user)
    assert client.get(INDEX).status_code == 302
