"""The report pages as an operator sees them: who gets in, what they say, and that each figure leads to its rows."""

import csv
import io
import re
from datetime import date
from decimal import Decimal
from html import unescape

import pytest
from django.contrib.auth.models import Permission
from django.db.models import Sum
from django.test import Client
from openpyxl import load_workbook

from accounts.models import Organization, User
from evolink_saas.reports import sales
from evolink_saas.reports.asked import Asked
from evolink_saas.reports.pages import TABS
from evolink_saas.reports.tables import money
from evolink_saas.year.growing import Plan
from tests.cast import Person

pytestmark = pytest.mark.django_db(transaction=True)

REPORTS = "/admin/reports/"
RANGE = {"first": "2026-08-20", "last": "2026-11-19"}
PAGES = ["", "customers/", "liabilities/", "outcomes/"]
EXPORTS = [("", "sales"), ("customers/", "customers"), ("liabilities/", "roll_forward"), ("outcomes/", "outcomes")]


def rows_of(client: Client, page: str, **words: str) -> list[dict[str, str]]:
    answer = client.get(REPORTS + page, RANGE | {"format": "csv"} | words)
    assert answer.status_code == 200
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize("page", PAGES)
def test_only_those_who_may_read_reports_get_in(reader: Client, alice: Person, page: str) -> None:
    assert reader.get(REPORTS + page).status_code == 200
    other = User.objects.create_user("otto@gateway.example", is_staff=True)
    other.user_permissions.set(Permission.objects.filter(codename="view_transfer"))
    client = Client()
    client.force_login(other)
    assert client.get(REPORTS + page).status_code == 403
    client.force_login(alice.membership.user)
    assert client.get(REPORTS + page).status_code == 302


@pytest.mark.parametrize("page", PAGES)
def test_a_gateway_without_customers_shows_empty_reports(reader: Client, page: str) -> None:
    answer = reader.get(REPORTS + page)
    assert answer.status_code == 200
    text = answer.content.decode()
    assert "(UTC)" in text
    assert "<svg" not in text.partition('class="figures"')[2]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_figures_units_and_the_time_zone(year: Plan, reader: Client, page: str) -> None:
    answer = reader.get(REPORTS + page, RANGE)
    text = answer.content.decode()
    assert answer.status_code == 200
    assert "2026-08-20 to 2026-11-19, 92 days (UTC)" in text
    assert "Sandbox organizations are left out." in text
    for title, _, _ in answer.context["tabs"]:
        assert title in text
    assert [one for _, _, one in answer.context["tabs"]].count(True) == 1
    assert len(TABS) == len(PAGES)


@pytest.mark.parametrize("by", ["month", "day", "model", "organization", "user_group", "account"])
@pytest.mark.parametrize("page", ["", "outcomes/"])
def test_every_grouping_is_shown(year: Plan, reader: Client, page: str, by: str) -> None:
    assert reader.get(REPORTS + page, RANGE | {"by": by}).context["shown"] is not None
    then = "model" if by != "model" else "user_group"
    assert reader.get(REPORTS + page, RANGE | {"by": by, "then": then}).context["shown"] is not None


def test_the_figures_of_a_page_link_to_the_rows_that_they_are_the_sum_of(year: Plan, reader: Client) -> None:
    followed = 0
    for by in ("month", "model", "organization"):
        answer = reader.get(REPORTS, RANGE | {"by": by})
        table = answer.context["shown"].tables["sales"]
        names = [column.name for column in table.columns]
        for line in [*table.lines, table.total]:
            for name, cell in zip(names, line.cells, strict=True):
                if not cell.link.startswith("/admin/") or cell.link.startswith(REPORTS):
                    continue
                listed = reader.get(cell.link)
                assert listed.status_code == 200, cell.link
                rows = listed.context["cl"].queryset
                if name == "tasks":
                    assert rows.filter(reserved_credits__gt=0).count() == cell.value, cell.link
                elif name == "promo":
                    taken, given = (
                        rows.filter(kind=kind).aggregate(sum=Sum("amount"))["sum"] or Decimal(0)
                        for kind in ("capture", "refund")
                    )
                    assert taken - given == cell.value, cell.link
                else:
                    assert rows.aggregate(sum=Sum("amount"))["sum"] == cell.value, cell.link
                followed += 1
    assert followed > 30


