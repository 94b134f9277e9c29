"""The PDF of a statement: what it says is what the books say, in any script, and a long month stays short."""

import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from pypdf import PdfReader

from accounts import ids
from accounts.models import Organization
from billing import ledger, statement_pdf, statements
from tests.billing.books import give, reserve
from tests.cast import Person, organization_of

pytestmark = pytest.mark.django_db


def opened(name: str = "Acme") -> Organization:
    return organization_of(name, "alice@acme.example")


def read(organization: Organization, month: str, now: datetime, **limits: int) -> list[str]:
    """The text of each page. (Of a font with names for its glyphs, pypdf reads each character as two.)"""
    paper = statement_pdf.render(statements.of(organization, month, now), **limits)
    return [page.extract_text().replace("\0", "") for page in PdfReader(io.BytesIO(paper)).pages]


def fonts(organization: Organization, month: str, now: datetime) -> set[str]:
    paper = statement_pdf.render(statements.of(organization, month, now))
    found = PdfReader(io.BytesIO(paper)).pages[0]["/Resources"]["/Font"].values()
    return {font.get_object()["/BaseFont"].partition("+")[2] for font in found}


def test_it_names_the_organization_the_period_and_every_line(clock: time_machine.Traveller) -> None:
    acme = opened()
    ledger.top_up(acme, Decimal("1234.5"), reference="payment 4711")
    held = ledger.reserve(acme, ids.new(), Decimal("35.991"), model="kling-v3-text-to-video")
    ledger.capture(held.id)

    (text,) = read(acme, "2026-11", datetime(2026, 12, 3, tzinfo=UTC))

    for words in (
        "November 2026",
        "Acme",
        acme.public_id,
        "01 Nov 2026 00:00 to 01 Dec 2026 00:00 (exclusive)",
        "UTC",
        "Closing balance",
        "1,198.5090",
        "payment 4711",
        "+ 1,234.5000",
        "Charge · kling-v3-text-to-video",
        held.task_id,
        "− 35.9910",
        "23 Nov 12:00:00",
        "Page 1 of 1",
    ):
        assert words in text, words
    assert "rovisional" not in text


def test_a_running_month_is_provisional(clock: time_machine.Traveller) -> None:
    (text,) = read(opened(), "2026-11", datetime.now(UTC))
    assert "Provisional: this month is not over" in text
    assert "Balance so far" in text
    assert "Nothing changed the balance in this month." in text


@pytest.mark.parametrize(
    ("name", "chinese"),
    [
        ("Acme & Söhne", False),
        ("Żółw Sp. z o.o.", False),
        ("Звезда", False),
        ("星河影像科技（北京）有限公司", True),
        ("星河\u3000東京", True),
    ],
)
def test_a_name_in_any_of_these_scripts_can_be_read(clock: time_machine.Traveller, name: str, chinese: bool) -> None:
    acme = opened(name)
    (text,) = read(acme, "2026-11", datetime.now(UTC))
    assert name in text
    assert ("NotoSansSC" in fonts(acme, "2026-11", datetime.now(UTC))) is chinese


def test_a_name_with_characters_that_no_font_has_is_no_error(clock: time_machine.Traveller) -> None:
    (text,) = read(opened("Acme \U0001f3ac 한국 عربي"), "2026-11", datetime.now(UTC))
    assert "Acme" in text


def test_pages_are_numbered_and_repeat_the_titles(clock: time_machine.Traveller) -> None:
    acme = opened()
    for number in range(60):
        give(acme, 1, reference=f"grant {number}")

    first, second = read(acme, "2026-11", datetime.now(UTC))

    assert ("Page 1 of 2" in first, "Page 2 of 2" in second) == (True, True)
    assert ("Acme · November 2026" in second, "Balance" in second, "grant 59" in second) == (True, True, True)


def test_a_long_month_shows_one_line_a_day_and_kind(clock: time_machine.Traveller) -> None:
    acme = opened()
    give(acme, 100)
    for _ in range(3):
        for _ in range(2):
            ledger.capture(reserve(acme, "1.5").id)
        clock.shift(timedelta(days=1))

    (text,) = read(acme, "2026-11", datetime.now(UTC), most=6)

    assert "The CSV of this statement has every movement." in text
    lines = [line for line in text.splitlines() if "movement" in line and "Nov" in line]
    assert [" ".join(line.split()) for line in lines] == [
        "23 Nov Grants 1 movement + 100.0000 100.0000",
        "23 Nov Charges 2 movements − 3.0000 97.0000",
        "24 Nov Charges 2 movements − 3.0000 94.0000",
        "25 Nov Charges 2 movements − 3.0000 91.0000",
    ]


def test_it_is_a_file_to_keep(alice: Person) -> None:
    month = f"{datetime.now(UTC):%Y-%m}"
    answer = alice.client.get(f"/v1/statements/{month}.pdf")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
    assert answer["Content-Disposition"] == f'attachment; filename="statement-{month}-provisional.pdf"'
    assert answer.content.startswith(b"%PDF-")