def test_the_counts_of_outcomes_link_to_just_those_tasks(year: Plan, reader: Client) -> None:
    followed = 0
    for by in ("month", "model", "organization", "user_group"):
        table = reader.get(f"{REPORTS}outcomes/", RANGE | {"by": by}).context["shown"].tables["outcomes"]
        names = [column.name for column in table.columns]
        for line in [*table.lines, table.total]:
            for name, cell in zip(names, line.cells, strict=True):
                if cell.link and not cell.link.startswith(REPORTS):
                    assert reader.get(cell.link).context["cl"].queryset.count() == cell.value, (name, cell.link)
                    followed += name in ("failed", "failed_by_input")
    assert followed > 10


@pytest.mark.parametrize(
    ("words", "field"),
    [
        ({"first": "2026-11-20", "last": "2026-11-19"}, "last"),
        ({"first": "1999-01-01"}, "first"),
        ({"first": "2020-01-01", "last": "2026-01-01"}, "last"),
        ({"by": "day", "then": "organization", "first": "2026-01-01", "last": "2026-11-19"}, "then"),
        ({"by": "model", "then": "model"}, "then"),
        ({"by": "day", "then": "month"}, "then"),
        ({"organization": "org_nobody"}, "organization"),
        ({"first": "soon"}, "first"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused_beside_its_field(
    reader: Client, words: dict[str, str], field: str
) -> None:
    answer = reader.get(REPORTS, RANGE | words)
    assert answer.status_code == 200
    assert list(answer.context["question"].errors) == [field]
    assert answer.context["shown"] is None


@pytest.mark.parametrize(("page", "table"), EXPORTS)
def test_a_table_is_the_same_as_csv_and_xlsx(year: Plan, reader: Client, page: str, table: str) -> None:
    found = rows_of(reader, page, table=table)
    assert found
    answer = reader.get(REPORTS + page, RANGE | {"format": "xlsx", "table": table})
    sheet = load_workbook(io.BytesIO(b"".join(answer.streaming_content)), read_only=True).active
    heads, *rows = [list(row) for row in sheet.iter_rows(values_only=True)]
    assert heads == list(found[0])
    assert len(rows) == len(found)
    for spelled, row in zip(found, rows, strict=True):
        row += [None] * (len(heads) - len(row))  # a reader drops what is empty at the end
        for text, value in zip(spelled.values(), row, strict=True):
            same = text == "" if value is None else text == str(value)
            assert same or Decimal(text) == Decimal(str(value)).quantize(Decimal(text)), (text, value)


def test_an_export_has_every_figure_exactly(year: Plan, reader: Client) -> None:
    *rows, total = rows_of(reader, "", by="model")
    wanted = sales.total(Asked(first=date(2026, 8, 20), last=date(2026, 11, 19), by=()))
    assert (
        Decimal(total["captured_credits"]) == wanted.captured == sum(Decimal(row["captured_credits"]) for row in rows)
    )
    assert Decimal(total["upstream_usd"]) == wanted.upstream == sum(Decimal(row["upstream_usd"]) for row in rows)


def test_a_name_that_a_spreadsheet_would_take_for_a_formula_is_neutralized(year: Plan, reader: Client) -> None:
    Organization.objects.filter(sandbox_of=None).update(name='=HYPERLINK("https://evil.example")')
    rows = rows_of(reader, "", by="organization")
    assert rows[0]["organization"].startswith("'=HYPERLINK")
    page = reader.get(REPORTS, RANGE | {"by": "organization"}).content.decode()
    assert '=HYPERLINK("https' not in page and unescape(page).count('=HYPERLINK("https') > 0


def test_nothing_on_a_page_comes_from_elsewhere(year: Plan, reader: Client) -> None:
    text = reader.get(REPORTS, RANGE).content.decode()
    assert re.findall(r'(?:src|href)="(?:https?:)?//[^"]*"', text) == []


@pytest.mark.parametrize(("amount", "text"), [("-1234.505", "-$1,234.51"), ("0.004", "$0.00"), ("-0.004", "$0.00")])
def test_dollars_have_their_sign_before_the_symbol(amount: str, text: str) -> None:
    assert money(Decimal(amount)) == text
